"""FAKE engines, for tests of plumbing ONLY: no model, no recognition, and failures on demand.

Never process real documents with them: what they "read" is the colour of a pixel. They ship so that tests
and simulations of queues, workers and stores need no model, here and in packages that extend Nightshift.

`NIGHTSHIFT_OCR_ENGINE=fake-ocr`: the colour of a page's top-left pixel decides what happens.

- red (255, 0, 0) kills the process with a segmentation fault
- blue (0, 0, 255) hangs for ten minutes
- green (0, 255, 0) raises `RuntimeError`
- magenta (255, 0, 255) raises `MemoryError`
- any other colour gives one line of text, as large as the page: `colour rrggbb`, in hex

`NIGHTSHIFT_FAKE_SECONDS` is how long a page takes (default 0). `NIGHTSHIFT_FAKE_LOG` names a file to which
each page read appends its colour, one per line.

`NIGHTSHIFT_NER_ENGINE=fake-ner`: the six characters after a leading `colour ` are one mention; shorter texts have
none. Its type is `NIGHTSHIFT_FAKE_NER` (default `COLOUR`); another type is another model, with another digest.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.models import Mention, ModelInfo, TextLine
from pipeline.ocr.base import PageReading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FakeOcr:
    """`OcrEngine` that reads the colour of the top-left pixel and does what that colour asks for."""

    info = ModelInfo(engine="fake-ocr", name="fake", digest="0" * 16)

    def __init__(self, _: object) -> None:
        """Take the settings, as any registered engine does, and ignore them."""

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel; may crash, hang or raise."""
        red, green, blue = (int(v) for v in image[0, 0])
        text = f"{red:02x}{green:02x}{blue:02x}"
        if log := os.environ.get("NIGHTSHIFT_FAKE_LOG"):
            with Path(log).open("a") as file:
                file.write(text + "\n")
        _misbehave(red, green, blue)
        time.sleep(float(os.environ.get("NIGHTSHIFT_FAKE_SECONDS", "0")))
        height, width = image.shape[:2]
        box = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        line = TextLine(text=f"colour {text}", box=box, confidence=0.9)
        return PageReading(rotation=0, width=width, height=height, lines=(line,))


def _misbehave(*colour: int) -> None:
    on = tuple(v > 250 if v > 250 or v < 5 else None for v in colour)  # JPEG is inexact
    if on == (True, False, False):
        os.kill(os.getpid(), signal.SIGSEGV)
    if on == (False, False, True):
        time.sleep(600)
    if on == (False, True, False):
        raise RuntimeError("the fake engine was made to raise")
    if on == (True, False, True):
        raise MemoryError


class FakeNer:
    """`NerEngine` that finds the colour in what `FakeOcr` reads."""

    def __init__(self, _: object) -> None:
        """Take the settings, as any registered engine does, and ignore them."""
        self.type = os.environ.get("NIGHTSHIFT_FAKE_NER", "COLOUR")
        digest = hashlib.sha256(self.type.encode()).hexdigest()[:16]
        self.info = ModelInfo(engine="fake-ner", name="fake", digest=digest)

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find one mention in each text that begins with `colour `, none in any other."""
        return [
            [Mention(type=self.type, start=7, end=13, confidence=1.0, value=text[7:13], engine="fake-ner")]
            if text.startswith("colour ") and len(text) >= 13
            else []
            for text in texts
        ]
