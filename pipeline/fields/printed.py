"""The value that a part of a row holds: an entity, a number, a code or text."""

from __future__ import annotations

import re

from pipeline.fields.cells import TYPED, Cell, Sheet
from pipeline.fields.rows import Row, fold
from pipeline.fields.wanted import COLON, HAN, Value, Wanted

_LONGEST = 60
"""Maximum length of a text value."""
_GAP = 16
"""Maximum number of characters between a label and its typed value."""
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]{1,3}(?:[,.' ][0-9]{3})+|[0-9]{1,12})(?:[.,][0-9]{1,2})?(?![0-9A-Za-z%:/-])"
)
_SIGN = re.compile(r"[ :¥$€£]*(?:[A-Z]{2,3} ?(?=[0-9]))?")
_CODE = re.compile(r"(?:(?!N[OR] )[A-Z]{1,4} (?=[0-9]))?[A-Za-z0-9](?:[A-Za-z0-9/_.*-]*[A-Za-z0-9])?")
_DATE = re.compile(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{2,4}")
_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LABEL = re.compile(rf"^[A-Za-z{HAN}(][^:\n]{{0,22}}(?<![0-9]):|[A-Za-z{HAN}][^:\d\n]{{0,20}}: *$")
"""A cell that is a label itself, or begins with one."""
_HEADING = re.compile("号码|证件|日期|名称|金额|^(?:name|date|number|amount|address)$", re.IGNORECASE)
"""Words of the heading of another column; a value has a colon before it if it contains them."""
_NEXT = re.compile(rf" (?:[{HAN}()/]{{2,16}}|[A-Za-z][A-Za-z.-]{{1,14}}):")
"""The label of something else, in the cell of a value."""


def value_in(sheet: Sheet, row: Row, region: Cell, one: Wanted, score: float) -> Value | None:
    """The value of the sort that is wanted, at the beginning of a part of a row."""
    if one.sort in TYPED:
        return _typed(sheet, row, region, one.sort, score)
    return _text(row, region, one, score)


def _typed(sheet: Sheet, row: Row, region: Cell, sort: str, score: float) -> Value | None:
    """The first entity of a type in a part of a row, unless other figures are before it."""
    start, end = row.start + region.start, row.start + region.end
    for entity in sheet.within(sort, start, end):
        between = row.text[region.start : entity.start - row.start]
        if len(between.strip()) > _GAP or (re.search("[0-9]", between) and sort != "TIME"):
            break
        if sort == "DATE" and not _FULL_DATE.fullmatch(entity.value or ""):
            continue
        return Value(entity.value or "", (entity.start, entity.end), score, entity)
    return _bare(row, region, score) if sort == "MONEY" else None


def _bare(row: Row, region: Cell, score: float) -> Value | None:
    """A number without a sign of a currency: its label says that it is an amount."""
    text = row.text[region.start : region.end]
    lead = _SIGN.match(text).end()  # type: ignore[union-attr]
    match = _NUMBER.match(row.text, region.start + lead, region.end)
    if match is None:
        return None
    locale = row.page.locale
    value = plain_number(match[0], locale.decimal if locale else None)
    return Value(value, row.span(*match.span()), score * 0.9) if value else None


def plain_number(text: str, decimal: str | None) -> str | None:
    """A printed number as a plain decimal, `None` if its separator is ambiguous."""
    bare = re.sub("[ ']", "", text)
    whole, mark, rest = re.fullmatch(r"([-+]?[0-9.,]*?)(?:([.,])([0-9]{1,2}))?", bare).groups()  # type: ignore[union-attr]
    if mark and decimal and mark != decimal:
        return None
    if not re.fullmatch(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:[.,][0-9]{3})+)", whole):
        return None
    return re.sub("[.,+]", "", whole) + (f".{rest}" if rest else "")


def _text(row: Row, cell: Cell, one: Wanted, score: float) -> Value | None:
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
        if not any(map(str.isalpha, kept)) or len(kept) > _LONGEST or _LABEL.search(text[lead:]):
            return None
        if score < COLON and _HEADING.search(kept):
            return None
        if one.pattern:
            match = re.match(rf"(?:{one.pattern})(?= |$)", kept)
            if match is None:
                return None
            kept = match[0]
        span = lead, lead + len(kept)
    start, end = row.span(cell.start + span[0], cell.start + span[1])
    return Value(fold(row.page.text[start:end]), (start, end), score)
