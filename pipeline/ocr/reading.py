"""How a page is read by every engine: detect lines, rotate the page upright, crop the lines, recognise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import cv2
import numpy as np

from pipeline.models import Box, TextLine
from pipeline.ocr import orientation, trust
from pipeline.ocr.base import PageReading
from pipeline.ocr.cuts import Image, Quads, cut_line, turn
from pipeline.ocr.seals import Seal, find_seals, touching, without
from pipeline.ocr.sheets import with_small_lines

SEAL_TEXT = 0.85
"""Minimum confidence of a line inside a seal that is not found without the seal's ink."""
MARGIN = 32
"""Border in pixels added around small images: detection needs a margin around text."""
NARROW = 2.5
"""Pages longer than this times their width are processed at more pixels than `ocr_max_side`."""
MAX_STRETCH = 12


class _Read(NamedTuple):
    """What was read on one box (4, 2); `crop`: its upright image; `turned`: the line runs downwards."""

    quad: Quads
    turned: bool
    crop: Image
    text: str
    confidence: float


class Parts(Protocol):
    """The two models of an engine."""

    def detect(self, image: Image) -> Quads:
        """Find the text lines; shape (0, 4, 2) if there are none."""
        ...

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright line images: text and confidence (0..1), in input order."""
        ...


def read_page(image: Image, parts: Parts, direction: orientation.Direction, max_side: int) -> PageReading:
    """Read an RGB page; raises `ValueError` if it is not an 8-bit array of shape (h, w, 3).

    `max_side`: see `detection_side`.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected RGB of shape (h, w, 3), 8 bits; got {image.dtype} {image.shape}")
    page = cast(Image, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    boxes = _detect(page, parts, max_side)
    rotation = orientation.find_rotation(page, boxes, direction, parts.recognize)
    if rotation:
        page = turn(page, rotation)
        boxes = _detect(page, parts, max_side)
    found = _read(page, boxes, parts)
    if seals := find_seals(page):
        found = _with_lines_under(seals, page, found, parts, max_side)
    judged = trust.judge([line.crop for line in found], [(line.text, line.confidence) for line in found])
    height, width = page.shape[:2]
    return PageReading(
        rotation=rotation,
        width=width,
        height=height,
        lines=tuple(_line(found[n]) for n in judged.kept),
        found=judged.found,
        unread=judged.unread,
    )


def detection_side(height: int, width: int, max_side: int) -> int:
    """Longest side for text detection: `max_side`, more for long narrow pages.

    A receipt of one metre scaled to 960 pixels has letters of two pixels; so the short side never
    falls below max_side / NARROW, up to MAX_STRETCH times the area of a page of that shape.
    """
    ratio = max(height, width) / min(height, width)
    return round(max_side * min(max(ratio / NARROW, 1.0), MAX_STRETCH))


def _detect(page: Image, parts: Parts, max_side: int) -> Quads:
    height, width = page.shape[:2]
    if min(height, width) >= 3 * MARGIN:
        boxes = parts.detect(page)
        return with_small_lines(page, boxes, parts.detect, detection_side(height, width, max_side))
    framed = cv2.copyMakeBorder(page, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    boxes = parts.detect(cast(Image, framed)) - MARGIN
    return cast(Quads, boxes.clip(0, (width, height)).astype(np.float32))


def _read(page: Image, boxes: Quads, parts: Parts) -> list[_Read]:
    turned = orientation.standing(boxes)
    crops = [cut_line(page, quad, turned=bool(down)) for quad, down in zip(boxes, turned, strict=True)]
    return [
        _Read(quad, bool(down), crop, text.strip(), confidence)
        for quad, down, crop, (text, confidence) in zip(
            boxes, turned, crops, parts.recognize(crops), strict=True
        )
    ]


def _with_lines_under(
    seals: list[Seal], page: Image, found: list[_Read], parts: Parts, max_side: int
) -> list[_Read]:
    """The lines of a page; of those that a seal touches, the better of two readings: with and without its ink."""
    clean = without(page, seals)
    boxes = _detect(clean, parts, max_side)
    under = [
        line
        for line in _read(clean, boxes[touching(boxes, seals)], parts)
        if line.text and line.confidence >= trust.MIN_CONFIDENCE
    ]
    kept, beaten = list[_Read](), set[int]()
    for line, touched in zip(found, touching(_quads(found), seals), strict=True):
        rivals = [n for n, other in enumerate(under) if touched and _overlap(line.quad, other.quad)]
        if not touched or (not rivals and line.confidence >= SEAL_TEXT):
            kept.append(line)
        elif len(rivals) == 1 and _weight(line) > _weight(under[rivals[0]]):
            beaten.add(rivals[0])
            kept.append(line)
    return kept + [line for n, line in enumerate(under) if n not in beaten]


def _weight(line: _Read) -> float:
    """How much was read how well: letters weighted by confidence, doubtful ones next to nothing."""
    return len(line.text) * max(0.01, line.confidence - trust.MIN_CONFIDENCE)


def _quads(lines: Sequence[_Read]) -> Quads:
    return np.stack([line.quad for line in lines]) if lines else np.zeros((0, 4, 2), np.float32)


def _overlap(a: Quads, b: Quads) -> bool:
    """Whether two boxes share a third of the smaller one."""
    low, high = np.maximum(a.min(axis=0), b.min(axis=0)), np.minimum(a.max(axis=0), b.max(axis=0))
    shared = np.clip(high - low, 0, None).prod()
    return bool(3 * shared >= min(np.ptp(a, axis=0).prod(), np.ptp(b, axis=0).prod()))


def _line(line: _Read) -> TextLine:
    return TextLine(text=line.text, box=_box(line.quad, line.turned), confidence=round(line.confidence, 4))


def _box(quad: Quads, turned: bool) -> Box:
    # a vertical line begins at its top right corner
    corners: Any = np.roll(quad, -1, axis=0) if turned else quad
    return cast(Box, tuple((float(x), float(y)) for x, y in corners))
