"""The NER room: one engine instance a process, chosen by settings.

`load` creates an engine, `describe` names it without importing Paddle (what keys and resume need).
Further engines register under the entry point group `nightshift.ner`: a callable that takes the
settings and returns a `NerEngine`, with a `describe(settings) -> ModelInfo` attribute if it can tell
its digest without loading models.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any, Protocol

from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ner import identity
from pipeline.ner.base import NerEngine

__all__ = ["ENTRY_POINTS", "NerEngine", "NerSettings", "describe", "load"]

ENTRY_POINTS = "nightshift.ner"


class NerSettings(Protocol):
    """What an engine wants to know; any object with these attributes will do."""

    @property
    def ner_engine(self) -> str:
        """`lac` (joined with the patterns), `patterns`, or the name of an entry point."""
        ...

    @property
    def ner_device(self) -> str:
        """`cpu`, `gpu` or `gpu:N`."""
        ...

    @property
    def ner_model_dir(self) -> str | None:
        """Folder with LAC's files; `None`: the weights in the jieba wheel."""
        ...

    @property
    def ner_threads(self) -> int:
        """Compute threads of one engine."""
        ...

    @property
    def ner_download(self) -> bool:
        """Whether weights may be fetched from a model hub; LAC and the patterns never do."""
        ...


def load(settings: NerSettings) -> NerEngine:
    """Create the engine the settings name; LAC's weights are loaded with the first Chinese text.

    Raises `UsageError` for an unknown engine or device, `ModelMissing` when weights or Paddle are
    not installed.
    """
    if settings.ner_engine == "lac":
        return _load_lac(settings)
    if settings.ner_engine == "patterns":
        from pipeline.ner.pattern_engine import PatternEngine

        return PatternEngine(identity.of_patterns(settings))
    engine: NerEngine = _registered(settings.ner_engine)(settings)
    return engine


def describe(settings: NerSettings) -> ModelInfo:
    """Name the engine's model: equal to `load(settings).info`, without loading it.

    A registered engine without `describe` is loaded for it. Raises as `load` does, but does not
    notice a wrong device.
    """
    if settings.ner_engine == "lac":
        return identity.of_lac(settings)
    if settings.ner_engine == "patterns":
        return identity.of_patterns(settings)
    factory = _registered(settings.ner_engine)
    if not hasattr(factory, "describe"):
        engine: NerEngine = factory(settings)
        return engine.info
    info: ModelInfo = factory.describe(settings)
    return info


def _load_lac(settings: NerSettings) -> NerEngine:
    from pipeline.ner.joined import JoinedEngine
    from pipeline.ner.lac import LacEngine
    from pipeline.ner.pattern_engine import PatternEngine

    patterns = PatternEngine(identity.of_patterns(settings))
    return JoinedEngine([LacEngine(settings), patterns], identity.of_lac(settings))


def _registered(name: str) -> Any:
    registered = {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}
    if name not in registered:
        known = ", ".join(["lac", "patterns", *sorted(registered)])
        raise UsageError(f"There is no NER engine '{name}': choose one of {known}.", code="unknown_engine")
    return registered[name].load()
