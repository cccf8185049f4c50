"""Identify the NER model that the settings name, without importing Paddle or loading weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from pipeline.models import ModelInfo
from pipeline.ner import model_folder
from pipeline.ner.lac_model import locate, paddle_version, weights_digest

if TYPE_CHECKING:
    from pipeline.ner import NerSettings

RULES_VERSION = 3
"""Raise it when a change in this room, `training/` apart, changes what is found (tests/unit/test_rules_versions.py)."""


def of_several(models: Sequence[ModelInfo]) -> ModelInfo:
    """Describe models that are used together; a single one keeps its own name and digest."""
    if len(models) == 1:
        return models[0]
    return ModelInfo(
        engine="+".join(model.engine for model in models),
        name="+".join(model.name for model in models),
        digest=digest(*(part for model in models for part in (model.engine, model.name, model.digest))),
    )


def of_lac(settings: NerSettings) -> ModelInfo:
    """Describe LAC alone.

    Raises `ModelMissing` if the weights or Paddle are not installed.
    """
    return _of_lac(settings, "lac-small")


def of_lac_joined(settings: NerSettings) -> ModelInfo:
    """Describe LAC joined with the patterns; raises as `of_lac` does."""
    return _of_lac(settings, "lac-small+patterns")


def _of_lac(settings: NerSettings, name: str) -> ModelInfo:
    weights = weights_digest(locate(settings.ner_model_dir))
    return ModelInfo(
        engine="lac", name=name, digest=digest(name, weights, paddle_version(), version("numpy"))
    )


def of_patterns(_: NerSettings) -> ModelInfo:
    """Describe the patterns alone."""
    return ModelInfo(engine="patterns", name="patterns", digest=digest("patterns"))


def of_trained(settings: NerSettings) -> ModelInfo:
    """Describe a model of `nightshift ner train`.

    Raises `UsageError` if no folder is named, `ModelMissing` if it contains no model.
    """
    folder = model_folder.locate(settings.ner_model_dir)
    weights = model_folder.weights_digest(folder)
    return ModelInfo(
        engine="crf",
        name=model_folder.read_card(folder).name,
        digest=digest("crf", weights, paddle_version(), version("numpy")),
    )


def digest(*parts: str) -> str:
    """Hash `parts` and the version of the rules: 16 hex digits.

    How models are trained is left out: a trained model's weights are among the parts.
    """
    return hashlib.sha256("\0".join((str(RULES_VERSION), *parts)).encode()).hexdigest()[:16]
