"""The pattern recognisers as a NER engine."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models import Mention, ModelInfo, PageLocale
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.finder import find


class PatternEngine:
    """`NerEngine` that needs no model: finds entities by pattern and validates them."""

    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another."""
        return [resolve(find(text)) for text in texts]

    def extract_in(self, texts: Sequence[str], locales: Sequence[PageLocale]) -> list[list[Mention]]:
        """As `extract`, each text read by the locale of its page."""
        return [resolve(find(*each)) for each in zip(texts, locales, strict=True)]
