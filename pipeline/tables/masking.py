"""Mask sensitive values that must not leave the store in plain text: numbers of persons, accounts and phones."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

import msgspec

from pipeline.fields.kinds import is_amount
from pipeline.models import DocumentResult, Entity, Field, Mention, Page
from pipeline.ner import locale as locales
from pipeline.ner.characters import plain
from pipeline.ner.patterns.accounts import find_bank_accounts, find_ibans
from pipeline.ner.patterns.identifiers import find_bank_cards, find_id_numbers
from pipeline.ner.patterns.mrz import find_mrzs
from pipeline.ner.patterns.personal_ids import find_personal_ids
from pipeline.ner.patterns.phones import find_phones
from pipeline.ner.patterns.tax_ids import find_tax_ids

SENSITIVE = frozenset({"ID_NUMBER", "MRZ", "BANK_CARD", "BANK_ACCOUNT", "IBAN", "TAX_ID", "PHONE"})
"""Types that are masked. A BIC is not: it names a bank. Nor is a USCC: China publishes it."""
_WHOLE = frozenset({"MRZ"})
"""Types of which nothing stays visible."""
_CERTAIN = frozenset({"MRZ", "IBAN"})
"""Types whose form is no other's: they are sensitive whatever else was found there."""
_SOMETHING_ELSE = frozenset({"DATE", "TIME", "MONEY", "USCC", "INVOICE_CODE", "INVOICE_NUMBER", "PLATE"})
"""Types that explain digits: a number covered by one of them is not treated as a phone number."""
_SENSITIVE_FIELDS = frozenset({"iban", "account", "payer_account", "payee_account"})
"""Fields whose value is sensitive wherever it comes from, such as from attached XML; but not where it is an amount."""
_SENSITIVE_OF = frozenset({("id_card", "number")})
"""The same, in one type of document."""

_KEEP = 4
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Span(NamedTuple):
    """A half-open range of a page's text that is sensitive; `whole`: nothing of it stays visible."""

    start: int
    end: int
    whole: bool = False


class Spans(tuple[Span, ...]):
    """The sensitive spans of a page, in order."""

    def near(self, start: int, end: int) -> tuple[Span, ...]:
        """The spans that may touch `start:end`: a page can have a hundred thousand of them."""
        return self[bisect_right(self._reach, start) : bisect_left(self, (end,))]

    @cached_property
    def _reach(self) -> list[int]:
        """For each span, how far it and those before it reach."""
        return list(accumulate((span.end for span in self), max))


NO_SPANS = Spans()


def mask(text: str, *, whole: bool = False) -> str:
    """Replace letters and digits by `*` except the last four; length and separators are kept, so spans stay valid.

    `whole`: replace everything but white space.
    """
    if whole:
        return re.sub(r"\S", "*", text)
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
    spans = [Span(e.start, e.end, e.type in _WHOLE) for e in entities if e.type in SENSITIVE]
    taken = _disjoint((e.start, e.end) for e in entities if e.type in _SOMETHING_ELSE)
    for mention in _numbers(text):
        if mention.type in _CERTAIN or not _overlaps(taken, mention):
            spans.append(Span(mention.start, mention.end, mention.type in _WHOLE))
    return Spans(sorted(set(spans)))


def _disjoint(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in order, overlapping ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _overlaps(disjoint: list[tuple[int, int]], mention: Mention) -> bool:
    at = bisect_left(disjoint, (mention.end, 0))
    return at > 0 and disjoint[at - 1][1] > mention.start


@lru_cache(maxsize=16)
def _numbers(text: str) -> tuple[Mention, ...]:
    locale = locales.read(text)
    plain = (find_id_numbers, find_bank_cards, find_bank_accounts, find_ibans, find_tax_ids, find_mrzs)
    found = [mention for find in plain for mention in find(text)]
    return (*found, *find_personal_ids(text, locale), *find_phones(text, locale))


def mask_text(text: str) -> str:
    """Free text with the sensitive numbers in it masked."""
    return mask_spans(text, sensitive_spans(text, ()))


def mask_spans(text: str, spans: Spans, offset: int = 0) -> str:
    """Mask the parts of `spans` that are in `text`, which begins at `offset` of the page's text."""
    characters = list(text)
    for start, end, whole in spans.near(offset, offset + len(text)):
        first, last = max(start - offset, 0), min(end - offset, len(text))
        if first < last:
            characters[first:last] = mask("".join(characters[first:last]), whole=whole)
    return "".join(characters)


def masked_entity(entity: Entity, spans: Spans) -> Entity:
    """The entity with sensitive parts of its text masked, and then its values as well."""
    whole = entity.type in _WHOLE
    if entity.type in SENSITIVE:
        text = mask(entity.text, whole=whole)
    else:
        text = mask_spans(entity.text, spans, entity.start)
        if text == entity.text:
            return entity
    value, other = (mask(one, whole=whole) if one else None for one in (entity.value, entity.other))
    return msgspec.structs.replace(entity, text=text, value=value, other=other)


def masked_field(result: DocumentResult, found: Field) -> Field:
    """The field with text and values masked if it contains something sensitive, or is part of it."""
    page = next((page for page in result.pages if page.number == found.page), None)
    spans = (
        sensitive_spans(page.text, (e for e in result.entities if e.page == page.number))
        if page
        else NO_SPANS
    )
    hidden = [span for span in spans if page and _touches(page.text, span, found)]
    kind = result.extraction.document_type if result.extraction else ""
    if any(not span.whole for span in hidden) or _is_sensitive(found, kind):
        value, other = (mask(one) if one else one for one in (found.value, found.other))
        return msgspec.structs.replace(found, text=mask(found.text), value=value, other=other)
    if hidden:
        # Of a MRZ, the names and dates that were read from it may be seen.
        value, other = (mask(one) if one and _has_number(one) else one for one in (found.value, found.other))
        return msgspec.structs.replace(found, text=mask(found.text, whole=True), value=value, other=other)
    return found


def _touches(text: str, span: Span, found: Field) -> bool:
    if (
        found.start is not None
        and found.end is not None
        and span.start < found.end
        and found.start < span.end
    ):
        return True
    return text[span.start : span.end] in found.text


def _is_sensitive(found: Field, kind: str) -> bool:
    if not found.value or is_amount(found.name, kind):
        return False
    elsewhere = found.source != "page" and (
        found.name.endswith("_tax_id") or mask_text(found.value) != found.value
    )
    return found.name in _SENSITIVE_FIELDS or (kind, found.name) in _SENSITIVE_OF or elsewhere


def _has_number(value: str) -> bool:
    return any(c.isdecimal() for c in value) and not _DATE.fullmatch(value)


def _words(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text that has single blanks, with their places."""
    at = 0
    for word in text.split(" "):
        yield at, word
        at += len(word) + 1


def masked_descriptions(texts: Sequence[str], page: Page | None, spans: Spans) -> list[str]:
    """Descriptions of line items of one page, with what is sensitive there, or in them, masked."""
    hidden: dict[str, dict[int, dict[str, str]]] = {}  # by first word, then by length: many may begin alike
    for start, end, whole in spans:
        words = plain(page.text[start:end]).split() if page else []
        if words:
            text = " ".join(words)
            hidden.setdefault(words[0], {}).setdefault(len(text), {})[text] = mask(text, whole=whole)
    found = []
    for text in texts:
        shown = " ".join(text.split())
        for at, word in list(_words(shown)):
            for length, masked in hidden.get(word, {}).items():
                sensitive = shown[at : at + length]
                if sensitive in masked:
                    shown = shown.replace(sensitive, masked[sensitive])
        found.append(shown)
    # one search for all of them: they have no line feeds
    return mask_text("\n".join(found)).split("\n") if found else []
