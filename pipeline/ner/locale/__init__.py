"""The locale of a page, by evidence in its text: one reading, used by every recogniser.

`days` reads the order of numeric dates, `numbers` the signs of numbers, `places` the currency, `languages` and
`countries` what their names say. Each looks for what can be read in one way only: 25/12/2018 is day first, 1.234,56
has a decimal comma, a postcode behind the name of a state is of the USA. What a page does not tell comes from the other
pages of its document; what none tells stays undecided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from msgspec import structs

from pipeline.models import Page, PageLocale
from pipeline.ner.characters import INVISIBLE, plain
from pipeline.ner.locale.countries import country_of
from pipeline.ner.locale.days import date_order
from pipeline.ner.locale.languages import languages_of
from pipeline.ner.locale.numbers import number_signs
from pipeline.ner.locale.places import currency_of

_COPIED = ("languages", "decimal", "grouping", "date_order", "currency", "country")


@lru_cache(maxsize=16)
def read(text: str) -> PageLocale:
    """The locale of one text, by its own evidence."""
    page = plain(INVISIBLE.sub("", text))
    languages = languages_of(page)
    country = country_of(page, languages)
    decimal, grouping = number_signs(page, languages, country)
    return PageLocale(
        languages=languages,
        decimal=decimal,
        grouping=grouping,
        date_order=date_order(page, languages, country),
        currency=currency_of(page, country),
        country=country,
    )


def of_country(text: str) -> PageLocale:
    """The country of one text alone, as `read` has it: what recognisers of numbers need, in half the time."""
    page = plain(INVISIBLE.sub("", text))
    return PageLocale(country=country_of(page, languages_of(page)))


def read_all(texts: Sequence[str]) -> list[PageLocale]:
    """The locales of a document's pages: what one does not tell is what most of the others tell."""
    own = [read(text) for text in texts]
    most = {name: _most([getattr(locale, name) for locale in own]) for name in _COPIED}
    return [
        structs.replace(
            locale, **{name: most[name] for name in _COPIED if most[name] and not getattr(locale, name)}
        )
        for locale in own
    ]


def localised(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of a document with their locale."""
    locales = read_all([page.text for page in pages])
    return tuple(structs.replace(page, locale=locale) for page, locale in zip(pages, locales, strict=True))


def _most(values: Sequence[object]) -> object:
    given = Counter(value for value in values if value)
    return given.most_common(1)[0][0] if given else None
