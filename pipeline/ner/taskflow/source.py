"""Determine a model's origin, name and digest, without Paddle and without the network."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import ModelMissing
from pipeline.models import ModelInfo
from pipeline.ner import identity
from pipeline.ner.lac_model import paddle_version
from pipeline.ner.taskflow import folder, hub, schema

if TYPE_CHECKING:
    from pipeline.ner import NerSettings


class Source(NamedTuple):
    """The model that the settings ask for. `model` is `None` if it has to come from the hub."""

    name: str
    task: str
    model: folder.Model | None
    schema: tuple[str, ...]

    def open(self) -> folder.Model:
        """Return the model's folder, fetched from the hub if necessary; raises as `hub.fetch` does."""
        return self.model or folder.look(hub.fetch(self.name, self.task), self.task)


def find(settings: NerSettings) -> Source:
    """Locate the model in its folder; without a folder, and if allowed, name one of the hub.

    Raises `ModelMissing` for missing files, `UsageError` for invalid settings.
    """
    names: tuple[str, ...] = ()
    if settings.ner_model_dir is not None:
        directory = Path(settings.ner_model_dir)
        model = folder.look(directory, settings.ner_task)
        if model.layout.task == folder.UIE:
            names = schema.load(settings.ner_schema, directory)
        if model.layout is folder.TOKENS:
            _ = model.labels  # refuse a model without labels early
        return Source(directory.resolve().name, model.layout.task, model, names)
    if not settings.ner_download:
        raise ModelMissing(
            "The NER engine taskflow has no default model: name a folder (taskflow=FOLDER, or "
            "NIGHTSHIFT_NER_MODEL_DIR), or allow the hub with NIGHTSHIFT_NER_DOWNLOAD=true."
        )
    name, task = hub.choose(settings.ner_model_name, settings.ner_task)
    if task == folder.UIE:
        names = schema.load(settings.ner_schema, None)
    return Source(name, task, None, names)


def describe(settings: NerSettings) -> ModelInfo:
    """Identify the model: equal to the engine's `info`. A hub model is identified by its name alone.

    Raises as `find` does, and `ModelMissing` if Paddle or PaddleNLP is not installed.
    """
    source = find(settings)
    try:
        versions = [paddle_version(), version("paddlenlp")]
    except PackageNotFoundError:
        raise ModelMissing("PaddleNLP is not installed: install 'nightshift[paddlenlp]'.") from None
    weights = source.model.digest() if source.model else f"hub {source.name}"
    return ModelInfo(
        engine="taskflow",
        name=source.name,
        digest=identity.digest("taskflow", source.task, weights, *source.schema, *versions),
    )
