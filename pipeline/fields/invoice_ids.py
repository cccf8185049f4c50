"""Tax numbers and bank account of an invoice: whose they are, by their block and their label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.invoice_blocks import Block
from pipeline.fields.invoice_words import BIC, GAP, IBAN, OF_BUYER, TAX_NUMBER, VAT_ID
from pipeline.fields.rows import Span, field
from pipeline.fields.sheet import Sheet
from pipeline.models import Field

_VAT = re.compile(
    r"(?:[A-Z]{2,3}[ -]?)(?:[0-9A-Z]{0,2}[ ]?)[0-9](?:[ .-]?[0-9]){4,11}(?:[A-Z]{1,2}[0-9]{0,2})?(?![0-9A-Za-z])"
    r"|(?:[A-Z]-?[0-9]{7,8}[A-Z]?|[0-9]{8}[A-Z]|[0-9]{9,11}|[0-9]{2}-[0-9]{7})(?![0-9A-Za-z])"
)
_NATIONAL = re.compile(r"[0-9](?:[ /.]?[0-9]){8,13}(?![0-9A-Za-z])")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?:[ ]?[0-9A-Z]{4}){2,7}(?:[ ]?[0-9A-Z]{1,3})?(?![0-9A-Za-z])")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2,5}(?![0-9A-Za-z])")
_NATIONAL_SCORE = 0.6
_MOST_IN_ROW = 20
"""Maximum number of labels of a row that are looked at."""


class _Id(NamedTuple):
    sheet: Sheet
    span: Span
    value: str
    score: float
    buyer: bool


def find_tax_ids(sheets: Sequence[Sheet], blocks: Sequence[Block]) -> list[Field]:
    """The fields seller_tax_id and buyer_tax_id; a national number only where the seller has no other."""
    found: dict[str, _Id] = {}
    rivals: set[str] = set()
    for kinds, label, pattern in ((("TAX_ID", "USCC"), VAT_ID, _VAT), ((), TAX_NUMBER, _NATIONAL)):
        if "seller" in found and not kinds:
            break
        for found_id in _ids(sheets, kinds, label, pattern):
            side = _side(found_id, blocks)
            if side is None or (side == "buyer" and not kinds):
                continue
            one = found_id if kinds else found_id._replace(score=_NATIONAL_SCORE)
            before = found.get(side)
            if before is None or one.score > before.score + 0.2:
                found[side] = one
            elif before.value != one.value:
                rivals.add(side)
    fields = []
    for side, one in found.items():
        # a second number of the seller, such as of a branch, makes neither sure
        score = one.score - (0.15 if side in rivals else 0.0)
        fields.append(field(f"{side}_tax_id", one.sheet.page, [one.span], one.value, score))
    return fields


def _ids(
    sheets: Sequence[Sheet], kinds: Sequence[str], label: re.Pattern[str], pattern: re.Pattern[str]
) -> Iterator[_Id]:
    """Entities, and what follows a label: also with a check digit that is wrong."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows):
            text = sheet.simple[number]
            taken: list[Span] = []
            for kind in kinds:
                for entity in sheet.inside(kind, row.start, row.end)[:_MOST_IN_ROW]:
                    at = entity.start - row.start
                    taken.append((entity.start, entity.end))
                    yield _Id(
                        sheet,
                        (entity.start, entity.end),
                        _bare(entity.value or entity.text),
                        max(0.6, 0.95 * entity.confidence),
                        _named_buyer(text[:at]),
                    )
            for match in islice(label.finditer(text), _MOST_IN_ROW):
                found = _behind(sheet, number, match.end(), pattern)
                if found and not any(a < found[1] and found[0] < b for a, b in taken):
                    value = _bare(sheet.page.text[slice(*found)])
                    yield _Id(sheet, found, value, 0.85, _named_buyer(text[: match.start()]))


def _named_buyer(before: str) -> bool:
    """Whether the label says that a number is the addressee's: your VAT no."""
    return (
        OF_BUYER.search(re.sub(r"[^a-z]*(?:ust|vat|tva|umsatzsteuer|tax)[a-z .:-]*$", " ", before[-60:]))
        is not None
    )


def _behind(sheet: Sheet, number: int, end: int, pattern: re.Pattern[str]) -> Span | None:
    """What follows a label in its row, within one line of the page."""
    row = sheet.rows[number]
    gap = GAP.match(sheet.simple[number], end)
    assert gap is not None
    line = next((li for li in row.lines if li.start <= row.start + gap.end() < li.end), None)
    if line is None:
        return None
    match = pattern.match(row.text, gap.end(), line.end - row.start)
    return row.span(*match.span()) if match else None


def _bare(text: str) -> str:
    return re.sub(r"[\s.-]", "", text).upper()


def _side(one: _Id, blocks: Sequence[Block]) -> str | None:
    if one.buyer:
        return "buyer"
    for block in blocks:
        if block.sheet is one.sheet and block.covers(one.span[0]):
            return block.side if block.side != "other" else None
    return "seller"


def find_bank(sheets: Sequence[Sheet]) -> list[Field]:
    """The fields iban and bic of the account to pay to."""
    found = []
    for name, kind, label, pattern in (
        ("iban", "IBAN", IBAN, _IBAN),
        ("bic", "BIC", BIC, _BIC),
    ):
        ids = [one for one in _ids(sheets, (kind,), label, pattern) if not one.buyer]
        if not ids:
            continue
        one = max(ids, key=lambda i: i.score)
        valid = name != "iban" or _iban_check(one.value)
        score = one.score if valid else 0.55 if one.sheet.page.text_from == "text_layer" else 0.4
        several = len({i.value for i in ids}) > 1
        made = field(
            name, one.sheet.page, [one.span], one.value, score - (0.15 if several and valid else 0.0)
        )
        checks = ("check_digit",) * (not valid) + ("contradiction",) * several
        found.append(structs.replace(made, checks=checks))
    return found


def _iban_check(value: str) -> bool:
    """ISO 7064 mod 97-10."""
    digits = "".join(str(int(c, 36)) for c in value[4:] + value[:4])
    return int(digits) % 97 == 1
