"""Fake engines, for tests of plumbing only: no model, and misbehaviour on demand.

The colour of a page's top-left pixel says what happens: red kills the process by a segmentation fault,
blue hangs, green raises, magenta asks for absurd memory. Any other page has one line of text that spells
the colour. NIGHTSHIFT_FAKE_NER names the type of what the NER engine finds: with another it is another model.
With NIGHTSHIFT_FAKE_LOG set, every page read is noted there, one line each.
"""

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.models import Mention, ModelInfo, TextLine
from pipeline.ocr.base import PageReading


class FakeOcr:
    info = ModelInfo(engine="fake-ocr", name="fake", digest="0" * 16)

    @classmethod
    def load(cls, settings: object) -> "FakeOcr":
        return cls()

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        red, green, blue = (int(v) for v in image[0, 0])
        text = f"{red:02x}{green:02x}{blue:02x}"
        if log := os.environ.get("NIGHTSHIFT_FAKE_LOG"):
            with Path(log).open("a") as file:
                file.write(text + "\n")
        order = tuple(v > 250 if v > 250 or v < 5 else None for v in (red, green, blue))  # JPEG is inexact
        if order == (True, False, False):
            os.kill(os.getpid(), signal.SIGSEGV)
        if order == (False, False, True):
            time.sleep(600)
        if order == (False, True, False):
            raise RuntimeError("the fake engine was told to raise")
        if order == (True, False, True):
            raise MemoryError
        time.sleep(float(os.environ.get("NIGHTSHIFT_FAKE_SECONDS", "0")))
        height, width = image.shape[:2]
        box = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        line = TextLine(text=f"colour {text}", box=box, confidence=0.9)
        return PageReading(rotation=0, width=width, height=height, lines=(line,))


class FakeNer:
    def __init__(self) -> None:
        self.type = os.environ.get("NIGHTSHIFT_FAKE_NER", "COLOUR")
        digest = hashlib.sha256(self.type.encode()).hexdigest()[:16]
        self.info = ModelInfo(engine="fake-ner", name="fake", digest=digest)

    @classmethod
    def load(cls, settings: object) -> "FakeNer":
        return cls()

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        return [
            [Mention(type=self.type, start=7, end=13, confidence=1.0, value=text[7:13], engine="fake-ner")]
            if text.startswith("colour ")
            else []
            for text in texts
        ]
