"""Fields of a record: masked by their name, by what they are part of on the page, or by what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import structs

from pipeline.fields.values import is_amount
from pipeline.mask_policy import IDS, policy
from pipeline.models import Field, Page
from pipeline.tables.masking.sensitive import mask_text
from pipeline.tables.masking.spans import NO_SPANS, Span, Spans, mask

_KINDS = {
    "iban": "IBAN",
    "account": "BANK_ACCOUNT",
    "payer_account": "BANK_ACCOUNT",
    "payee_account": "BANK_ACCOUNT",
    "phone": "PHONE",
    "vehicle": "PLATE",
    "name": "PERSON",
    "holder": "PERSON",
    "passenger": "PERSON",
    "payer": "PERSON",
    "payee": "PERSON",
    "employee": "PERSON",
    "address": "ADDRESS",
    "seller_address": "ADDRESS",
    "buyer_address": "ADDRESS",
    "company": "ORG",
    "seller": "ORG",
    "buyer": "ORG",
    "party_a": "ORG",
    "party_b": "ORG",
    "employer": "ORG",
    "institution": "ORG",
    "birth_date": "BIRTH_DATE",
    "sex": "TRAIT",
    "nationality": "TRAIT",
    "department": "HEALTH",
    "visit_date": "HEALTH",
}
"""The kind of a field's value, wherever it comes from, such as from attached XML; but not where it is an amount."""
_KINDS_OF = {
    ("id_card", "number"): "ID_NUMBER",
    ("payslip", "employee_number"): "ID_NUMBER",
    ("taxi_receipt", "from"): "ADDRESS",
    ("taxi_receipt", "to"): "ADDRESS",
}
"""The same, in one type of document."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHORT = 3
"""Up to so many characters, the same text elsewhere is no sign that a field is part of it."""


def masked_field(
    found: Field, document_type: str, page: Page | None, spans: Spans = NO_SPANS, policy_: str = IDS
) -> Field:
    """The field with text and values masked if it is sensitive, contains something sensitive, or is part of it."""
    rules = policy(policy_)
    if not rules.kinds:
        return found
    kind = kind_of(found, document_type, policy_)
    if kind and rules.covers(kind):
        return _masked(found, whole=rules.whole(kind))
    hidden = [span for span in spans if page and _touches(page.text, span, found)]
    if any(not span.whole for span in hidden):
        return _masked(found, whole=False)
    if page and any("<" not in page.text[span.start : span.end] for span in hidden):
        return _masked(found, whole=True)
    if hidden:
        # Of a MRZ, the names and dates that were read from it may be seen.
        value, other = (mask(one) if one and _has_number(one) else one for one in (found.value, found.other))
        return structs.replace(found, text=mask(found.text, whole=True), value=value, other=other)
    return found


def field_spans(found: Field, document_type: str, page: Page, policy_: str = IDS) -> Iterator[Span]:
    """Where a field on this page is that is masked by its name: its span, else the lines that it touches."""
    rules = policy(policy_)
    kind = kind_of(found, document_type, policy_)
    if found.page != page.number or found.source != "page" or not (kind and rules.covers(kind)):
        return
    if found.start is not None and found.end is not None:
        yield Span(found.start, found.end, rules.whole(kind))
        return
    for line in page.lines:
        if line.box in found.boxes:
            yield Span(line.start, line.end, rules.whole(kind))


def _masked(found: Field, *, whole: bool) -> Field:
    value, other = (mask(one, whole=whole) if one else one for one in (found.value, found.other))
    return structs.replace(found, text=mask(found.text, whole=whole), value=value, other=other)


def _touches(text: str, span: Span, found: Field) -> bool:
    if (
        found.start is not None
        and found.end is not None
        and span.start < found.end
        and found.start < span.end
    ):
        return True
    here = text[span.start : span.end]
    return (not span.whole or len(here) > _SHORT) and here in found.text


def kind_of(found: Field, document_type: str, mask_: str) -> str:
    """The kind of a field's value by its name, or by what a value from elsewhere looks like; empty if it has none."""
    if not found.value or is_amount(found.name, document_type):
        return ""
    kind = _KINDS_OF.get((document_type, found.name)) or _KINDS.get(found.name, "")
    if kind or found.source == "page":
        return kind
    if found.name.endswith("_tax_id") or mask_text(found.value, mask_) != found.value:
        return "TAX_ID"
    return ""


def _has_number(value: str) -> bool:
    return any(c.isdecimal() for c in value) and not _DATE.fullmatch(value)
