"""Values by their labels: what is printed to the right of a label, or below it in its column.

A kind of paper is a list of `Wanted`: field, labels, and what sort of value it has. `find_labelled` looks for all of
them on a page. Of several entries for one field the first that is found counts, so the sharper label comes first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import structs

from pipeline.fields.cells import CELL, TYPED, Cell, Sheet, cells_of, edges, overlap, top
from pipeline.fields.printed import value_in
from pipeline.fields.rows import Row, Span, field
from pipeline.fields.wanted import COLON, Value, Wanted, any_label, pattern_of
from pipeline.models import Entity, Field

__all__ = ["Wanted", "checked", "find_labelled", "of_entity"]

_BELOW = 2
"""Maximum number of rows between a label and the value below it."""
_FAR = 3.0
"""Maximum distance to it, in heights of a row."""
_HEADINGS = 3
"""A line with at least so many labels is a line of headings."""
_WIDEST = 60
"""Maximum number of lines in a row of labels above their values."""
_TRANSLATED = 40
"""Maximum length of a label with its translation."""
_AFTER = re.compile(r" ?(?:\([^()\n]{1,16}\))? {0,3}[:#.=]{0,2} ?")
_GENERAL = re.compile(
    r"no\.?|n[o°º]|nr|number|nummer|num[ée]ro|date|datum|data|fecha|name|nom", re.IGNORECASE
)
"""Labels that name something else with a word before them: customer no, expiry date."""
_WORD_BEFORE = re.compile(r"[^\W\d_][\w.']{0,30}[ /-]$")
_LOW_OCR = 0.8
_LABELLED = 0.9
"""Minimum confidence of an amount with a label: recognisers doubt a number without a sign of its currency."""


def find_labelled(rows: Sequence[Row], entities: Sequence[Entity], wanted: Sequence[Wanted]) -> list[Field]:
    """The fields of `wanted` that were found on a page, at most one per name."""
    sheet = Sheet(rows, entities)
    found: dict[str, Field] = {}
    for one in wanted:
        if one.name and one.name not in found:
            values = [v for at in range(len(rows)) for v in _values(sheet, at, one, tuple(wanted))]
            if values:
                found[one.name] = _best(rows[0], one, values)
    return list(found.values())


def _values(sheet: Sheet, at: int, one: Wanted, wanted: tuple[Wanted, ...]) -> Iterator[Value]:
    row = sheet.rows[at]
    for match in pattern_of(one.labels).finditer(row.text):
        general = _GENERAL.fullmatch(match[0]) is not None and _is_second(row, match.start())
        if general or _is_part(sheet, at, match.start(), wanted):
            continue
        after = _AFTER.match(row.text, match.end())
        begin = after.end() if after else match.end()
        colon = ":" in row.text[match.end() : begin]
        following = any_label(wanted).search(row.text, begin)
        stop = following.start() if following else len(row.text)
        alone, leads = _is_alone(row, match.start(), begin, wanted), _leads(row, match.span())
        if one.colon and not colon and not alone and not leads:
            continue
        label = match[0].casefold()
        if right := _right(sheet, row, (begin, stop), one, colon, leads):
            yield right._replace(label=label)
        elif below := _under(sheet, at, (match.start(), begin, stop), one, wanted, alone):
            yield below._replace(label=label)


def _is_part(sheet: Sheet, at: int, start: int, wanted: tuple[Wanted, ...]) -> bool:
    """Whether a label is a part of a longer one: "no" of "order no"."""
    if at not in sheet.spans:
        sheet.spans[at] = [match.span() for match in any_label(wanted).finditer(sheet.rows[at].text)]
    spans = sheet.spans[at]
    place = bisect_left(spans, (start, 0)) - 1
    return place >= 0 and spans[place][0] < start < spans[place][1]


def _is_second(row: Row, start: int) -> bool:
    """Whether a word of the same line is before a label."""
    if not _WORD_BEFORE.search(row.text, max(0, start - 34), start):
        return False
    return all(line.start != row.start + start for line in row.lines)


def _is_alone(row: Row, start: int, end: int, wanted: tuple[Wanted, ...]) -> bool:
    """Whether a label is all of its line, or with its translation: 姓名/Name."""
    if len(row.lines) > _WIDEST:
        return False
    for line in row.lines:
        first, last = line.start - row.start, line.end - row.start
        if start <= first and last <= end:
            return True
        if first <= start < last and "/" in line.text and len(line.text) <= _TRANSLATED:
            halves = row.text[first:last].split("/")
            return all(any_label(wanted).fullmatch(half.strip(" :")) for half in halves)
    return False


def _under(
    sheet: Sheet,
    at: int,
    place: tuple[int, int, int],
    one: Wanted,
    wanted: tuple[Wanted, ...],
    alone: bool,
) -> Value | None:
    """The value below a label, if nothing that fits is to the right of it."""
    row = sheet.rows[at]
    start, begin, stop = place
    labels = 0 if alone else sum(1 for _ in islice(any_label(wanted).finditer(row.text), _HEADINGS))
    if labels == _HEADINGS:
        return _counted(sheet, at, start, one, wanted)
    if alone or (labels == 1 and not row.text[begin:stop].strip()):
        return _below(sheet, at, (start, begin), one, wanted)
    return None


def _counted(sheet: Sheet, at: int, start: int, one: Wanted, wanted: tuple[Wanted, ...]) -> Value | None:
    """The value below a label in a line of headings: the one of its place, if there are as many values as headings."""
    if one.sort not in TYPED:
        return None
    row = sheet.rows[at]
    pattern = any_label(tuple(other for other in wanted if other.sort == one.sort))
    starts = [match.start() for match in pattern.finditer(row.text)]
    for under in sheet.rows[at + 1 : at + 1 + _BELOW]:
        values = sheet.within(one.sort, under.start, under.end)
        if values:
            fits = len(values) == len(starts) and start in starts
            entity = values[starts.index(start)] if fits else None
            span = (entity.start, entity.end) if entity else (0, 0)
            return Value(entity.value or "", span, 0.76, entity) if entity else None
    return None


def _right(sheet: Sheet, row: Row, region: Span, one: Wanted, colon: bool, leads: bool) -> Value | None:
    begin, stop = region
    first = CELL.search(row.text, begin, stop)
    if first is None:
        return None
    piece = Cell(*first.span())
    apart = len(row.text[begin : piece.start]) > 1
    score = 0.86 if apart else COLON if colon else 0.85
    if one.sort in TYPED:
        return value_in(sheet, row, Cell(begin, stop), one, score)
    if not colon and one.sort == "text":
        score = score if apart or leads else 0.75
        piece = _of_line(row, piece)
    return value_in(sheet, row, piece, one, score)


def _of_line(row: Row, piece: Cell) -> Cell:
    """The part of a cell that is in its first line: without a colon, the label names no more than that."""
    start = row.start + piece.start
    end = next((line.end for line in row.lines if line.start <= start < line.end), row.end)
    return Cell(piece.start, min(piece.end, end - row.start))


def _below(sheet: Sheet, at: int, label: Span, one: Wanted, wanted: tuple[Wanted, ...]) -> Value | None:
    """The value in the column of a label: in the cell below that has its place in the row, else its edges."""
    row = sheet.rows[at]
    if len(row.lines) > _WIDEST:
        return None
    own_edges = edges(row, Cell(*label))
    for under in sheet.rows[at + 1 : at + 1 + _BELOW]:
        if top(under) - top(row) > _FAR * max(row.height, under.height):
            return None
        cell = _cell_below(row, label, under, own_edges)
        if cell is None:
            continue
        if any_label(wanted).match(under.text, cell.start, cell.end):
            return None
        typed = one.sort in TYPED
        found = value_in(sheet, under, cell, one, 0.8 if typed else 0.78)
        if found or not typed:
            return found
    return None


def _cell_below(row: Row, label: Span, under: Row, own: tuple[float, float]) -> Cell | None:
    """The cell below a label: that of its place where both rows have as many, else the one that it overlaps most."""
    if len(row.lines) == len(under.lines) > 1:
        line = under.lines[sum(line.end <= row.start + label[0] for line in row.lines)]
        return Cell(line.start - under.start, line.end - under.start)
    cells = cells_of(row.text)
    others = cells_of(under.text)
    if len(others) == len(cells) > 1:
        return others[sum(cell.end <= label[0] for cell in cells)]
    best = max(others, key=lambda other: overlap(own, edges(under, other)), default=None)
    return best if best is not None and overlap(own, edges(under, best)) > 0 else None


def _leads(row: Row, label: Span) -> bool:
    """Whether a Chinese label begins its line and a blank follows: 自 云州."""
    if len(row.lines) > _WIDEST:
        return False
    start = row.start + label[0]
    spaced = row.text[label[1] : label[1] + 1] == " "
    return spaced and row.text[label[1] - 1] > "\u4e00" and any(line.start == start for line in row.lines)


def checked(found: Field, *checks: str, factor: float = 1.0) -> Field:
    """The field with further checks that failed, and its confidence times `factor`."""
    return structs.replace(
        found,
        checks=tuple(dict.fromkeys([*found.checks, *checks])),
        confidence=round(found.confidence * factor, 3),
    )


def of_entity(name: str, row: Row, entity: Entity, score: float, *checks: str) -> Field:
    """The field of an entity, with what its reading leaves in doubt."""
    assert entity.value is not None
    value = entity.value
    currency = entity.currency if entity.type == "MONEY" else None
    if entity.type == "MONEY" and currency is None and row.page.locale is not None:
        currency = row.page.locale.currency
    sure = max(entity.confidence, _LABELLED) if entity.type == "MONEY" else entity.confidence
    made = field(name, row.page, [(entity.start, entity.end)], value, score * sure, currency)
    made = _read(made, row)
    if entity.other is None:
        return checked(made, *checks)
    doubt = "ambiguous_date" if entity.type == "DATE" else "ambiguous_amount"
    return structs.replace(checked(made, *checks, doubt, factor=0.7), other=entity.other)


def _best(row: Row, one: Wanted, values: Sequence[Value]) -> Field:
    """The value with the highest score, the first of equals; another one with the same label contradicts it."""
    best = max(values, key=lambda value: value.score)
    if best.entity is not None:
        made = of_entity(one.name, row, best.entity, best.score)
    else:
        currency = row.page.locale.currency if one.sort == "MONEY" and row.page.locale else None
        made = _read(field(one.name, row.page, [best.span], best.value, best.score, currency), row)
    rivals = any(
        other.value != best.value and other.score >= best.score and other.label == best.label
        for other in values
    )
    return checked(made, "contradiction", factor=0.7) if rivals else made


def _read(made: Field, row: Row) -> Field:
    lines = [
        line for line in row.page.lines if made.start is not None and line.start <= made.start < line.end
    ]
    return checked(made, "low_ocr") if any(line.confidence < _LOW_OCR for line in lines) else made
