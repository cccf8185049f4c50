"""OCR accuracy: lines of scanned receipts (ICDAR 2019 SROIE) compared with their transcripts.

    python benchmarks/ocr_accuracy.py [DATA] [--engine rapidocr] [--limit N]

Counted as one bag per page: both sides upper-cased; characters are A-Z and 0-9 only (all others are dropped);
tokens are the runs of A-Z0-9, so "RM:12.50" counts as RM, 12, 50. Hits are the bags' intersection,
summed over all pages before F1 = 2 hits / (found + expected) is computed (micro average).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import ocr

DATA = os.environ.get("NIGHTSHIFT_DATA", "data")
Bag = Counter[str]


def characters(lines: Iterable[str]) -> Bag:
    return Counter(c for line in lines for c in re.findall("[A-Z0-9]", line.upper()))


def tokens(lines: Iterable[str]) -> Bag:
    return Counter(token for line in lines for token in re.findall("[A-Z0-9]+", line.upper()))


def f1(pages: Iterable[tuple[Bag, Bag]]) -> float:
    hits = total = 0
    for found, expected in pages:
        hits += (found & expected).total()
        total += found.total() + expected.total()
    return 2 * hits / total


def scores(read: Sequence[Sequence[str]], images: Sequence[Path]) -> tuple[float, float]:
    """Character and token F1 of the lines read on each image."""
    expected = [transcript(image) for image in images]
    pairs = list(zip(read, expected, strict=True))
    return tuple(f1((bag(a), bag(b)) for a, b in pairs) for bag in (characters, tokens))  # type: ignore[return-value]


def transcript(image: Path) -> list[str]:
    path = image.parent.parent / "box" / f"{image.stem}.csv"
    rows = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [row.split(",", 8)[8] for row in rows if row.count(",") >= 8]


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
