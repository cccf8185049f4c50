"""Where the model comes from, and its name and digest: told without Paddle and without the network."""

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
    """What the settings ask for. `model` is `None` as long as only the hub may have it."""

    name: str
    task: str
    model: folder.Model | None
    schema: tuple[str, ...]

    def open(self) -> folder.Model:
        """Return the model's folder, fetched from the hub if need be; raises as `hub.fetch` does."""
        return self.model or folder.look(hub.fetch(self.name, self.task), self.task)


def find(settings: NerSettings) -> Source:
    """Look for the model in its folder; without a folder, and with permission, name one of the hub.

    Raises `ModelMissing` for what is not there, `UsageError` for settings that don't fit.
    """
    names: tuple[str, ...] = ()
    if settings.ner_model_dir is not None:
        directory = Path(settings.ner_model_dir)
        model = folder.look(directory, settings.ner_task)
        if model.layout.task == folder.UIE:
            names = schema.load(settings.ner_schema, directory)
        if model.layout is folder.TOKENS:
            _ = model.labels  # a model without labels is refused at once
        return Source(directory.resolve().name, model.layout.task, model, names)
    if not settings.ner_download:
        raise ModelMissing(
            "The NER engine taskflow brings no model: name a folder (taskflow=FOLDER, or "
            "NIGHTSHIFT_NER_MODEL_DIR), or allow the hub with NIGHTSHIFT_NER_DOWNLOAD=true."
        )
    name, task = hub.choose(settings.ner_model_name, settings.ner_task)
    if task == folder.UIE:
        names = schema.load(settings.ner_schema, None)
    return Source(name, task, None, names)


def describe(settings: NerSettings) -> ModelInfo:
    """Name the model: equal to the engine's `info`. A model of the hub is known by its name alone.

    Raises as `find` does, and `ModelMissing` when Paddle or PaddleNLP is not installed.
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
