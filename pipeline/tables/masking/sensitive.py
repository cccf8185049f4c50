"""Which parts of a text are sensitive under a policy: its entities, and what is found in it again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, starmap

from pipeline.mask_policy import IDS, NUMBERS, policy
from pipeline.models import Entity
from pipeline.ner import locale as locales
from pipeline.ner.characters import INVISIBLE
from pipeline.ner.patterns.accounts import find_bank_accounts, find_ibans
from pipeline.ner.patterns.contact import find_emails, find_urls
from pipeline.ner.patterns.identifiers import find_bank_cards, find_id_numbers, find_plates, find_usccs
from pipeline.ner.patterns.mrz import find_mrzs
from pipeline.ner.patterns.personal_ids import find_personal_ids
from pipeline.ner.patterns.phones import find_phones
from pipeline.ner.patterns.tax_ids import find_tax_ids
from pipeline.tables.masking.forms import forms
from pipeline.tables.masking.found import Found
from pipeline.tables.masking.free import free
from pipeline.tables.masking.labelled import labelled
from pipeline.tables.masking.repeats import NO_TERMS, Terms, terms
from pipeline.tables.masking.spans import Span, Spans, mask_spans

_CERTAIN = frozenset({"MRZ", "IBAN", "EMAIL"})
"""Types whose form is no other's: they are sensitive whatever else was found there."""
_SOMETHING_ELSE = frozenset({"DATE", "TIME", "MONEY", "USCC", "INVOICE_CODE", "INVOICE_NUMBER"})
"""Types that explain digits: a number covered by one of them is not treated as a phone number."""
_FIND = (
    find_id_numbers,
    find_bank_cards,
    find_bank_accounts,
    find_ibans,
    find_tax_ids,
    find_mrzs,
    find_emails,
    find_plates,
)


def sensitive_spans(
    text: str, entities: Iterable[Entity], mask: str = IDS, repeated: Terms = NO_TERMS
) -> Spans:
    """Sensitive spans of a page's text under the policy `mask` (`pipeline.mask_policy.policy`).

    These are its entities of the types that the policy covers, and what is found in the text without them: of
    overlapping entities only one is kept, so a name or URL may hide a phone number in it, and the NER engine may not
    know these types at all. `repeated`: names that the document says elsewhere behind a label.
    """
    rules, entities = policy(mask), list(entities)
    if not rules.kinds:
        return Spans()
    spans = [Span(e.start, e.end, rules.whole(e.type)) for e in entities if rules.covers(e.type)]
    taken = _disjoint((e.start, e.end) for e in entities if e.type in _SOMETHING_ELSE)
    found = _all_found(text, rules.kinds)
    if not rules.kinds.issubset(NUMBERS):
        repeated = repeated or Terms(terms(text, found))
    for one in (*found, *repeated.find(text)):
        if one.kind in rules.kinds and (one.certain or not _overlaps(taken, one)):
            spans.append(Span(one.start, one.end, rules.whole(one.kind)))
    return joined(spans)


def _all_found(text: str, kinds: frozenset[str]) -> tuple[Found, ...]:
    words = () if kinds.issubset(NUMBERS) else in_words(text)
    return (*numbers(text), *words)


def joined(*spans: Iterable[Span]) -> Spans:
    """All spans in order: those of which some characters stay visible joined where they overlap, the others as such."""
    found = [*chain(*spans)]
    partly = _disjoint((one.start, one.end) for one in found if not one.whole)
    return Spans(sorted({*starmap(Span, partly), *(one for one in found if one.whole)}))


def _disjoint(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in order, overlapping ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _overlaps(disjoint: list[tuple[int, int]], one: Found) -> bool:
    at = bisect_left(disjoint, (one.end, 0))
    return at > 0 and disjoint[at - 1][1] > one.start


@lru_cache(maxsize=16)
def numbers(text: str) -> tuple[Found, ...]:
    """Numbers of persons, accounts, cards, phones and so on in a text."""
    return _seen(text, _numbers)


@lru_cache(maxsize=16)
def in_words(text: str) -> tuple[Found, ...]:
    """Names, addresses, birth dates and health data in a text, and what is published: company numbers, URLs."""
    return _seen(text, _words)


def _numbers(text: str) -> Iterable[Found]:
    locale = locales.of_country(text)
    mentions = [mention for find in _FIND for mention in find(text)]
    mentions += [*find_personal_ids(text, locale), *find_phones(text, locale)]
    yield from (Found(one.start, one.end, one.type, one.type in _CERTAIN) for one in mentions)
    yield from forms(text)
    yield from (one for one in labelled(text) if one.kind in NUMBERS)


def _words(text: str) -> Iterable[Found]:
    mentions = (*find_usccs(text), *find_urls(text))
    yield from (Found(one.start, one.end, one.type) for one in mentions)
    yield from free(text)
    yield from (one for one in labelled(text) if one.kind not in NUMBERS)


def _seen(text: str, find: Callable[[str], Iterable[Found]]) -> tuple[Found, ...]:
    """What is found in a text without its invisible characters, which do not split numbers."""
    if not INVISIBLE.search(text):
        return tuple(find(text))
    seen = [at for at, character in enumerate(text) if not INVISIBLE.match(character)]
    found = find("".join(text[at] for at in seen))
    return tuple(one._replace(start=seen[one.start], end=seen[one.end - 1] + 1) for one in found)


def mask_text(text: str, mask: str = IDS, repeated: Terms = NO_TERMS) -> str:
    """Free text with what is sensitive in it masked."""
    return mask_spans(text, sensitive_spans(text, (), mask, repeated))
