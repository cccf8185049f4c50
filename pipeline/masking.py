"""Hide what must not leave the store in the clear: ID numbers, bank cards, phone numbers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.models import DocumentResult, Entity, Field

SENSITIVE = frozenset({"ID_NUMBER", "BANK_CARD", "PHONE"})
_KEEP = 4


def mask(text: str) -> str:
    """Replace letters and digits by `*` except the last four; length and separators stay, so spans hold."""
    hidden = max(sum(c.isalnum() for c in text) - _KEEP, 0)
    out = []
    for c in text:
        if c.isalnum() and hidden:
            out.append("*")
            hidden -= 1
        else:
            out.append(c)
    return "".join(out)


def mask_spans(text: str, entities: Iterable[Entity]) -> str:
    """Mask the spans of sensitive entities within a page's text."""
    for entity in entities:
        if entity.type in SENSITIVE:
            text = text[: entity.start] + mask(text[entity.start : entity.end]) + text[entity.end :]
    return text


def masked_field(result: DocumentResult, found: Field) -> Field:
    """The field with text and value masked when a sensitive entity stands in it."""
    for entity in result.entities:
        if entity.type in SENSITIVE and entity.page == found.page and entity.text in found.text:
            value = mask(found.value) if found.value else found.value
            return msgspec.structs.replace(found, text=mask(found.text), value=value)
    return found
