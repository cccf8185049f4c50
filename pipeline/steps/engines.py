"""The models and rules of a process: described without loading, loaded on first use, never before a fork or spawn.

The rooms of NER and of fields are imported on first use too: their patterns take a second, and each worker, scheduler
and command has processes that read nothing.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from pipeline import guard, ocr, telemetry
from pipeline.device.host import addresses
from pipeline.errors import PermanentError, RunError, UsageError
from pipeline.models import ModelInfo, Task
from pipeline.settings import Settings
from pipeline.telemetry.devices import used

if TYPE_CHECKING:
    from pipeline.device.client import Client
    from pipeline.fields.filler import Filler
    from pipeline.ner.base import NerEngine
    from pipeline.ocr.base import OcrEngine
    from pipeline.ocr.batched import Answer, Kind
    from pipeline.ocr.cuts import Image

T = TypeVar("T")

READER_VERSION = "5"
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
            return Engines(_of_device(self._settings, self._settings.replaced(dict(overrides))))
        except UsageError as error:
            raise PermanentError(
                f"The task's own settings are invalid: {error.message} Redrive it with other settings.",
                code="bad_override",
            ) from error


def _of_device(base: Settings, own: Settings) -> Settings:
    """A task's own settings: with other models than the devices have, on the CPU of this process."""
    if (base.ocr_engine, base.ocr_model_dir) == (own.ocr_engine, own.ocr_model_dir) or not own.devices:
        return own
    return structs.replace(own, devices="", ocr_device="cpu")


class Engines:
    """At most one OCR and one NER engine, each loaded by the first document that needs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.urgent = False  # whether what is read now comes before other documents, at a device
        self._waits = threading.local()
        self._gpu = threading.local()  # `seconds` for which one has computed in this process

    @cached_property
    def ocr_info(self) -> ModelInfo:
        """The OCR model that these settings select."""
        return ocr.describe(self.settings)

    @cached_property
    def ner_info(self) -> ModelInfo:
        """The NER model that these settings select."""
        from pipeline import ner

        return ner.describe(self.settings)

    @cached_property
    def fields_info(self) -> ModelInfo:
        """The rules and examples that find the fields."""
        from pipeline import fields

        return fields.describe(self.settings)

    @property
    def shared(self) -> bool:
        """Whether the OCR models are those of a device, held by a process that all documents in progress ask."""
        return bool(self.settings.devices)

    @cached_property
    def ocr(self) -> OcrEngine:
        """The OCR engine: loaded, or one that asks a device."""
        if self.shared:
            _device()  # raises where there is none
            return ocr.asking(self.settings, self._ask)
        engine = _timed("ocr", lambda: ocr.load(self.settings))
        if engine.info != self.ocr_info:
            raise RunError(
                "The OCR models were replaced while this process ran: start it again, so that results name the models "
                "that read them."
            )
        if self.settings.ocr_engine == "remote":
            from pipeline.served.engine import RemoteEngine

            assert isinstance(engine, RemoteEngine)
            engine.deadline = self._until
        return engine

    def _ask(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        return _device().ask(kind, images, urgent=self.urgent, wait_until=self._until())

    def _until(self) -> float:
        until: float = getattr(self._waits, "until", math.inf)
        return until

    def wait_until(self, until: float) -> None:
        """Have this thread wait for a device that loads, or for OCR servers, until then, by `time.monotonic()`."""
        self._waits.until = until

    @cached_property
    def ner(self) -> NerEngine:
        """The loaded NER engine."""
        from pipeline import ner

        return _timed("ner", lambda: ner.load(self.settings))

    @cached_property
    def fields(self) -> Filler:
        """The field rules, their classifier fitted."""
        from pipeline import fields

        return _timed("fields", lambda: fields.load(self.settings))

    def clock(self) -> float:
        """What the seconds of a page are measured by: the time that passes for this thread.

        Of the time for which it waits for a device, only what that computes for it.
        """
        waited = _device().waited if self.shared and "ocr" in self.__dict__ else 0.0
        return time.perf_counter() - waited

    def gpu_clock(self) -> float:
        """Seconds that a GPU has computed OCR for this thread so far."""
        if self.shared:
            on_gpu = "ocr" in self.__dict__ and self.settings.devices != "cpu"
            return _device().computed if on_gpu else 0.0
        seconds: float = getattr(self._gpu, "seconds", 0.0)
        return seconds

    @contextmanager
    def computing(self, what: str) -> Iterator[None]:
        """Count the time inside as time during which a model computed: `ocr` or `ner`; not what computes elsewhere.

        A device counts its own; of a server nobody here knows for how long it computed.
        """
        if what == "ocr" and (self.shared or self.settings.ocr_engine == "remote"):
            yield
            return
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds, device = time.perf_counter() - started, self._device(what)
            telemetry.count("nightshift_device_busy_seconds_total", device, by=seconds)
            if what == "ocr" and device != "cpu":
                self._gpu.seconds = self.gpu_clock() + seconds

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


_loaded: set[str] = set()


def memory(settings: Settings) -> dict[str, float]:
    """MiB that the models of this process have in use, by device; none before they are loaded.

    On a GPU, what its driver says of all processes together.
    """
    if not _loaded & {"ocr", "ner"}:
        return {}
    names = {"gpu:0" if name == "gpu" else name for name in (settings.ocr_device, settings.ner_device)}
    if settings.devices:
        names.discard("cpu")  # what a device of its own needs is counted by those who hold it
    found = {name: guard.resident() if name == "cpu" else used(name) for name in sorted(names)}
    return {name: size / 2**20 for name, size in found.items() if size}


@cache
def _device() -> Client:
    """What asks the devices, for all threads of this process."""
    from pipeline.device.client import Client

    return Client(addresses())


def _timed(step: str, load: Callable[[], T]) -> T:
    """Load the models of a step, its seconds counted."""
    started = time.perf_counter()
    loaded = load()
    _loaded.add(step)
    telemetry.observe("nightshift_model_load_seconds", time.perf_counter() - started, step)
    return loaded
