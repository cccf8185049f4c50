"""What a PDF page draws apart from text: pictures, outlines that may be letters, and areas that may cover text."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.documents.base import Rect
from pipeline.documents.strokes import Pen

LETTER = 8
"""A filled path of more points than this is no rule or cell, and may be a letter."""
MIN_LETTERS, MIN_POINTS = 3, 60
"""So many such paths close together, or points in them, are worth reading."""
MAX_PARTS, MAX_REGIONS = 100, 8
"""More parts than this are read as one region, the page; so are more regions."""
MAX_PEN = 400
"""More letters than this that a pen may have drawn are read as the page."""
TRIVIAL = 4.0
"""Pictures and outlines less wide or high than this (points) hold no text."""
TILE, MIN_TILES = (12.0, 4.0), 100
"""So many filled areas less wide and high than this (points) may be the modules of a QR code, or runs of them."""

TILED = 191, 191, 191
"""The colour that PDFium says an area filled with tiles has; a grey area may have it too."""

_KINDS = [pdfium_c.FPDF_PAGEOBJ_TEXT, pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_PATH]


class Drawings(NamedTuple):
    """Rectangles in pixels; `outlines` with their number of points; `pen`: one for each letter that lines may be.

    `covers`: filled areas and pictures with their place in the order of painting. `order`: that of text objects, by
    address.
    """

    pictures: list[Rect]
    outlines: list[tuple[Rect, int]]
    pen: list[Rect]
    covers: list[tuple[int, Rect]]
    order: dict[int, int]


def drawings(
    page: pdfium.PdfPage, frame: pdfium.PdfMatrix, point: float, *, patterns: bool = False
) -> Drawings:
    """List what the page paints, forms included; `frame` maps the page's points to pixels, `point` of them each.

    `patterns`: whether areas may be filled with tiles, which may be pictures.
    """
    found = Drawings([], [], [], [], {})
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pen = Pen(point)
    for place, item in enumerate(page.get_objects(filter=_KINDS)):
        if item.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
            found.order[ctypes.addressof(item.raw.contents)] = place
        elif item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            rect = _rect(item, frame)
            found.pictures.append(rect)
            found.covers.append((place, rect))
        elif not pdfium_c.FPDFPath_GetDrawMode(item, fill, stroke):
            continue
        elif fill.value:
            points, rect = pdfium_c.FPDFPath_CountSegments(item), _rect(item, frame)
            if patterns and _fill(item) == TILED:
                found.pictures.append(rect)
            elif points > LETTER:
                found.outlines.append((rect, points))
            found.covers.append((place, rect))
        elif stroke.value and len(found.pen) <= MAX_PEN:
            rect = _rect(item, frame)
            found.pen.extend([rect] * pen.letters_in(item, rect))
    return found


def _fill(item: pdfium.PdfObject) -> tuple[int, ...]:
    colour = [ctypes.c_uint() for _ in range(4)]
    pdfium_c.FPDFPageObj_GetFillColor(item, *colour)
    return tuple(level.value for level in colour[:3])


def is_tiled(drawn: Drawings, point: float) -> bool:
    """Whether the page draws what may be a QR code out of small areas. `point`: pixels of a point."""
    wide, high = TILE[0] * point, TILE[1] * point
    return sum(r - x <= wide and b - y <= high for _, (x, y, r, b) in drawn.covers) >= MIN_TILES


def _rect(item: pdfium.PdfObject, frame: pdfium.PdfMatrix) -> Rect:
    rect, outer = item.get_bounds(), item.container
    while outer:  # bounds are in the frame of the form that contains the object
        rect, outer = outer.get_matrix().on_rect(*rect), outer.container
    left, top, right, bottom = frame.on_rect(*rect)
    return left, top, right, bottom


def regions(drawn: Drawings, width: float, height: float, point: float) -> tuple[Rect, ...]:
    """Parts of the page to be read in addition to its text layer: pictures and outlined text, merged, with a margin.

    `point`: pixels of a point.
    """
    page = (0.0, 0.0, width, height)
    pictures = [_clipped(rect, page) for rect in drawn.pictures]
    outlines = [(_clipped(rect, page), points) for rect, points in drawn.outlines]
    parts = [(rect, MIN_LETTERS, 0) for rect in pictures if rect[0] < rect[2] and rect[1] < rect[3]]
    parts += [(rect, 1, points) for rect, points in outlines if rect[0] < rect[2] and rect[1] < rect[3]]
    if len(parts) > MAX_PARTS or len(drawn.pen) > MAX_PEN:
        return (page,)
    letters = [_clipped(rect, page) for rect in drawn.pen]
    parts += [(rect, 1, 0) for rect in letters if rect[0] < rect[2] and rect[1] < rect[3]]
    merged = [
        rect
        for rect, letters, points in _merged(parts, 4 * point)
        if (letters >= MIN_LETTERS or points >= MIN_POINTS)
        and min(rect[2] - rect[0], rect[3] - rect[1]) > TRIVIAL * point
    ]
    rects = [_clipped(_grown(rect, 2 * point), page) for rect in merged]
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in rects)
    return (page,) if len(rects) > MAX_REGIONS or area > width * height / 2 else tuple(rects)


def _merged(parts: list[tuple[Rect, int, int]], near: float) -> list[tuple[Rect, int, int]]:
    """Join rectangles that are closer than `near`; their numbers are added."""
    result: list[tuple[Rect, int, int]] = []
    for part in sorted(parts):
        rect, letters, points = part
        while touching := [other for other in result if _touch(_grown(rect, near), other[0])]:
            result = [other for other in result if other not in touching]
            rects = [rect, *(other[0] for other in touching)]
            rect = (
                min(r[0] for r in rects),
                min(r[1] for r in rects),
                max(r[2] for r in rects),
                max(r[3] for r in rects),
            )
            letters += sum(other[1] for other in touching)
            points += sum(other[2] for other in touching)
        result.append((rect, letters, points))
    return result


def _touch(one: Rect, other: Rect) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _grown(rect: Rect, margin: float) -> Rect:
    return rect[0] - margin, rect[1] - margin, rect[2] + margin, rect[3] + margin


def _clipped(rect: Rect, page: Rect) -> Rect:
    return max(rect[0], page[0]), max(rect[1], page[1]), min(rect[2], page[2]), min(rect[3], page[3])
