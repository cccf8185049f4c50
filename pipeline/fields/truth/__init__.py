"""The record of a document that states its own data: values of the XML or the QR code, compared with the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import structs

from pipeline.errors import Unreadable
from pipeline.fields.truth import einvoice, qr_codes
from pipeline.fields.truth.compared import compared, same, with_amount
from pipeline.fields.truth.stated import Stated
from pipeline.models import Entity, Extraction, Field, LineItem, Page

MAX_PAGES = 5
"""Codes are looked at on a document's first pages."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """All that a document states in data: at most one XML, and QR codes. `warnings`: what could not be used."""

    xml: Stated | None = None
    codes: tuple[Stated, ...] = ()
    warnings: tuple[str, ...] = ()

    def kind(self, classified: str) -> str | None:
        """The type of the document, `None` where the data do not state it.

        The code of a VAT invoice decides only where the text does not: it may be on a page of something else.
        """
        if self.xml:
            return self.xml.kind
        if classified == "other" and any(code.kind == "vat_invoice" for code in self.codes):
            return "vat_invoice"
        return None


def read(pages: Iterable[Page]) -> Truth:
    """What the codes on the pages state."""
    found, codes, warnings = list[Stated](), list[Stated](), list[str]()
    for page in pages:
        if page.number > MAX_PAGES:
            continue
        for code in page.codes:
            if code.kind != "xml":
                if stated := qr_codes.read(code, page.number):
                    codes.append(stated)
                continue
            try:
                stated = einvoice.read(code.text, page.number)
            except Unreadable as error:
                warnings.append(f"{error.message} The printed page was used.")
            else:
                found.append(structs.replace(stated, whole=code.box is not None))
    for other in found[1:]:
        if names := _differing(found[0], other):
            warnings.append(
                f"The document has {len(found)} attached XML invoices that differ in {', '.join(names)}: "
                "the first was used."
            )
            break
    return Truth(xml=found[0] if found else None, codes=tuple(codes), warnings=tuple(warnings))


def merged(record: Extraction, truth: Truth, pages: Sequence[Page], entities: Sequence[Entity]) -> Extraction:
    """The record with stated values in place of printed ones, and a sentence on each that differs."""
    fields = {field.name: field for field in record.fields}
    warnings = [*record.warnings, *truth.warnings]
    items = record.items
    for stated in _applicable(record.document_type, truth, fields):
        for name in stated.values:
            if name not in fields and name.startswith(("net_", "tax_")):  # of one rate
                fields[name] = Field(name=name)
        for name, field in fields.items():
            fields[name], warning = compared(field, stated, pages, entities)
            if warning and name != "company":  # the seller again
                warnings.append(warning)
        if stated.amount:
            warnings += with_amount(fields, stated)
        if stated.items or stated.whole:
            items = _items(stated.items, record.items)
    return structs.replace(
        record, fields=tuple(fields.values()), items=items, warnings=tuple(dict.fromkeys(warnings))
    )


def _applicable(kind: str, truth: Truth, fields: Mapping[str, Field]) -> list[Stated]:
    """The XML, then the QR code for a document of this type that suits it.

    Of several codes, as on pages with several invoices, the one that agrees with the printed fields best counts; none,
    if nothing agrees.
    """
    codes = [
        code for code in truth.codes if code.kind == kind or (code.kind, kind) == ("invoice", "credit_note")
    ]
    found = [truth.xml] if truth.xml else []
    if codes:
        best = max(codes, key=lambda code: _matches(code, fields))
        alike = all(code.values == codes[0].values for code in codes)
        if alike or _matches(best, fields):
            found.append(best)
    return found


def _matches(stated: Stated, fields: Mapping[str, Field]) -> int:
    return sum(same(stated, name, fields[name].value) is True for name in stated.values if name in fields)


def _items(stated: Sequence[LineItem], shown: Sequence[LineItem]) -> tuple[LineItem, ...]:
    """The rows of the XML, with the places of the printed rows where these are the same."""
    if [item.amount for item in stated] != [item.amount for item in shown]:
        return tuple(stated)
    return tuple(
        structs.replace(item, page=there.page, boxes=there.boxes)
        for item, there in zip(stated, shown, strict=True)
    )


def _differing(one: Stated, other: Stated) -> list[str]:
    """Names of the fields in which two of them differ."""
    return [
        name
        for name in one.values
        if name in other.values and same(one, name, other.values[name][0]) is False
    ]
