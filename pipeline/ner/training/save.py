"""Write a trained model's folder atomically."""

from __future__ import annotations

import hashlib
import platform
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from pipeline.errors import RunError, UsageError
from pipeline.ner import static
from pipeline.ner.lac_model import paddle_version
from pipeline.ner.model_folder import CARD, TAGS, VOCABULARY, Card, write_card
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.sentences import Sentence
from pipeline.ner.training.train import Trained
from pipeline.version import __version__


def refuse_existing(target: Path, *, force: bool) -> None:
    """Raise `UsageError` if `target` exists, or with `force` if it is not a model."""
    if not target.exists():
        return
    if not force:
        raise UsageError(
            f"{target} already exists: name another folder, or use --force to replace the model."
        )
    if not target.is_dir() or (any(target.iterdir()) and not (target / CARD).is_file()):
        raise UsageError(f"{target} is not a model, so --force does not replace it: name another folder.")


def card_of(name: str, labels: Path, sentences: Sequence[Sentence], trained: Trained, recipe: Recipe) -> Card:
    """Describe a model's origin and scores."""
    entities = Counter(span.type for sentence in sentences for span in sentence.spans)
    return Card(
        name=name,
        reads=trained.plain,
        types=sorted(entities),
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(trained.seconds, 1),
        epochs=trained.epochs,
        best_epoch=trained.best_epoch,
        labels={
            "file": labels.name,
            "sha256": hashlib.sha256(labels.read_bytes()).hexdigest(),
            "sentences": len(sentences),
            "learned_from": trained.learned,
            "held_out": trained.held_out,
            "entities": dict(sorted(entities.items())),
        },
        held_out=trained.scores,
        recipe=msgspec.structs.asdict(recipe),
        versions={
            "nightshift": __version__,
            "paddle": paddle_version(),
            "numpy": version("numpy"),
            "python": platform.python_version(),
        },
    )


def save(trained: Trained, card: Card, recipe: Recipe, target: Path, *, force: bool) -> None:
    """Write the model to `target`; with `force` an existing model is replaced.

    Raises `UsageError` as `refuse_existing` does, `RunError` if the folder can't be written.
    """
    refuse_existing(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as room:
            draft, old = Path(room, "new"), Path(room, "old")
            draft.mkdir()
            _write(trained, card, recipe, draft)
            static.sync(draft)
            if target.exists():
                target.rename(old)
            draft.rename(target)
    except OSError as error:
        raise RunError(f"{target} can't be written ({error.strerror}): name another folder.") from error


def _write(trained: Trained, card: Card, recipe: Recipe, folder: Path) -> None:
    from pipeline.ner.training.start import network_of

    # Paddle writes weights in the order of their names, which otherwise count all layers created in the process.
    with import_paddle().utils.unique_name.guard():
        slow = network_of(trained.vocabulary, trained.tags, recipe, None, fast=False)
    slow.set_state_dict(trained.network.state_dict())
    slow.eval()
    static.export(slow, slow.steps.numpy(), folder)
    for name, rows in ((VOCABULARY, trained.vocabulary), (TAGS, trained.tags)):
        (folder / name).write_text("\n".join(rows) + "\n", "utf-8")
    write_card(folder, card)
