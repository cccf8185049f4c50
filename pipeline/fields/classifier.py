"""What kind of document a text is: multinomial naive Bayes over words and pairs of Han characters.

The model is fitted from short example texts when it is first needed, in milliseconds, so nothing trained
is kept anywhere. (Manning, Raghavan and Schütze 2008, chapter 13.)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

OTHER = "other"
SURE = 0.6
"""A type less sure than this is `other`."""
_EVIDENCE = 15
"""Features of a page are not independent: more than so many count no more than these."""
_LEAST = 3
"""So many known features at least, or the text says nothing."""
_SMOOTHING = 0.3
_WORD = re.compile(r"[a-z]{2,}|[\u4e00-\u9fff]+")


def features(text: str) -> set[str]:
    """Latin words in lower case, and each pair of neighbouring Han characters."""
    found: set[str] = set()
    # 名   称 is one word, spread over its column
    for word in _WORD.findall(re.sub(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])", "", text.lower())):
        if word[0] < "\u4e00":
            found.add(word)
        else:
            found.update(word[i : i + 2] for i in range(len(word) - 1))
    return found


class Classifier:
    """Fitted from `examples`: type to texts. Every type is equally likely beforehand."""

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        counts = {
            kind: Counter(f for text in texts for f in features(text)) for kind, texts in examples.items()
        }
        vocabulary = set().union(*counts.values())
        self._weights: dict[str, dict[str, float]] = {feature: {} for feature in vocabulary}
        for kind, seen in counts.items():
            total = sum(seen.values()) + _SMOOTHING * len(vocabulary)
            for feature in vocabulary:
                self._weights[feature][kind] = math.log((seen[feature] + _SMOOTHING) / total)
        self._kinds = tuple(sorted(examples))

    def classify(self, text: str) -> tuple[str, float]:
        """The type and how sure, 0 to 1; `other` when no type reaches `SURE`."""
        # sorted: sums in another order round differently, and results must not depend on hashing
        known = sorted(features(text) & self._weights.keys())
        if len(known) < _LEAST:
            return OTHER, 0.0
        share = min(len(known), _EVIDENCE) / len(known)
        scores = {kind: share * sum(self._weights[f][kind] for f in known) for kind in self._kinds}
        best = max(self._kinds, key=scores.__getitem__)
        sure = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
        return (best, round(sure, 3)) if sure >= SURE or best == OTHER else (OTHER, round(1 - sure, 3))
