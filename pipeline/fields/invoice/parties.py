"""Seller and buyer of an invoice: name and address from headed blocks, the address window, letterhead and footer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.invoice.blocks import (
    Block,
    Part,
    addresses,
    headed,
    is_data,
    letterheads,
    senders,
)
from pipeline.fields.invoice.party_words import (
    ADDRESS_KEY,
    ADDRESSED,
    BEHIND_NAME,
    LEGAL,
    NAME_KEY,
    NO_NAME,
    POSTCODE,
    TITLE,
    is_town,
)
from pipeline.fields.rows import Span, field, fold
from pipeline.fields.sheet import Sheet, simplified, trimmed
from pipeline.models import Field

_STREET = re.compile(r"[0-9]{1,4}[a-z]?,? [a-z]")
"""A line that begins with the number of a house."""
_BULLETS = re.compile("[●•·|∙■▪⋅]")
_MARKS = re.compile(r"\s*[●•·|∙■▪⋅]\s*|\s+[-–—]\s+")
_SIDES = ("seller", "buyer")
_MOST = 40
"""Maximum number of blocks of each sort on a page."""


class Name(NamedTuple):
    """A candidate for the name of a party."""

    block: Block
    part: Part
    span: Span
    value: str
    score: float


class Parties(NamedTuple):
    """The fields found, and the blocks that they and other parties are in."""

    fields: list[Field]
    blocks: list[Block]


def find_parties(sheets: Sequence[Sheet]) -> Parties:
    """The fields seller, seller_address, buyer and buyer_address that were found."""
    blocks = [block for sheet in sheets for block in islice(headed(sheet), _MOST)]
    loose: list[Block] = []
    for sheet in sheets[:1]:
        for sender, addressee in islice(senders(sheet), _MOST):
            loose += [sender] if addressee is None else [sender, addressee]
        placed = list(islice(addresses(sheet), _MOST))
        heads = [
            head
            for head in islice(letterheads(sheet), _MOST)
            if not any(b.side == "buyer" and b.covers(head.parts[0].span[0]) for b in placed)
        ]
        loose += [*_sided(placed, [*blocks, *loose], heads, sheet), *heads]
    names = {side: _names(side, blocks, loose) for side in _SIDES}
    seller = _best(names["seller"], _plain(names["seller"]), None)
    buyer = _best(names["buyer"], (), seller)
    found: list[Field] = []
    for side, name in (("seller", seller), ("buyer", buyer)):
        if name is None:
            continue
        page = name.block.sheet.page
        found.append(
            structs.replace(
                field(side, page, [name.span], name.value, name.score),
                checks=("no_label",) if name.score < 0.8 else (),
            )
        )
        address = _address(name.block, name.part)
        if address is None:
            again = (n for n in names[side] if n.value == name.value and _address(n.block, n.part))
            other = next(again, None)
            address = _address(other.block, other.part) if other else None
            page = other.block.sheet.page if other else page
        if address:
            found.append(field(f"{side}_address", page, *address, name.score - 0.08))
    used = [*blocks, *(n.block for n in (seller, buyer) if n)]
    return Parties(found, used)


def _sided(found: list[Block], known: Sequence[Block], heads: Sequence[Block], sheet: Sheet) -> list[Block]:
    """Whose the addresses without a heading are: the one at the top is the seller's if the buyer's is elsewhere."""
    buyers = [
        part.span[0]
        for block in known
        if block.side == "buyer" and block.score >= 0.9
        for part in block.parts
    ]
    plain = [b for b in found if b.side == "buyer" and not any(b.covers(at) for at in buyers)]
    sellers = [b for b in found if b.side == "seller"]
    if buyers:
        top = [b for b in plain if b.parts[0].rect.top < 0.3 * sheet.page.height]
        return sellers or [b._replace(side="seller") for b in top[:1]]
    if not sellers and len(plain) > 1:
        return [plain[0]._replace(side="seller", score=0.62), plain[1]._replace(score=0.66)]
    if not sellers and not heads and plain and plain[0].parts[0].rect.top < 0.1 * sheet.page.height:
        return [plain[0]._replace(side="seller", score=0.62)]
    return [*sellers, *plain[:1]]


def _names(side: str, blocks: Iterable[Block], loose: Iterable[Block]) -> list[Name]:
    """The names in the blocks of a side; a block without a heading counts only in a document's first page."""
    taken = [block for block in (*blocks, *loose) if block.side == side]
    others = [block for block in blocks if block.side != side]
    found: list[Name] = []
    for block in taken:
        if block.heading is None and any(o.covers(block.parts[0].span[0]) for o in others):
            continue
        part = _name_part(block)
        if part and not any(
            name.block.sheet is block.sheet and name.part.span[0] == part.span[0] for name in found
        ):
            page = block.sheet.page
            start, end = trimmed(page.text, *part.span)
            if more := BEHIND_NAME.search(simplified(page.text[start:end])):
                start, end = trimmed(page.text, start, start + more.start())
            simple = simplified(page.text[start:end])
            addressed = ADDRESSED.match(simple)
            if addressed and (addressed["company"] or not LEGAL.search(page.text[start:end])):
                start += addressed.end()
            value = fold(page.text[start:end])
            legal = LEGAL.search(value) is not None
            score = block.score + (0.06 if legal and block.score < 0.9 else 0.03 if legal else 0.0)
            found.append(Name(block, part, (start, end), value, score))
    return found


def _plain(names: Sequence[Name]) -> Sequence[str]:
    return [simplified(name.value) for name in names]


def _best(names: Sequence[Name], printed: Sequence[str], not_this: Name | None) -> Name | None:
    """The candidate with the most evidence, the first of equals; one that is printed elsewhere too is surer."""
    best: Name | None = None
    for name in names:
        if not_this and simplified(name.value) == simplified(not_this.value):
            continue
        score = name.score + (0.04 if printed.count(simplified(name.value)) > 1 else 0.0)
        if best is None or score > best.score + 0.001:
            best = name._replace(score=score)
    return best


def _name_part(block: Block) -> Part | None:
    """The line with the name: behind its key, else the first that can be one, or the next with a legal form."""
    keyed = next(
        (p for p in block.parts if p.key and NAME_KEY.fullmatch(p.key.strip()) and _is_name(p)), None
    )
    if keyed:
        return keyed
    lines = [p for p in block.parts if not p.key and _is_name(p)]
    if not lines:
        return None
    legal = next((p for p in lines[:2] if LEGAL.search(p.text)), None)
    return legal or lines[0]


def _is_name(part: Part) -> bool:
    text = simplified(part.text).strip(" .,:;")
    letters = sum(c.isalpha() for c in text)
    if letters < 3 or letters * 2 < len(text.replace(" ", "")) or len(text) > 80:
        return False
    if _STREET.match(text) and not LEGAL.search(part.text):
        return False
    if _BULLETS.search(text):  # a line of several parts, such as a footer
        return False
    if is_data(text) or TITLE.fullmatch(text) or POSTCODE.match(part.text.strip()) or NO_NAME.match(text):
        return False
    return not text.endswith(":")


def _address(block: Block, name: Part) -> tuple[list[Span], str] | None:
    """The lines of the address below the name, to the one with the postcode."""
    text = block.sheet.page.text
    keyed = [p for p in block.parts if p.key and ADDRESS_KEY.match(p.key.strip())]
    lines = keyed or [p for p in block.parts[block.parts.index(name) + 1 :] if not p.key]
    chosen: list[Span] = []
    for part in lines[:6]:
        if is_data(simplified(part.text).strip()):
            if chosen:
                break
            continue  # a tax number between name and street
        span = trimmed(text, *part.span, " :;,●•·|-–")
        if span[0] == span[1]:
            continue
        chosen.append(span)
        if is_town(part.text):
            spans = _street_first(text, chosen)
            pieces = [piece for a, b in spans for piece in _MARKS.split(fold(text[a:b]))]
            return spans, ", ".join(p for p in pieces if not is_data(simplified(p)))
    return None


def _street_first(text: str, spans: list[Span]) -> list[Span]:
    """The address without lines of contact persons before the street: those without a digit."""
    numbers = [len(re.findall("[0-9]+", text[start:end])) for start, end in spans]
    first = next((at for at, count in enumerate(numbers) if count), 0)
    # a line with the postcode alone: the street before it has no number
    return spans if first == len(spans) - 1 and numbers[first] < 2 else spans[first:]
