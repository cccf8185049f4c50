"""DATE: dates of the common languages, checked against the calendar; the value is ISO 8601.

Years run from 1900 to 2099; two-digit years 00-49 are 20xx, the others 19xx. A numeric date whose numbers are both
below 13 is read in the order of its page: that of a date with one reading (25/12/2018), of the same day with the name
of its month, of the page's language or country (`PageLocale.date_order`). Where nothing tells, it is read day first,
with a lower confidence and the month-first reading as `other`. With a two-digit year, dates on a Chinese page are read
year first (10-08-06 is 2010-08-06). A range is two dates: of `July 1 - 31, 2014`, each day is a mention of its own.

The page is read as tokens (`date_tokens`); `date_forms` are patterns of their letters, and `date_ranges` reads
what a range leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, has_digit, is_chinese, plain
from pipeline.ner.locale.days import date_order
from pipeline.ner.patterns.date_forms import FORMS, Context
from pipeline.ner.patterns.date_ranges import Found, ranges, settled
from pipeline.ner.patterns.date_tokens import Tokens
from pipeline.ner.patterns.han_dates import find_han_dates


def find_dates(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:
    """Yield the DATE mentions of `text`, none overlapping another.

    The value is `YYYY-MM-DD`, or `YYYY-MM` without a day. Invalid dates (31/02/2018) are not mentions.
    `locale`: of the page, by default as `text` itself tells.
    """
    page = plain(text)
    yield from find_han_dates(page)
    if not has_digit(page):
        return
    if locale is None:
        languages = ("zh",) if is_chinese(page) else ()
        locale = PageLocale(languages=languages, date_order=date_order(page, languages, None))
    context = Context(Tokens(page), locale.date_order, locale.languages)
    dates = settled(context.tokens, _full_dates(context))
    for start, end, reading in sorted([*dates, *ranges(context.tokens, dates)]):
        span = context.tokens.span(start, end)
        damaged = 0.2 if context.tokens.page[slice(*span)] != context.tokens.clean[slice(*span)] else 0.0
        other = reading.other.iso if reading.other else None
        yield found("DATE", span, reading.confidence - damaged, reading.day.iso, other=other)


def _full_dates(context: Context) -> list[Found]:
    """The dates with a year; in the signature, their tokens become `B` and `I`."""
    signature, dates = context.tokens.signature, []
    for needed, pattern, read in FORMS:
        at = 0 if needed in signature else len(signature)
        while match := pattern.search(signature, at):
            start, end = match.span("date")
            numbers = {name: match.start(name) for name in match.re.groupindex}
            reading = read(context, numbers)
            at = end if reading else match.start() + 1
            if reading:
                signature[start:end] = b"B" + b"I" * (end - start - 1)
                dates.append(Found(start, end, reading))
    return dates
