"""The decimal sign and the grouping of the numbers of a page."""

from __future__ import annotations

import re

_EDGE, _END = r"(?<![0-9.,'’])", r"(?![0-9]|[.,'’][0-9])"
_POINT = re.compile(
    rf"{_EDGE}(?:[0-9]{{1,3}}(?P<mark>[, '’])(?:[0-9]{{3}}(?P=mark))*[0-9]{{3}}|[0-9]+)\.[0-9]{{2}}{_END}"
)
_COMMA = re.compile(
    rf"{_EDGE}(?:[0-9]{{1,3}}(?P<mark>[. '’])(?:[0-9]{{3}}(?P=mark))*[0-9]{{3}}|[0-9]+),[0-9]{{2}}{_END}"
)


def number_signs(page: str, languages: tuple[str, ...], country: str | None) -> tuple[str | None, str | None]:  # noqa: ARG001
    """The decimal sign and the mark between thousands, each `None` if the page does not tell."""
    points, commas = list(_POINT.finditer(page)), list(_COMMA.finditer(page))
    if len(points) == len(commas):
        return None, None
    more, sign = (points, ".") if len(points) > len(commas) else (commas, ",")
    marks = [match["mark"].replace("’", "'") for match in more if match["mark"]]
    return sign, max(sorted(set(marks)), key=marks.count) if marks else None
