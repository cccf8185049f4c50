"""Address of the merchant, printed at the head of a receipt or behind a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.receipt.head import (
    HEAD,
    HOUSE,
    LEGAL,
    NUMBERED,
    STREET,
    has_postcode,
    is_place,
    is_stop,
    is_street,
    is_town,
    letters,
    trimmed,
)
from pipeline.fields.rows import Row, Span, field, fold
from pipeline.models import Entity, Field

_LABEL = re.compile(r"^[ *]*(?:地 ?址|门店地址|店址|(?:ADDRESS|ADDR|ALAMAT)\b) ?[:.]? *", re.IGNORECASE)
_EARLY = 8
"""Rows of the head where a town needs no other evidence."""
_BRACKETED = re.compile(r"^[ *]*\(.*\)\W*$")
# A full stop between the parts of an address is a comma that OCR misread, except for these.
_STOP_MISREAD = re.compile(
    r"(?<![ .][A-Z])(?<!^[A-Z])(?<!\bNO)(?<!\bST)(?<!\bRD)(?<!\bKG)(?<!\bDR)(?<!\bMT)"
    r"(?<!\bLRG)(?<!\bTMN)(?<!\bJLN)(?<!\bAVE)"
    r"(?<!\bBLK)(?<!\bLOT)(?<!\bFLR)(?<!STR)(?<!\bAV)(?<!\bBLVD)(?<!\bSTE)(?<=[A-Z0-9)])\.(?=[ A-Z0-9])(?! ?[A-Z]\b)",
    re.IGNORECASE,
)


def find_address(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The merchant's address, its rows joined by spaces; `None` if no row of the head looks like one."""
    for row in rows:
        label = _LABEL.match(row.text)
        if label and row.text[label.end() :].strip():
            spans = [row.span(label.end(), len(row.text))]
            return field("address", row.page, spans, as_address(row, spans), 0.85)
    start = address_start(rows[:HEAD], entities)
    if start is None:
        return None
    block = [start]
    for number in range(start + 1, min(len(rows), start + 6)):
        if not _continues(rows, block, number, entities):
            break
        block.append(number)
    spans = [span for number in block if (span := trimmed(rows[number])) is not None]
    text = "\n".join(rows[number].text for number in block)
    score = 0.45 + 0.25 * has_postcode(text) + 0.15 * bool(STREET.search(text)) + 0.1 * (len(block) > 1)
    return field("address", rows[0].page, spans, as_address(rows[0], spans), score)


def as_address(row: Row, spans: Sequence[Span]) -> str:
    """The spans as one address, with common OCR errors corrected."""
    text = letters(fold(" ".join(row.page.text[a:b] for a, b in spans)))
    text = re.sub(r"\b(?=[0-9O]{5,6}\b)[0-9O]*[0-9]{3}[0-9O]*", lambda code: code[0].replace("O", "0"), text)
    return _STOP_MISREAD.sub(",", text)


def address_start(rows: Sequence[Row], entities: Sequence[Entity]) -> int | None:
    """Number of the first row of the address."""
    for number, row in enumerate(rows):
        if is_stop(row, entities) or (LEGAL.search(row.text) and not NUMBERED.match(row.text)):
            continue
        numbered, street, code = (
            NUMBERED.match(row.text),
            STREET.search(row.text),
            has_postcode(row.text),
        )
        placed = code or is_place(row.text)
        more = (numbered or street or placed) and _follows(rows, number)
        if (
            (numbered and (street or more))
            or (number and street and (code or more))
            or (number and code and number < 8)
            or (placed and (more or (number and (street or code))))
            or (0 < number < _EARLY and _leads(rows, number, entities))
        ):
            return number
    return None


def _follows(rows: Sequence[Row], number: int) -> bool:
    """Whether a street or a postcode is in one of the next rows."""
    following = "\n".join(row.text for row in rows[number + 1 : number + 4])
    return STREET.search(following) is not None or has_postcode(following)


def _leads(rows: Sequence[Row], number: int, entities: Sequence[Entity]) -> bool:
    """Whether the row is a town with its state, or a street, or a house and the next row is a place."""
    text = rows[number].text
    if is_town(text) or is_street(text):
        return True
    if not HOUSE.match(text) or number + 1 == len(rows) or is_stop(rows[number + 1], entities):
        return False
    after = rows[number + 1].text
    return is_town(after) or has_postcode(after)


def _continues(rows: Sequence[Row], block: Sequence[int], number: int, entities: Sequence[Entity]) -> bool:
    """Whether row `number` still belongs to the address in `block`."""
    row = rows[number]
    if is_stop(row, entities) or trimmed(row) is None or _BRACKETED.match(row.text):
        return False
    gap = _top(row) - _bottom(rows[number - 1])
    if gap > 1.6 * max(row.height, rows[number - 1].height):
        return False
    coded = [n for n in block if has_postcode(rows[n].text)]
    if not coded:
        before = rows[number - 1].text
        return not is_town(before) or has_postcode(row.text) or bool(STREET.search(row.text))
    # after the postcode: the rest of the place, or a branch, not a name or a title
    return (
        number - coded[0] <= 2
        and not re.search("[0-9]{7}", row.text)
        and not LEGAL.search(row.text)
        and len(re.findall("[A-Za-z]", row.text)) >= 4
    )


def _top(row: Row) -> float:
    return min(y for line in row.lines for _, y in line.box)


def _bottom(row: Row) -> float:
    return max(y for line in row.lines for _, y in line.box)
