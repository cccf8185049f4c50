"""The order of day, month and year in the numeric dates of a page."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Literal

Order = Literal["dmy", "mdy", "ymd"]

_NUMERIC = re.compile(r"(?<![0-9./-])([0-9]{1,2})([-/.])([0-9]{1,2})\2((?:19|20)?[0-9]{2})(?![0-9])")
_MIXED = frozenset({"CA", "PH", "ZA"})
"""Countries whose papers show several orders, whatever CLDR says."""
_DAY_FIRST = frozenset(
    {"de", "fr", "es", "it", "nl", "pt", "ms", "id", "pl", "cs", "da", "nb", "fi", "tr", "ru"}
)
"""Languages whose countries write the day first, nearly all."""

_TELEPHONE = re.compile(
    r"(?<![0-9+./-])(?:1[-. ])?\(?[2-9][0-9]{2}(?:\) ?|[-. ])[2-9][0-9]{2}[-. ][0-9]{4}(?![0-9-])"
)
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
    "|Alabama|Arizona|California|Colorado|Florida|Georgia|Illinois|Michigan|Nevada|New ?Jersey|New ?York|Ohio|Oregon"
    "|Texas|Virginia|Washington"
)
_ADDRESS = re.compile(
    rf"(?:, ?(?i:{_STATES})|(?<=[a-z])(?:{_STATES}))[ ,.]{{0,2}}"
    r"[0-9]{5}(?:-[0-9]{4})?(?![0-9-])"
)
"""The end of an address: a state and a ZIP, also without the blanks."""
_NOT_AMERICAN = re.compile(
    r"[€£₹¥₱]|\+(?!1[ (.-])[1-9]|(?<![A-Za-z])(?:GST|HST|PST|QST|TVQ|TPS|VAT|CAD|MXN|AUD|SGD|Canada|Philippines)"
    r"(?![A-Za-z])|(?<![A-Za-z0-9])[ABCEGHJ-NPRSTVXY][0-9][A-Z] ?[0-9][A-Z][0-9](?![A-Za-z0-9])",
    re.ASCII,
)
"""What papers of the USA do not show: signs, taxes and postcodes of Canada and other countries."""


def date_order(page: str, languages: tuple[str, ...], country: str | None) -> Order | None:
    """By dates that can be read in one way, else by the country, the language or an address or telephone as in the USA.

    `None` if nothing tells.
    """
    chinese = languages[:1] == ("zh",)
    proven = _proven(page, chinese=chinese)
    if proven:
        return proven
    if country is not None:
        return _of_country(country)
    if chinese:
        return "ymd"
    if languages and languages[0] in _DAY_FIRST and "en" not in languages:
        return "dmy"
    american = (_TELEPHONE.search(page) or _ADDRESS.search(page)) and not _NOT_AMERICAN.search(page)
    return "mdy" if american else None


def _proven(page: str, *, chinese: bool) -> Order | None:
    """The order of most numeric dates that have one reading."""
    seen: Counter[Order] = Counter()
    for first, mark, second, year in _NUMERIC.findall(page):
        short = len(year) == 2
        if short and chinese:
            continue  # 17-06-18 may begin with the year
        if int(first) > 12 >= int(second) > 0 and int(first) <= 31:
            seen["dmy"] += 1
        elif int(second) > 12 >= int(first) > 0 and int(second) <= 31 and not (short and mark == "."):
            seen["mdy"] += 1
    if seen["dmy"] == seen["mdy"]:
        return None
    return "dmy" if seen["dmy"] > seen["mdy"] else "mdy"


@lru_cache(maxsize=256)
def _of_country(country: str) -> Order | None:
    """The order of a country's short dates in CLDR."""
    from babel import Locale, UnknownLocaleError

    if country in _MIXED:
        return None
    try:
        pattern = Locale.parse(f"und_{country}").date_formats["short"].pattern.lower()
    except (UnknownLocaleError, ValueError):
        return None
    order = "".join(sorted("dmy", key=pattern.find))
    return order if order in ("dmy", "mdy", "ymd") else None  # type: ignore[return-value]
