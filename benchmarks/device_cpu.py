"""Models in each process or one shared process, on this CPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import ocr
from pipeline.documents.open import open_document
from pipeline.errors import PermanentError
from pipeline.settings import Settings

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
Rgb = NDArray[np.uint8]


def settings(**changes: object) -> ocr.OcrSettings:
    defaults = {
        "ocr_engine": "rapidocr",
        "ocr_device": "cpu",
        "ocr_model_dir": None,
        "ocr_max_side": 960,
        "ocr_threads": 1,
        "ocr_download": False,
    }
    return SimpleNamespace(**{**defaults, **changes})


def sample_pages() -> Iterator[Rgb]:
    """Every page of the shipped samples that can be opened, rendered."""
    for path in sorted(SAMPLES.iterdir()):
        try:
            document = open_document(path.read_bytes(), Settings().limits)
        except PermanentError:
            continue  # one sample is damaged on purpose
        with document:
            yield from (document.render(number) for number in range(1, document.page_count + 1))


def text_pages(count: int) -> Iterator[Rgb]:
    """Pages of 40 lines, A4 at 150 dpi."""
    random = np.random.default_rng(1)
    font = ImageFont.load_default(22)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789")
    for _ in range(count):
        image = Image.new("RGB", (1240, 1754), "white")
        for row in range(40):
            words = (
                "".join(random.choice(letters, random.integers(2, 11))) for _ in range(random.integers(3, 12))
            )
            ImageDraw.Draw(image).text((80, 80 + 40 * row), " ".join(words), fill="black", font=font)
        yield np.asarray(image)
