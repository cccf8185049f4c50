"""The order of day, month and year in the numeric dates of a page."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

_NUMERIC = re.compile(r"(?<![0-9./-])([0-9]{1,2})([-/.])([0-9]{1,2})\2((?:19|20)?[0-9]{2})(?![0-9])")
_MONTH_FIRST = frozenset({"US"})
"""Countries that write the month first."""


def date_order(
    page: str,
    languages: tuple[str, ...],  # noqa: ARG001
    country: str | None,
) -> Literal["dmy", "mdy", "ymd"] | None:
    """By dates that can be read in one way, else by the country; `None` if neither tells."""
    seen: Counter[Literal["dmy", "mdy"]] = Counter()
    for first, _, second, _ in _NUMERIC.findall(page):
        if int(first) > 12 >= int(second):
            seen["dmy"] += 1
        elif int(second) > 12 >= int(first):
            seen["mdy"] += 1
    if seen and len(set(seen.values())) == len(seen):
        return seen.most_common(1)[0][0]
    if country is None:
        return None
    return "mdy" if country in _MONTH_FIRST else "dmy"
