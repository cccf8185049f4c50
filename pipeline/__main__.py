"""Where the `nightshift` command starts.

Worker processes import this module again, as spawned processes do: it must stay light.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; every expected error ends in one sentence on standard error and its exit code."""
    from pipeline.errors import ExitCode, PipelineError

    try:
        from pipeline.cli import pipes

        pipes.install()
        from pipeline.cli.app import app

        app()
    except PipelineError as error:
        sys.stderr.write(f"nightshift: {error.message}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before a command began: from then on, pipeline.cli.app has the sentence
        sys.stderr.write("nightshift: Stopped.\n")
        sys.exit(ExitCode.STOPPED)


if __name__ == "__main__":
    main()
