"""What the setting `NIGHTSHIFT_MASK` says: which kinds of personal data are masked, and how much of them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

IDS = "ids"
"""The policy by default."""
NUMBERS = (
    "ID_NUMBER",
    "MRZ",
    "MEDICAL_ID",
    "TAX_ID",
    "BANK_CARD",
    "BANK_ACCOUNT",
    "IBAN",
    "PHONE",
    "EMAIL",
    "PLATE",
)
"""Kinds that `ids` masks: each value names one person, account, line or vehicle."""
WORDS = ("PERSON", "ADDRESS", "ORG", "BIRTH_DATE", "HEALTH", "TRAIT", "USCC", "URL")
"""Kinds that `all` masks as well."""
KINDS = (*NUMBERS, *WORDS)

_TYPES = {"PER": "PERSON", "LOC": "ADDRESS"}
"""Entity types whose kind has another name."""
_NEUTRAL = frozenset({"DATE", "TIME", "MONEY", "BIC", "INVOICE_CODE", "INVOICE_NUMBER"})
"""Entity types that are never masked by their type."""
_WHOLE = frozenset(WORDS) | {"MRZ"}
"""Kinds of which nothing stays visible: the end of a name says too much."""
_GROUPS = {
    "ids": frozenset(NUMBERS),
    "true": frozenset(NUMBERS),
    "1": frozenset(NUMBERS),
    "all": frozenset(KINDS),
    "none": frozenset[str](),
    "false": frozenset[str](),
    "0": frozenset[str](),
}


class Policy(NamedTuple):
    """The kinds that are masked; `everything`: `all`, where nothing of a value stays visible."""

    kinds: frozenset[str]
    everything: bool = False

    @property
    def hides_names(self) -> bool:
        """Whether a file name, which may be one of a person, is not shown."""
        return "PERSON" in self.kinds

    def covers(self, type_: str) -> bool:
        """Whether entities of this type are masked; types of a user's own models are by `all` alone."""
        kind = _TYPES.get(type_, type_)
        return kind in self.kinds or (self.everything and kind not in KINDS and kind not in _NEUTRAL)

    def whole(self, type_: str) -> bool:
        """Whether nothing of such a value stays visible."""
        kind = _TYPES.get(type_, type_)
        return self.everything or kind in _WHOLE or kind not in KINDS


@lru_cache(maxsize=16)
def policy(text: str | bool) -> Policy:
    """The policy of `ids`, `all`, `none` and kinds, separated by commas; `true` is `ids`, `false` is `none`.

    Raises `ValueError` whose text completes the sentence "expected …".
    """
    text = str(text)
    words = [word for one in text.split(",") if (word := one.strip())]
    kinds: set[str] = set()
    for word in words:
        kind = _TYPES.get(word.upper(), word.upper())
        if kind not in KINDS and word.lower() not in _GROUPS:
            raise ValueError(_expected(word))
        kinds |= _GROUPS.get(word.lower(), {kind})
    if not words:
        raise ValueError(_expected(""))
    return Policy(frozenset(kinds), everything="all" in map(str.lower, words))


def _expected(unknown: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(unknown.upper(), [*KINDS, *_TYPES, "IDS", "ALL", "NONE"], n=1)
    name = close[0].lower() if close and close[0].lower() in _GROUPS else "".join(close)
    hint = f" (did you mean {name}?)" if close else ""
    return f"ids, all, none, or types separated by commas{hint}: {', '.join(KINDS)}"
