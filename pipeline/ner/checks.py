"""Numbers with check digits that name a country: IBANs and VAT ids. python-stdnum checks them when one is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18"
    " FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20"
    " LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24"
    " SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
IBAN_LENGTH = {one[:2]: int(one[2:]) for one in _LENGTHS.split()}
_IBAN = re.compile(r"[A-Z]{2}(?<![0-9A-Za-z]..)[0-9OI]{2}(?=[ -]{0,2}[0-9A-Z])")
_GROUP = re.compile(r"[ -]{0,2}([0-9A-Za-z])")
_BROKEN_GROUP = re.compile(r"(?:[ -]{0,2}| ?\n ?)([0-9A-Za-z])")
_MISREAD = str.maketrans("OISBZ", "01582")

_VAT_FORMS = {
    "AT": "U[0-9]{8}", "BE": "[01][0-9]{9}", "BG": "[0-9]{9,10}", "CY": "[0-9]{8}[A-Z]", "CZ": "[0-9]{8,10}",
    "DE": "[0-9]{9}", "DK": "[0-9]{8}", "EE": "[0-9]{9}", "EL": "[0-9]{9}", "ES": "[A-Z0-9][0-9]{7}[A-Z0-9]",
    "FI": "[0-9]{8}", "FR": "[0-9A-Z]{2}[0-9]{9}", "GB": "[0-9]{9}|[0-9]{12}", "HR": "[0-9]{11}", "HU": "[0-9]{8}",
    "IE": "[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}", "IT": "[0-9]{11}", "LT": "[0-9]{9}|[0-9]{12}", "LU": "[0-9]{8}",
    "LV": "[0-9]{11}", "MT": "[0-9]{8}", "NL": "[0-9]{9}B[0-9]{2}", "PL": "[0-9]{10}", "PT": "[0-9]{9}",
    "RO": "[0-9]{6,10}", "SE": "[0-9]{12}", "SI": "[0-9]{8}", "SK": "[0-9]{10}", "XI": "[0-9]{9}|[0-9]{12}",
}  # fmt: skip
VAT_FORM = {country: re.compile(form) for country, form in _VAT_FORMS.items()}
_VAT = re.compile(
    rf"(?:{'|'.join(VAT_FORM)})(?<![0-9A-Za-z]..)(?=(?P<rest>[ .:-]{{0,2}}[0-9A-Z](?:[ .-]?[0-9A-Z]){{5,13}}))"
)
_SWISS = re.compile(
    r"CHE(?<![0-9A-Za-z]...)[ -]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}(?![0-9])(?: (?:MWST|TVA|IVA|TPV))?"
)
_CODES = {"EL": "GR", "XI": "GB"}


class Id(NamedTuple):
    """A number of the form of its country: its span, itself without spaces, its country, whether its check is right."""

    start: int
    end: int
    number: str
    country: str
    valid: bool


def valid(module: str, number: str) -> bool:
    """Whether python-stdnum's module, such as `us.ssn`, finds a number valid; `de.vat` is its VAT module of Germany."""
    from stdnum import get_cc_module

    country, _, name = module.partition(".")
    checker: Any = get_cc_module(country, "vat") if name == "vat" else import_module(f"stdnum.{module}")
    try:
        return bool(checker.is_valid(number))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False


@lru_cache(maxsize=4)
def ibans(page: str) -> tuple[Id, ...]:
    """Everything of the form of an IBAN, whether or not its check digits are right."""
    return tuple(_ibans(page))


def _ibans(page: str) -> Iterator[Id]:
    for match in _IBAN.finditer(page):
        one = _iban_at(page, match, _GROUP)
        if one is None:
            # Only a valid one may go on in the next line.
            one = _iban_at(page, match, _BROKEN_GROUP)
            one = one if one and one.valid else None
        if one:
            yield one


def _iban_at(page: str, match: re.Match[str], group: re.Pattern[str]) -> Id | None:
    country = match[0][:2]
    length = IBAN_LENGTH.get(country, 0)
    at, characters = match.end(), match[0]
    while len(characters) < length and (one := group.match(page, at)):
        characters += one[1]
        at = one.end()
    if not length or len(characters) < length or (at < len(page) and page[at].isalnum()):
        return None
    number = next((one for one in _iban_readings(characters) if valid("iban", one)), "")
    return Id(match.start(), at, number or characters.upper(), country, bool(number))


def _iban_readings(characters: str) -> Iterator[str]:
    yield characters
    if not characters[2:].isdecimal():
        # Letters in place of digits, if OCR read them so: the check digits tell.
        yield characters[:2] + characters[2:].upper().translate(_MISREAD)


@lru_cache(maxsize=4)
def vat_ids(page: str) -> tuple[Id, ...]:
    """Everything of the form of a VAT id with its country's letters: EU, United Kingdom, Switzerland."""
    return tuple(_vat_ids(page))


def _vat_ids(page: str) -> Iterator[Id]:
    for match in _SWISS.finditer(page):
        number = re.sub("[^0-9A-Z]", "", match[0])[:12]
        yield Id(match.start(), match.end(), number, "CH", valid("ch.uid", number))
    for match in _VAT.finditer(page):
        prefix = match[0][:2]
        country = _CODES.get(prefix, prefix)
        found = _fitted(prefix, match["rest"])
        if found is None:
            continue
        end = match.start("rest") + found[1]
        if end < len(page) and page[end].isalnum():
            continue
        yield Id(match.start(), end, prefix + found[0], country, valid(f"{country.lower()}.vat", found[0]))


def _fitted(prefix: str, rest: str) -> tuple[str, int] | None:
    """The longest beginning of `rest`, by whole groups, that has the form of the country, and its length."""
    for end in range(len(rest), 0, -1):
        number = re.sub("[^0-9A-Z]", "", rest[:end])
        if rest[end - 1].isalnum() and VAT_FORM[prefix].fullmatch(number):
            return number, end
    return None
