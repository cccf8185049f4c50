"""All pattern recognisers, run over a text. Importing it compiles the patterns of all of them, half a second."""

from __future__ import annotations

from msgspec import structs

from pipeline.models import Mention, PageLocale
from pipeline.ner import locale as locales
from pipeline.ner.characters import INVISIBLE
from pipeline.ner.patterns.accounts import find_bank_accounts, find_bics, find_ibans
from pipeline.ner.patterns.contact import find_emails, find_urls
from pipeline.ner.patterns.dates import find_dates
from pipeline.ner.patterns.identifiers import find_bank_cards, find_id_numbers, find_plates, find_usccs
from pipeline.ner.patterns.invoices import find_invoice_codes, find_invoice_numbers
from pipeline.ner.patterns.money import find_moneys
from pipeline.ner.patterns.mrz import find_mrzs
from pipeline.ner.patterns.organisations import find_organisations
from pipeline.ner.patterns.personal_ids import find_personal_ids
from pipeline.ner.patterns.phones import find_phones
from pipeline.ner.patterns.tax_ids import find_tax_ids
from pipeline.ner.patterns.times import find_times

RECOGNISERS = (
    find_times,
    find_id_numbers,
    find_usccs,
    find_bank_cards,
    find_ibans,
    find_bics,
    find_bank_accounts,
    find_tax_ids,
    find_mrzs,
    find_plates,
    find_invoice_codes,
    find_invoice_numbers,
    find_emails,
    find_urls,
    find_organisations,
)
LOCAL = (find_dates, find_moneys, find_phones, find_personal_ids)
"""Recognisers whose reading depends on the locale of the page."""


def find(text: str, locale: PageLocale | None = None) -> list[Mention]:
    """Run every recogniser over `text`; sorted by start. `locale`: by default as `text` itself tells.

    Mentions may overlap: `pipeline.ner.overlap.resolve` chooses, together with other engines' mentions.
    """
    here = locale or locales.read(text)
    if INVISIBLE.search(text):
        return _without_invisible(text, here)
    mentions = [mention for recognise in RECOGNISERS for mention in recognise(text)]
    mentions += [mention for recognise in LOCAL for mention in recognise(text, here)]
    return sorted(mentions, key=lambda m: (m.start, m.end, m.type))


def _without_invisible(text: str, locale: PageLocale) -> list[Mention]:
    """As `find`, in a text with invisible characters, which do not split numbers; the spans are those of `text`."""
    seen = [at for at, character in enumerate(text) if not INVISIBLE.match(character)]
    mentions = find("".join(text[at] for at in seen), locale)
    return [
        structs.replace(mention, start=seen[mention.start], end=seen[mention.end - 1] + 1)
        for mention in mentions
    ]
