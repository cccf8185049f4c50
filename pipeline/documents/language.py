"""The language of a text, by n-grams of letters (lingua)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

UNKNOWN = "und"
"""ISO 639: undetermined."""

_CODES = (
    "zh en de fr es it pt nl ja ko ru ar "
    "pl sv da nb fi cs sk hu ro bg uk el tr vi id hi he th fa ca hr sr et lv lt sl"
)
_MOST = 5000
"""Characters that are looked at: more do not change the answer."""
_LATIN = 12
"""Minimum number of letters; a text with fewer names no language. Languages that share no script need fewer ..."""
_OTHER = 2
"""... of these."""
_SURE = 0.6
"""Minimum probability of the best language."""
_HAN = 0.1
"""Minimum share of Chinese characters in a text that is Chinese, not counting digits: they say more each."""


def language_of(text: str) -> str | None:
    """ISO 639-1 code of the text's main language; `und` where there is no telling, `None` for an empty text.

    Numbers, codes and addresses of the web say nothing. A text with a tenth of Chinese characters is
    Chinese, or Japanese if it has kana.
    """
    if not text.strip():
        return None
    # codes and amounts count as no language
    words = " ".join(w for w in text[:_MOST].split() if not re.search(r"[0-9@]|www|\.com", w)) or text[:_MOST]
    letters = [c for c in words if c.isalpha()]
    latin = sum(c < "\u0250" for c in letters)
    if latin < _LATIN and len(letters) - latin < _OTHER:
        return UNKNOWN
    han = sum("\u3400" <= c <= "\u9fff" for c in letters)
    if han and han >= _HAN * len(letters):
        kana = sum("\u3041" <= c <= "\u30fa" for c in letters)
        return "ja" if kana * 5 >= han else "zh"
    first = _detector().compute_language_confidence_values(words)[0]
    return first.language.iso_code_639_1.name.lower() if first.value >= _SURE else UNKNOWN


@cache
def _detector() -> LanguageDetector:
    """Created on first use: 0.1 s and 25 MB."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, code.upper()) for code in _CODES.split()]
    # this mode reads trigrams alone, as the other one does for all but short texts; that one takes 230 MB
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
