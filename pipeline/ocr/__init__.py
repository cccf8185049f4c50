"""The OCR room: one engine instance per process, chosen by settings.

`load` creates an engine, `describe` identifies it without creating it (for keys and resume).
Further engines register under the entry point group `nightshift.ocr`: a callable that takes the
settings and returns an `OcrEngine`, with a `describe(settings) -> ModelInfo` attribute if its digest
is known without loading models.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ocr import identity
from pipeline.ocr.base import OcrEngine, PageReading

if TYPE_CHECKING:
    from pipeline.ocr.batched import Ask, BatchModels

__all__ = [
    "ENTRY_POINTS",
    "OcrEngine",
    "OcrSettings",
    "PageReading",
    "asking",
    "describe",
    "load",
    "load_models",
]

ENTRY_POINTS = "nightshift.ocr"


class OcrSettings(Protocol):
    """Settings of an engine; any object with these attributes will do."""

    @property
    def ocr_engine(self) -> str:
        """`rapidocr`, `paddleocr`, or the name of an entry point."""
        ...

    @property
    def ocr_device(self) -> str:
        """`cpu`, `gpu` or `gpu:N`."""
        ...

    @property
    def ocr_model_dir(self) -> str | None:
        """Folder with `det/` and `rec/`; `None`: the weights in the rapidocr wheel."""
        ...

    @property
    def ocr_max_side(self) -> int:
        """Longest side, in pixels, for text detection (see `reading.detection_side`)."""
        ...

    @property
    def ocr_threads(self) -> int:
        """Compute threads of one engine."""
        ...

    @property
    def ocr_download(self) -> bool:
        """Whether weights may be fetched from a model hub."""
        ...


def load(settings: OcrSettings) -> OcrEngine:
    """Create the engine that the settings name.

    Raises `UsageError` for an unknown engine or a device it can't use, `ModelMissing` if its
    weights are missing.
    """
    engine: OcrEngine = _factory(settings.ocr_engine)(settings)
    return engine


def describe(settings: OcrSettings) -> ModelInfo:
    """Identify the engine's model: equal to `load(settings).info`, without loading it.

    A registered engine without `describe` is loaded for this. Raises as `load` does, but does not
    detect an unavailable device.
    """
    if settings.ocr_engine == "rapidocr":
        return identity.of_rapid(settings)
    if settings.ocr_engine == "paddleocr":
        return identity.of_paddle(settings)
    factory = _factory(settings.ocr_engine)
    if not hasattr(factory, "describe"):
        engine: OcrEngine = factory(settings)
        return engine.info
    info: ModelInfo = factory.describe(settings)
    return info


def load_models(settings: OcrSettings, device: str) -> BatchModels:
    """Load the models of the engine alone, on `cpu` or `gpu:N`, to compute batches of images of many documents.

    Raises as `load` does, and `UsageError` if the engine can't do so.
    """
    models: BatchModels = _shared(settings, "models")(settings, device)
    return models


def asking(settings: OcrSettings, ask: Ask) -> OcrEngine:
    """Create the engine without its models, which `ask` reaches: it reads what `load(settings)` reads.

    Raises as `load_models` does.
    """
    engine: OcrEngine = _shared(settings, "asking")(settings, ask)
    return engine


def _shared(settings: OcrSettings, what: str) -> Any:
    factory = _factory(settings.ocr_engine)
    if not hasattr(factory, what):
        raise UsageError(
            f"The OCR engine '{settings.ocr_engine}' can't share its models between processes: "
            "unset NIGHTSHIFT_DEVICES.",
            code="not_shared",
        )
    return getattr(factory, what)


def _factory(name: str) -> Any:
    if name == "rapidocr":
        from pipeline.ocr.rapid import RapidEngine

        return RapidEngine
    if name == "paddleocr":
        from pipeline.ocr.paddle import PaddleEngine

        return PaddleEngine
    registered = {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}
    if name not in registered:
        known = ", ".join(
            ["rapidocr", "paddleocr", *sorted(n for n in registered if not n.startswith("fake-"))]
        )
        raise UsageError(f"Unknown OCR engine '{name}': choose one of {known}.", code="unknown_engine")
    return registered[name].load()
