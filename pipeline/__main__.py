"""Where the `nightshift` command starts.

Worker processes import this module again, as spawned processes do: it must stay light.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; every error that was foreseen ends in one sentence and its exit code."""
    from pipeline.cli.app import app
    from pipeline.errors import PipelineError

    try:
        app()
    except PipelineError as error:
        sys.stderr.write(f"nightshift: {error.message}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("nightshift: stopped; what was finished is kept, the same command goes on.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
