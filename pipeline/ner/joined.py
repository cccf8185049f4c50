"""Several engines as one: the default joins LAC with the patterns."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models import Mention, ModelInfo
from pipeline.ner.base import NerEngine
from pipeline.ner.overlap import resolve


class JoinedEngine:
    """`NerEngine` that runs `engines` on the same texts; where they overlap `resolve` chooses."""

    def __init__(self, engines: Sequence[NerEngine], info: ModelInfo) -> None:
        self.info = info
        self._engines = engines

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another.

        Raises what the engines raise.
        """
        found = [engine.extract(texts) for engine in self._engines]
        return [
            resolve([mention for mentions in each for mention in mentions])
            for each in zip(*found, strict=True)
        ]
