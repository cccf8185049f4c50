"""Native text without pages of its own: laid out in lines on virtual pages, so that everything has a place."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.documents.base import Document, PageInput
from pipeline.documents.images import ImageFile
from pipeline.documents.sniff import NAMES, sniff
from pipeline.errors import OverLimit, PermanentError, Unreadable
from pipeline.limits import Limits
from pipeline.models import Box, Code, TextLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import ImageFont

LINES, CELLS = 60, 120
"""Lines per page, and characters per line: a Chinese character counts as two. Longer lines are wrapped."""
_CELL, _LINE, _MARGIN, _SIZE = 10, 24, 20, 18  # pixels
_WIDTH, _HEIGHT = CELLS * _CELL + 2 * _MARGIN, LINES * _LINE + 2 * _MARGIN
_SHEET: Box = ((0.0, 0.0), (_WIDTH, 0.0), (_WIDTH, _HEIGHT), (0.0, _HEIGHT))
_PIECE = 10_000  # characters
_GAP = re.compile(r"[^\S\n]{2,}|\t")


class Content(NamedTuple):
    """What a document holds: its text (a form feed begins a new page), its pictures, sentences on what was left out.

    `xml`: the electronic invoice that the text was made from.
    """

    text: str
    pictures: Sequence[bytes] = ()
    warnings: Sequence[str] = ()
    xml: str = ""


def left_out(count: int) -> list[str]:
    """The warning about so many pieces of text that nobody sees."""
    if not count:
        return []
    pieces = "1 piece of text is" if count == 1 else f"{count} pieces of text are"
    return [f"{pieces} not visible and {'was' if count == 1 else 'were'} left out."]


class TextFile(Document):
    """Pages of native text, then a page for each picture in the document, to be read by OCR."""

    def __init__(self, content: Content, media_type: str, limits: Limits) -> None:
        """Lay the text out; raises `OverLimit`."""
        self.media_type = media_type
        self._limits, self._pictures, self._warnings = limits, content.pictures, tuple(content.warnings)
        self._codes = (Code(kind="xml", text=content.xml, box=_SHEET),) if content.xml else ()
        self._pages = _paginated(content.text, limits.max_pages)
        if not self._pages and not content.pictures:
            self._pages = [[]]
        self.page_count = len(self._pages) + len(content.pictures)
        if self.page_count > limits.max_pages:
            raise OverLimit(
                f"The {NAMES[media_type]} has more than the limit of {limits.max_pages} pages of {LINES} lines: "
                "split it, or raise --max-pages."
            )

    def page(self, number: int) -> PageInput:
        """A page's lines, or a picture; raises `Unreadable` or `OverLimit`, naming the page."""
        place = self.place(number)
        warnings = self._warnings if number == 1 else ()
        if number > len(self._pages):
            given = self._picture(number, place)
            return msgspec.structs.replace(given, number=number, warnings=warnings)
        return PageInput(
            number=number,
            width=_WIDTH,
            height=_HEIGHT,
            lines=tuple(
                _placed(row, text) for row, text in enumerate(self._pages[number - 1]) if text.strip()
            ),
            warnings=warnings,
            codes=self._codes if number == 1 else (),
        )

    def render(self, number: int) -> NDArray[np.uint8]:
        """A picture of the page: black on white; letters in a common font if there is one, else as boxes."""
        import numpy as np
        from PIL import Image, ImageDraw

        place = self.place(number)
        if number > len(self._pages):
            image = self._picture(number, place).image
            assert image is not None
            return image
        paper = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        pen = ImageDraw.Draw(paper)
        for row, text in enumerate(self._pages[number - 1]):
            x = _MARGIN
            for character in text:
                if character.isprintable():  # separators of lines and paragraphs can't be drawn
                    pen.text((x, _MARGIN + row * _LINE), character, "black", _font())
                x += _CELL * _cells(character)
        return np.array(paper)

    def close(self) -> None:
        """Nothing is open."""

    def _picture(self, number: int, place: str) -> PageInput:
        data = self._pictures[number - len(self._pages) - 1]
        try:
            media_type = sniff(data)
            if not media_type.startswith("image/"):
                raise Unreadable("is no image.")
            with ImageFile(data, media_type, self._limits) as image:
                return image.page(1)
        except PermanentError as error:
            raise Unreadable(
                f"{place} is a picture that can't be read: export the document as a PDF."
            ) from error


def _paginated(text: str, most: int) -> list[list[str]]:
    """Lines by page; at most one page more than `most`."""
    pages: list[list[str]] = []
    for part in text.replace("\r\n", "\n").replace("\r", "\n").split("\f"):
        page: list[str] = []
        for line in _lines(part):
            if len(page) == LINES:
                pages.append(page)
                page = []
                if len(pages) > most:
                    return pages
            if page or line.strip():  # no empty lines at the top
                page.append(line)
        if page:
            pages.append(page)
    return pages


def _lines(text: str) -> Iterator[str]:
    for whole in text.split("\n"):
        for raw in _pieces(whole):
            line = raw.rstrip()
            indent = len(line) - len(line.lstrip())
            line = line[:indent].expandtabs(4)[:40] + _GAP.sub("  ", _printable(line[indent:]))
            yield from _wrapped(line) if _cells(line) > CELLS else (line,)


def _pieces(line: str) -> Iterator[str]:
    """A line in pieces that are wrapped in reasonable time, parted at a blank if there is one."""
    at = 0
    while len(line) - at > _PIECE:
        blank = line.rfind(" ", at, at + _PIECE)
        end = blank + 1 if blank > at else at + _PIECE
        yield line[at:end]
        at = end
    yield line[at:]


def _printable(line: str) -> str:
    return "".join(c for c in line if c.isprintable() or c in "\t\u3000" or unicodedata.category(c) == "Zs")


def _wrapped(line: str) -> Iterator[str]:
    """Break a long line between words; between characters where a word is longer than a line."""
    width = CELLS // 2 if not line.isascii() and _cells(line) > 1.5 * len(line) else CELLS
    yield from textwrap.wrap(line, width, break_on_hyphens=False, drop_whitespace=True)


def _cells(text: Iterable[str]) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _placed(row: int, line: str) -> TextLine:
    text = line.strip()
    left = float(_MARGIN + _CELL * _cells(line[: len(line) - len(line.lstrip())]))
    right, top = left + _CELL * _cells(text), float(_MARGIN + row * _LINE)
    bottom = top + _LINE
    return TextLine(
        text=text, box=((left, top), (right, top), (right, bottom), (left, bottom)), confidence=1.0
    )


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    for name in ("wqy-zenhei.ttc", "NotoSansCJK-Regular.ttc", "DejaVuSans.ttf"):
        try:
            return ImageFont.truetype(name, _SIZE)
        except OSError:
            continue
    return ImageFont.load_default(_SIZE)
