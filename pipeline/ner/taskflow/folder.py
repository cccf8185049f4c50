"""Detect the kind of PaddleNLP model in a folder from its files, without importing Paddle.

PaddleNLP downloads missing files, so every file it would open is checked here first.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from pipeline.errors import ModelMissing, UsageError
from pipeline.ner.taskflow import labels

NER, UIE, CLASSIFIER = "ner", "information_extraction", "token_classification"
TASKS = (NER, UIE, CLASSIFIER)

_WEIGHTS = "model_state.pdparams"
_TOKENIZER = ("tokenizer_config.json", "special_tokens_map.json")


class Layout(NamedTuple):
    """One kind of folder. `files`: the required files, alternatives separated by "|"."""

    name: str
    task: str
    files: tuple[str, ...]
    converted: bool
    """Whether PaddleNLP converts the weights to a static model before use."""


LAC = Layout("lac", NER, ("inference.json", "inference.pdiparams", "word.dic", "tag.dic", "q2b.dic"), False)
LAC_WEIGHTS = Layout("lac weights", NER, (_WEIGHTS, "word.dic", "tag.dic", "q2b.dic"), True)
WORDTAG = Layout("wordtag", NER, ("config.json", _WEIGHTS, "tags.txt", "vocab.txt", *_TOKENIZER), True)
UIE_MODEL = Layout("uie", UIE, ("config.json", _WEIGHTS, "vocab.txt", *_TOKENIZER), True)
TOKENS = Layout(
    "classifier",
    CLASSIFIER,
    ("config.json", f"{_WEIGHTS}|model.safetensors", "vocab.txt|sentencepiece.bpe.model", *_TOKENIZER),
    False,
)
_OF_TASK = {NER: WORDTAG, UIE: UIE_MODEL, CLASSIFIER: TOKENS}


class Model(NamedTuple):
    """A complete model folder."""

    folder: Path
    layout: Layout
    files: tuple[str, ...]
    config: dict[str, Any]

    @property
    def positions(self) -> int:
        """Maximum number of tokens per input."""
        return int(self.config.get("max_position_embeddings", 512))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of a token classifier's outputs.

        Raises `ModelMissing` if config.json does not name them.
        """
        named = self.config.get("id2label")
        if not isinstance(named, dict) or not labels.are_named(list(map(str, named.values()))):
            raise ModelMissing(
                f"{self.folder / 'config.json'} names no labels: add id2label, such as "
                '{"0": "O", "1": "B-PER", "2": "I-PER"}.'
            )
        if sorted(named) != sorted(str(number) for number in range(len(named))):
            raise ModelMissing(
                f"The id2label of {self.folder / 'config.json'} skips numbers: name all, starting at 0."
            )
        return tuple(str(named[str(number)]) for number in range(len(named)))

    def digest(self) -> str:
        """Hash of all files that results depend on (SHA-256, hex)."""
        whole = hashlib.sha256()
        for name in self.files:
            path = self.folder / name
            stat = path.stat()
            whole.update(f"{name}\0{_file_digest(path, stat.st_size, stat.st_mtime_ns)}\0".encode())
        return whole.hexdigest()


def look(folder: Path, task: str) -> Model:
    """Identify the model in a folder; `task` is one of `TASKS`, or empty to detect it.

    Raises `ModelMissing` naming the missing file, `UsageError` for a task that is unknown or does not match
    the folder.
    """
    if task and task not in TASKS:
        raise UsageError(f"Unknown NER task '{task}': set NIGHTSHIFT_NER_TASK to one of {', '.join(TASKS)}.")
    if not folder.is_dir():
        raise ModelMissing(f"The NER model folder {folder} does not exist.")
    config = _config(folder)
    layout = _layout(folder, config) or _OF_TASK.get(task)
    if layout is None:
        raise UsageError(
            f"Can't detect the kind of model in {folder} (no word.dic, no tags.txt, and no known "
            f"architecture in config.json): set NIGHTSHIFT_NER_TASK to one of {', '.join(TASKS)}."
        )
    if task and layout.task != task:
        raise UsageError(
            f"{folder} contains a model for the task {layout.task}, but NIGHTSHIFT_NER_TASK is {task}: "
            "change it, or leave it empty."
        )
    return Model(
        folder, layout, tuple(name for names in layout.files for name in _found(folder, names)), config
    )


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelMissing(f"{path} is not valid JSON ({error}): copy the model again.") from None
    return cast("dict[str, Any]", config) if isinstance(config, dict) else {}


def _layout(folder: Path, config: dict[str, Any]) -> Layout | None:
    if any((folder / name).is_file() for name in LAC.files):
        only_weights = (folder / _WEIGHTS).is_file() and not (folder / LAC.files[0]).is_file()
        return LAC_WEIGHTS if only_weights else LAC
    named = config.get("architectures") or [""]
    architecture = str(named[0] if isinstance(named, list) else named)
    if architecture in ("UIEM", "UIEX"):
        raise UsageError(
            f"{folder} contains a {architecture} model, which is not supported: use one of type UIE."
        )
    if architecture == "UIE":
        return UIE_MODEL
    if architecture.endswith("ForTokenClassification"):
        return TOKENS
    return WORDTAG if architecture == "ErnieCtmWordtagModel" or (folder / "tags.txt").is_file() else None


def _found(folder: Path, names: str) -> list[str]:
    """The alternatives that exist, at least one; if there are several, PaddleNLP chooses which to open."""
    if found := [name for name in names.split("|") if (folder / name).is_file()]:
        return found
    raise ModelMissing(
        f"{' or '.join(names.split('|'))} not found in the NER model folder {folder}: docs/how-to/ner-models.md lists "
        "the required files."
    )


@lru_cache(maxsize=64)
def _file_digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - a changed file is read again
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
