"""The order of day, month and year in the numeric dates of a page."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Literal

Order = Literal["dmy", "mdy", "ymd"]

_NUMERIC = re.compile(
    r"(?=[0-9])(?<![0-9./-])([0-9]{1,2})([-/.])([0-9]{1,2})"
    r"(?: ?(?:-|to|bis|au|al) ?[0-9]{1,2}\2[0-9]{1,2})?\2((?:19|20)?[0-9]{2})(?![0-9])"
)
"""A date, or the first one of a range such as 05/13 - 06/02/2014."""
_MIXED = frozenset({"CA", "PH", "ZA"})
"""Countries whose papers show several orders, whatever CLDR says."""
_DAY_FIRST = frozenset(
    {"de", "fr", "es", "it", "nl", "pt", "ms", "id", "pl", "cs", "da", "nb", "fi", "tr", "ru"}
)
"""Languages whose countries write the day first."""


def date_order(page: str, languages: tuple[str, ...], country: str | None) -> Order | None:
    """By dates that can be read in one way, else by the language, else by the country; `None` if nothing tells."""
    first = languages[0] if languages else None
    proven = _proven(page, chinese=first == "zh")
    if proven:
        return proven
    if first in _DAY_FIRST and "en" not in languages and country not in (*_MIXED, "US"):
        return "dmy"
    if country is not None:
        return _of_country(country)
    return "ymd" if first in ("zh", "ja", "ko") else None


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
    orders: dict[str, Order] = {"dmy": "dmy", "mdy": "mdy", "ymd": "ymd"}
    return orders.get("".join(sorted("dmy", key=pattern.find)))
