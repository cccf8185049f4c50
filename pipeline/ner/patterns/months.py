"""Names of months and weekdays, long and short, from CLDR."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_LOCALES = ("en", "de", "de_AT", "fr", "es", "it", "nl", "pt", "ms")
_LONG_NAMES = ("da", "sv", "nb", "pl", "cs")
"""Languages of which only the long names count: the short ones are words of others (pro, led)."""
_FURTHER = {"mrz": (3, "de"), "sept": (9, "en"), "set": (9, "es"), "juil": (7, "fr"), "avr": (4, "fr")}
"""Short forms in common use that CLDR does not list."""

_ENGLISH_WORDS = frozenset({"set", "out", "ago", "dis", "gen", "mag", "mars", "mac", "maja"})
"""Names that are also English words or names: they need a day and a year, or their language on the page."""


class Month(NamedTuple):
    """A month by its name; `languages` use this name."""

    number: int
    languages: frozenset[str]
    common: bool  # not a word of another meaning


@lru_cache(maxsize=1)
def months() -> dict[str, Month]:
    """The months by their names in lower case, with and without accents."""
    languages: dict[str, set[str]] = {}
    numbers: dict[str, int] = {}
    for name, number, language in _names():
        for form in {name, _without_accents(name)}:
            numbers.setdefault(form, number)
            languages.setdefault(form, set()).add(language)
    return {
        name: Month(number, frozenset(languages[name]), name not in _ENGLISH_WORDS)
        for name, number in numbers.items()
    }


@lru_cache(maxsize=1)
def weekdays() -> frozenset[str]:
    """English weekdays in lower case; tills print them glued to a date."""
    from babel import Locale

    days = Locale.parse("en").days["format"]
    return frozenset(name.lower() for width in ("wide", "abbreviated") for name in days[width].values())


def _names() -> Iterator[tuple[str, int, str]]:
    from babel import Locale

    for tag in (*_LOCALES, *_LONG_NAMES):
        for context in Locale.parse(tag).months.values():
            for width in ("wide", "abbreviated") if tag in _LOCALES else ("wide",):
                for number, name in context.get(width, {}).items():
                    if name.rstrip(".").isalpha():
                        yield name.rstrip(".").lower(), number, tag[:2]
    for name, (number, language) in _FURTHER.items():
        yield name, number, language


def _without_accents(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
