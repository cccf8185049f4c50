"""What it costs to parse documents in a process of their own: the same pages read both ways, in turn.

    python benchmarks/parsing.py FILE... [--rounds 3] [--pages 50]

For each file: seconds of processor time per page (this process and the reader) and elapsed, with OCR, parsed in this
process and in a reader process, and the ratios. A PDF of `--pages` pages, scans of the first file, is read as well. The
best of `--rounds` counts. Copying counts twice: the time of this process's thread is part of what a document took.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from pipeline.documents import open as here
from pipeline.documents.base import Document
from pipeline.limits import Limits, PageTime
from pipeline.reader.reader import Reader
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from pipeline.steps.pages import read_page

Way = Callable[[bytes, Limits], Document]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=50)
    arguments = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    engines = Engines(Settings())
    _ = engines.ocr
    reader = Reader(memory=0, limit=PageTime(120, 305), attempts=1)
    begun = time.perf_counter()
    reader.open(b"text", Limits())
    print(f"first document: {time.perf_counter() - begun:.2f} s")
    inputs = [(file.name, file.read_bytes()) for file in arguments.files]
    inputs.append((f"{arguments.pages} pages", scanned(arguments.files[0], arguments.pages)))
    print("pages  CPU s/page here, apart  ratio   elapsed here, apart  ratio   file")
    for name, data in inputs:
        near, far = [], []
        for _ in range(arguments.rounds):
            near.append(seconds(here.open_document, data, engines))
            far.append(seconds(reader.open, data, engines))
        pages = near[0][2]
        cpu, elapsed = (tuple(min(run[n] for run in way) / pages for way in (near, far)) for n in (0, 1))
        print(
            f"{pages:5}  {cpu[0]:.3f} {cpu[1]:.3f}  {cpu[1] / cpu[0]:.3f}   {elapsed[0]:.3f} {elapsed[1]:.3f}"
            f"  {elapsed[1] / elapsed[0]:.3f}   {name}"
        )
    reader.close()


def seconds(way: Way, data: bytes, engines: Engines) -> tuple[float, float, int]:
    """Processor time and elapsed time of a document with OCR, and its pages."""
    elapsed, cpu = time.perf_counter(), time.process_time()
    with way(data, Limits()) as document:
        for number in range(1, document.page_count + 1):
            read_page(document, number, engines)
        apart = document.decoding if way is not here.open_document else 0.0
        return time.process_time() - cpu + apart, time.perf_counter() - elapsed, document.page_count


def scanned(picture: Path, pages: int) -> bytes:
    """A PDF of scanned pages."""
    with Image.open(picture) as image:
        page = image.convert("RGB")
    target = io.BytesIO()
    page.save(target, "PDF", save_all=True, append_images=[page] * (pages - 1), resolution=150)
    return target.getvalue()


if __name__ == "__main__":
    main()
