"""The folder of a trained model: its files, and the card that describes its origin."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import ModelMissing, UsageError
from pipeline.ner import static
from pipeline.ner.scores import Scores

CARD, TAGS, VOCABULARY = "model.json", "tags.txt", "vocabulary.txt"
_WEIGHTS = ("inference.pdiparams", "transitions.npy")
FILES = (CARD, TAGS, VOCABULARY, *static.FILES)


class Card(msgspec.Struct, kw_only=True):
    """`model.json`. `reads`: how text is prepared (`lac`: as LAC reads it, `width`: half-width forms alone).

    `labels` describes the label file, `held_out` has the scores on the held-out part (`None`: nothing was
    held out), `recipe` and `versions` say how it was trained.
    """

    name: str
    reads: str
    types: list[str]
    trained_at: str = ""
    seconds: float = 0.0
    epochs: int = 0
    best_epoch: int = 0
    labels: dict[str, Any] = {}
    held_out: Scores | None = None
    recipe: dict[str, Any] = {}
    versions: dict[str, str] = {}
    format: int = 1


def locate(directory: str | None) -> Path:
    """Return the folder of a trained model.

    Raises `UsageError` if none is named, `ModelMissing` naming the missing file.
    """
    if not directory:
        raise UsageError("The NER engine 'crf' needs the folder of a trained model: write crf=FOLDER.")
    folder = Path(directory)
    for name in FILES:
        if not (folder / name).is_file():
            raise ModelMissing(
                f"{name} not found in the model folder {folder}: name one that `nightshift ner train` wrote."
            )
    return folder


def read_card(folder: Path) -> Card:
    """Read `model.json`; raises `ModelMissing` if it is invalid."""
    try:
        card = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    except msgspec.DecodeError as error:
        raise ModelMissing(f"{folder / CARD} is not a model card ({error}): train the model again.") from None
    if card.format != 1:
        raise ModelMissing(f"{folder / CARD} has format {card.format}: this version of Nightshift reads 1.")
    return card


def weights_digest(folder: Path) -> str:
    """Hash weights, tags, vocabulary, and the card's rule for preparing text (SHA-256, hex).

    `inference.json` is excluded: names that Paddle generates differ from run to run.
    """
    digest = hashlib.sha256(read_card(folder).reads.encode())
    for name in (TAGS, VOCABULARY, *_WEIGHTS):
        digest.update(b"\0" + name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


def write_card(folder: Path, card: Card) -> None:
    """Write `model.json`, indented."""
    (folder / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


def read_lines(path: Path) -> list[str]:
    """The lines of `tags.txt` or `vocabulary.txt`, in order; raises `ModelMissing` if it is not text."""
    try:
        return path.read_text("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise ModelMissing(f"{path} is not UTF-8 text: train the model again.") from None
