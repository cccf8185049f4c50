"""How many requests to the store a document costs, by step: through the code of the night, with the fake engines.

    python -m benchmarks.store_requests [--pages 1]

Three ways: a raw message that names a document, `nightshift submit` with its bytes, and `nightshift run`. The store is
a temporary folder that counts; nothing is timed. What a process asks once, or once in so many seconds, is left out.
`tests/unit/night/test_requests.py` holds these numbers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.command import grey, pages
from tests.support.requests import by_message, by_run, by_submit, settings_in


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=1)
    count = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder)
        before = pages(inbox / "before.pdf", [grey(200)])
        document = pages(inbox / "document.pdf", [grey(n) for n in range(count)])
        ways = {"a raw message": by_message, "submit": by_submit, "run": by_run}
        for name, way in ways.items():
            print(f"{name}, {count} page(s)")
            settings = settings_in(inbox / name.replace(" ", "-"), inbox)
            print(*way(settings, before, document).lines(), "", sep="\n")


if __name__ == "__main__":
    main()
