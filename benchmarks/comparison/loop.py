"""A plain loop: load an engine, read all pages, end. `python -m benchmarks.comparison.loop ENGINE FOLDER IMAGE...`."""

from __future__ import annotations

import sys
from pathlib import Path

from .engines import load
from .run import write_lines


def main() -> None:
    """Read the images of the arguments."""
    engine, folder, *images = sys.argv[1:]
    paths = [Path(image) for image in images]
    write_lines(Path(folder), paths, load(engine)(paths))


if __name__ == "__main__":
    main()
