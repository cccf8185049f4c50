"""Which characters of a text layer can be seen on the page.

The page is drawn small, with its text and without. Where both are the same nothing of the text is seen: it is under a
bar or a picture, white on white, or clipped; or its font is missing, and the text is as good as the layer says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from pipeline.documents.base import Rect
from pipeline.documents.drawings import Drawings
from pipeline.documents.glyphs import Glyph, Run

SCALE = 0.75
"""Pixels of a point ..."""
SHORTEST, LONGEST = 600, 1400
"""... within these bounds of the drawing's long side in pixels."""
LEVEL = 10
"""Differences of up to so many levels of 255 are not seen."""
LEGIBLE = 2.5
"""Smaller text, in pixels of the drawing, is taken as seen."""
UNREADABLE = 1.05, 800
"""Smaller text, in points, is hidden: nobody can read it; on pages whose long side has fewer points than this, which
are enlarged, it is smaller still."""
INK = 0.04
"""Minimum share of a character's rectangle that differs."""
STRONG = 64
"""Levels by which text differs from its ground that must be seen if it is drawn at all."""

SAME_INK = 0.1, 0.7
"""Shares of a character's rectangle that ink of its own colour below it may have."""

Pixels = NDArray[np.uint8]
Flags = NDArray[np.bool_]


def set_active(runs: Iterable[Run], *, active: bool) -> None:
    """Let text objects be drawn or left out from here on."""
    for run in {run.address: run for run in runs}.values():
        pdfium_c.FPDFPageObj_SetIsActive(run.handle, active)


def look(
    page: pdfium.PdfPage, glyphs: Sequence[Glyph], drawn: Drawings, scale: float
) -> tuple[list[Glyph], list[Glyph], list[Glyph]]:
    """Sort characters: those to be kept; those that are hidden; and those kept whose font draws nothing.

    `scale`: pixels of a point in the characters' rectangles.
    """
    small = min(max(SCALE, SHORTEST / max(page.get_size())), LONGEST / max(page.get_size()))
    boxes = _no_thinner(np.array([glyph.ink for glyph in glyphs]) * (small / scale))
    full = _draw(page, small)
    bare, seen = _seen(page, glyphs, boxes, full, small)
    tiny = np.array([glyph.em for glyph in glyphs]) * (small / scale) < LEGIBLE
    seen |= tiny
    points = np.array([glyph.em for glyph in glyphs]) / scale
    seen &= points >= UNREADABLE[0] * min(1.0, max(page.get_size()) / UNREADABLE[1])
    later = _covered(glyphs, boxes, drawn, full.shape, small / scale)
    doubtful = np.flatnonzero(seen & later)
    if doubtful.size:  # other text may stand on what covers them
        _, again = _seen(page, [glyphs[i] for i in doubtful], boxes[doubtful], full, small)
        seen[doubtful] = again | tiny[doubtful]
    undrawn = np.zeros(len(glyphs), bool)
    for i in np.flatnonzero(~seen & ~later):
        undrawn[i] = _must_be_seen(glyphs[i], boxes[i], bare)
        seen[i] = _repeats_ink(glyphs[i], boxes[i], bare)
    hidden = _whole_words(glyphs, ~seen & ~undrawn)
    kept = [glyph for glyph, gone in zip(glyphs, hidden, strict=True) if not gone]
    return (
        kept,
        [glyph for glyph, gone in zip(glyphs, hidden, strict=True) if gone],
        [glyph for glyph, missing in zip(glyphs, undrawn, strict=True) if missing],
    )


def _no_thinner(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dashes are drawn on the next row of pixels, or column, where they round to it."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, 1.0)
    return np.hstack([middle - half, middle + half])


def _draw(page: pdfium.PdfPage, scale: float) -> Pixels:
    bitmap = page.render(scale=scale, prefer_bgrx=True, limit_image_cache=True, may_draw_forms=False)
    return cast(Pixels, bitmap.to_numpy())  # keeps the bitmap alive


def _seen(
    page: pdfium.PdfPage, glyphs: Sequence[Glyph], boxes: NDArray[np.float64], full: Pixels, scale: float
) -> tuple[Pixels, Flags]:
    """The page drawn without these characters, and which of them are missing then."""
    runs = [glyph.run for glyph in glyphs]
    set_active(runs, active=False)
    bare = _draw(page, scale)
    set_active(runs, active=True)
    height, width = full.shape[:2]
    at = np.flatnonzero(full.view(np.uint32).ravel() != bare.view(np.uint32).ravel())
    one, other = full.reshape(-1, 4)[at, :3].astype(np.int16), bare.reshape(-1, 4)[at, :3].astype(np.int16)
    at = at[np.abs(one - other).max(axis=1, initial=0) > LEVEL]
    left, top = (np.floor(boxes[:, i]).astype(int) for i in (0, 1))
    right, bottom = (np.ceil(boxes[:, i]).astype(int) for i in (2, 3))
    left, right = left.clip(0, width - 1), np.maximum(right, left + 1).clip(1, width)
    top, bottom = top.clip(0, height - 1), np.maximum(bottom, top + 1).clip(1, height)
    # the pixels that differ are few, and in order: each row of a rectangle is a part of them
    rows = bottom - top
    owner = np.repeat(np.arange(len(rows)), rows)
    first = (np.arange(len(owner)) - np.repeat(np.cumsum(rows) - rows, rows) + top[owner]) * width
    found = np.searchsorted(at, first + right[owner]) - np.searchsorted(at, first + left[owner])
    ink = np.bincount(owner, found, minlength=len(rows))
    return bare, (ink > 0) & (ink >= INK * (right - left) * rows)


def _covered(
    glyphs: Sequence[Glyph],
    boxes: NDArray[np.float64],
    drawn: Drawings,
    shape: tuple[int, ...],
    scale: float,
) -> Flags:
    """Which characters have something filled painted over their middle, seen through or not."""
    first = min((drawn.order.get(glyph.run.address, 0) for glyph in glyphs), default=0)
    top = np.zeros(shape[:2], np.int32)
    for place, rect in drawn.covers:
        if place > first:
            x0, y0, x1, y1 = (max(round(v * scale), 0) for v in rect)
            top[y0:y1, x0:x1] = place
    x = ((boxes[:, 0] + boxes[:, 2]) / 2).astype(int).clip(0, shape[1] - 1)
    y = ((boxes[:, 1] + boxes[:, 3]) / 2).astype(int).clip(0, shape[0] - 1)
    own = np.array([drawn.order.get(glyph.run.address, 0) for glyph in glyphs])
    return cast(Flags, top[y, x] > own)


def _must_be_seen(glyph: Glyph, box: Rect, bare: Pixels) -> bool:
    """Whether a character would be seen if only its font were there."""
    red, green, blue, alpha = glyph.run.fill
    if glyph.run.embedded or alpha < STRONG or glyph.char < "\u0100":
        return False  # PDFium brings Latin fonts of its own
    height, width = bare.shape[:2]
    y, x = round((box[1] + box[3]) / 2), round((box[0] + box[2]) / 2)
    ground = bare[min(max(y, 0), height - 1), min(max(x, 0), width - 1)]
    return bool(np.abs(ground[:3].astype(int) - (blue, green, red)).max() > STRONG)


def _repeats_ink(glyph: Glyph, box: Rect, bare: Pixels) -> bool:
    """Whether a character is on ink of its own colour: on a scan whose text is painted once more."""
    x0, y0, x1, y1 = (max(round(v), 0) for v in box)
    ground = bare[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1), :3].astype(int)
    if not ground.size:
        return False
    same = (np.abs(ground - glyph.run.fill[2::-1]).max(axis=2) <= STRONG).mean()
    return bool(SAME_INK[0] <= same <= SAME_INK[1])


def _whole_words(glyphs: Sequence[Glyph], hidden: Flags) -> Flags:
    """Hide the rest of a word that is hidden for the most part; not in Chinese, which has no blanks."""
    if not hidden.any():
        return hidden
    result = hidden.copy()
    starts = [
        i for i, glyph in enumerate(glyphs) if not i or glyph.space or glyphs[i - 1].run is not glyph.run
    ]
    for start, end in zip(starts, [*starts[1:], len(glyphs)], strict=True):
        wide = any(unicodedata.east_asian_width(glyph.char) in "WF" for glyph in glyphs[start:end])
        if not wide and 2 * hidden[start:end].sum() > end - start:
            result[start:end] = True
    return result
