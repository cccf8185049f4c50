"""Number, dates and order number of an invoice: by their labels, the value behind the label or below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.invoice import words as labels
from pipeline.fields.invoice.party_words import STOP
from pipeline.fields.rows import Span, field
from pipeline.fields.sheet import Sheet
from pipeline.models import Entity, Field

_VALUE = re.compile(r"(?:[A-Z]{1,5} (?=[0-9]))?[A-Za-z0-9](?:[A-Za-z0-9._\\]|[/-](?=[A-Za-z0-9]))*", re.ASCII)
_SHORT_TITLE = 60
"""Maximum length of a line in which a title without a word for number is followed by the number."""
_BELOW_TITLE = 4
"""Maximum number of rows from a title to a lone `No.` below it."""
_FULL = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS = (1990, 2060)
"""Plausible years; constant, so that results do not depend on the current date."""
_MOST_IN_ROW = 20
"""Maximum number of labels of a row that are looked at."""
_RIVAL = 0.02
"""Candidates whose scores differ by less are equal."""
_PROSE = 0.15
"""A label inside a sentence counts this much less."""
_LISTED = 0.2
"""So does a date below a heading of a table of items."""


class Found(NamedTuple):
    """A candidate for a field: value, position, and how sure its label makes it."""

    sheet: Sheet
    span: Span
    value: str
    score: float
    other: str | None = None


def find_number(sheets: Sequence[Sheet]) -> Field | None:
    """The paper's own number."""
    return _best("number", [found for sheet in sheets for found in numbers_of(sheet)])


def numbers_of(sheet: Sheet) -> list[Found]:
    """The numbers of papers on a page: of the invoice itself first."""
    found = [*_labelled(sheet, labels.CREDIT_NUMBER, 0.96, _code)]
    found += _labelled(sheet, labels.NUMBER, 0.93, _code)
    found += _titled(sheet)
    return found


def _titled(sheet: Sheet) -> Iterator[Found]:
    """The number behind a title, or a lone `No.` in the rows below it."""
    last = -_BELOW_TITLE
    for row, text in enumerate(sheet.simple):
        for match in islice(labels.TITLED.finditer(text), _MOST_IN_ROW):
            if labels.REFERENCE.search(text, max(0, match.start() - 40), match.start()):
                continue
            last = row
            plain = match["no"] is None
            if plain and not _begins(sheet, row, match.start()):
                continue
            gap = labels.GAP.match(text, match.end())
            if gap and (code := _code(sheet, row, gap.end())):
                whole = (
                    code[0][1] >= _line_end(sheet, row, code[0][0])
                    or ":" in text[match.end() - 2 : gap.end()]
                )
                if plain and labels.YEAR.fullmatch(code[1]):
                    continue
                yield Found(sheet, code[0], code[1], 0.91 if not plain else 0.86 if whole else 0.7)
        if 0 < row - last <= _BELOW_TITLE:
            yield from _bare(sheet, row)


def _begins(sheet: Sheet, row: int, offset: int) -> bool:
    """Whether a title begins a short line."""
    at = sheet.rows[row].start + offset
    line = next((li for li in sheet.rows[row].lines if li.start <= at < li.end), None)
    return line is not None and at - line.start <= 2 and len(line.text) <= _SHORT_TITLE


def _bare(sheet: Sheet, row: int) -> Iterator[Found]:
    """The number behind a lone `No.`, at the beginning of a cell."""
    for place, cell in enumerate(sheet.cells[row][:_MOST_IN_ROW]):
        pattern = labels.BARE_NUMBER if place else labels.BARE_REFERENCE
        bare = pattern.match(sheet.simple_text(cell))
        end = sheet.offset(cell) + bare.end() if bare else 0
        gap = bare and labels.GAP.match(sheet.simple[row], end)
        if gap and (code := _code(sheet, row, gap.end())):
            yield Found(sheet, code[0], code[1], 0.7)


def _line_end(sheet: Sheet, row: int, at: int) -> int:
    """The end of the line that an offset of the page's text is in."""
    return next((li.end for li in sheet.rows[row].lines if li.start <= at < li.end), at)


def find_order(sheets: Sequence[Sheet]) -> Field | None:
    """The buyer's order, else the seller's."""
    found = [f for sheet in sheets for f in _labelled(sheet, labels.ORDER, 0.9, _code)]
    found += [f for sheet in sheets for f in _labelled(sheet, labels.ORDER_OF_SELLER, 0.8, _code)]
    return _best("order_number", found)


def find_dates(sheets: Sequence[Sheet], number: Field | None) -> list[Field]:
    """The fields date, due_date and delivery_date that were found."""
    due = [f for sheet in sheets for f in _due_dates(sheet)]
    delivery = [f for sheet in sheets for f in _labelled(sheet, labels.DELIVERY, 0.93, _day)]
    dated = [f for sheet in sheets for f in _dates(sheet, number)]
    if not dated:
        others = {f.value for f in (*due, *delivery)}
        dated = [f for sheet in sheets[:1] for f in _unlabelled(sheet, others)]
    named = (("date", dated), ("due_date", due), ("delivery_date", delivery))
    return [found for name, candidates in named if (found := _best(name, candidates))]


def _dates(sheet: Sheet, number: Field | None) -> Iterator[Found]:
    yield from _labelled(sheet, labels.DATE, 0.95, _day)
    if number and number.page == sheet.page.number and number.end is not None:
        yield from _dated(sheet, number.end)
    yield from _labelled(sheet, labels.BARE_DATE, 0.86, _day)
    for row, cells in enumerate(sheet.cells):
        for cell in cells:
            place = labels.PLACE.match(sheet.simple_text(cell))
            taken = _day(sheet, row, sheet.offset(cell) + place.end()) if place else None
            if taken and taken[0][1] >= cell.line.end - 1:
                yield Found(sheet, taken[0], taken[1], 0.8, taken[2])


def _dated(sheet: Sheet, end: int) -> Iterator[Found]:
    """The date behind the number of the paper, perhaps in the next row: No. 17 of 3 May."""
    row = next((n for n, found in enumerate(sheet.rows) if found.start <= end <= found.end), None)
    if row is None:
        return
    offset = end - sheet.rows[row].start
    day = sheet.at("DATE", row, offset, labels.DATED)
    if not day and row + 1 < len(sheet.rows) and labels.DATED.fullmatch(sheet.simple[row], offset):
        day = sheet.at("DATE", row + 1, 0, labels.DATED)
    if day and (value := _read(day)):
        yield Found(sheet, (day.start, day.end), value, 0.94, day.other)


def _unlabelled(sheet: Sheet, others: set[str]) -> Iterator[Found]:
    """The only date in the upper third of a page, apart from those of other events."""
    third = sheet.page.height / 3
    days: dict[str, Found] = {}
    for row, cells in enumerate(sheet.cells):
        if not cells or cells[0].rect.top > third:
            continue
        found = sheet.rows[row]
        for day in sheet.inside("DATE", found.start, found.end):
            value = _read(day)
            before = sheet.simple[row][: day.start - found.start][-40:]
            if value and value not in others and not labels.OTHER_DATE.search(before):
                days[value] = Found(sheet, (day.start, day.end), value, 0.6, day.other)
    if len(days) == 1:
        yield from days.values()


def _due_dates(sheet: Sheet) -> Iterator[Found]:
    """Dates of payment; those with a discount are earlier and are not meant."""
    yield from _labelled(sheet, labels.DUE_DATE, 0.92, _day, apart=4)
    for row, text in enumerate(sheet.simple):
        for match in islice(labels.DUE_SENTENCE.finditer(text), _MOST_IN_ROW):
            if labels.DISCOUNT.search(match[0]):
                continue
            if day := _behind(sheet, row, match.end(), _day):
                yield Found(sheet, *day[:2], 0.9, day[2])
            elif not text[match.end() :].strip(" :") and row + 1 < len(sheet.rows):
                following = _day(sheet, row + 1, 0)
                yield from [Found(sheet, *following[:2], 0.85, following[2])] if following else []


_Taken = tuple[Span, str, str | None]
_Take = Callable[[Sheet, int, int], "_Taken | None"]


def _labelled(
    sheet: Sheet, pattern: re.Pattern[str], score: float, take: _Take, apart: int = 3
) -> Iterator[Found]:
    """The value behind each label, else the one below it."""
    for row, text in enumerate(sheet.simple):
        for match in islice(pattern.finditer(text), _MOST_IN_ROW):
            before = text[max(0, match.start() - 40) : match.start()]
            sure = score - (_PROSE if _in_prose(sheet, row, match.start()) else 0.0)
            if take is _code and labels.REFERENCE.search(before):
                continue
            if pattern in (labels.DATE, labels.BARE_DATE) and labels.OTHER_DATE.search(before):
                continue
            more = labels.AND_DATE.match(text, match.end()) if take is _day else None
            if taken := _behind(sheet, row, more.end() if more else match.end(), take):
                yield Found(sheet, taken[0], taken[1], sure, taken[2])
            elif taken := _under(sheet, row, match.span(), take, apart):
                listed = pattern is labels.BARE_DATE and _heads_table(sheet, row)
                yield Found(sheet, taken[0], taken[1], sure - (_LISTED if listed else 0.04), taken[2])


def _heads_table(sheet: Sheet, row: int) -> bool:
    """Whether a row has the headings of a table of items: a date below is the item's."""
    return any(STOP.match(sheet.simple_text(cell)) for cell in sheet.cells[row][:_MOST_IN_ROW])


def _in_prose(sheet: Sheet, row: int, offset: int) -> bool:
    """Whether several words of the same line are before a label: it is part of a sentence."""
    at = sheet.rows[row].start + offset
    line = next((li for li in sheet.rows[row].lines if li.start <= at < li.end), None)
    return line is not None and len(sheet.page.text[line.start : at].split()) > 3


def _behind(sheet: Sheet, row: int, end: int, take: _Take) -> _Taken | None:
    gap = labels.GAP.match(sheet.simple[row], end)
    return take(sheet, row, gap.end()) if gap else None


def _under(sheet: Sheet, row: int, span: Span, take: _Take, apart: int) -> _Taken | None:
    """The value in the column of a label that heads it: nothing but a value may be there."""
    rect = sheet.rect(row, *span)
    for number, cell in enumerate(sheet.below(row, rect)):
        offset = sheet.offset(cell)
        if taken := take(sheet, cell.row, offset):
            rest = sheet.rows[cell.row].page.text[taken[0][1] : cell.line.end]
            return taken if not rest.strip(" .,:") else None
        if number + 1 >= apart or any(c.isdigit() for c in cell.text):
            return None
    return None


def _code(sheet: Sheet, row: int, offset: int) -> _Taken | None:
    """The number of a paper at an offset of a row: with a digit, and neither a date nor an amount."""
    found = sheet.rows[row]
    match = _VALUE.match(found.text, offset)
    if match is None or not re.search("[0-9]", match[0]):
        return None
    line = next((li for li in found.lines if li.start <= found.start + offset < li.end), None)
    end = min(match.end(), line.end - found.start) if line else match.end()
    value = found.text[offset:end].rstrip("._-/\\")
    span = found.span(offset, offset + len(value))
    if found.text[end : end + 2].strip().startswith("%") or not re.search("[0-9]", value):
        return None
    days = [e for e in sheet.inside("DATE", span[0], span[1]) if e.start == span[0] and e.end >= span[1]]
    if days and not value.isdigit():
        return None
    return span, value, None


def _day(sheet: Sheet, row: int, offset: int) -> _Taken | None:
    """A whole date at an offset of a row, unless a period begins or goes on with it."""
    found = sheet.rows[row]
    at = found.start + offset
    days = sheet.inside("DATE", at, found.end)
    if not days or sheet.page.text[at : days[0].start].strip(" :.'"):
        return None
    day = days[0]
    if len(days) > 1 and labels.UNTIL.match(found.text[day.end - found.start : days[1].start - found.start]):
        return None
    value = _read(day)
    return ((day.start, day.end), value, day.other) if value else None


def _read(day: Entity) -> str | None:
    value = day.value or ""
    return value if _FULL.fullmatch(value) and _YEARS[0] <= int(value[:4]) <= _YEARS[1] else None


def _best(name: str, candidates: Sequence[Found]) -> Field | None:
    """The candidate with the best label, the first of equals; an equal one with another value is a contradiction."""
    if not candidates:
        return None
    best = max(candidates, key=lambda found: found.score)
    rivals = {f.value for f in candidates if f.score > best.score - _RIVAL} - {best.value}
    score, checks = best.score, []
    if rivals:
        score, checks = min(score, 0.45), ["contradiction"]
    elif any(f.value == best.value and f.span != best.span for f in candidates):
        score += 0.02
    if best.score < 0.75:
        checks.append("no_label")
    if best.other:
        score, checks = min(score, 0.45), [*checks, "ambiguous_date"]
    made = field(name, best.sheet.page, [best.span], best.value, score)
    return structs.replace(made, other=best.other, checks=tuple(checks))
