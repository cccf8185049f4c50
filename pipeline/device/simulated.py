"""FAKE engine `fake-device`, for tests and simulations of device processes ONLY: it takes time, but reads no text.

`NIGHTSHIFT_OCR_ENGINE=fake-device`: a page is one image for the device, as text detection would scale it. The text is
`colour rrggbb`, the top-left pixel as the device saw it. A colour may ask for more:

- red (255, 0, 0) kills the process that computes with a segmentation fault
- blue (0, 0, 255) hangs it for ten minutes
- green (0, 255, 0) raises `RuntimeError`
- magenta (255, 0, 255) needs more memory than there is
- cyan (0, 255, 255) loses the device

The blank images that a process computes before it is ready (`pipeline.device.blank`) take no time, but count.

`NIGHTSHIFT_FAKE_DEVICE` describes the device as `name=value`, separated by blanks: see `Simulation`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.device import blank
from pipeline.models import ModelInfo, TextLine
from pipeline.ocr.base import PageReading
from pipeline.ocr.batched import Answer, Ask, DeviceLost, DeviceMemory, Kind
from pipeline.ocr.cuts import Image

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings

VARIABLE = "NIGHTSHIFT_FAKE_DEVICE"
_STEP = 32
_INFO = ModelInfo(engine="fake-device", name="fake", digest="0" * 16)


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """A device. `batch`, `image`: seconds that each batch takes, and each image of it in addition.

    `most`: images of a batch; `pixels`: those of a batch that fit into its memory; `load`: seconds until it is ready.
    `raises`, `dies`: the probability that a batch raises an error, or ends the process; drawn from `seed`. `lost`: the
    batch with which the device is lost, 0: none.
    """

    batch: float = 0.0
    image: float = 0.0
    most: int = 8
    pixels: int = 1 << 40
    load: float = 0.0
    raises: float = 0.0
    dies: float = 0.0
    seed: int = 0
    lost: int = 0

    @classmethod
    def from_environment(cls) -> Simulation:
        """The device that the environment describes; raises `ValueError` if it is invalid."""
        words = (word.partition("=") for word in os.environ.get(VARIABLE, "").split())
        return msgspec.convert({name: value for name, _, value in words}, cls, strict=False)


class FakeModels:
    """`BatchModels` that takes its time, and gives each image its own pixels back as its answer."""

    info = _INFO

    def __init__(self, simulation: Simulation) -> None:
        """Load."""
        self._simulation = simulation
        self._random = random.Random(simulation.seed)  # noqa: S311 - a simulation, repeatable
        self._batches = 0
        time.sleep(simulation.load)

    def size_of(self, kind: Kind, height: int, width: int) -> tuple[int, int]:
        """Both rounded up to a multiple of 32, the height of a line not at all."""
        return height if kind == "recognize" else _rounded(height), _rounded(width)

    def most(self, *_: object) -> int:
        """The same for all."""
        return self._simulation.most

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Take the time of a batch, or misbehave; what is answered begins with the first pixel."""
        simulation = self._simulation
        self._batches += 1
        if self._batches == simulation.lost:
            raise DeviceLost("the simulated device was made to be lost")
        if sum(image.shape[0] * image.shape[1] for image in images) > simulation.pixels:
            raise DeviceMemory
        for image in images:
            _misbehave(image)
        drawn = self._random.random()
        if drawn < simulation.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if not all(_is_blank(kind, image) for image in images):
            time.sleep(simulation.batch + simulation.image * len(images))
        if drawn < simulation.dies + simulation.raises:
            raise RuntimeError("the simulated device was made to raise")
        return [_answer(kind, image) for image in images]


class FakeDevice:
    """`OcrEngine` that reads the colour of the top-left pixel, from what the models or a device process answer."""

    info = _INFO

    def __init__(self, settings: OcrSettings, ask: Ask | None = None) -> None:
        """`ask`: computes images; without it, models of its own do."""
        self._side = settings.ocr_max_side
        self._ask = ask or FakeModels(Simulation.from_environment()).run

    @staticmethod
    def models(*_: object) -> FakeModels:
        """What a device process holds."""
        return FakeModels(Simulation.from_environment())

    @classmethod
    def asking(cls, settings: OcrSettings, ask: Ask) -> FakeDevice:
        """An engine that asks a device process."""
        return cls(settings, ask)

    @staticmethod
    def describe(_: OcrSettings) -> ModelInfo:
        """The same model always."""
        return _INFO

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel; raises what the device does."""
        height, width = image.shape[:2]
        ((found,),) = self._ask("detect", [self._scaled(image)])
        blue, green, red = (round(float(v) * 255) for v in found[0, :3])
        text = f"colour {red:02x}{green:02x}{blue:02x}"
        box = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        line = TextLine(text=text, box=box, confidence=0.9)
        return PageReading(rotation=0, width=width, height=height, lines=(line,))

    def _scaled(self, image: NDArray[np.uint8]) -> Image:
        """BGR as large as text detection needs it, its top-left pixel kept."""
        scale = min(self._side / max(image.shape[:2]), 1.0)
        sides = [max(_STEP, round(side * scale / _STEP) * _STEP) for side in image.shape[:2]]
        scaled = cv2.resize(image[:, :, ::-1], (sides[1], sides[0]), interpolation=cv2.INTER_AREA)
        scaled[0, 0] = image[0, 0, ::-1]
        return np.asarray(scaled, np.uint8)


def _rounded(side: int) -> int:
    return -(-side // _STEP) * _STEP


def _is_blank(kind: Kind, image: Image) -> bool:
    return image.shape[:2] == blank.SIZES[kind] and int(image.min()) == 255


def _misbehave(image: Image) -> None:
    colour = tuple(int(v) for v in image[0, 0, ::-1])
    on = tuple(v > 250 if v > 250 or v < 5 else None for v in colour)  # JPEG is inexact
    if on == (True, False, False):
        os.kill(os.getpid(), signal.SIGSEGV)
    if on == (False, False, True):
        time.sleep(600)
    if on == (False, True, False):
        raise RuntimeError("the simulated device was made to raise")
    if on == (True, False, True):
        raise DeviceMemory
    if on == (False, True, True):
        raise DeviceLost("the simulated device was made to be lost")


def _answer(kind: Kind, image: Image) -> Answer:
    """As large as a model's answer."""
    pixel = image[0, 0]
    if kind == "detect":
        found = np.zeros(image.shape[:2], np.float32)
        found[0, :3] = pixel / np.float32(255)
        return (found,)
    if kind == "recognize":
        classes = np.zeros(max(image.shape[1] // 8, 3), np.int32)
        classes[:3] = pixel
        return classes, np.full(classes.shape, 0.9, np.float32)
    return (np.array([1, 0], np.float32),)
