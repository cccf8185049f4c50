"""The NER room: one engine per process, combined from those that the settings name.

`load` creates it, `describe` identifies it without importing Paddle (for keys and resume). The setting
`ner_engine` is a list of specs (`pipeline.ner.specs`); several engines read the same texts and the overlap
rule resolves conflicts. Further engines register under the entry point group `nightshift.ner`: a callable that takes
the settings (`ner_model_dir` being the spec's folder) and returns a `NerEngine`, with a
`describe(settings) -> ModelInfo` attribute if its digest is known without loading models.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple, Protocol

from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ner import identity, specs
from pipeline.ner.base import NerEngine
from pipeline.ner.joined import JoinedEngine

__all__ = ["ENTRY_POINTS", "NerEngine", "NerSettings", "describe", "load"]

ENTRY_POINTS = "nightshift.ner"


class NerSettings(Protocol):
    """Settings of an engine; any object with these attributes will do."""

    @property
    def ner_engine(self) -> str:
        """Specs `name[=directory]`, separated by commas, such as `lac,crf=/models/medical`."""
        ...

    @property
    def ner_device(self) -> str:
        """`cpu`, `gpu` or `gpu:N`."""
        ...

    @property
    def ner_model_dir(self) -> str | None:
        """Folder of the model, for specs without one; `None`: the engine's default (LAC: in the jieba wheel)."""
        ...

    @property
    def ner_threads(self) -> int:
        """Compute threads of one engine."""
        ...

    @property
    def ner_download(self) -> bool:
        """Whether weights may be fetched from a model hub; LAC and the patterns never do."""
        ...

    @property
    def ner_task(self) -> str:
        """Task of a `taskflow` model: one of `pipeline.ner.taskflow.folder.TASKS`; empty: detect from its folder."""
        ...

    @property
    def ner_schema(self) -> str:
        """Types a UIE model extracts: a JSON list of names, or a file with one; empty: the model's schema.json."""
        ...

    @property
    def ner_model_name(self) -> str:
        """Name of a `taskflow` model on the hub, if no folder is given."""
        ...


class _Factory(NamedTuple):
    """How an engine is created, and how its model is identified without loading it."""

    load: Callable[[NerSettings], NerEngine]
    describe: Callable[[NerSettings], ModelInfo]


def load(settings: NerSettings) -> NerEngine:
    """Create the engine that the settings name; model weights may be loaded with the first text only.

    Each mention names its model. Raises `UsageError` for an unknown engine or device, `ModelMissing` if
    weights or Paddle are missing.
    """
    engines = [_factory(spec.name).load(spec.narrow(settings)) for spec in specs.parse(settings.ner_engine)]
    return JoinedEngine(engines, identity.of_several([engine.info for engine in engines]))


def describe(settings: NerSettings) -> ModelInfo:
    """Identify the model, or the models joined by "+": equal to `load(settings).info`, without loading them.

    A registered engine without `describe` is loaded for this. Raises as `load` does, but does not
    detect an invalid device.
    """
    found = specs.parse(settings.ner_engine)
    return identity.of_several([_factory(spec.name).describe(spec.narrow(settings)) for spec in found])


def _load_lac(settings: NerSettings) -> NerEngine:
    from pipeline.ner.lac import LacEngine

    return JoinedEngine([LacEngine(settings), _load_patterns(settings)], identity.of_lac_joined(settings))


def _load_patterns(settings: NerSettings) -> NerEngine:
    from pipeline.ner.pattern_engine import PatternEngine

    return PatternEngine(identity.of_patterns(settings))


def _load_trained(settings: NerSettings) -> NerEngine:
    from pipeline.ner.trained import TrainedEngine

    return TrainedEngine(settings)


def _load_taskflow(settings: NerSettings) -> NerEngine:
    from pipeline.ner.taskflow import TaskflowEngine

    return TaskflowEngine(settings)


def _describe_taskflow(settings: NerSettings) -> ModelInfo:
    from pipeline.ner.taskflow import describe

    return describe(settings)


_BUILT_IN = {
    "lac": _Factory(_load_lac, identity.of_lac_joined),
    "patterns": _Factory(_load_patterns, identity.of_patterns),
    "crf": _Factory(_load_trained, identity.of_trained),
    "taskflow": _Factory(_load_taskflow, _describe_taskflow),
}


def _factory(name: str) -> _Factory:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    registered = {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}
    if name not in registered:
        known = ", ".join([*_BUILT_IN, *sorted(n for n in registered if not n.startswith("fake-"))])
        raise UsageError(f"Unknown NER engine '{name}': choose one of {known}.", code="unknown_engine")
    load = registered[name].load()
    return _Factory(load, getattr(load, "describe", lambda settings: load(settings).info))
