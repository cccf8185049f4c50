"""Whether a worker grows: resident memory of one process after 20 pages and after 500.

One process does what a worker does: intake, OCR, NER, page by page over the same documents again and again.

    python benchmarks/memory.py [DATA] [--pages 500]
"""

from __future__ import annotations

import argparse
import os
import resource
from itertools import cycle, islice
from pathlib import Path


def resident_mib() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "data", nargs="?", default=os.environ.get("NIGHTSHIFT_DATA", "../shared/data"), type=Path
    )
    parser.add_argument("--pages", type=int, default=500)
    arguments = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    from pipeline import ner, ocr
    from pipeline.intake import open_document
    from pipeline.ocr.layout import assemble
    from pipeline.settings import Settings

    settings = Settings.from_env()
    reader, finder = ocr.load(settings), ner.load(settings)
    # Chinese pages first, so that both models are loaded before the first reading
    images = [
        path
        for folder in ("zh_docs", "sroie/img")
        for path in sorted((arguments.data / folder).glob("*.jpg"))
    ]
    first = 0.0
    for number, path in enumerate(islice(cycle(images), arguments.pages), 1):
        with open_document(path.read_bytes(), settings.limits) as document:
            image = document.page(1).image
        assert image is not None
        seen = reader.read(image)
        finder.extract([assemble(seen.lines, seen.width, seen.height)[0]])
        if number in (20, 100, 200, 300, 400, arguments.pages):
            now = resident_mib()
            first = first or now
            print(f"{number:5} pages: {now:7.0f} MiB resident, {100 * (now / first - 1):+.1f} %", flush=True)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
