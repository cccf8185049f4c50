"""What a folder with a PaddleNLP model holds: told from its files, without importing Paddle.

PaddleNLP goes to the network for a file it misses, so every file it would open is looked for here first.
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
    """One kind of folder. `files`: all that must be there, alternatives parted by "|"."""

    name: str
    task: str
    files: tuple[str, ...]
    converted: bool
    """Whether PaddleNLP converts the weights to a static model before it uses them."""


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
    """A folder in which nothing is missing."""

    folder: Path
    layout: Layout
    files: tuple[str, ...]
    config: dict[str, Any]

    @property
    def positions(self) -> int:
        """Most tokens the model reads at once."""
        return int(self.config.get("max_position_embeddings", 512))

    @property
    def labels(self) -> tuple[str, ...]:
        """What a token classifier's outputs mean.

        Raises `ModelMissing` when config.json does not name them.
        """
        named = self.config.get("id2label")
        if not isinstance(named, dict) or not labels.are_named(list(map(str, named.values()))):
            raise ModelMissing(
                f"{self.folder / 'config.json'} names no labels: add id2label, such as "
                '{"0": "O", "1": "B-PER", "2": "I-PER"}.'
            )
        if sorted(named) != sorted(str(number) for number in range(len(named))):
            raise ModelMissing(
                f"The id2label of {self.folder / 'config.json'} leaves out numbers: name all from 0 on."
            )
        return tuple(str(named[str(number)]) for number in range(len(named)))

    def digest(self) -> str:
        """Hash of all files that the results depend on (SHA-256, hex)."""
        whole = hashlib.sha256()
        for name in self.files:
            path = self.folder / name
            stat = path.stat()
            whole.update(f"{name}\0{_file_digest(path, stat.st_size, stat.st_mtime_ns)}\0".encode())
        return whole.hexdigest()


def look(folder: Path, task: str) -> Model:
    """Tell what a folder holds; `task` is one of `TASKS`, or empty to find out.

    Raises `ModelMissing` naming the file that is not there, `UsageError` for a task that is none or that
    this folder is not made for.
    """
    if task and task not in TASKS:
        raise UsageError(f"There is no NER task '{task}': NIGHTSHIFT_NER_TASK is one of {', '.join(TASKS)}.")
    if not folder.is_dir():
        raise ModelMissing(f"The NER model folder {folder} does not exist.")
    config = _config(folder)
    layout = _layout(folder, config) or _OF_TASK.get(task)
    if layout is None:
        raise UsageError(
            f"{folder} does not tell what kind of model it holds (no word.dic, no tags.txt, and no known "
            f"architecture in config.json): set NIGHTSHIFT_NER_TASK to one of {', '.join(TASKS)}."
        )
    if task and layout.task != task:
        raise UsageError(
            f"{folder} holds a model for the task {layout.task}, but NIGHTSHIFT_NER_TASK is {task}: "
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
        raise ModelMissing(f"{path} is no JSON ({error}): copy the model again.") from None
    return cast("dict[str, Any]", config) if isinstance(config, dict) else {}


def _layout(folder: Path, config: dict[str, Any]) -> Layout | None:
    if any((folder / name).is_file() for name in LAC.files):
        only_weights = (folder / _WEIGHTS).is_file() and not (folder / LAC.files[0]).is_file()
        return LAC_WEIGHTS if only_weights else LAC
    named = config.get("architectures") or [""]
    architecture = str(named[0] if isinstance(named, list) else named)
    if architecture in ("UIEM", "UIEX"):
        raise UsageError(
            f"{folder} holds a {architecture} model, which Nightshift does not read: bring one of type UIE."
        )
    if architecture == "UIE":
        return UIE_MODEL
    if architecture.endswith("ForTokenClassification"):
        return TOKENS
    return WORDTAG if architecture == "ErnieCtmWordtagModel" or (folder / "tags.txt").is_file() else None


def _found(folder: Path, names: str) -> list[str]:
    """Those of some alternatives that are there, at least one: which of several PaddleNLP opens is its choice."""
    if found := [name for name in names.split("|") if (folder / name).is_file()]:
        return found
    raise ModelMissing(
        f"The NER model folder {folder} has no {' or '.join(names.split('|'))}: docs/how-to/ner-models.md lists what "
        "belongs there."
    )


@lru_cache(maxsize=64)
def _file_digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - a changed file is read anew
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
