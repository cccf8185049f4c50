"""Blocks of an invoice that name a party: below a heading such as `Bill to`, or where an address is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.fields.invoice import party_words as parties
from pipeline.fields.invoice import words as labels
from pipeline.fields.invoice.party_words import DATA, LEGAL, POSTCODE, is_town
from pipeline.fields.rows import Span
from pipeline.fields.sheet import Cell, Rect, Sheet, simplified

_KEYED = re.compile(r"\s*:\s*")
_SEPARATED = re.compile(r"\s*[●•·|∙■▪*⋅]\s*|\s+[-–—]\s+|\s*[,;]\s+(?!" + LEGAL.pattern + r")|\s+/\s+")
"""Between the parts of a line; a legal form belongs to the name before it: Alder, S.L."""
_HEAD = 6
"""Number of rows of a letterhead."""
_MAX_LINES = 14
_DEEP = 30
"""Maximum number of rows of a block."""


class Part(NamedTuple):
    """A line of a block: its key (simplified), and where its value is."""

    key: str
    row: int
    span: Span
    text: str
    rect: Rect


class Block(NamedTuple):
    """Lines about one party; `side`: seller, buyer, or other for a party that is neither."""

    side: str
    sheet: Sheet
    parts: tuple[Part, ...]
    score: float
    heading: Span | None = None

    def covers(self, at: int) -> bool:
        """Whether an offset of the page's text is in one of its lines."""
        return any(part.span[0] <= at < part.span[1] for part in self.parts)


def heading_of(sheet: Sheet, cell: Cell) -> tuple[str, int] | None:
    """The side that a cell is the heading of, and where its own text begins behind the heading."""
    text = sheet.simple_text(cell)
    for side, pattern in (("other", parties.OTHER), ("seller", parties.SELLER), ("buyer", parties.BUYER)):
        match = pattern.match(text)
        if match and (rest := parties.HEADING_REST.match(text, match.end())):
            return side, rest.end()
    match = parties.SHORT.match(text)
    if match and (rest := re.fullmatch(r"\s*:\s*([^0-9]*)", text[match.end() :])):
        return ("seller" if match[0] in ("from", "von", "de") else "buyer"), match.end() + rest.start(1)
    return None


def headed(sheet: Sheet) -> Iterator[Block]:
    """The blocks with a heading, in reading order."""
    for row, cells in enumerate(sheet.cells):
        for place, cell in enumerate(cells):
            heading = heading_of(sheet, cell)
            if heading is None:
                continue
            side, after = heading
            parts = list(_down(sheet, row, cell.rect))
            if inline := _inline(cell, after):
                parts.insert(0, inline)
            elif not parts and place + 1 < len(cells) and not heading_of(sheet, cells[place + 1]):
                value = cells[place + 1]
                parts = [_part(value), *_down(sheet, row, value.rect)]
            span = (cell.line.start, cell.line.end)
            if parts or side == "other":
                yield Block(side, sheet, tuple(parts), 0.93, span)


def _inline(cell: Cell, after: int) -> Part | None:
    if not re.search(r"[^\W\d_]{2}", cell.text[after:]):
        return None
    start = cell.line.start + after
    return Part("", cell.row, (start, cell.line.end), cell.text[after:], cell.rect)


def _part(cell: Cell) -> Part:
    return Part("", cell.row, (cell.line.start, cell.line.end), cell.text, cell.rect)


def _down(sheet: Sheet, row: int, rect: Rect, far: float = 5.0) -> Iterator[Part]:
    """The lines below a heading with the same left edge, and values next to keys there."""
    edge, key, values = 2 * rect.height, "", None
    last, count, placed = rect.bottom, 0, 0
    for cells in sheet.cells[row + 1 : row + 1 + _DEEP]:
        place = next((n for n, c in enumerate(cells) if abs(c.rect.left - rect.left) <= edge), None)
        if place is not None:
            cell = cells[place]
            if cell.rect.top - last > far * rect.height or _is_end(sheet, cell):
                return
            part, key, values = _keyed(sheet, cells[place:], values)
            last = cell.rect.bottom
        elif values is not None and (
            found := next((c for c in cells if abs(c.rect.left - values) <= edge), None)
        ):
            part, last = _part(found)._replace(key=key), found.rect.bottom
        else:
            continue
        # behind postcode and town come the country, numbers and contacts: any other line is not the party's
        if placed and not part.key and not is_data(simplified(part.text).strip()):
            if placed > 1 or len(part.text.split()) > 3 or any(c.isdigit() for c in part.text):
                return
            placed = 2
        placed = placed or int(is_town(part.text))
        yield part
        count += 1
        if count >= _MAX_LINES:
            return


def _keyed(sheet: Sheet, cells: Sequence[Cell], values: float | None) -> tuple[Part, str, float | None]:
    """A line as key and value: `Name: ACME`, in one cell or in two next to each other."""
    cell = cells[0]
    text = sheet.simple_text(cell)
    colon = re.search(r"(?<=[a-z.)])\s*:(?!//)", text[:40])
    if colon is None:
        if len(cells) > 1 and cells[1].text.startswith(":"):
            value = cells[1]
            return _part(value)._replace(key=text), text, value.rect.left
        return _part(cell), "", values
    key = text[: colon.start()]
    rest = cell.text[colon.end() :]
    if rest.strip():
        start = cell.line.start + colon.end()
        return Part(key, cell.row, (start, cell.line.end), rest, cell.rect), key, values
    if len(cells) > 1:
        value = cells[1]
        return _part(value)._replace(key=key), key, value.rect.left
    return Part(key, cell.row, (cell.line.end, cell.line.end), "", cell.rect), key, values


def _is_end(sheet: Sheet, cell: Cell) -> bool:
    """Whether something else begins with a cell: another heading, the number or date of the paper, its table."""
    text = sheet.simple_text(cell)
    if heading_of(sheet, cell) or parties.STOP.match(text) or labels.TITLED.match(text):
        return True
    patterns = (
        labels.NUMBER,
        labels.CREDIT_NUMBER,
        labels.DATE,
        labels.DUE_DATE,
        labels.DELIVERY,
        labels.ORDER,
        labels.CURRENCY,
    )
    return (
        any(pattern.match(text) for pattern in patterns)
        or re.match(r"(?:datum|date|fecha|data)\b", text) is not None
    )


def is_data(text: str) -> bool:
    """Whether a simplified line is no name and no address, but a number, a phone or a contact."""
    return DATA.match(text) is not None or "@" in text or "://" in text or "www." in text


def senders(sheet: Sheet) -> Iterator[tuple[Block, Block | None]]:
    """Each line of a sender's name and address in small print, and the block of the addressee below it."""
    for row, cells in enumerate(sheet.cells):
        for cell in cells:
            if cell.rect.top > sheet.page.height / 2 or len(cell.text) > 140:
                continue
            pieces = [piece for piece in _SEPARATED.split(cell.text) if piece.strip()]
            # "Austin, TX 78701" is a place: a comma between name and town alone names nobody
            first_town = 2 if re.search(r"[,;]\s", cell.text) else 1
            if not any(POSTCODE.match(piece) for piece in pieces[first_town:]):
                continue
            if any(c.isdigit() for c in pieces[0]) and not LEGAL.search(pieces[0]):
                continue
            below = tuple(_window(sheet, row, cell.rect))
            start = cell.line.start + cell.text.index(pieces[0])
            name = Part("name", row, (start, start + len(pieces[0])), pieces[0], cell.rect)
            rest = (start + len(pieces[0]), cell.line.end)
            address = Part("address", row, rest, cell.text[rest[0] - cell.line.start :], cell.rect)
            addressee = Block("buyer", sheet, below, 0.9) if len(below) > 1 else None
            yield Block("seller", sheet, (name, address), 0.9 if addressee else 0.7), addressee


def _window(sheet: Sheet, row: int, rect: Rect) -> Iterator[Part]:
    """The lines of the addressee, who is somewhere below the sender's line, not always at its left edge."""
    first = next(sheet.below(row, rect, far=10.0), None)
    if first and not _is_end(sheet, first):
        yield _part(first)
        yield from _near(_down(sheet, first.row, first.rect, far=3.2))


def _near(parts: Iterator[Part]) -> Iterator[Part]:
    """The first lines that are close to each other."""
    last: Part | None = None
    for part in parts:
        if last and part.rect.top - last.rect.bottom > 3.2 * last.rect.height:
            return
        yield part
        last = part


def addresses(sheet: Sheet) -> Iterator[Block]:
    """The blocks that end with postcode and town: the seller's where a phone or a tax number follows."""
    for row, cells in enumerate(sheet.cells):
        for cell in cells:
            if len(cell.text) > 60 or not is_town(cell.text) or is_data(sheet.simple_text(cell)):
                continue
            above = list(_up(sheet, row, cell))
            if not above:
                continue
            below = list(_near(_down(sheet, row, cell.rect, far=2.0)))[:7]
            parts = (*reversed(above), _part(cell))
            contact = any(is_data(part.key or _simple(sheet, part)) for part in below)
            foot = cell.rect.top > 0.8 * sheet.page.height
            if cell.rect.top < 0.6 * sheet.page.height or foot:
                side = "seller" if contact or foot else "buyer"
                yield Block(side, sheet, parts + tuple(below if side == "seller" else ()), 0.72)


def letterheads(sheet: Sheet) -> Iterator[Block]:
    """Names with a legal form in the first rows of a page and in its footer."""
    for row, cells in enumerate(sheet.cells):
        foot = bool(cells) and cells[0].rect.top > 0.85 * sheet.page.height
        if row >= _HEAD and not foot:
            continue
        for cell in cells:
            name = _SEPARATED.split(cell.text)[0] if len(cell.text) < 140 else ""
            if not LEGAL.search(name) or _is_end(sheet, cell) or is_data(sheet.simple_text(cell)):
                continue
            start = cell.line.start + cell.text.index(name)
            part = Part("name", row, (start, start + len(name)), name, cell.rect)
            yield Block("seller", sheet, (part,), 0.6)


def _simple(sheet: Sheet, part: Part) -> str:
    row = sheet.rows[part.row]
    return sheet.simple[part.row][part.span[0] - row.start : part.span[1] - row.start].strip()


def _up(sheet: Sheet, row: int, cell: Cell) -> Iterator[Part]:
    """The lines above an address's last line with the same left edge, at most five."""
    top, count, data = cell.rect.top, 0, 0
    for cells in reversed(sheet.cells[max(0, row - 12) : row]):
        found = next((c for c in cells if abs(c.rect.left - cell.rect.left) <= cell.rect.height), None)
        if found is None:
            continue
        text = sheet.simple_text(found)
        if top - found.rect.bottom > 2.5 * cell.rect.height or _is_end(sheet, found):
            return
        if is_data(text):  # a tax number between name and street
            top, data = found.rect.top, data + 1
            if count or data > 2:
                return
            continue
        if is_town(found.text):
            return  # another address
        yield _part(found)
        top, count = found.rect.top, count + 1
        if count == 5:
            return
