"""OCR accuracy: lines of scanned receipts (ICDAR 2019 SROIE) compared with their transcripts.

    python benchmarks/ocr_accuracy.py [DATA] [--engine rapidocr] [--limit N]

What is counted: `comparison/accuracy.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from comparison.accuracy import characters, score, tokens
from comparison.pages.labelled import transcript
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import ocr

DATA = os.environ.get("NIGHTSHIFT_DATA", "data")


def scores(read: Sequence[Sequence[str]], images: Sequence[Path]) -> tuple[float, float]:
    """Character and token F1 of the lines read on each image."""
    expected = [transcript(image) for image in images]
    return score(characters, read, expected), score(tokens, read, expected)


def pages(data: str, limit: int | None) -> list[Path]:
    found = sorted((Path(data) / "sroie" / "img").glob("*.jpg"))
    if not found:
        raise SystemExit(f"no images in {data}/sroie/img")
    return found if limit is None else found[:: max(1, len(found) // limit)][:limit]


def rgb(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def settings(engine: str = "rapidocr", **changes: object) -> ocr.OcrSettings:
    defaults = {
        "ocr_engine": engine,
        "ocr_device": "cpu",
        "ocr_model_dir": None,
        "ocr_max_side": 960,
        "ocr_threads": 1,
        "ocr_download": False,
    }
    return SimpleNamespace(**{**defaults, **changes})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", default=DATA)
    parser.add_argument("--engine", default="rapidocr")
    parser.add_argument("--max-side", type=int, default=960)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()

    images = pages(options.data, options.limit)
    engine = ocr.load(settings(options.engine, ocr_max_side=options.max_side))
    started = time.process_time()
    readings = [engine.read(rgb(path)) for path in images]
    seconds = time.process_time() - started
    character_f1, token_f1 = scores([[line.text for line in page.lines] for page in readings], images)
    turned = sum(page.rotation != 0 for page in readings)
    print(f"{options.engine}, {len(images)} pages: character F1 {character_f1:.4f}, token F1 {token_f1:.4f}")
    print(f"rotated without need: {turned}; CPU seconds per page: {seconds / len(images):.3f}")


if __name__ == "__main__":
    main()
