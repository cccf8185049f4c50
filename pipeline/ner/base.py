"""Interface of a NER engine: texts in, mentions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.models import Mention, ModelInfo


class NerEngine(Protocol):
    """An instance belongs to one thread of one process."""

    info: ModelInfo

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another."""
        ...
