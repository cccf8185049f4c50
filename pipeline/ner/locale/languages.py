"""The languages of a page, by common words of invoices and receipts and by scripts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache

from pipeline.ner.characters import is_chinese, is_japanese
from pipeline.ner.locale.language_words import WORDS

_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœ]{2,}")
_JOINED, _PART = re.compile("[a-zà-öø-ÿ][A-ZÀ-Ö][a-zà-öø-ÿ]"), re.compile("[A-ZÀ-Ö]?[a-zà-öø-ÿ]+|[A-ZÀ-Ö]+")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_SCRIPT = 5
"""Characters of a script that show its language."""
_LEAST = 2.0
"""Score, and number of different words, that a language needs."""
_SHARE = 0.3
"""Score that a further language needs, as a share of the first one's; weight of a word that counts as its own."""
_MOST = 3
"""Times a word counts."""


def _weights() -> dict[str, dict[str, float]]:
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for language, words in WORDS.items():
        for word in words.split():
            languages[word].add(language)
    # A word of several languages tells little.
    return {word: dict.fromkeys(of, 1 / len(of) ** 2) for word, of in languages.items()}


_WEIGHTS = _weights()


@lru_cache(maxsize=4)
def words_of(page: str) -> Counter[str]:
    """The words of a page in lower case, and how often each occurs; of SubTotal also its parts."""
    words = Counter(_WORD.findall(page))
    for word in [one for one in words if _JOINED.search(one)]:
        for part in _PART.findall(word):
            words[part] += words[word]
    lower: Counter[str] = Counter()
    for word, count in words.items():
        lower[word.lower()] += count
    return lower


def languages_of(page: str) -> tuple[str, ...]:
    """Languages whose words or characters the page shows, the most evident first (ISO 639-1)."""
    score: defaultdict[str, float] = defaultdict(float)
    seen: Counter[str] = Counter()
    for word, count in words_of(page).items():
        for language, weight in _WEIGHTS.get(word, {}).items():
            score[language] += weight * min(count, _MOST)
            seen[language] += weight > _SHARE
    first = max(score.values(), default=0.0)
    found = [
        one for one, points in score.items() if points >= max(_LEAST, _SHARE * first) and seen[one] >= _LEAST
    ]
    return (*_scripts(page), *sorted(found, key=lambda one: (-score[one], one)))


def _scripts(page: str) -> tuple[str, ...]:
    if page.isascii():
        return ()
    if is_japanese(page):
        return ("ja",)
    if len(_HANGUL.findall(page)) >= _SCRIPT:
        return ("ko",)
    return ("zh",) if is_chinese(page) else ()
