"""The native text layer of a PDF page: used where it is reliable, ignored where it is not.

A layer contains only what its producer put there. Text stored as outlines, filled form fields, stamps and
scanned parts are not in it; a page that has any of these is better rendered and read by OCR.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.models import Point, TextLine

MIN_CHARS = 20
MAX_CHARS = 200_000
MAX_STRANGE = 0.03
MIN_PICTURE = 0.05

_DRAWN_TEXT = {
    pdfium_c.FPDF_ANNOT_WIDGET,
    pdfium_c.FPDF_ANNOT_FREETEXT,
    pdfium_c.FPDF_ANNOT_STAMP,
    pdfium_c.FPDF_ANNOT_INK,
}
_HIDDEN = {pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP}
_GRID = 256  # cells per side for comparing areas


Rect = tuple[float, float, float, float]


class Glyph(NamedTuple):
    """One character in the frame of its own line: `u` along the text, `v` down across it, in pixels."""

    char: str
    turn: tuple[int, int]
    left: float
    top: float
    right: float
    bottom: float
    base: float
    em: float
    spaced: bool


def text_layer(page: pdfium.PdfPage, frame: pdfium.PdfMatrix) -> tuple[TextLine, ...] | None:
    """Read the page's text lines, or return `None` where OCR of the rendered page is safer.

    Hidden text (render mode 3, which OCR programs put under a scan) is ignored. A layer is used
    if it has enough characters, nearly all of them mapped to Unicode, if pictures do not cover
    more of the page than the text does, if there are no more outlines than characters (text converted
    to curves), and if no form fields or notes are drawn on top, which the layer would miss.
    """
    with closing(page.get_textpage()) as textpage:
        if not MIN_CHARS <= textpage.count_chars() <= MAX_CHARS:
            return None
        glyphs, strange = _glyphs(textpage, frame)
    if len(glyphs) < MIN_CHARS or strange > MAX_STRANGE * (len(glyphs) + strange) or _is_annotated(page):
        return None
    width, height = frame.on_rect(*page.get_bbox())[2:]
    pictures, outlines = _drawings(page, frame)
    lines = tuple(text_lines(glyphs))
    text = [(*line.box[0], *line.box[2]) for line in lines]
    covered = _share(pictures, width, height)
    if outlines > len(glyphs) or (covered > MIN_PICTURE and covered > _share(text, width, height)):
        return None
    return lines


def _glyphs(textpage: pdfium.PdfTextPage, frame: pdfium.PdfMatrix) -> tuple[list[Glyph], int]:
    """Return the visible characters on the page, and how many others have no known Unicode value."""
    width, height = frame.on_rect(*textpage.page.get_bbox())[2:]
    styles: dict[int, tuple[tuple[int, int], float] | None] = {}
    glyphs: list[Glyph] = []
    strange, spaced = 0, False
    x, y = ctypes.c_double(), ctypes.c_double()
    for index in range(textpage.count_chars()):
        handle = pdfium_c.FPDFText_GetTextObject(textpage, index)
        code = pdfium_c.FPDFText_GetUnicode(textpage, index)
        if not handle or pdfium_c.FPDFText_IsGenerated(textpage, index) == 1 or code in (9, 10, 13, 32, 0xA0):
            spaced = True
            continue
        address = ctypes.cast(handle, ctypes.c_void_p).value or 0
        if address not in styles:
            styles[address] = _style(textpage, handle, index, frame)
        style = styles[address]
        if style is None:
            continue
        char = "-" if pdfium_c.FPDFText_IsHyphen(textpage, index) == 1 else _printable(code)
        if not char or pdfium_c.FPDFText_HasUnicodeMapError(textpage, index) == 1:
            strange += 1
            continue
        turn, em = style
        ink = frame.on_rect(*textpage.get_charbox(index))
        if not (0 <= ink[0] + ink[2] <= 2 * width and 0 <= ink[1] + ink[3] <= 2 * height):
            continue  # outside the crop box
        pdfium_c.FPDFText_GetCharOrigin(textpage, index, x, y)
        base = _across(turn, *frame.on_point(x.value, y.value))[1]
        u0, v0, u1, v1 = _rect_across(turn, ink)
        # the advance width, so that narrow characters leave no gaps
        advance = _rect_across(turn, frame.on_rect(*textpage.get_charbox(index, loose=True)))
        u0, u1 = min(u0, advance[0]), max(u1, advance[2])
        glyphs.append(Glyph(char, turn, u0, v0, u1, v1, base, max(em, v1 - v0), spaced))
        spaced = False
    return glyphs, strange


def _style(
    textpage: pdfium.PdfTextPage, handle: object, index: int, frame: pdfium.PdfMatrix
) -> tuple[tuple[int, int], float] | None:
    """Direction and size in pixels of a piece of text, `None` if it is not painted."""
    if pdfium_c.FPDFTextObj_GetTextRenderMode(handle) in _HIDDEN:
        return None
    own = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(textpage, index, own)
    size = pdfium_c.FPDFText_GetFontSize(textpage, index)
    across, down = frame.a * own.a + frame.c * own.b, frame.b * own.a + frame.d * own.b
    sign = -1 if size < 0 else 1
    if abs(across) >= abs(down):  # noqa: SIM108 - four directions do not fit one line
        turn = (sign if across >= 0 else -sign, 0)
    else:
        turn = (0, sign if down >= 0 else -sign)
    stretch = math.hypot(frame.a * own.c + frame.c * own.d, frame.b * own.c + frame.d * own.d)
    return turn, abs(size) * stretch


def _printable(code: int) -> str:
    """Return the character of a code point, empty for unprintable ones."""
    char = chr(code)
    return "" if code == 0xFFFD or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") else char


def _across(turn: tuple[int, int], x: float, y: float) -> Point:
    """Transform page pixels to the frame in which text of direction `turn` runs to the right."""
    return x * turn[0] + y * turn[1], y * turn[0] - x * turn[1]


def _rect_across(turn: tuple[int, int], rect: Rect) -> Rect:
    (u0, v0), (u1, v1) = _across(turn, *rect[:2]), _across(turn, *rect[2:])
    return min(u0, u1), min(v0, v1), max(u0, u1), max(v0, v1)


def _back(turn: tuple[int, int], u: float, v: float) -> Point:
    return u * turn[0] - v * turn[1], u * turn[1] + v * turn[0]


def text_lines(glyphs: Sequence[Glyph]) -> list[TextLine]:
    """Group characters into lines, in any order; a gap of over two ems separates two lines (columns).

    Characters are taken in file order; pieces that nearly touch on one baseline are joined wherever they
    are in the file; a piece painted twice counts once.
    """
    pieces: list[list[Glyph]] = []
    for glyph in glyphs:
        if pieces and _follows(pieces[-1][-1], glyph, gap=2.0, drift=0.5):
            pieces[-1].append(glyph)
        else:
            pieces.append([glyph])
    return [_text_line(piece) for row in _rows(pieces) for piece in _joined(row)]


def _follows(last: Glyph, glyph: Glyph, *, gap: float, drift: float) -> bool:
    em = min(last.em, glyph.em)
    return (
        last.turn == glyph.turn
        and abs(last.base - glyph.base) <= drift * max(last.em, glyph.em)
        and last.left - 0.1 * em <= glyph.left <= last.right + gap * em  # ligatures share one place
    )


def _rows(pieces: list[list[Glyph]]) -> Iterator[list[list[Glyph]]]:
    row: list[list[Glyph]] = []
    for piece in sorted(pieces, key=lambda piece: (piece[0].turn, piece[0].base)):
        first, glyph = (row or [piece])[0][0], piece[0]
        if first.turn != glyph.turn or abs(first.base - glyph.base) > 0.3 * min(first.em, glyph.em):
            yield row
            row = []
        row.append(piece)
    yield row


def _joined(row: list[list[Glyph]]) -> list[list[Glyph]]:
    result: list[list[Glyph]] = []
    for piece in sorted(row, key=lambda piece: piece[0].left):
        if result and _is_repeated(result[-1], piece):
            continue
        if result and _follows(result[-1][-1], piece[0], gap=0.7, drift=0.3):
            result[-1].extend(piece)
        else:
            result.append(list(piece))
    return result


def _is_repeated(done: list[Glyph], piece: list[Glyph]) -> bool:
    same = [glyph.char for glyph in done] == [glyph.char for glyph in piece]
    return same and abs(done[0].left - piece[0].left) < 0.3 * piece[0].em


def _text_line(piece: list[Glyph]) -> TextLine:
    parts = [piece[0].char]
    for last, glyph in pairwise(piece):
        parts.append(f" {glyph.char}" if _has_space(last, glyph) else glyph.char)
    turn, em = piece[0].turn, Counter(glyph.em for glyph in piece).most_common(1)[0][0]
    left, right = min(glyph.left for glyph in piece), max(glyph.right for glyph in piece)
    # dashes and dots are no thinner than small letters, so that lines keep their order on the page
    top = min(*(glyph.top for glyph in piece), piece[0].base - em / 2)
    bottom = max(*(glyph.bottom for glyph in piece), piece[0].base)
    box = (
        _back(turn, left, top),
        _back(turn, right, top),
        _back(turn, right, bottom),
        _back(turn, left, bottom),
    )
    return TextLine(text=unicodedata.normalize("NFC", "".join(parts)), box=box, confidence=1.0)


def _has_space(last: Glyph, glyph: Glyph) -> bool:
    gap = (glyph.left - last.right) / min(last.em, glyph.em)
    wide = all(unicodedata.east_asian_width(char) in "WF" for char in (last.char, glyph.char))
    return gap > 0.5 if wide else (glyph.spaced and gap > 0.05) or gap > 0.3


def _is_annotated(page: pdfium.PdfPage) -> bool:
    """Whether fields or notes are drawn on the page whose text is missing from the text layer."""
    rect = pdfium_c.FS_RECTF()
    for index in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
        note = pdfium_c.FPDFPage_GetAnnot(page, index)
        kind = pdfium_c.FPDFAnnot_GetSubtype(note)
        sized = pdfium_c.FPDFAnnot_GetRect(note, rect) and rect.left != rect.right and rect.top != rect.bottom
        pdfium_c.FPDFPage_CloseAnnot(note)
        if kind in _DRAWN_TEXT and sized:
            return True
    return False


def _drawings(page: pdfium.PdfPage, frame: pdfium.PdfMatrix) -> tuple[list[Rect], int]:
    """Return the pictures' rectangles in pixels, and how many paths are shaped like letters, not rules."""
    pictures: list[Rect] = []
    outlines = 0
    for item in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_PATH]):
        if item.type == pdfium_c.FPDF_PAGEOBJ_PATH:
            outlines += pdfium_c.FPDFPath_CountSegments(item) > 8
            continue
        rect, outer = item.get_bounds(), item.container
        while outer:  # bounds are in the frame of the form that contains the picture
            rect, outer = outer.get_matrix().on_rect(*rect), outer.container
        pictures.append(frame.on_rect(*rect))
    return pictures, outlines


def _share(rects: Sequence[Rect], width: float, height: float) -> float:
    """Share of the page that the rectangles cover together."""
    cells = np.zeros((_GRID, _GRID), dtype=bool)
    for x0, y0, x1, y1 in rects:
        columns = np.clip(np.array((min(x0, x1), max(x0, x1))) * _GRID / width, 0, _GRID).round().astype(int)
        rows = np.clip(np.array((min(y0, y1), max(y0, y1))) * _GRID / height, 0, _GRID).round().astype(int)
        cells[rows[0] : rows[1], columns[0] : columns[1]] = True
    return float(cells.mean())
