"""Which lines of a text layer are to be compared with the drawn page before the layer is believed.

A font says which letters its shapes stand for, and may lie (ToUnicode). Letters and digits are compared with patterns;
for Chinese, other alphabets, signs and text that is turned there are none, so one such line of each embedded font is
looked at once a document.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from typing import cast

import msgspec
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from pipeline.documents.base import Rect, Suspect
from pipeline.documents.glyphs import Glyph
from pipeline.documents.shapes import KNOWN, strangeness

STRANGE = 0.62
"""Share of a font's letters or digits in a line that look like others from which it is suspicious."""
FEW = 4
"""Minimum number of letters and digits for a line to be worth a look."""
STRANGERS, KINDS = 8, 4
"""Minimum number of characters that are no Latin letter or digit, half of them all, and of different ones of them."""
FRESH_DIGITS, FRESH = 3, 14
"""A font that was looked at is looked at again in a line that has so many new digits, or new characters."""
MOST = 20
"""Maximum number of characters that are compared at once."""
HEIGHT = 32
"""Pixels of an em in the drawing that is compared."""
LOOKED_AT = "\u4e00"
"""Noted among a font's characters when its one line was looked at."""
LONGEST = 40
"""Maximum number of characters of a line that is compared."""


class Fonts(msgspec.Struct):
    """What is known of a document's fonts, by name: characters that were compared, and whether any looked wrong."""

    seen: dict[str, set[str]] = {}
    suspicious: set[str] = set()

    def suspects(self, page: pdfium.PdfPage, glyphs: Sequence[Glyph], scale: float) -> tuple[Suspect, ...]:
        """Return one line of each suspicious font on the page, boxes in pixels; `scale`: pixels of a point."""
        by_font: dict[int, list[list[Glyph]]] = {}
        turned: dict[int, list[list[Glyph]]] = {}
        for (font, turn, _), part in groupby(glyphs, key=lambda g: (g.run.font, g.run.turn, round(g.base))):
            if turn == (1.0, 0.0):
                by_font.setdefault(font, []).extend(_cut(list(part)))
            elif 0 in turn:
                turned.setdefault(font, []).extend(_cut_turned(list(part)))
        names = [parts[0][0].run.font_name for parts in by_font.values()]
        found = [self._suspect(page, parts, names, scale) for parts in by_font.values()]
        found += [self._turned(parts) for font, parts in turned.items() if font not in by_font]
        return tuple(suspect for suspect in found if suspect is not None)

    def _turned(self, parts: list[list[Glyph]]) -> Suspect | None:
        """One line of an embedded font that is turned: its shapes are not compared with patterns."""
        run = parts[0][0].run
        longest = max(parts, key=lambda part: sum(glyph.char.isalnum() for glyph in part))
        if not run.embedded or sum(glyph.char.isalnum() for glyph in longest) < STRANGERS:
            return None
        return self._once(run.font_name, longest)

    def _once(self, name: str, part: list[Glyph]) -> Suspect | None:
        """A line that is looked at unless one of its font was on a page before."""
        seen = self.seen.setdefault(name, set())
        if LOOKED_AT in seen:
            return None
        seen.add(LOOKED_AT)
        return _as_suspect(name, part)

    def _suspect(
        self, page: pdfium.PdfPage, parts: list[list[Glyph]], names: list[str], scale: float
    ) -> Suspect | None:
        run = parts[0][0].run
        name = run.font_name if names.count(run.font_name) == 1 else f"{run.font_name} {run.font:x}"
        seen = self.seen.setdefault(name, set())
        fresh = [{glyph.char for glyph in part if glyph.char in KNOWN} - seen for part in parts]
        best = max(range(len(parts)), key=lambda i: (2 * _digits(fresh[i]) + len(fresh[i]), len(parts[i])))
        new = len(fresh[best])
        worth = new >= FRESH or _digits(fresh[best]) >= FRESH_DIGITS if seen else new >= FEW
        if name not in self.suspicious and worth:
            seen |= fresh[best]
            if _looks_wrong(page, parts[best], fresh[best], scale):
                self.suspicious.add(name)
        longest = max(parts, key=lambda part: (sum(map(_is_han, part)), _strangers(part)))
        strange = sum(map(_is_han, longest)) >= FEW or _strangers(longest)
        if run.embedded and name not in self.suspicious and strange:
            return self._once(name, longest)
        if name not in self.suspicious:
            return None
        part = max(parts, key=lambda part: sum(glyph.char.isalnum() for glyph in part))
        return _as_suspect(name, part) if sum(glyph.char.isalnum() for glyph in part) >= FEW else None


def _cut(part: list[Glyph]) -> list[list[Glyph]]:
    """Pieces of a line that are close together and not too long."""
    pieces: list[list[Glyph]] = []
    for glyph in part:
        if pieces and len(pieces[-1]) < LONGEST and 0 <= glyph.left - pieces[-1][-1].left < 3 * glyph.em:
            pieces[-1].append(glyph)
        else:
            pieces.append([glyph])
    return pieces


def _cut_turned(part: list[Glyph]) -> list[list[Glyph]]:
    """The same for a line that is turned."""
    return [part[at : at + LONGEST] for at in range(0, len(part), LONGEST)]


def _strangers(part: Sequence[Glyph]) -> int:
    """Number of characters of a piece without patterns; 0 where they are few, or the same again and again."""
    chars = [glyph.char for glyph in part if glyph.char not in KNOWN]
    return len(chars) if len(chars) >= max(STRANGERS, len(part) / 2) and len(set(chars)) >= KINDS else 0


def _digits(chars: set[str]) -> int:
    return sum(char.isdigit() for char in chars)


def _is_han(glyph: Glyph) -> bool:
    return "\u4e00" <= glyph.char <= "\u9fff"


def _box(part: Sequence[Glyph]) -> Rect:
    inks = [glyph.ink for glyph in part]
    return (
        min(ink[0] for ink in inks),
        min(ink[1] for ink in inks),
        max(ink[2] for ink in inks),
        max(ink[3] for ink in inks),
    )


def _as_suspect(name: str, part: Sequence[Glyph]) -> Suspect:
    text = "".join(f" {glyph.char}" if glyph.space and i else glyph.char for i, glyph in enumerate(part))
    return Suspect(text=unicodedata.normalize("NFC", text), box=_box(part), font=name)


def _looks_wrong(page: pdfium.PdfPage, part: list[Glyph], chars: set[str], scale: float) -> bool:
    """Whether the characters' shapes in this piece of a line are those of others."""
    ratio = min(HEIGHT / part[0].run.em, 4.0) if part[0].run.em else 1.0
    strip = _strip(page, _box(part), scale, ratio)
    left, top = _box(part)[:2]
    names, images, heights = [], [], []
    unique = {glyph.char: glyph for glyph in part if glyph.char in chars}.values()
    for glyph in sorted(unique, key=lambda glyph: glyph.char)[:MOST]:  # digits first
        x0, y0, x1, y1 = glyph.ink
        columns = slice(max(round((x0 - left) * ratio), 0), round((x1 - left) * ratio) + 1)
        rows = slice(max(round((y0 - top) * ratio), 0), round((y1 - top) * ratio) + 1)
        image = strip[rows, columns]
        if image.size:
            names.append(glyph.char)
            images.append(image)
            heights.append((y1 - y0) / glyph.run.em if glyph.run.em else 0.0)
    return bool(names) and strangeness(names, images, heights) >= STRANGE


def _strip(page: pdfium.PdfPage, box: Rect, scale: float, ratio: float) -> NDArray[np.uint8]:
    """A part of the page in grey, as ink: how much each pixel differs from the ground. Empty for one off the page."""
    width, height = page.get_width(), page.get_height()
    left, top, right, bottom = (edge / scale for edge in box)
    crop = (max(left, 0.0), max(height - bottom, 0.0), max(width - right, 0.0), max(top, 0.0))
    try:
        drawn = page.render(scale=scale * ratio, crop=crop, grayscale=True)
    except ValueError:  # nothing is left of it
        return np.zeros((0, 0), np.uint8)
    with closing(drawn) as bitmap:
        grey: NDArray[np.int16] = np.array(bitmap.to_numpy()).astype(np.int16)
    grey = grey.reshape(grey.shape[0], -1)
    ground = np.bincount(grey.ravel(), minlength=256).argmax()
    return cast("NDArray[np.uint8]", np.abs(grey - int(ground)).astype(np.uint8))
