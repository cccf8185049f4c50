"""One field: its stated value against what the page, or the XML, says."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from pipeline.fields.truth.agree import agree
from pipeline.fields.truth.placed import placed
from pipeline.fields.truth.stated import Stated
from pipeline.fields.values import is_amount
from pipeline.models import REVIEW, Entity, Field, Page

_CLOSED = ("iban", "seller_tax_id", "buyer_tax_id")
"""Sentences show only the end of these values: the tables have sentences, and mask numbers of accounts and people."""
_SHOWN = 4


def compared(
    field: Field, stated: Stated, pages: Sequence[Page], entities: Sequence[Entity]
) -> tuple[Field, str]:
    """The field with its stated value, and a sentence where another source says something else, else an empty one."""
    if field.name not in stated.values:
        return (Field(name=field.name) if stated.whole else field), ""
    if stated.whole:  # what the page shows is the data themselves
        return structs.replace(_plain(field, stated), page=stated.page), ""
    if field.source != "page" or field.name in stated.confirming:
        return _confirmed(field, stated)
    return _replaced(field, stated, pages, entities)


def _replaced(
    field: Field, stated: Stated, pages: Sequence[Page], entities: Sequence[Entity]
) -> tuple[Field, str]:
    """A printed field with its stated value in place of the printed one."""
    agreed = same(stated, field.name, field.value)
    if same(stated, field.name, field.other):  # of two readings of a date, the one that is meant
        field = structs.replace(field, value=field.other)
        agreed = True
    known = field.value is not None and (field.confidence >= REVIEW or agreed)
    other = None if agreed and known else _unprinted(_plain(field, stated), stated, pages, entities)
    if other and (not known or _shown_too(other, agreed)):
        return other, ""
    there = structs.replace(
        field,
        value=_printed_one(field, stated) if agreed else stated.values[field.name][0],
        confidence=1.0,
        source=stated.source,
        checks=_checks(field, stated),
        other=None,
        verified=agreed is True,
        currency=field.currency or _currency(field, stated),
    )
    if agreed is not False:
        return there, ""
    return _contradicted(structs.replace(there, other=field.value)), _difference(field, stated, "page")


def _shown_too(other: Field, agreed: bool | None) -> bool:
    """Whether the page shows the stated value apart from a value that differs, as with two bank accounts.

    Any amount or day may be printed for other reasons.
    """
    common = is_amount(other.name) or other.name.endswith("date") or other.name == "currency"
    return agreed is False and other.text != "" and not common


def with_amount(fields: dict[str, Field], stated: Stated) -> list[str]:
    """Use the amount of a VAT invoice's code, which is the net amount or the total; returns sentences.

    It confirms what it equals on the page, and gives the net amount of types that are known to state it.
    """
    values = stated.values.get("amount", ())
    if not values:
        return []
    found = [fields[name] for name in ("net", "total") if name in fields]
    equal = [field for field in found if agree(field.name, values[0], field.value or "") is True]
    for field in equal:
        fields[field.name] = structs.replace(
            field, confidence=1.0, source=stated.source, verified=True, checks=(), other=None
        )
    meant = fields.get(stated.amount)
    if equal or meant is None:
        return []
    there = structs.replace(stated, values={meant.name: values})
    if meant.value is None or meant.confidence < REVIEW:
        if meant.name == "net":
            fields["net"], _ = compared(meant, there, (), ())
        return []
    fields[meant.name] = _contradicted(meant)
    return [_difference(meant, there, "page")]


def same(stated: Stated, name: str, shown: str | None) -> bool | None:
    """Whether a value is one of those stated; `None` where that is not clear."""
    if shown is None:
        return None
    answers = [agree(name, value, shown, unsigned=_unsigned(stated)) for value in stated.values[name]]
    return True if True in answers else None if None in answers else False


def _unsigned(stated: Stated) -> bool:
    return stated.kind == "credit_note"


def _checks(field: Field, stated: Stated) -> tuple[str, ...]:
    return (stated.checks[field.name],) if field.name in stated.checks else ()


def _plain(field: Field, stated: Stated) -> Field:
    """The stated value, without a place."""
    return Field(
        name=field.name,
        value=stated.values[field.name][0],
        confidence=1.0,
        source=stated.source,
        checks=_checks(field, stated),
        currency=_currency(field, stated),
    )


def _currency(field: Field, stated: Stated) -> str | None:
    return stated.currency if is_amount(field.name) else None


def _unprinted(plain: Field, stated: Stated, pages: Sequence[Page], entities: Sequence[Entity]) -> Field:
    """A value that was not found by its label: where the page shows it anyway, or at the code."""
    there = placed(plain, pages, entities)
    if there.page is None and stated.box:
        return structs.replace(plain, page=stated.page, boxes=(stated.box,))
    return there


def _confirmed(field: Field, stated: Stated) -> tuple[Field, str]:
    """A value that stays as it is, and what a QR code says of it: one of the XML, or the name of a party."""
    agreed = same(stated, field.name, field.value)
    if agreed and (field.source == "page" or not field.checks):
        return structs.replace(field, confidence=1.0, verified=True, checks=()), ""
    if agreed is not False or field.name in stated.confirming:
        return field, ""
    return _contradicted(field), _difference(field, stated, "attached XML")


def _printed_one(field: Field, stated: Stated) -> str:
    """That of the stated values that is printed."""
    shown, unsigned = field.value or "", _unsigned(stated)
    return next(
        value for value in stated.values[field.name] if agree(field.name, value, shown, unsigned=unsigned)
    )


def _contradicted(field: Field) -> Field:
    checks = tuple(dict.fromkeys([*field.checks, "contradiction"]))
    return structs.replace(field, checks=checks, verified=False)


def _difference(field: Field, stated: Stated, other: str) -> str:
    ours, theirs = (_shown(field.name, value or "") for value in (stated.values[field.name][0], field.value))
    return f'The {stated.name} and the {other} differ in {field.name}: "{ours}" and "{theirs}".'


def _shown(name: str, value: str) -> str:
    return f"…{value[-_SHOWN:]}" if name in _CLOSED and len(value) > _SHOWN else value
