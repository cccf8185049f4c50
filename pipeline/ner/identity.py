"""Which NER model the settings name, told without importing Paddle or loading weights."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.models import ModelInfo
from pipeline.ner.lac_model import locate, paddle_version, weights_digest

if TYPE_CHECKING:
    from pipeline.ner import NerSettings


def of_lac(settings: NerSettings) -> ModelInfo:
    """Describe LAC joined with the patterns.

    Raises `ModelMissing` when the weights or Paddle are not installed.
    """
    parts = ["lac", weights_digest(locate(settings.ner_model_dir)), paddle_version(), version("numpy")]
    return ModelInfo(engine="lac", name="lac-small+patterns", digest=_digest(*parts))


def of_patterns(_: NerSettings) -> ModelInfo:
    """Describe the patterns alone."""
    return ModelInfo(engine="patterns", name="patterns", digest=_digest("patterns"))


def _digest(*parts: str) -> str:
    """Hash `parts` and the whole source of this room: whoever changes a rule changes the digest."""
    digest = hashlib.sha256("\0".join(parts).encode())
    room = Path(__file__).parent
    for path in sorted(room.rglob("*.py")):
        digest.update(f"\0{path.relative_to(room).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
