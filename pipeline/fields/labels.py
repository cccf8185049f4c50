"""Values by their labels: what is printed to the right of a label, or below it in its column.

A kind of paper is a list of `Wanted`: field, labels, and what sort of value it has. `find_labelled` looks for all of
them on a page. Of several entries for one field the first that is found counts, so the sharper label comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.cells import CELL, TYPED, Cell, Sheet, cells_of, edges, overlap, top
from pipeline.fields.rows import Row, Span, field, fold
from pipeline.models import Entity, Field

_HAN = "\u4e00-\u9fff"
_BELOW = 2
"""Maximum number of rows between a label and the value below it."""
_LONGEST = 60
"""Maximum length of a text value."""
_FAR = 3.0
"""Maximum distance to it, in heights of a row."""
_WIDEST = 60
"""Maximum number of lines in a row of labels above their values."""
_GAP = 16
"""Maximum number of characters between a label and its typed value."""
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]{1,3}(?:[,.' ][0-9]{3})+|[0-9]{1,12})(?:[.,][0-9]{1,2})?(?![0-9A-Za-z%:/-])"
)
_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9/_.*-]*[A-Za-z0-9])?")
_DATE = re.compile(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{2,4}")
_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_AFTER = re.compile(r" ?(?:\([^()\n]{1,16}\))? {0,3}[:#.=]{0,2} ?")
_LABEL = re.compile(rf"^[A-Za-z{_HAN}(][^:\n]{{0,23}}:|[A-Za-z{_HAN}][^:\d\n]{{0,20}}: *$")
"""A cell that is a label itself, or begins with one."""
_HEADING = re.compile("号码|证件|日期|名称|金额|^(?:name|date|number|amount|address)$", re.IGNORECASE)
"""Words of the heading of another column; a value has a colon before it if it contains them."""
_NEXT = re.compile(rf" (?:[{_HAN}()/]{{2,16}}|[A-Za-z][A-Za-z.-]{{1,14}}):")
"""The label of something else, in the cell of a value."""
_LOW_OCR = 0.8
_LABELLED = 0.9
"""Minimum confidence of an amount with a label: recognisers doubt a number without a sign of its currency."""
_COLON = 0.93
"""Score of a value behind a label with a colon, in the same cell."""


class Wanted(NamedTuple):
    """A field, the labels that name it, and the sort of its value. Without a name: a label of something else.

    `labels`: alternatives of a regular expression, without regard to case. `sort`: an entity type of `TYPED`,
    `code` (a number or code of one word, with a digit) or `text` (what the cell holds). `pattern`: what a code or text
    must match as a whole. `colon`: only where a colon follows the label: for a word that is also used in sentences.
    """

    name: str
    labels: str
    sort: str = "text"
    pattern: str = ""
    colon: bool = False


class _Value(NamedTuple):
    value: str
    span: Span
    score: float
    entity: Entity | None = None
    label: str = ""


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


def _values(sheet: Sheet, at: int, one: Wanted, wanted: tuple[Wanted, ...]) -> Iterator[_Value]:
    row = sheet.rows[at]
    for match in _pattern(one.labels).finditer(row.text):
        after = _AFTER.match(row.text, match.end())
        begin = after.end() if after else match.end()
        colon = ":" in row.text[match.end() : begin]
        following = _all_labels(wanted).search(row.text, begin)
        stop = following.start() if following else len(row.text)
        alone = any(
            row.start + match.start() <= line.start and line.end <= row.start + begin for line in row.lines
        )
        leads = _leads(row, match.span())
        if one.colon and not colon and not alone and not leads:
            continue
        label = match[0].casefold()
        if right := _right(sheet, row, (begin, stop), one, colon, leads):
            yield right._replace(label=label)
        elif alone or not row.text[begin:stop].strip():
            below = _below(sheet, at, match.span(), one, wanted)
            if below:
                yield below._replace(label=label)


def _right(sheet: Sheet, row: Row, region: Span, one: Wanted, colon: bool, leads: bool) -> _Value | None:
    begin, stop = region
    first = CELL.search(row.text, begin, stop)
    if first is None:
        return None
    piece = Cell(*first.span())
    apart = len(row.text[begin : piece.start]) > 1
    score = 0.86 if apart else _COLON if colon else 0.85
    if one.sort in TYPED:
        return _typed(sheet, row, Cell(begin, stop), one.sort, score)
    if not colon and one.sort == "text":
        score = score if apart or leads else 0.75
        piece = _of_line(row, piece)
    return _text(row, piece, one, score)


def _of_line(row: Row, piece: Cell) -> Cell:
    """The part of a cell that is in its first line: without a colon, the label names no more than that."""
    start = row.start + piece.start
    end = next((line.end for line in row.lines if line.start <= start < line.end), row.end)
    return Cell(piece.start, min(piece.end, end - row.start))


def _below(sheet: Sheet, at: int, label: Span, one: Wanted, wanted: tuple[Wanted, ...]) -> _Value | None:
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
        if _all_labels(wanted).match(under.text, cell.start, cell.end):
            return None
        typed = one.sort in TYPED
        found = _typed(sheet, under, cell, one.sort, 0.8) if typed else _text(under, cell, one, 0.78)
        if found:
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


def _typed(sheet: Sheet, row: Row, region: Cell, sort: str, score: float) -> _Value | None:
    """The first entity of a type in a part of a row, unless other figures are before it."""
    start, end = row.start + region.start, row.start + region.end
    for entity in sheet.within(sort, start, end):
        between = row.text[region.start : entity.start - row.start]
        if len(between.strip()) > _GAP or (re.search("[0-9]", between) and sort != "TIME"):
            break
        if sort == "DATE" and not _FULL_DATE.fullmatch(entity.value or ""):
            continue
        return _Value(entity.value or "", (entity.start, entity.end), score, entity)
    return _bare(row, region, score) if sort == "MONEY" else None


def _bare(row: Row, region: Cell, score: float) -> _Value | None:
    """A number without a sign of a currency: its label says that it is an amount."""
    text = row.text[region.start : region.end]
    lead = len(text) - len(text.lstrip(" :¥$€£"))
    match = _NUMBER.match(row.text, region.start + lead, region.end)
    if match is None:
        return None
    locale = row.page.locale
    value = plain_number(match[0], locale.decimal if locale else None)
    return _Value(value, row.span(*match.span()), score * 0.9) if value else None


def plain_number(text: str, decimal: str | None) -> str | None:
    """A printed number as a plain decimal, `None` if its separator is ambiguous."""
    bare = re.sub("[ ']", "", text)
    whole, mark, rest = re.fullmatch(r"([-+]?[0-9.,]*?)(?:([.,])([0-9]{1,2}))?", bare).groups()  # type: ignore[union-attr]
    if mark and decimal and mark != decimal:
        return None
    if not re.fullmatch(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:[.,][0-9]{3})+)", whole):
        return None
    return re.sub("[.,+]", "", whole) + (f".{rest}" if rest else "")


def _text(row: Row, cell: Cell, one: Wanted, score: float) -> _Value | None:
    text = row.text[cell.start : cell.end]
    if one.sort == "text" and (after := _NEXT.search(text)):
        text = text[: after.start()]
    lead = len(text) - len(text.lstrip(" :#.,;-*_|"))
    if one.sort == "code":
        match = re.compile(one.pattern).match(text, lead) if one.pattern else _CODE.match(text, lead)
        if match is None or not re.search("[0-9]", match[0]) or _DATE.fullmatch(match[0]):
            return None
        span = match.span()
    else:
        kept = text[lead:].rstrip(" :,;-_|")
        if not kept or len(kept) > _LONGEST or _LABEL.search(kept):
            return None
        if score < _COLON and _HEADING.search(kept):
            return None
        if one.pattern and not re.fullmatch(one.pattern, kept):
            return None
        span = lead, lead + len(kept)
    start, end = row.span(cell.start + span[0], cell.start + span[1])
    return _Value(fold(row.page.text[start:end]), (start, end), score)


def _leads(row: Row, label: Span) -> bool:
    """Whether a Chinese label begins its line and a blank follows: 自 云州."""
    start = row.start + label[0]
    spaced = row.text[label[1] : label[1] + 1] == " "
    return spaced and row.text[label[1] - 1] > "\u4e00" and any(line.start == start for line in row.lines)


@lru_cache(maxsize=512)
def _pattern(labels: str) -> re.Pattern[str]:
    """Labels where a word begins; their Han characters may be spaced out, their blanks be missing."""
    spaced = re.sub(rf"(?<=[{_HAN}])(?=[{_HAN}])", " {0,4}", labels)
    loose = re.sub(r"(?<=[A-Za-z.]) (?=[A-Za-z(])", r"[ .]{0,2}", spaced)
    return re.compile(rf"(?<![A-Za-z{_HAN}])(?:{loose})(?![A-Za-z])", re.IGNORECASE)


@lru_cache(maxsize=64)
def _all_labels(wanted: tuple[Wanted, ...]) -> re.Pattern[str]:
    return _pattern("|".join(one.labels for one in wanted))


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


def _best(row: Row, one: Wanted, values: Sequence[_Value]) -> Field:
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
