"""Lines drawn with a pen that may be letters: programs that draw plans write with such, and have no text of it."""

from __future__ import annotations

import ctypes

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.documents.base import Rect

Place = tuple[float, float]

LARGEST = 40.0
"""Width and height (points) of the largest letter."""
MANY = 8
"""A path of so many separate lines may be a line of text."""
SLANTED = 2
"""Minimum number of lines in it that are neither horizontal nor vertical: a table has none."""
MOST, MOST_OF_PAGE = 400, 20_000
"""Parts of a path, and of all paths of a page, that are looked at."""
_LEVEL = 0.1
"""Rise over run, or run over rise, below which a line is horizontal or vertical."""


class Pen:
    """What is drawn with a pen on one page."""

    def __init__(self, point: float) -> None:
        self._point = point
        self._left = MOST_OF_PAGE

    def letters_in(self, path: pdfium.PdfObject, rect: Rect) -> int:
        """About how many letters a path that is only stroked may be: none, one or `MANY`; `rect` in pixels.

        Where a page has very many lines, each path may be many: it is a drawing then, and all of it is read.
        """
        left, top, right, bottom = rect
        small = max(right - left, bottom - top) <= LARGEST * self._point
        count = pdfium_c.FPDFPath_CountSegments(path)
        if count < (2 if small else 2 * MANY):
            return 0
        if self._left <= 0:
            return MANY
        places, moves, slanted = _looked_at(path, min(count, MOST))
        self._left -= len(places)
        if small:
            return int(slanted > 0 or not (_is_line(places) or _is_box(places)))
        return MANY if moves >= MANY and slanted >= SLANTED else 0


def _looked_at(path: pdfium.PdfObject, count: int) -> tuple[list[Place], int, int]:
    """The ends of the first parts of a path, how many lines they are, and how many of them are curved or slanted."""
    x, y = ctypes.c_float(), ctypes.c_float()
    places: list[Place] = []
    moves = slanted = 0
    for number in range(count):
        part = pdfium_c.FPDFPath_GetPathSegment(path, number)
        pdfium_c.FPDFPathSegment_GetPoint(part, x, y)
        places.append((x.value, y.value))
        kind = pdfium_c.FPDFPathSegment_GetType(part)
        moves += kind == pdfium_c.FPDF_SEGMENT_MOVETO
        slanted += kind == pdfium_c.FPDF_SEGMENT_BEZIERTO or (
            kind == pdfium_c.FPDF_SEGMENT_LINETO and number > 0 and _is_slanted(places[-2], places[-1])
        )
    return places, moves, slanted


def _is_slanted(start: Place, end: Place) -> bool:
    width, height = abs(end[0] - start[0]), abs(end[1] - start[1])
    return min(width, height) > _LEVEL * max(width, height)


def _is_line(places: list[Place]) -> bool:
    """Whether it goes in one direction only: a rule."""
    return 1 in (len({x for x, _ in places}), len({y for _, y in places}))


def _is_box(places: list[Place]) -> bool:
    """Whether a path without slanted parts is one frame: of a cell, or a box to tick."""
    return len(places) in (4, 5) and len({x for x, _ in places}) == len({y for _, y in places}) == 2
