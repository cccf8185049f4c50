"""The models and rules of a process: described without loading, loaded on first use, never before a fork or spawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeVar

from pipeline import fields, ner, ocr, telemetry
from pipeline.errors import PermanentError, UsageError
from pipeline.models import ModelInfo, Task
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.fields import Filler
    from pipeline.ner.base import NerEngine
    from pipeline.ocr.base import OcrEngine

T = TypeVar("T")

READER_VERSION = "3"
"""Increase it when decoding, layout or the text layer give different pages for the same bytes and model."""


class EnginesByTask:
    """The engines for a task, which may override settings (after a redrive). At most two sets stay loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made = lru_cache(maxsize=2)(self._make)

    def __call__(self, task: Task) -> Engines:
        """Raises `PermanentError` (`bad_override`) when the task's own settings are invalid."""
        return self._made(tuple(sorted(task.overrides.items())))

    def _make(self, overrides: tuple[tuple[str, str], ...]) -> Engines:
        try:
            return Engines(self._settings.replaced(dict(overrides)))
        except UsageError as error:
            raise PermanentError(
                f"The task's own settings are invalid: {error.message} Redrive it with other settings.",
                code="bad_override",
            ) from error


class Engines:
    """At most one OCR and one NER engine, each loaded by the first document that needs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def ocr_info(self) -> ModelInfo:
        """The OCR model that these settings select."""
        return ocr.describe(self.settings)

    @cached_property
    def ner_info(self) -> ModelInfo:
        """The NER model that these settings select."""
        return ner.describe(self.settings)

    @cached_property
    def fields_info(self) -> ModelInfo:
        """The rules and examples that find the fields."""
        return fields.describe(self.settings)

    @cached_property
    def ocr(self) -> OcrEngine:
        """The loaded OCR engine."""
        return _timed("ocr", lambda: ocr.load(self.settings))

    @cached_property
    def ner(self) -> NerEngine:
        """The loaded NER engine."""
        return _timed("ner", lambda: ner.load(self.settings))

    @cached_property
    def fields(self) -> Filler:
        """The field rules, their classifier fitted."""
        return _timed("fields", lambda: fields.load(self.settings))

    @contextmanager
    def computing(self, what: str) -> Iterator[None]:
        """Count the time inside as time during which a model computed: `ocr` or `ner`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            telemetry.count("nightshift_device_busy_seconds_total", self._device(what), by=seconds)

    def _device(self, what: str) -> str:
        """Where a model computes: `cpu`, or a GPU with its number."""
        device = self.settings.ocr_device if what == "ocr" else self.settings.ner_device
        return "gpu:0" if device == "gpu" else device

    @cached_property
    def reading_digest(self) -> str:
        """Key of page checkpoints: limits, OCR model and reader version."""
        return self.settings.digest(READER_VERSION, self.ocr_info.digest)

    @cached_property
    def entities_digest(self) -> str:
        """Key of stored entities: limits, OCR and NER models, and reader version."""
        return self.settings.digest(READER_VERSION, self.ocr_info.digest, self.ner_info.digest)

    @cached_property
    def digest(self) -> str:
        """Everything that a result depends on apart from the bytes."""
        return self.settings.digest(self.entities_digest, self.fields_info.digest)


def _timed(step: str, load: Callable[[], T]) -> T:
    """Load the models of a step, its seconds counted."""
    started = time.perf_counter()
    loaded = load()
    telemetry.observe("nightshift_model_load_seconds", time.perf_counter() - started, step)
    return loaded
