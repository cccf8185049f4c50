"""Overhead of `nightshift run` on top of its engines: wall time compared with a bare loop over the same pages.

The bare loop is two spawned processes that load the same OCR engine and call it on the decoded images,
nothing else: no store, no checkpoints, no NER, no tables. Both sides are timed from start to exit, including
model loading, alternately (run, loop, run, loop …); the median of the ratios is printed.

    python benchmarks/run_overhead.py [DATA] [--pages 30] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from pipeline.ocr.base import OcrEngine

WORKERS = 2
_engine: OcrEngine


def _load() -> None:
    global _engine  # noqa: PLW0603 - one engine per process
    from pipeline import ocr
    from pipeline.settings import Settings

    _engine = ocr.load(Settings.from_env())


def _read(path: str) -> int:
    import numpy as np
    from PIL import Image

    return len(_engine.read(np.asarray(Image.open(path).convert("RGB"))).lines)


def bare_loop(pages: Sequence[Path]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--loop", *pages], check=True)
    return time.perf_counter() - started


def loop(pages: Sequence[str]) -> None:
    with get_context("spawn").Pool(WORKERS, _load) as pool:
        assert sum(pool.imap_unordered(_read, pages)) > 0


def whole_run(pages: Sequence[Path]) -> float:
    command = Path(sys.executable).parent / "nightshift"
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        subprocess.run(
            [command, "run", *pages, "--workers", str(WORKERS), "--out", out, "--show", "0"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - started


def main() -> None:
    if sys.argv[1:2] == ["--loop"]:
        loop(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", nargs="?", default=os.environ.get("NIGHTSHIFT_DATA", "data"), type=Path)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pages = sorted((arguments.data / "sroie" / "img").glob("*.jpg"))[: arguments.pages]
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # both sides use bytecode, as when installed
    ratios = []
    for _ in range(arguments.rounds):
        run, bare = whole_run(pages), bare_loop(pages)
        ratios.append(run / bare)
        print(f"nightshift run {run:6.1f} s   bare loop {bare:6.1f} s   ratio {ratios[-1]:.3f}", flush=True)
    print(f"{len(pages)} pages, {WORKERS} processes: median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
