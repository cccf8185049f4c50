"""Classify a document by its text: clues (`clues`) joined with naive Bayes over words and pairs of Han characters.

The clues know the titles and phrases of the kinds of paper. Naive Bayes adds what the short example texts tell, and
knows the user's own types. It is fitted on first use, in milliseconds, so no trained model is stored. (Manning,
Raghavan and Schütze 2008, chapter 13.) Both give logarithms of odds, which add up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.fields.clues import bare, clued_kinds, weigh

OTHER = "other"
SURE = 0.6
"""Types with a lower confidence become `other`."""
_DOUBT = 2.0
"""Evidence that a type needs before it is as likely as `other`."""
_EVIDENCE = 3
"""Features of a page are not independent: the evidence is capped at this many."""
_LEAST = 3
"""Minimum number of known features; a text with fewer and little clues is not classified."""
_LITTLE = 2.5
"""Clues that are too weak for a kind of which clues are known: to name it by its words alone would be a guess."""
_SMOOTHING = 0.2
_SPACED = re.compile(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])")
_WORD = re.compile(r"[a-z]{2,}|[\u4e00-\u9fff]+")


def features(text: str) -> set[str]:
    """Latin words in lower case without accents, and each pair of neighbouring Han characters."""
    found: set[str] = set()
    # 名   称 is one word with wide spacing
    for word in _WORD.findall(_SPACED.sub("", bare(text))):
        if word[0] < "\u4e00":
            found.add(word)
        else:
            found.update(word[i : i + 2] for i in range(len(word) - 1))
    return found


class Classifier:
    """Fitted from `examples`: type to texts. All types have the same prior.

    `other` is a collection of topics: each of its examples is a class of its own, and the best of them counts.
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
        """The type and its confidence, 0 to 1; `other` if no type reaches `SURE`, 0 if the text tells nothing."""
        # sorted: the order of summation affects rounding, and results must not depend on hashing
        known = sorted(features(text) & self._weights.keys())
        clues = weigh(text)
        if len(known) < _LEAST and max(clues.values(), default=0.0) < _LITTLE:
            return OTHER, 0.0
        scores = {kind: score + clues.get(kind, 0.0) for kind, score in self._words(known).items()}
        if OTHER in scores:
            scores[OTHER] += _DOUBT
        most = max(scores.values())
        shares = {kind: math.exp(score - most) for kind, score in scores.items()}
        weak = {kind for kind in clued_kinds() if clues.get(kind, 0.0) < _LITTLE} - {OTHER}
        best = max(sorted(shares.keys() - weak), key=lambda kind: shares[kind], default=OTHER)
        sure = shares.get(best, 0.0) / sum(shares.values())
        if best != OTHER and sure < SURE:
            return OTHER, round(1 - sure, 3)
        return best, round(sure, 3)

    def _words(self, known: Sequence[str]) -> dict[str, float]:
        """The logarithm of the likelihood of the words by type: of all topics of `other`, the best."""
        share = min(len(known), _EVIDENCE) / max(len(known), 1)
        scores: dict[str, float] = {}
        columns = zip(*(self._weights[feature] for feature in known), strict=True)
        sums = [sum(column) for column in columns] or [0.0] * len(self._kinds)
        for kind, total in zip(self._kinds, sums, strict=True):
            scores[kind] = max(share * total, scores.get(kind, -math.inf))
        return scores
