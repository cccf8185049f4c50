"""How many requests to the store a document costs, by step: through the code of the night, with the fake engines.

    python -m benchmarks.store_requests [--pages 1]

A raw message that names a document, `nightshift submit` with its bytes, and `nightshift run`. The store is a temporary
folder that counts; nothing is timed. What a process asks once, or once in so many seconds, is left out.
`tests/unit/night/test_requests.py` holds these numbers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.command import grey, pages
from tests.support.requests import (
    CountingBackend,
    by_message,
    by_run,
    by_submit,
    by_tick,
    settings_in,
    unhurried,
)


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
        ways: dict[str, Callable[..., CountingBackend]] = {
            "a raw message, each step on another host": by_message,
            "a raw message by day, the night on one host": partial(by_message, kept=inbox / "1", by_day=True),
            "a raw message by night, all on one host": partial(by_message, kept=inbox / "2"),
            "submit, each step on another host": by_submit,
            "submit by day, the night on one host": partial(by_submit, kept=inbox / "3", by_day=True),
            "submit by night, all on one host": partial(by_submit, kept=inbox / "4"),
            "run": by_run,
        }
        for number, (name, way) in enumerate(ways.items()):
            print(f"{name}, {count} page(s)")
            settings = settings_in(inbox / f"store-{number}", inbox)
            with unhurried():
                print(*way(settings, before, document).lines(), "", sep="\n")
        print("a tick of housekeeping with nothing to do, 100 past nights")
        print(*by_tick(settings_in(inbox / "nights", inbox), before, nights=100).lines(), sep="\n")


if __name__ == "__main__":
    main()
