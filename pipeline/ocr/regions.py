"""A page before and after text detection: scaled to a size that the model takes, and the boxes out of its answer."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.ocr import telemetry
from pipeline.ocr.cuts import Image, Quads

_ROW = 10
"""Pixels between the tops of two boxes from which on they are in different rows."""
_PACKAGE, _PICTURES = "rapidocr.ch_ppocr_det", "rapidocr.utils.vis_res"


class Contours(msgspec.Struct, frozen=True):
    """How boxes are made of the text probabilities of a page; defaults as RapidOCR's.

    `threshold`: probability from which a pixel is text; `least`: mean probability of a box; `grown`: by how much boxes
    grow, as multiple of area over circumference; `joined`: whether pixels next to text count as text.
    """

    threshold: float = 0.3
    least: float = 0.5
    grown: float = 1.6
    joined: bool = True


def scale_page(page: Image, side: int) -> Image | None:
    """Scale a page (h, w, 3) to at most `side` pixels and to multiples of 32; None if it is too narrow for that."""
    return cast("Image | None", _rapidocr().DetPreProcess(side, "max").resize(page))


def boxes_of(probabilities: NDArray[np.float32], height: int, width: int, how: Contours) -> Quads:
    """The text lines (n, 4, 2) of a page of this height and width, from top to bottom.

    `probabilities`: (h, w) of the page as it was scaled.
    """
    boxes, _ = _finder(how)(probabilities[None, None], (height, width))
    if not len(boxes):
        return np.zeros((0, 4, 2), np.float32)
    return _in_rows(boxes.astype(np.float32))


def _in_rows(boxes: Quads) -> Quads:
    """Boxes from top to bottom, those of a row from left to right: of what begins at about the same height."""
    boxes = boxes[np.argsort(boxes[:, 0, 1], kind="stable")]
    tops = boxes[:, 0, 1]
    rows = np.cumsum(np.diff(tops, prepend=tops[:1]) >= _ROW)
    return cast(Quads, boxes[np.lexsort((boxes[:, 0, 0], rows))])


@lru_cache(maxsize=4)
def _finder(how: Contours) -> Any:
    return _rapidocr().DBPostProcess(
        thresh=how.threshold, box_thresh=how.least, unclip_ratio=how.grown, use_dilation=how.joined
    )


@lru_cache(maxsize=1)
def _rapidocr() -> Any:
    """RapidOCR's module for text detection, without its package, whose engines and lists of models take a second."""
    telemetry.decline()
    import rapidocr

    package, pictures = ModuleType(_PACKAGE), ModuleType(_PICTURES)
    package.__path__ = [str(Path(str(rapidocr.__file__)).with_name("ch_ppocr_det"))]
    pictures.VisRes = None  # type: ignore[attr-defined] # draws boxes; with it comes the list of models
    instead = {_PACKAGE: package, _PICTURES: pictures}
    instead = {name: module for name, module in instead.items() if name not in sys.modules}
    sys.modules.update(instead)
    try:
        return import_module(f"{_PACKAGE}.utils")
    finally:
        for name in instead:  # who needs them imports them
            del sys.modules[name]
