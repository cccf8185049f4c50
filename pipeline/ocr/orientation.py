"""Detect a page's orientation from the lines found on it, without a model for whole pages.

Lines wider than high mean 0 or 180 degrees, otherwise 90 or 270 (or vertical writing). The
line-direction classifier then checks the longest lines. If it suggests rotating the page, recognition
decides: the lines must read well the other way, and clearly better; and they must not be vertical
writing, whose characters are upright on lines that run down. In case of doubt the page is not rotated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.models import Rotation
from pipeline.ocr.cuts import Image, Quads, cut_line

SAMPLE = 8
"""Number of longest lines that are checked."""
SUSPECT = 0.5
"""Minimum share of them that look upside down for recognition to be consulted."""
SURE = 0.8
BETTER = 0.1
"""Minimum mean confidence of the lines when rotated, and its minimum lead over their current orientation."""
LEGIBLE = 0.5
"""Minimum share of Chinese characters still recognised when each is set upright, for vertical writing."""
TALL = 1.5
"""A box this much higher than wide runs downwards (PaddleOCR's ratio)."""

Recognize = Callable[[Sequence[Image]], list[tuple[str, float]]]


class Direction(Protocol):
    """Detects lines that are upside down (`pipeline.ocr.direction`)."""

    def upside_down(self, crops: Sequence[Image]) -> float:
        """Share of the line images that are upside down, 0..1."""
        ...


def standing(boxes: Quads) -> NDArray[np.bool_]:
    """Which of the boxes (n, 4, 2) run downwards.

    A single "1" or "I" is higher than wide too: among horizontal lines, only boxes much higher than
    these count.
    """
    width, height = _sides(boxes)
    tall = height >= TALL * width
    if tall.any() and not runs_sideways(boxes):
        tall &= height > TALL * np.median(height[~tall])
    return tall


def runs_sideways(boxes: Quads) -> bool:
    """Whether more text, by length, runs up or down than across."""
    width, height = _sides(boxes)
    down = height[height >= TALL * width].sum()
    across = width[width >= TALL * height].sum()
    return bool(down > across)


def find_rotation(
    page: Image,
    boxes: Quads,
    direction: Direction,
    recognize: Recognize,
) -> Rotation:
    """Clockwise rotation in degrees that makes the page upright; 0 in case of doubt.

    `page` (h, w, 3) and its line boxes (n, 4, 2). An upright page costs a classification of SAMPLE lines.
    """
    if not len(boxes):
        return 0
    sideways = runs_sideways(boxes)
    width, height = _sides(boxes)
    longest = np.argsort(-(height if sideways else width), kind="stable")[:SAMPLE]
    crops = [cut_line(page, boxes[i], turned=sideways) for i in longest]
    share = direction.upside_down(crops)
    if not sideways and share < SUSPECT:
        return 0
    as_is = recognize(crops)
    flipped = recognize([np.ascontiguousarray(np.rot90(crop, 2)) for crop in crops])
    rotation = decide(sideways=sideways, as_is=_confidence(as_is), flipped=_confidence(flipped))
    if rotation == 270 and _written_down(crops, [text for text, _ in as_is], recognize):
        return 0
    return rotation


def decide(*, sideways: bool, as_is: float, flipped: float) -> Rotation:
    """Choose the rotation by the mean confidence of the lines in each orientation.

    Lines of a sideways page were rotated counter-clockwise first: if they read well, so must the page be.
    """
    if flipped >= SURE and flipped - as_is >= BETTER:
        return 90 if sideways else 180
    if sideways and as_is >= SURE and as_is - flipped >= BETTER:
        return 270
    return 0


def _written_down(crops: Sequence[Image], texts: Sequence[str], recognize: Recognize) -> bool:
    """Whether lines rotated counter-clockwise are vertical writing rather than a rotated page.

    Recognition reads such Chinese lines as well as upright ones. So each is rotated back, cut between its
    characters and joined from left to right: only vertical writing stays legible.
    """
    written = [Counter(c for c in text if "\u3040" <= c <= "\u9fff") for text in texts]
    if not any(written):
        return False
    reread = recognize([_side_by_side(crop, len(text)) for crop, text in zip(crops, texts, strict=True)])
    kept = sum((Counter(text) & han).total() for (text, _), han in zip(reread, written, strict=True))
    return kept >= LEGIBLE * sum(han.total() for han in written)


def _side_by_side(crop: Image, characters: int) -> Image:
    column = np.rot90(crop, -1)
    size = max(1, column.shape[0] // max(1, characters))
    tops = range(0, column.shape[0] - size + 1, size)[:characters]
    pieces = [column[top : top + size] for top in tops]
    return np.ascontiguousarray(np.hstack(pieces or [column]))


def _confidence(read: list[tuple[str, float]]) -> float:
    return sum(confidence for text, confidence in read if text.strip()) / len(read)


def _sides(boxes: Quads) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    edges = np.linalg.norm(boxes - np.roll(boxes, -1, axis=1), axis=2)
    return np.maximum(edges[:, 0], edges[:, 2]), np.maximum(edges[:, 1], edges[:, 3])
