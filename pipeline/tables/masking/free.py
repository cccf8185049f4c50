"""Names and addresses in running text, by the words around them: titles, kinds of streets, postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.ner.characters import plain
from pipeline.tables.masking.found import Found

_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Sra?|Señora?|Dear|Encik|Puan|Cik)\b\.? {0,2}"
    r"(?P<name>[A-ZÀ-Þ][\w'’-]{0,30}\.?(?: [A-ZÀ-Þ][\w'’-]{0,30}\.?){0,3})"
)
_CALLED = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{2,3})(?=先生|女士|小姐|太太|[医醫]生|大夫|同志|同學|同学|老[师師])"
)
_PLACE = re.compile(r"[0-9]{1,5} ?(?:[号號](?!码|碼|线|線)|弄|[栋棟幢座](?=[0-9一-龥])|室)")
_STREET = re.compile(r"[路街道巷弄村镇鎮乡鄉里区區县縣园苑庄莊]")
_RUN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff()-]{0,40}")
_WESTERN = (
    re.compile(
        r"\b[0-9]{1,5}[A-Za-z]?,? (?:[A-Z][\w'.-]{0,20} ){1,4}?"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq"
        r"|Terrace|Highway|Hwy|Parkway|Pkwy|Close|Crescent|Gardens|Grove)\b\.?"
        r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?#?\w{1,6})?"
        r"(?:,\s?[A-Z][\w .'-]{1,30}){0,3}(?:,? [A-Z]{2} [0-9]{5}(?:-[0-9]{4})?)?"
    ),
    re.compile(
        r"\b[A-ZÄÖÜ][\w.-]{2,30}(?:straße|strasse|str\.|weg|platz|gasse|allee) ?[0-9]{1,4} ?[a-z]?\b"
        r"(?:, ?[0-9]{5} [A-ZÄÖÜ][\w-]+)?"
    ),
    re.compile(
        r"\b[0-9]{1,4},? (?:bis |ter )?(?:rue|avenue|boulevard|place|chemin|allée) [\w' -]{2,40}"
        r"|\b(?:via|viale|piazza|calle|avenida|rua) [\w' -]{2,40}?,? [0-9]{1,4}\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:Jalan|Jln|Lorong|Taman|Lebuh)\.? [\w/' -]{2,40}", re.IGNORECASE),
    re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}\b"),
    re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)?, [A-Z]{2} [0-9]{5}(?:-[0-9]{4})?\b"),
    re.compile(r"\bP\.? ?O\.? Box [0-9]{1,8}\b", re.IGNORECASE),
)


def free(text: str) -> Iterator[Found]:
    """Yield names behind or before a title, and addresses that are written as such."""
    page = plain(text)
    for form in (_TITLED, _CALLED):
        yield from (Found(*match.span("name"), "PERSON") for match in form.finditer(page))
    for match in _PLACE.finditer(page):
        before = page[max(0, match.start() - 40) : match.start()][::-1]
        start = match.start() - _length(before)
        if _STREET.search(page, start, match.start()):
            end = match.end() + _length(page[match.end() : match.end() + 40])
            yield Found(start, end, "ADDRESS")
    for form in _WESTERN:
        yield from (Found(match.start(), match.end(), "ADDRESS") for match in form.finditer(page))


def _length(text: str) -> int:
    """How many of the first characters may be part of an address."""
    run = _RUN.match(text)
    return run.end() if run else 0
