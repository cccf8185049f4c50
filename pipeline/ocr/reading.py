"""How a page is read by every engine: detect lines, rotate the page upright, crop the lines, recognise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import cv2
import numpy as np

from pipeline.models import Box, TextLine
from pipeline.ocr import orientation
from pipeline.ocr.base import PageReading
from pipeline.ocr.cuts import Image, Quads, cut_line, turn

MIN_CONFIDENCE = 0.5
"""Minimum confidence; lines below it are noise: ruled lines, stamps, logos (RapidOCR's default)."""
MARGIN = 32
"""Border in pixels added around small images: detection needs a margin around text."""
NARROW = 2.5
"""Pages longer than this times their width are processed at more pixels than `ocr_max_side`."""
MAX_STRETCH = 12


class Parts(Protocol):
    """The two models of an engine."""

    def detect(self, image: Image) -> Quads:
        """Find the text lines; shape (0, 4, 2) if there are none."""
        ...

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright line images: text and confidence (0..1), in input order."""
        ...


def read_page(image: Image, parts: Parts, direction: orientation.Direction) -> PageReading:
    """Read an RGB page; raises `ValueError` if it is not an 8-bit array of shape (h, w, 3)."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected RGB of shape (h, w, 3), 8 bits; got {image.dtype} {image.shape}")
    page = cast(Image, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    boxes = _detect(page, parts)
    rotation = orientation.find_rotation(page, boxes, direction, parts.recognize)
    if rotation:
        page = turn(page, rotation)
        boxes = _detect(page, parts)
    height, width = page.shape[:2]
    return PageReading(rotation=rotation, width=width, height=height, lines=_lines(page, boxes, parts))


def detection_side(height: int, width: int, max_side: int) -> int:
    """Longest side for text detection: `max_side`, more for long narrow pages.

    A receipt of one metre scaled to 960 pixels has letters of two pixels; so the short side never
    falls below max_side / NARROW, up to MAX_STRETCH times the area of a page of that shape.
    """
    ratio = max(height, width) / min(height, width)
    return round(max_side * min(max(ratio / NARROW, 1.0), MAX_STRETCH))


def _detect(page: Image, parts: Parts) -> Quads:
    height, width = page.shape[:2]
    if min(height, width) >= 3 * MARGIN:
        return parts.detect(page)
    framed = cv2.copyMakeBorder(page, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    boxes = parts.detect(cast(Image, framed)) - MARGIN
    return cast(Quads, boxes.clip(0, (width, height)).astype(np.float32))


def _lines(page: Image, boxes: Quads, parts: Parts) -> tuple[TextLine, ...]:
    turned = orientation.standing(boxes)
    crops = [cut_line(page, quad, turned=bool(down)) for quad, down in zip(boxes, turned, strict=True)]
    lines = []
    for quad, down, (read, confidence) in zip(boxes, turned, parts.recognize(crops), strict=True):
        text = read.strip()
        if text and confidence >= MIN_CONFIDENCE:
            lines.append(TextLine(text=text, box=_box(quad, bool(down)), confidence=round(confidence, 4)))
    return tuple(lines)


def _box(quad: Quads, turned: bool) -> Box:
    # a vertical line begins at its top right corner
    corners: Any = np.roll(quad, -1, axis=0) if turned else quad
    return cast(Box, tuple((float(x), float(y)) for x, y in corners))
