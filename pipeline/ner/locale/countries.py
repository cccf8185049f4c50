"""The country where a paper was issued, by weighted evidence: addresses, phones, tax ids, currencies, words.

Every kind of evidence counts for its country, a kind that occurs often a little more. The country with the most
evidence is taken if it leads clearly; contradictions leave the country undecided.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from pipeline.ner.characters import is_traditional
from pipeline.ner.checks import ibans, vat_ids
from pipeline.ner.locale.country_evidence import (
    ABROAD,
    CANADIAN_AREAS,
    CODES,
    DIALLED,
    DIALLING,
    DOMAIN,
    FORMS,
    NANP,
    NOT_BEFORE,
    OF_LANGUAGE,
    OF_WORD,
    STATE_NAMES,
    TOWN,
    WORD_BEFORE,
    ZIP_DIGIT,
)
from pipeline.ner.locale.languages import words_of

_LEAST, _LEAD = 1.5, 1.0
_OFTEN = 1.5
"""Factor of evidence that occurs more than once."""
# How much each kind of evidence counts.
_ZIP = _CHARACTERS = 3.0
_PHONE = _DIAL = _TAX_ID = 2.0
_ADDRESS = _JOINED = 1.5
_SITE = 1.0
_SPOKEN = 0.5
_EAST_ASIA: dict[tuple[str, ...], str] = {("zh",): "CN", ("ja",): "JP", ("ko",): "KR"}
_SINGAPORE = frozenset({"singapore", "pore", "s", "sg"})
_DELAWARE = frozenset({"197", "198", "199"})
_COMMON = frozenset({"In", "Or", "Me", "Hi", "Ok", "Oh", "De", "La", "Id", "Ma", "Pa", "Al", "Co", "Mo"})
_MOST_OF_WORDS = 5.0
"""Words together count at most this."""


def country_of(page: str, languages: tuple[str, ...]) -> str | None:
    """The country where the paper was issued (ISO 3166), as far as the evidence of the page tells."""
    score: defaultdict[str, float] = defaultdict(float)
    for country, points in _words(page).items():
        score[country] += min(points, _MOST_OF_WORDS)
    for country, points in (
        *_forms(page),
        *_numbers(page, languages),
        *_ids(page),
        *_spoken(page, languages),
    ):
        score[country] += points
    abroad = score.pop(ABROAD, 0.0)
    if not score:
        return None
    first, *others = sorted(score, key=lambda one: (-score[one], one))
    second = score[others[0]] if others else 0.0
    if first == "US":
        second += abroad
    return first if score[first] >= _LEAST and score[first] - second >= _LEAD else None


def _words(page: str) -> dict[str, float]:
    score: defaultdict[str, float] = defaultdict(float)
    for word in words_of(page):
        for country, weight in OF_WORD.get(word, ()):
            score[country] += weight
    score[ABROAD] = min(score[ABROAD], _LEAST)
    return score


def _forms(page: str) -> list[tuple[str, float]]:
    return [(country, weight) for form, country, weight in FORMS if form.search(page)]


def _numbers(page: str, languages: tuple[str, ...]) -> list[tuple[str, float]]:
    """Evidence that counts by how often it occurs: ZIP codes of states, North American phones, dialling codes."""
    seen: defaultdict[tuple[str, float], int] = defaultdict(int)
    for match in CODES.finditer(page):
        found = _of_code(page[max(0, match.start() - 16) : match.start()], match[0])
        if found:
            seen[found] += 1
    # In East Asia service numbers such as 400-812-3456 have the same form.
    for match in () if languages[:1] in _EAST_ASIA else NANP.finditer(page):
        if not NOT_BEFORE.search(page[max(0, match.start() - 5) : match.start()]):
            seen["CA" if match["area"] in CANADIAN_AREAS else "US", _PHONE] += 1
    for match in DOMAIN.finditer(page):
        seen["GB" if match["country"] == "uk" else match["country"].upper(), _SITE] += 1
    for match in DIALLED.finditer(page):
        country = DIALLING.get(match["code"]) or DIALLING.get(match["code"][:2])
        if country:
            seen[country, _DIAL] += 1
    return [(country, weight * (_OFTEN if count > 1 else 1)) for (country, weight), count in seen.items()]


def _ids(page: str) -> list[tuple[str, float]]:
    """Countries of valid IBANs and VAT ids."""
    seen = Counter(one.country for one in (*ibans(page), *vat_ids(page)) if one.valid)
    return [(country, _TAX_ID * (_OFTEN if count > 1 else 1)) for country, count in seen.items()]


def _of_code(before: str, code: str) -> tuple[str, float] | None:
    """The country of a postcode of five or six digits, by the word before it: NY 10001, Singapore 238823."""
    match = WORD_BEFORE.search(before)
    word = match[1] if match else ""
    if len(code) == 6:
        return ("SG", _ZIP) if word.lower() in _SINGAPORE else None
    if word.lower() in STATE_NAMES:
        return "US", _ZIP
    state = word[-2:].upper()
    if ZIP_DIGIT.get(state) != code[0] or (state == "DE" and code[:3] not in _DELAWARE):
        return None
    # In lower case some are words: or, in, me. OCR may join the state to its town: BOSTONMA02114.
    after_town = match is not None and before[: match.start()].rstrip().endswith(",")
    if len(word) == 2 and (word.isupper() or (word.istitle() and (after_town or word not in _COMMON))):
        return "US", _ZIP
    return ("US", _JOINED) if len(word) > 3 and word.isupper() else None


def _spoken(page: str, languages: tuple[str, ...]) -> list[tuple[str, float]]:
    """What the language tells: East Asian scripts by themselves, others if an address has the form of their country."""
    first = languages[0] if languages else ""
    if first == "zh" and is_traditional(page):
        return []  # Hong Kong, Macao, Taiwan: other evidence tells which
    if languages[:1] in _EAST_ASIA:
        return [(_EAST_ASIA[languages[:1]], _CHARACTERS)]
    country = OF_LANGUAGE.get(first)
    if country is None:
        return []
    return [(country, _ADDRESS if TOWN.search(page) else _SPOKEN)]
