"""What was wrong in a night, in the language of the page: samples and errors say it in English.

The keys of the group `troubles` are the English sentences, with `{places}` for what differs.
"""

from __future__ import annotations

import re
from functools import cache

from pipeline.report.page.words import Words, words

_NAMED = {"step": "steps", "place": "places"}
"""Places whose values have names of their own, by group."""

_FORMS = {"time": r"\d\d:\d\d", "sentence": ".+", "why": ".+", "by": ".+"}
_WORD = r"\S+"


def translated(w: Words, text: str) -> str:
    """One or several sentences; what is not known is left as it is, as an error of a library."""
    return text if w.language == "en" else _known(w, text) or text


def _known(w: Words, text: str) -> str:
    for template, pattern in _patterns():
        if found := pattern.fullmatch(text):
            values = {name: _value(w, name, value) for name, value in found.groupdict().items()}
            return w.name("troubles", template).format(**values)
    for end in re.finditer(r"\. (?=[A-Z])", text):
        first, rest = text[: end.start() + 1], text[end.end() :]
        if (one := _known(w, first)) and (others := _known(w, rest)):
            return one + others
    return ""


def _value(w: Words, name: str, value: str) -> str:
    if name == "sentence":
        return translated(w, f"{value}.").rstrip(".。")
    return (w.name(_NAMED[name], value) or value) if name in _NAMED else value


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Each English sentence, as a pattern of what it matches."""
    found = []
    for template in words("en").group("troubles"):
        parts = re.split(r"\{(\w+)\}", template)
        text = "".join(
            f"(?P<{part}>{_FORMS.get(part, _WORD)})" if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        )
        found.append((template, re.compile(text)))
    return found
