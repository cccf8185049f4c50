"""Buyer and seller of a VAT invoice, with their tax numbers.

On the paper form and its electronic version the buyer is above the amounts and the seller below; on the
fully digital invoice they are side by side, the buyer on the left. The characters 购/买 and 销/售 of the
vertical label are evidence too, where OCR puts them in the name's row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.fields.labels import checked
from pipeline.fields.rows import Row, Span, field, fold, left_of
from pipeline.models import Entity, Field
from pipeline.ner.patterns.identifiers import id_check, uscc_check

_NAME = re.compile(r"(?<![务物品目服])名 {0,12}称 ?:? *")
_NAME_END = re.compile(r"  |名 {0,12}称| (?:[密码区备注销购买售方]|统一社会|纳税人)| *$")
_ID = re.compile(
    r"(?:纳 ?税 ?人 ?识 ?别 ?号|统一社会信用代码"
    r"|税 ?号)[^0-9A-Za-z]{0,14}(?P<id>[0-9A-Z]{15,20})(?![0-9A-Za-z])"
)
_BUYER, _SELLER = re.compile("[购買买]"), re.compile("[销銷售]")
FAILED = 0.4
"""Confidence of a tax number whose check digit is wrong."""
_MISREAD = str.maketrans("IOSZ", "1052")


class _Party(NamedTuple):
    side: str
    row: int
    left: float
    span: Span | None


class _Label(NamedTuple):
    row: int
    left: float
    hint: str | None
    span: Span | None


def find_parties(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """The fields buyer, seller, buyer_tax_id and seller_tax_id that were found."""
    parties = _sides([label for number, row in enumerate(rows) for label in _labels(number, row)], rows)
    organisations = [e for e in entities if e.type == "ORG"]
    found = []
    for party in parties:
        if party.span is None:
            continue
        page, (start, end) = rows[party.row].page, party.span
        known = any(e.start < end and start < e.end for e in organisations)
        sure = (0.93 if known else 0.8) if len(parties) == 2 else 0.6
        found.append(field(party.side, page, [party.span], fold(page.text[start:end]), sure))
    return found + _tax_ids(rows, parties)


def _labels(number: int, row: Row) -> list[_Label]:
    labels = []
    at = 0
    for match in _NAME.finditer(row.text):
        end = _NAME_END.search(row.text, match.end())
        stop = end.start() if end else len(row.text)
        before = row.text[at : match.start()][-12:]
        hint = "buyer" if _BUYER.search(before) else "seller" if _SELLER.search(before) else None
        span = row.span(match.end(), stop) if row.text[match.end() : stop].strip() else None
        labels.append(_Label(number, left_of(row.page, row.span(*match.span())), hint, span))
        at = stop
    return labels


def _sides(labels: Sequence[_Label], rows: Sequence[Row]) -> list[_Party]:
    """At most one party per side: by the form's own characters, else by position."""
    if len(labels) == 1:
        total = next((n for n, row in enumerate(rows) if "价税合计" in row.text.replace(" ", "")), len(rows))
        label = labels[0]
        side = label.hint or ("seller" if label.row > total else "buyer")
        return [_Party(side, label.row, label.left, label.span)]
    first, second = _pair(labels)
    if first is None or second is None:
        return []
    sides = ("seller", "buyer") if first.hint == "seller" and second.hint != "seller" else ("buyer", "seller")
    pairs = zip(sides, (first, second), strict=True)
    return [_Party(side, label.row, label.left, label.span) for side, label in pairs]


def _pair(labels: Sequence[_Label]) -> tuple[_Label | None, _Label | None]:
    """The two labels that name parties: those with a hint or a value first, left before right."""
    ranked = sorted(labels, key=lambda label: (label.hint is None, label.span is None))[:2]
    ranked.sort(key=lambda label: (label.row, label.left))
    return (ranked[0], ranked[1]) if len(ranked) == 2 else (None, None)


def _tax_ids(rows: Sequence[Row], parties: Sequence[_Party]) -> list[Field]:
    found: dict[str, Field] = {}
    for number, row in enumerate(rows):
        for match in _ID.finditer(row.text):
            span = row.span(*match.span("id"))
            side = _owner(number, left_of(row.page, span), parties)
            if side is None or f"{side}_tax_id" in found:
                continue
            value, sure = checked_tax_id(match["id"])
            made = field(f"{side}_tax_id", row.page, [span], value, sure)
            found[made.name] = made if len(value) != 18 or sure > FAILED else checked(made, "check_digit")
    return list(found.values())


def _owner(row: int, left: float, parties: Sequence[_Party]) -> str | None:
    """The party whose name is nearest above in the stacked form, or to the left of the number."""
    if len(parties) == 2 and abs(parties[0].row - parties[1].row) <= 1:
        return parties[1].side if left >= parties[1].left else parties[0].side
    above = [party for party in parties if party.row <= row + 1]
    return above[-1].side if above else None


def checked_tax_id(number: str) -> tuple[str, float]:
    """A tax number and its confidence, by its check digit; misread letters are corrected.

    Numbers of 15 digits (before 2015) and of 20 have no check digit.
    """
    if len(number) == 18:
        if uscc_check(number) or id_check(number):
            return number, 0.97
        if uscc_check(number.translate(_MISREAD)):
            return number.translate(_MISREAD), 0.88
        return number, FAILED
    return number, 0.75 if len(number) in (15, 20) else 0.35
