"""The two kinds of `Taskflow` as readers: a batch of short texts in, spans with offsets out."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from pipeline.errors import ModelMissing, UsageError
from pipeline.ner.taskflow.folder import WORDTAG, Model
from pipeline.ner.taskflow.labels import Span
from pipeline.ner.taskflow.windows import SIZE

UNKNOWN_CONFIDENCE = 0.5
"""Confidence of all spans of `Taskflow("ner")`, which gives no probabilities."""

_LENGTHS = (64, 128, 256, 512)
"""Lengths in tokens that batches are padded to: few different shapes, and short texts stay cheap."""


class Reader(Protocol):
    """An open model.

    `limit`: maximum number of characters per text; `by_line`: whether each line is read separately.
    """

    limit: int
    by_line: bool

    def read(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the spans of each text; no text may be blank or longer than `limit`."""
        ...


class WordReader:
    """`Taskflow("ner")`: LAC or wordtag split a text into tagged words; those with an entity tag are kept.

    Both were trained on sentences, and short pieces in full batches are several times faster.
    """

    limit = SIZE
    by_line = True

    def __init__(self, flow: Any, model: Model) -> None:
        """Raises `ModelMissing` for a wordtag folder with which PaddleNLP would shift all tags."""
        task = flow.task_instance
        if model.layout is WORDTAG and task._tokenizer.cls_num != task.summary_num:
            raise ModelMissing(
                f"{model.folder / 'tokenizer_config.json'} says cls_num {task._tokenizer.cls_num}, but wordtag "
                f"has {task.summary_num}: correct it."
            )
        from paddlenlp.taskflow import named_entity_recognition as tags

        self._flow = flow
        self._no_entity = frozenset([*tags.POS_LABEL_WORDTAG, *tags.POS_LABEL_LAC, "O"])

    def read(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the spans of each text. Their types are the model's tags, such as `PER` or `人物类_实体`."""
        return _read_all(texts, self._read)

    def _read(self, texts: list[str]) -> list[list[Span]]:
        answer = self._flow(texts)
        answers = [answer] if len(texts) == 1 else answer
        return [list(self._spans(text, words)) for text, words in zip(texts, answers, strict=True)]

    def _spans(self, text: str, words: Sequence[tuple[str, str]]) -> Iterator[Span]:
        """Compute the offsets of the words, which follow each other in the text."""
        at = 0
        for word, tag in words:
            start = text.find(word, at)
            if start < 0:
                continue
            at = start + len(word)
            if tag not in self._no_entity:
                yield Span(start, at, tag, UNKNOWN_CONFIDENCE)


class SchemaReader:
    """`Taskflow("information_extraction")`: UIE searches the text for each name of a schema.

    Lu et al. 2022, "Unified Structure Generation for Universal Information Extraction" (arXiv 2203.12277);
    PaddleNLP's models point at start and end of a span instead.
    """

    by_line = False

    def __init__(self, flow: Any, model: Model, schema: Sequence[str]) -> None:
        """Raises `UsageError` if the schema's names leave no room for text."""
        self._flow = flow
        self._prompt = max(map(len, schema)) + 3  # [CLS] name [SEP] text [SEP]
        self._room = min(_LENGTHS[-1], model.positions)
        self.limit = min(SIZE, self._room - self._prompt)
        if self.limit < 16:
            raise UsageError(
                f"The model in {model.folder} reads at most {model.positions} tokens: too few for the names in "
                "its schema; shorten them."
            )

    def read(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the spans of each text; their types are the schema's names."""
        return _read_all(texts, self._read)

    def _read(self, texts: list[str]) -> list[list[Span]]:
        needed = max(map(len, texts)) + self._prompt
        length = next((length for length in _LENGTHS if length >= needed), self._room)
        self._flow.set_argument({"max_seq_len": min(length, self._room)})
        answers = self._flow(texts)
        return [
            [
                Span(found["start"], found["end"], name, float(found["probability"]))
                for name, each in answer.items()
                for found in each
                if "start" in found  # else it refers to the schema's name
            ]
            for answer in answers
        ]


class _Steady(dict[int, int]):
    """Replace characters that a tokenizer drops or lengthens, which shifts offsets, by others of length one."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        category = unicodedata.category(character)
        if category.startswith("C") or category == "Mn" or code == 0xFFFD:
            self[code] = ord(" ")
        elif character in "Σς":  # lower case depends on the neighbours
            self[code] = ord("σ")
        else:
            self[code] = code if len(character.lower()) == 1 else ord(character.lower()[0])
        return self[code]


_STEADY = _Steady()


def _read_all(texts: Sequence[str], read: Callable[[list[str]], list[list[Span]]]) -> list[list[Span]]:
    """Read the texts after replacing characters that confuse a tokenizer; texts of nothing else have no spans.

    PaddleNLP refuses or drops blank texts, such as a line with only a bullet from a private-use area.
    """
    steady = [text.translate(_STEADY) for text in texts]
    written = [text for text in steady if not text.isspace()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = iter(read(written) if written else [])
    return [[] if text.isspace() else next(answers) for text in steady]
