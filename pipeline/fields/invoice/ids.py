"""Tax numbers and bank account of an invoice: whose they are, by their block and their label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.invoice.blocks import Block
from pipeline.fields.invoice.words import BIC, GAP, IBAN, OF_BUYER, TAX_NUMBER, VAT_ID
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
_NATIONAL_SCORE, _LABELLED = 0.6, 0.75
_WRONG = 0.55
"""Score of a number with wrong check digits in a text layer: it is printed like that."""
_MOST_IN_ROW = 20
"""Maximum number of labels of a row that are looked at."""


class _Id(NamedTuple):
    sheet: Sheet
    span: Span
    value: str
    score: float
    buyer: bool
    national: bool = False
    """Only the tax office of one country knows it: not a VAT number."""
    valid: bool = True

    def field(self, name: str, rival: bool) -> Field:
        """The field; one with wrong check digits is believed only where no OCR could have misread them."""
        score: float = self.score
        checks: tuple[str, ...] = ()
        if not self.valid:
            score = min(score, _WRONG if self.sheet.page.text_from == "text_layer" else 0.4)
            checks = ("check_digit",)
        made = field(name, self.sheet.page, [self.span], self.value, score - (0.15 if rival else 0.0))
        return structs.replace(made, checks=checks + ("contradiction",) * rival)


def find_tax_ids(sheets: Sequence[Sheet], blocks: Sequence[Block]) -> list[Field]:
    """The fields seller_tax_id and buyer_tax_id: VAT numbers, else national ones."""
    sides: dict[str, list[_Id]] = {"seller": [], "buyer": []}
    for one in _ids(sheets, ("TAX_ID", "USCC"), VAT_ID, _VAT):
        if side := _side(one, blocks):
            sides[side].append(one)
    for one in _ids(sheets, (), TAX_NUMBER, _NATIONAL) if not sides["seller"] else ():
        if _side(one, blocks) == "seller":
            sides["seller"].append(one._replace(score=_NATIONAL_SCORE))
    found = []
    for side, ids in sides.items():
        ids.sort(key=lambda one: (one.national, not one.valid, -one.score))
        if ids:
            same = [one for one in ids if one.national == ids[0].national and one.valid == ids[0].valid]
            # a second number, such as of a branch, makes neither sure
            found.append(ids[0].field(f"{side}_tax_id", len({one.value for one in same}) > 1))
    return found


def _ids(
    sheets: Sequence[Sheet], kinds: Sequence[str], label: re.Pattern[str], pattern: re.Pattern[str]
) -> Iterator[_Id]:
    """Entities, and what follows a label: also with check digits that are wrong."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows):
            text = sheet.simple[number]
            taken: list[Span] = []
            for kind in kinds:
                for entity in sheet.inside(kind, row.start, row.end)[:_MOST_IN_ROW]:
                    taken.append((entity.start, entity.end))
                    before = text[: entity.start - row.start]
                    value, score = _bare(entity.value or entity.text), max(0.6, 0.95 * entity.confidence)
                    national = any(TAX_NUMBER.finditer(before[-40:]))
                    valid = entity.value is not None
                    yield _Id(sheet, taken[-1], value, score, _named_buyer(before), national, valid)
            for match in islice(label.finditer(text), _MOST_IN_ROW):
                found = _behind(sheet, number, match.end(), pattern)
                if found and not any(a < found[1] and found[0] < b for a, b in taken):
                    value = _bare(sheet.page.text[slice(*found)])
                    yield _Id(sheet, found, value, _LABELLED, _named_buyer(text[: match.start()]))


def _named_buyer(before: str) -> bool:
    """Whether the label says that a number is the addressee's: your VAT no."""
    return (
        OF_BUYER.search(
            re.sub(
                r"[^a-z]*(?:(?:n|no|nr)[ .]*)?(?:ust|vat|tva|umsatzsteuer|tax)[a-z .:-]*$", " ", before[-60:]
            )
        )
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
    for name, label, pattern in (("iban", IBAN, _IBAN), ("bic", BIC, _BIC)):
        ids = [one for one in _ids(sheets, (name.upper(),), label, pattern) if not one.buyer]
        if ids:
            ids.sort(key=lambda one: (not one.valid, -one.score))
            several = len({one.value for one in ids if one.valid == ids[0].valid}) > 1
            found.append(ids[0].field(name, several))
    return found
