"""The characters that a PDF page draws as text: what they stand for, where they are, and how they are painted."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from itertools import compress
from typing import NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from pipeline.documents.base import Rect
from pipeline.models import Point

MAX_CHARS = 200_000

Turn = tuple[float, float]
"""Direction of writing on the rendered page, a unit vector: (1, 0) to the right, (0, 1) down."""

_UNPAINTED = {pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP}
_text_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(pdfium_c.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)
"""`FPDFText_GetTextObject` that returns a bare address: three times as fast."""
_LEAST_EM = 0.01  # pixels: text of no size has a place nevertheless
_SOFT = 0xAD
_HYPHENS = {0x02, 0x2D, _SOFT, 0xFFFE}
_UPRIGHT = 0.05
"""Text that leans by less than this (radians) is straight."""


class Run(NamedTuple):
    """One text object of the page: `em` is its size in pixels, `fill` its colour (red, green, blue, alpha)."""

    handle: object
    address: int
    turn: Turn
    em: float
    font: int
    embedded: bool
    fill: tuple[int, int, int, int]

    @property
    def font_name(self) -> str:
        """The font's name in the file, with the prefix of a subset."""
        font = pdfium_c.FPDFTextObj_GetFont(self.handle)
        buffer = ctypes.create_string_buffer(256)
        size = pdfium_c.FPDFFont_GetBaseFontName(font, buffer, len(buffer)) if font else 0
        return buffer.raw[: max(size - 1, 0)].decode("utf-8", "replace")


class Glyph(NamedTuple):
    """One character in the frame of its own line: `u` along the text, `v` down across it, in pixels.

    `space`: whether a blank precedes it in the file (2), was guessed by PDFium (1), or neither (0).
    `ink`: the rectangle it is drawn in, in pixels of the page.
    """

    char: str
    run: Run
    turn: Turn
    left: float
    top: float
    right: float
    bottom: float
    base: float
    em: float
    space: int
    ink: Rect


def back(turn: Turn, u: float, v: float) -> Point:
    """Transform from the frame of the text to page pixels."""
    return u * turn[0] - v * turn[1], u * turn[1] + v * turn[0]


def read_glyphs(
    textpage: pdfium.PdfTextPage, frame: pdfium.PdfMatrix
) -> tuple[list[Glyph], list[Glyph], int]:
    """Return the characters painted on the page, those outside of it, and how many have no known Unicode value.

    Hidden text (render mode 3, which OCR programs put under a scan) is left out. `frame` maps the page's points to
    pixels.
    """
    raw = textpage.raw
    runs: dict[int | None, Run | None] = {}
    marks: list[tuple[str, Run, int]] = []
    places: list[float] = []
    strange, space = 0, 0
    x, y, left, right, bottom, top = (ctypes.c_double() for _ in range(6))
    loose = pdfium_c.FS_RECTF()
    for index in range(
        textpage.count_chars()
    ):  # ten thousand times a page: as few calls of PDFium as will do
        code = pdfium_c.FPDFText_GetUnicode(raw, index)
        char = chr(code)
        if char.isspace():
            if space < 2:
                space = 1 if pdfium_c.FPDFText_IsGenerated(raw, index) == 1 else 2
            continue
        address = _text_object(raw, index)
        if address not in runs:
            runs[address] = _run(textpage, index, frame) if address else None
        run = runs[address]
        if run is None:
            if not address:
                space = max(space, 1)
            continue
        if code in _HYPHENS and (code == _SOFT or pdfium_c.FPDFText_IsHyphen(raw, index) == 1):
            char = "-"
        if pdfium_c.FPDFText_HasUnicodeMapError(raw, index) == 1 or not _is_printable(char):
            strange += 1
            continue
        if not char.isascii() and unicodedata.category(char) == "Cf":
            continue  # joiners and direction marks draw nothing
        pdfium_c.FPDFText_GetCharBox(raw, index, left, right, bottom, top)
        pdfium_c.FPDFText_GetCharOrigin(raw, index, x, y)
        pdfium_c.FPDFText_GetLooseCharBox(raw, index, loose)
        places += (left.value, bottom.value, right.value, top.value)
        places += (loose.left, loose.bottom, loose.right, loose.top, x.value, y.value)
        marks.append((char, run, space))
        space = 0
    width, height = frame.on_rect(*textpage.page.get_bbox())[2:]
    glyphs, inside = _placed(marks, np.array(places).reshape(-1, 5, 2), frame, width, height)
    kept, outside = (list(compress(glyphs, flags)) for flags in (inside, ~inside))
    return kept, outside, strange


def _placed(
    marks: list[tuple[str, Run, int]],
    points: NDArray[np.float64],
    frame: pdfium.PdfMatrix,
    width: float,
    height: float,
) -> tuple[list[Glyph], NDArray[np.bool_]]:
    """Give characters their places, and say which are on the page.

    `points`: two corners of the ink, two of the advance, the origin; (n, 5, 2).
    """
    if not marks:
        return [], np.zeros(0, bool)
    pixels = points @ np.array([[frame.a, frame.b], [frame.c, frame.d]]) + (frame.e, frame.f)
    ink = np.hstack([pixels[:, :2].min(axis=1), pixels[:, :2].max(axis=1)])
    turn = np.array([run.turn for _, run, _ in marks])[:, None]
    along = pixels[..., 0] * turn[..., 0] + pixels[..., 1] * turn[..., 1]
    down = pixels[..., 1] * turn[..., 0] - pixels[..., 0] * turn[..., 1]
    # the advance width as well, so that narrow characters leave no gaps
    left, right = along[:, :4].min(axis=1), along[:, :4].max(axis=1)
    top, bottom = down[:, :2].min(axis=1), down[:, :2].max(axis=1)
    # a slanting line: upright rectangles say little about its characters
    slanting = (turn[:, 0] != 0).all(axis=1)
    em = np.array([run.em for _, run, _ in marks])
    left[slanting], right[slanting] = along[slanting, 4], along[slanting, 4] + em[slanting] / 2
    top[slanting], bottom[slanting] = down[slanting, 4] - 0.8 * em[slanting], down[slanting, 4]
    em = np.maximum(np.maximum(em, bottom - top), _LEAST_EM)
    middle = ink[:, :2] + ink[:, 2:]
    inside = (middle >= 0).all(axis=1) & (middle <= (2 * width, 2 * height)).all(axis=1)  # the crop box
    columns = np.column_stack([left, right, top, bottom, down[:, 4], em, ink]).tolist()
    glyphs = [
        Glyph(char, run, run.turn, row[0], row[2], row[1], row[3], row[4], row[5], space, tuple(row[6:]))
        for (char, run, space), row in zip(marks, columns, strict=True)
    ]
    return glyphs, inside


def _run(textpage: pdfium.PdfTextPage, index: int, frame: pdfium.PdfMatrix) -> Run | None:
    """How the text object of a character is painted; `None` if it is not."""
    handle = pdfium_c.FPDFText_GetTextObject(textpage, index)
    if pdfium_c.FPDFTextObj_GetTextRenderMode(handle) in _UNPAINTED:
        return None
    own = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(textpage, index, own)
    size = pdfium_c.FPDFText_GetFontSize(textpage, index)
    stretch = math.hypot(frame.a * own.c + frame.c * own.d, frame.b * own.c + frame.d * own.d)
    along = frame.a * own.a + frame.c * own.b, frame.b * own.a + frame.d * own.b
    font = pdfium_c.FPDFTextObj_GetFont(handle)
    colour = [ctypes.c_uint() for _ in range(4)]
    pdfium_c.FPDFPageObj_GetFillColor(handle, *colour)
    return Run(
        handle,
        ctypes.addressof(handle.contents),
        _turn(*along, sign=-1 if size < 0 else 1),
        abs(size) * stretch,
        ctypes.addressof(font.contents) if font else 0,
        bool(font) and pdfium_c.FPDFFont_GetIsEmbedded(font) == 1,
        (colour[0].value, colour[1].value, colour[2].value, colour[3].value),
    )


def _turn(right: float, down: float, *, sign: int) -> Turn:
    angle = math.atan2(down * sign, right * sign) if right or down else 0.0
    quarters = round(angle / (math.pi / 2))
    if abs(angle - quarters * math.pi / 2) < _UPRIGHT:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[quarters % 4]
    return round(math.cos(angle), 3), round(math.sin(angle), 3)


def _is_printable(char: str) -> bool:
    return (char.isascii() and char.isprintable()) or (
        char != "\ufffd" and unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn")
    )
