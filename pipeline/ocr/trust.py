"""Which of the lines that recognition returns were read, and which regions hold text that could not be read.

The recogniser skips letters that it does not know: a Russian line becomes its digits and stops, at a high
confidence. So the text must be long enough for the ink of the line. What it can't skip, it reads as
similar letters with a low confidence; a single such line may be right, a page of them is not. Of Greek it knows some
letters, and of Hebrew it makes words of Latin and Greek ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.ocr.cuts import Image

MIN_CONFIDENCE = 0.5
"""Minimum confidence; lines below it are noise: ruled lines, stamps, logos (RapidOCR's default)."""
DOUBTFUL = 0.8
"""Lines below it are in doubt: 2 % of the lines of a receipt, nearly all lines of an unknown script."""
MOST = 0.6
"""Maximum share of lines unread or in doubt; on a page with more, lines in doubt count as unread ..."""
WRONG = 0.7
"""... and the text of those below this confidence is left out."""
FEW = 3
"""A page with fewer regions does not show by their number that its script is unknown."""
MIN_CELLS = 1.15
"""Minimum number of characters per line height of ink (a Chinese character is two); lines of receipts have 1.4
at least and 3.2 in the middle, Russian ones of which the digits alone were read 1.1 at most."""
MIN_FIGURES = 1.75
"""The same for lines without letters, thin strokes included: numbers have 1.93 at least, and Arabic lines of which the
numbers alone were read 1.6 at most."""
ENOUGH_FIGURES, THIN_STROKE = 4, 0.15
GREEK = 0.3
"""Minimum share of a line's letters that are Greek for it to be in doubt; symbols in other text are fewer."""
LINE_SHAPE = 2.0
"""Unreadable regions less wide than this times their height are no text: specks, logos, ticks ..."""
LONE_SHAPE = 5.0
"""... and than this, where the page has fewer than FEW regions."""
MIN_HEIGHT = 8
"""Nor are lower ones, in pixels."""
STROKE = 0.25
"""Minimum share of the line's height over which a column of letters has ink: leaders and rules have less."""
GAP = 0.3
"""Gaps in line heights that are part of the ink: between letters, but not between words set far apart."""


class Judged(NamedTuple):
    """`kept`: indices of the lines whose text is kept; `found` regions of text, `unread` those of them not read."""

    kept: list[int]
    found: int
    unread: int


def judge(crops: Sequence[Image], read: Sequence[tuple[str, float]]) -> Judged:
    """Judge the text and confidence (0..1) read on each line image (h, w, 3, BGR)."""
    kept, unread = list[int](), list[int]()
    for number, (crop, (text, confidence)) in enumerate(zip(crops, read, strict=True)):
        whole = text.strip() and confidence >= MIN_CONFIDENCE and _fills(crop, text)
        (kept if whole else unread).append(number)
    doubtful = [n for n in kept if read[n][1] < DOUBTFUL or _is_foreign(read[n][0])]
    if len(read) >= FEW and len(doubtful) + len(unread) > MOST * len(read):
        kept = [n for n in kept if read[n][1] >= WRONG]
        unread += doubtful
    least = LINE_SHAPE if len(read) >= FEW else LONE_SHAPE
    text_like = {n for n in unread if n in kept or _is_line(crops[n], least)}
    return Judged(kept, len(text_like.union(kept)), len(text_like))


def _is_line(crop: Image, least: float) -> bool:
    height, width = crop.shape[:2]
    return height >= MIN_HEIGHT and width >= least * height


def _is_foreign(text: str) -> bool:
    """Whether a text is Greek, or has words of Latin letters and Greek ones: what is read of an unknown script."""
    letters = [char for char in text if char.isalpha()]
    greek = sum(map(_is_greek, letters))
    return greek >= max(FEW, GREEK * len(letters)) or any(
        any(map(_is_greek, word[1:])) and any("a" <= char <= "z" for char in word.lower())
        for word in text.split()
    )


def _is_greek(char: str) -> bool:
    return "\u0370" <= char <= "\u03ff"


def _fills(crop: Image, text: str) -> bool:
    """Whether the text is long enough for the ink of its line."""
    chars = [c for c in text if not c.isspace()]
    cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in chars)
    figures = len(chars) >= ENOUGH_FIGURES and not any(map(str.isalpha, chars))
    least, stroke = (MIN_FIGURES, THIN_STROKE) if figures else (MIN_CELLS, STROKE)
    height, width = crop.shape[:2]
    if width < LINE_SHAPE * height or cells >= least * width / height:
        return True
    return cells >= least * _ink_width(crop, stroke) / height


def _ink_width(crop: Image, stroke: float) -> float:
    """Pixels of the line's width that letters cover, with the gaps between letters."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    _, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    ink = dark if dark.mean() <= 0.5 else 1 - dark
    height = len(ink)
    rows = np.arange(height)[:, None]
    top = np.where(ink, rows, height).min(axis=0)
    bottom = np.where(ink, rows, -1).max(axis=0)
    strokes = bottom - top + 1 >= stroke * height
    gap = max(1, round(GAP * height))
    joined = cv2.morphologyEx(
        np.pad(strokes.astype(np.uint8), gap)[None], cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8)
    )
    return float(joined.sum())
