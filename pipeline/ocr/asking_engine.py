"""An OCR engine without models: pages are scaled, cut and judged here, and the models are asked for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr import direction
from pipeline.ocr.base import PageReading
from pipeline.ocr.batched import Answer, Ask, BatchModels, Kind
from pipeline.ocr.cuts import Image, Quads
from pipeline.ocr.lines import scale_line, text_of
from pipeline.ocr.reading import detection_side, read_page
from pipeline.ocr.regions import Contours, boxes_of, scale_page

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings


class Recipe(msgspec.Struct, frozen=True):
    """What the answers of an engine's models mean: the characters of the classes 1 to n, and how boxes are made."""

    characters: tuple[str, ...]
    contours: Contours = Contours()


class AskingEngine:
    """`OcrEngine` whose models are elsewhere; as safe for threads as `ask` is."""

    def __init__(self, settings: OcrSettings, info: ModelInfo, recipe: Recipe, ask: Ask) -> None:
        self.info = info
        self._recipe = recipe
        self._ask = ask
        self._max_side = settings.ocr_max_side
        cv2.setNumThreads(settings.ocr_threads)

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel."""
        return read_page(image, self, self, self._max_side)

    def detect(self, image: Image) -> Quads:
        """Find the lines of a BGR page: (n, 4, 2)."""
        height, width = image.shape[:2]
        scaled = scale_page(image, detection_side(height, width, self._max_side))
        if scaled is None:
            return np.zeros((0, 4, 2), np.float32)
        ((probabilities,),) = self._ask("detect", [scaled])
        return boxes_of(probabilities, height, width, self._recipe.contours)

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright BGR line images: text and confidence."""
        answers = self._ask("recognize", [scale_line(crop) for crop in crops]) if crops else []
        return [text_of(answer, self._recipe.characters) for answer in answers]

    def upside_down(self, crops: Sequence[Image]) -> float:
        """Share of the BGR line images that are upside down, 0..1."""
        return direction.upside_down(self._ask("direction", [direction.head_of(crop) for crop in crops]))


def asking_here(models: BatchModels) -> Ask:
    """Ask models of this process; for one thread."""

    def ask(kind: Kind, images: Sequence[Image]) -> list[Answer]:
        groups: dict[tuple[int, int], list[int]] = {}
        for number, image in enumerate(images):
            groups.setdefault(models.size_of(kind, *image.shape[:2]), []).append(number)
        answers: dict[int, Answer] = {}
        for size, members in groups.items():
            most = models.most(kind, size)
            for start in range(0, len(members), most):
                numbers = members[start : start + most]
                found = models.run(kind, [images[n] for n in numbers])
                answers.update(zip(numbers, found, strict=True))
        return [answers[n] for n in range(len(images))]

    return ask
