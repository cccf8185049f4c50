"""Single lines for a server that reads pages: several line images below each other, on white."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pipeline.ocr.cuts import Image
from pipeline.served.wire import Line

MARGIN = 24
"""White pixels around each line: text detection needs them."""
TALLEST, WIDEST = 2000, 3900
"""Maximum size of such a page in pixels, as PaddleX scales down what is larger than 4,000; one line may be more."""


def read_lines(crops: Sequence[Image], ask: Callable[[Image, int], list[Line]]) -> list[tuple[str, float]]:
    """The text and confidence of upright BGR line images, in order; empty for one on which no text is found."""
    found: list[tuple[str, float]] = []
    for part in _parts(crops):
        page, tops = _stacked(part)
        lines = ask(page, min(max(page.shape[:2]), WIDEST))
        for top, crop in zip(tops, part, strict=True):
            low, high = top - MARGIN / 2, top + crop.shape[0] + MARGIN / 2
            found.append(_joined([line for line in lines if low <= line.quad[:, 1].mean() < high]))
    return found


def _parts(crops: Sequence[Image]) -> Iterator[list[Image]]:
    part: list[Image] = []
    height = MARGIN
    for crop in crops:
        if part and height + crop.shape[0] + MARGIN > TALLEST:
            yield part
            part, height = [], MARGIN
        part.append(crop)
        height += crop.shape[0] + MARGIN
    if part:
        yield part


def _stacked(crops: Sequence[Image]) -> tuple[Image, list[int]]:
    """A page of the lines, and where each begins, in pixels from the top."""
    height = MARGIN + sum(crop.shape[0] + MARGIN for crop in crops)
    page = np.full((height, max(crop.shape[1] for crop in crops) + 2 * MARGIN, 3), 255, np.uint8)
    tops, top = list[int](), MARGIN
    for crop in crops:
        page[top : top + crop.shape[0], MARGIN : MARGIN + crop.shape[1]] = crop
        tops.append(top)
        top += crop.shape[0] + MARGIN
    return page, tops


def _joined(lines: Sequence[Line]) -> tuple[str, float]:
    """What detection has cut into pieces, from left to right; the confidence by length."""
    ordered = [
        line for line in sorted(lines, key=lambda line: float(line.quad[:, 0].min())) if line.text.strip()
    ]
    letters = sum(len(line.text) for line in ordered)
    if not letters:
        return "", 0.0
    return " ".join(line.text for line in ordered), sum(
        len(line.text) * line.confidence for line in ordered
    ) / letters
