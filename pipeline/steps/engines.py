"""The models and rules of a process: described at once, loaded on first use, never before a fork or spawn."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pipeline import fields, ner, ocr
from pipeline.errors import PermanentError, UsageError
from pipeline.models import ModelInfo, Task
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.fields import Filler
    from pipeline.ner.base import NerEngine
    from pipeline.ocr.base import OcrEngine

READER_VERSION = "2"
"""Raise it when intake, layout or the text layer give other pages for the same bytes and model."""


class EnginesByTask:
    """The models for a task: a redriven one may have settings of its own. At most two sets of them stay loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made = lru_cache(maxsize=2)(self._make)

    def __call__(self, task: Task) -> Engines:
        """Raises `PermanentError` (`bad_override`) where the task's own settings don't fit."""
        return self._made(tuple(sorted(task.overrides.items())))

    def _make(self, overrides: tuple[tuple[str, str], ...]) -> Engines:
        try:
            return Engines(self._settings.replaced(dict(overrides)))
        except UsageError as error:
            raise PermanentError(
                f"The task's own settings can't be used: {error.message} Redrive it with others.",
                code="bad_override",
            ) from error


class Engines:
    """Holds at most one OCR and one NER engine; a document that needs neither loads neither."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def ocr_info(self) -> ModelInfo:
        """The OCR model that would be used."""
        return ocr.describe(self.settings)

    @cached_property
    def ner_info(self) -> ModelInfo:
        """The NER model that would be used."""
        return ner.describe(self.settings)

    @cached_property
    def fields_info(self) -> ModelInfo:
        """The rules and examples that fields would be found by."""
        return fields.describe(self.settings)

    @cached_property
    def ocr(self) -> OcrEngine:
        """The loaded OCR engine."""
        return ocr.load(self.settings)

    @cached_property
    def ner(self) -> NerEngine:
        """The loaded NER engine."""
        return ner.load(self.settings)

    @cached_property
    def fields(self) -> Filler:
        """The field rules, their classifier fitted."""
        return fields.load(self.settings)

    @cached_property
    def reading_digest(self) -> str:
        """What page checkpoints are kept under: model, rendering and reader version."""
        return self.settings.digest(READER_VERSION, self.ocr_info.digest)

    @cached_property
    def entities_digest(self) -> str:
        """What entities are kept under: the reading and the NER model."""
        return self.settings.digest(READER_VERSION, self.ocr_info.digest, self.ner_info.digest)

    @cached_property
    def digest(self) -> str:
        """What a whole result depends on besides the bytes."""
        return self.settings.digest(self.entities_digest, self.fields_info.digest)
