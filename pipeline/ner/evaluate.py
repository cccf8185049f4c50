"""Score an engine on labelled text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.ner.base import NerEngine
from pipeline.ner.bioes import Span
from pipeline.ner.scores import Scores, score
from pipeline.ner.training.sentences import Sentence

LAC_NAMES = {"NR": "PER", "NS": "LOC", "NT": "ORG"}
"""Names in SIGHAN corpora of the types that LAC finds."""


def evaluate(
    engine: NerEngine, sentences: Sequence[Sentence], names: Mapping[str, str] | None = None
) -> Scores:
    """Compare the mentions of `engine` with the labels; `names`: label type -> equivalent type of the engine.

    Only types that occur in the labels are counted, since an engine may know more. Scores use the engine's names.
    """
    names = names or {}
    gold = [[Span(names.get(s.type, s.type), s.start, s.end) for s in one.spans] for one in sentences]
    known = {span.type for spans in gold for span in spans}
    found = [
        [Span(m.type, m.start, m.end) for m in mentions if m.type in known]
        for mentions in engine.extract([one.text for one in sentences])
    ]
    return score(gold, found)
