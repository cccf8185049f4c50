"""What letters and digits look like: a font whose characters have other shapes than their names say is suspicious.

Shapes of PDFium's own Latin fonts serve as patterns. They tell suspicious fonts from honest ones, no more: what such a
font really shows is for OCR to say.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any, cast

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

KNOWN = string.ascii_letters + string.digits
FONTS = (
    "Helvetica",
    "Helvetica-Bold",
    "Times-Roman",
    "Times-Bold",
    "Courier",
    "Helvetica-Oblique",
    "Times-Italic",
)
SIZE = 12, 16
"""Width and height that a shape is scaled to."""
RANK_OF_LETTER, RANK_OF_DIGIT = 5, 2
"""A character is as it should be if its own pattern is among so many best of all, or of the digits."""
STEP = 40
_TALLNESS = 0.8
"""Weight of the height, in ems, against the correlation of the shapes."""

Shape = NDArray[np.float32]


def strangeness(chars: Sequence[str], images: Sequence[NDArray[np.uint8]], heights: Sequence[float]) -> float:
    """Share (0..1) of letters or of digits, whichever is larger, that look like others.

    `images`: the inks of `chars` in grey, cut out tightly, dark or light; `heights`: of the ink in ems.
    """
    patterns, tall = _patterns()
    shapes = np.stack([_shape(image) for image in images])
    scores = shapes @ patterns.T - _TALLNESS * np.abs(np.array(heights)[:, None] - tall[None, :])
    scores = scores.reshape(len(chars), len(FONTS), len(KNOWN)).max(axis=1)
    places = [KNOWN.index(char) for char in chars]
    digits = np.array([char in string.digits for char in KNOWN])
    wrong: dict[bool, list[bool]] = {True: [], False: []}
    for row, place in zip(scores, places, strict=True):
        digit = bool(digits[place])
        rivals = row[digits] if digit else row
        wrong[digit].append(int((rivals > row[place]).sum()) >= (RANK_OF_DIGIT if digit else RANK_OF_LETTER))
    shares = [sum(found) / len(found) for found in wrong.values() if len(found) >= 3]
    return max(shares, default=0.0)


def _shape(image: NDArray[Any]) -> Shape:
    height, width = image.shape
    rows = (np.arange(SIZE[1]) * height + height // 2) // SIZE[1]
    columns = (np.arange(SIZE[0]) * width + width // 2) // SIZE[0]
    scaled = image[rows[:, None], columns].astype(np.float32).ravel()
    scaled -= scaled.mean()
    length = float(np.sqrt((scaled * scaled).sum()))
    return cast(Shape, scaled / length if length else scaled)


@cache
def _patterns() -> tuple[Shape, NDArray[np.float64]]:
    """The shapes of the known characters in each font, darkest ink highest, and their heights in ems."""
    shapes, heights = [], []
    with closing(pdfium.PdfDocument.new()) as document:
        for name in FONTS:
            page = document.new_page(STEP * len(KNOWN), STEP)
            font = pdfium_c.FPDFText_LoadStandardFont(document, name.encode())
            for at, char in enumerate(KNOWN):
                text = pdfium_c.FPDFPageObj_CreateTextObj(document, font, 24.0)
                wide = (char + "\0").encode("utf-16-le")
                pdfium_c.FPDFText_SetText(text, pdfium_c.cast(wide, pdfium_c.FPDF_WIDESTRING))
                pdfium_c.FPDFPageObj_Transform(text, 1, 0, 0, 1, at * STEP + 8, 10)
                pdfium_c.FPDFPage_InsertObject(page, text)
            pdfium_c.FPDFPage_GenerateContent(page)
            with closing(page.render(scale=1, grayscale=True)) as bitmap:
                ink = 255 - np.array(bitmap.to_numpy()).reshape(STEP, -1)
            for at in range(len(KNOWN)):
                cell = ink[:, at * STEP : (at + 1) * STEP]
                rows, columns = np.flatnonzero(cell.max(axis=1) > 64), np.flatnonzero(cell.max(axis=0) > 64)
                tight = cell[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                shapes.append(_shape(tight))
                heights.append(len(rows) / 24)
            pdfium_c.FPDFFont_Close(font)
            page.close()
    return np.stack(shapes), np.array(heights)
