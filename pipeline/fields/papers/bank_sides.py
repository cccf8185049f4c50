"""Payer and payee of a bank's advice that prints their labels once for each side: 付款人 户名 …, 收款人 户名 …"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.rows import Row, rows_of
from pipeline.models import Entity, Field, TextLine
from pipeline.ner.characters import plain

_PAYER = re.compile(
    r"付 ?款 ?(?:人|方|单位)?|汇 ?款 ?人|出 ?票 ?人|\bpayer\b|\bremitter\b|\bdebtor\b", re.IGNORECASE
)
_PAYEE = re.compile(r"收 ?款 ?(?:人|方|单位)?|\bpayee\b|\bbeneficiary\b|\bcreditor\b", re.IGNORECASE)
_APART = 2
"""Maximum number of rows between the two sides if they are next to each other."""
_LONGEST = 12
ACCOUNT = r"[A-Z]{0,2}[0-9][0-9A-Z* -]{5,38}[0-9A-Z]"
_PARTS = (
    ("", "户名|全称|名称|单位名称|name", "text", ""),
    ("_account", "账号|帐号|账户|account(?: no| number)?|iban", "code", ACCOUNT),
    ("_bank", "开户行(?:名称)?|开户银行|开户机构|bank(?: name)?", "text", ""),
)


class _Side(NamedTuple):
    row: int
    left: float


def find_sides(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """Names, accounts and banks of the two sides, next to each other or one below the other."""
    payer, payee = _side(rows, _PAYER), _side(rows, _PAYEE)
    if payer is None or payee is None:
        return []
    found: list[Field] = []
    for name, own, other in (("payer", payer, payee), ("payee", payee, payer)):
        wanted = tuple(
            Wanted(f"{name}{part}", labels, sort, pattern) for part, labels, sort, pattern in _PARTS
        )
        found += find_labelled(_part(rows, own, other), entities, wanted)
    return found


def _side(rows: Sequence[Row], word: re.Pattern[str]) -> _Side | None:
    """The first short line that names a side."""
    for number, row in enumerate(rows):
        for line in row.lines:
            if len(line.text) <= _LONGEST and word.match(plain(line.text)):
                return _Side(number, _left(line))
    return None


def _part(rows: Sequence[Row], own: _Side, other: _Side) -> tuple[Row, ...]:
    """The rows of one side."""
    page = rows[0].page
    if abs(own.row - other.row) <= _APART:
        first = min(own.row, other.row)
        right, middle = own.left > other.left, max(own.left, other.left)
        lines = [line for row in rows[first:] for line in row.lines if (_left(line) >= middle - 1) == right]
    else:
        end = other.row if other.row > own.row else len(rows)
        lines = [line for row in rows[own.row : end] for line in row.lines]
    return rows_of(structs.replace(page, lines=tuple(lines)))


def _left(line: TextLine) -> float:
    return min(x for x, _ in line.box)
