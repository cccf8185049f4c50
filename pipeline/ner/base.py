"""Interface of a NER engine: texts in, mentions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pipeline.models import Mention, ModelInfo, PageLocale


class NerEngine(Protocol):
    """An instance belongs to one thread of one process."""

    info: ModelInfo

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another."""
        ...


@runtime_checkable
class LocalEngine(NerEngine, Protocol):
    """A `NerEngine` that reads amounts, dates or numbers by the locale of their page."""

    def extract_in(self, texts: Sequence[str], locales: Sequence[PageLocale]) -> list[list[Mention]]:
        """As `extract`; `locales`: one per text."""
        ...


def extract_in(engine: NerEngine, texts: Sequence[str], locales: Sequence[PageLocale]) -> list[list[Mention]]:
    """The mentions of each text, by its locale where the engine knows of locales."""
    return engine.extract_in(texts, locales) if isinstance(engine, LocalEngine) else engine.extract(texts)
