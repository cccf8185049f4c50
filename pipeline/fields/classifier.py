"""Classify a document by its text: multinomial naive Bayes over words and pairs of Han characters.

The model is fitted from short example texts on first use, in milliseconds, so no trained model is stored.
(Manning, Raghavan and Schütze 2008, chapter 13.)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

OTHER = "other"
SURE = 0.6
"""Types with a lower confidence become `other`."""
_EVIDENCE = 15
"""Features of a page are not independent: the evidence is capped at this many."""
_LEAST = 3
"""Minimum number of known features; a text with fewer is not classified."""
_SMOOTHING = 0.2
_WORD = re.compile(r"[a-z]{2,}|[\u4e00-\u9fff]+")


def features(text: str) -> set[str]:
    """Latin words in lower case, and each pair of neighbouring Han characters."""
    found: set[str] = set()
    # 名   称 is one word with wide spacing
    for word in _WORD.findall(re.sub(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])", "", text.lower())):
        if word[0] < "\u4e00":
            found.add(word)
        else:
            found.update(word[i : i + 2] for i in range(len(word) - 1))
    return found


class Classifier:
    """Fitted from `examples`: type to texts. All types have the same prior.

    `other` is a collection of topics: each of its examples is a class of its own, and their shares add up.
    """

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        topics = [(kind, list(texts)) for kind, texts in sorted(examples.items()) if kind != OTHER]
        topics += [(OTHER, [text]) for text in examples.get(OTHER, ())]
        self._kinds = [kind for kind, _ in topics]
        counts = [Counter(f for text in texts for f in features(text)) for _, texts in topics]
        vocabulary = set().union(*counts)
        totals = [sum(seen.values()) + _SMOOTHING * len(vocabulary) for seen in counts]
        self._weights = {
            feature: [
                math.log((seen[feature] + _SMOOTHING) / total)
                for seen, total in zip(counts, totals, strict=True)
            ]
            for feature in vocabulary
        }

    def classify(self, text: str) -> tuple[str, float]:
        """The type and its confidence, 0 to 1; `other` if no type reaches `SURE`, 0 if the text is too short."""
        # sorted: the order of summation affects rounding, and results must not depend on hashing
        known = sorted(features(text) & self._weights.keys())
        if len(known) < _LEAST:
            return OTHER, 0.0
        share = min(len(known), _EVIDENCE) / len(known)
        scores = [share * sum(column) for column in zip(*(self._weights[f] for f in known), strict=True)]
        shares = dict.fromkeys(self._kinds, 0.0)
        for kind, score in zip(self._kinds, scores, strict=True):
            shares[kind] += math.exp(score - max(scores))
        best = max(sorted(shares), key=lambda kind: shares[kind])
        sure = shares[best] / sum(shares.values())
        if best != OTHER and sure < SURE:
            return OTHER, round(1 - sure, 3)
        return best, round(sure, 3)
