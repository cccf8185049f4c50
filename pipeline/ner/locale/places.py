"""Languages, country and currency of a page."""

from __future__ import annotations

import re

from pipeline.ner.characters import is_chinese

_WORDS = {
    "en": re.compile(r"\b(?:invoice|total|date|amount|receipt|payment|number|tax|the|thank you)\b", re.I),
    "de": re.compile(
        r"\b(?:rechnung\w*|betrag|gesamt\w*|datum|mwst|ust|und|der|die|zahlung\w*|netto)\b", re.I
    ),
    "fr": re.compile(r"\b(?:facture|montant|tva|total ttc|le|les|des|règlement|échéance|pour)\b", re.I),
}
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK"
    "|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
_USA = re.compile(rf"\b(?:{_STATES})[ ,.]{{1,3}}[0-9]{{5}}(?:-[0-9]{{4}})?(?![0-9])")


def languages_of(page: str) -> tuple[str, ...]:
    """Languages whose words or characters the page shows, the most evident first."""
    seen = {language: len(words.findall(page)) for language, words in _WORDS.items()}
    found = sorted((language for language, count in seen.items() if count >= 2), key=lambda one: -seen[one])
    return ("zh", *found) if is_chinese(page) else tuple(found)


def country_of(page: str, languages: tuple[str, ...]) -> str | None:
    """The country where the paper was issued, as far as addresses and numbers tell."""
    if _USA.search(page):
        return "US"
    return "CN" if languages[:1] == ("zh",) else None


def currency_of(page: str, country: str | None) -> str | None:  # noqa: ARG001
    """The one currency that the page names, else that of its country."""
    return {"US": "USD", "CN": "CNY"}.get(country or "")
