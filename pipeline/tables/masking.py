"""Mask sensitive values that must not leave the store in plain text: ID numbers, bank cards, phone numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.models import DocumentResult, Entity, Field, Mention, Page
from pipeline.ner.characters import plain
from pipeline.ner.patterns.contact import find_phones
from pipeline.ner.patterns.identifiers import find_bank_cards, find_id_numbers

SENSITIVE = frozenset({"ID_NUMBER", "BANK_CARD", "PHONE"})
_SOMETHING_ELSE = frozenset({"DATE", "TIME", "MONEY", "USCC", "INVOICE_CODE", "INVOICE_NUMBER", "PLATE"})
"""Types that explain digits: a number covered by one of them is not treated as a phone number."""

_KEEP = 4

Spans = tuple[tuple[int, int], ...]
"""Half-open ranges of a page's text."""


def mask(text: str) -> str:
    """Replace letters and digits by `*` except the last four; length and separators are kept, so spans stay valid."""
    hidden = max(sum(c.isalnum() for c in text) - _KEEP, 0)
    out = []
    for c in text:
        if c.isalnum() and hidden:
            out.append("*")
            hidden -= 1
        else:
            out.append(c)
    return "".join(out)


def sensitive_spans(text: str, entities: Iterable[Entity]) -> Spans:
    """Sensitive spans of a page's text: its sensitive entities, and sensitive numbers inside other entities.

    Of overlapping entities only one is kept, so a name or URL may hide a phone number in it, and the NER
    engine may not know these types at all: so the numbers are searched again.
    """
    entities = list(entities)
    spans = [(e.start, e.end) for e in entities if e.type in SENSITIVE]
    taken = [(e.start, e.end) for e in entities if e.type in _SOMETHING_ELSE]
    for mention in _numbers(text):
        if not any(start < mention.end and mention.start < end for start, end in taken):
            spans.append((mention.start, mention.end))
    return tuple(sorted(set(spans)))


def _numbers(text: str) -> Iterator[Mention]:
    for find in (find_id_numbers, find_bank_cards, find_phones):
        yield from find(text)


def mask_spans(text: str, spans: Spans, offset: int = 0) -> str:
    """Mask the parts of `spans` that are in `text`, which begins at `offset` of the page's text."""
    for start, end in spans:
        first, last = max(start - offset, 0), min(end - offset, len(text))
        if first < last:
            text = text[:first] + mask(text[first:last]) + text[last:]
    return text


def masked_entity(entity: Entity, spans: Spans) -> Entity:
    """The entity with sensitive parts of its text masked, and then its value as well."""
    if entity.type in SENSITIVE:
        text = mask(entity.text)
    else:
        text = mask_spans(entity.text, spans, entity.start)
        if text == entity.text:
            return entity
    value = mask(entity.value) if entity.value else None
    return msgspec.structs.replace(entity, text=text, value=value, other=None)


def masked_field(result: DocumentResult, found: Field) -> Field:
    """The field with text and value masked if it contains something sensitive."""
    page = next((page for page in result.pages if page.number == found.page), None)
    if page is None:
        return found
    spans = sensitive_spans(page.text, (e for e in result.entities if e.page == page.number))
    if not any(page.text[start:end] in found.text for start, end in spans):
        return found
    value = mask(found.value) if found.value else found.value
    return msgspec.structs.replace(found, text=mask(found.text), value=value, other=None)


def sensitive_texts(page: Page, spans: Spans) -> dict[str, list[str]]:
    """The sensitive texts of a page, as the description of a line item has them, by their first word."""
    texts: dict[str, list[str]] = {}
    for start, end in spans:
        words = plain(page.text[start:end]).split()
        if words:
            texts.setdefault(words[0], []).append(" ".join(words))
    return texts


def masked_description(text: str, texts: dict[str, list[str]]) -> str:
    """A line item's description with what is sensitive on its page, or by itself, masked."""
    for word in dict.fromkeys(text.split()):
        for sensitive in texts.get(word, ()):
            text = text.replace(sensitive, mask(sensitive))
    return mask_spans(text, sensitive_spans(text, ()))
