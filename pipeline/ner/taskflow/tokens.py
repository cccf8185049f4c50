"""A fine-tuned token classifier (such as ERNIE-Health) as a reader."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.ner.quiet_paddle import import_paddle, import_paddlenlp
from pipeline.ner.taskflow.folder import Model
from pipeline.ner.taskflow.labels import Span, spans
from pipeline.ner.taskflow.opening import complaints
from pipeline.ner.taskflow.windows import SIZE

_CHARACTER = re.compile(r"\S")
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_CHINESE_SHARE = 0.2
"""Minimum share of Han characters in a Chinese vocabulary (BERT Chinese: 0.36, multilingual: 0.1)."""


class TokenReader:
    """Reads character by character with a Chinese vocabulary, else word by word.

    PaddleNLP's own examples fine-tune this way (`msra_ner`; CBLUE for ERNIE-Health): one label per
    character, or one per word, of which the first piece counts.
    """

    by_line = False

    def __init__(self, model: Model, device: str, threads: int) -> None:
        """Load the weights onto `device`; raises `ModelMissing` if PaddleNLP can't open them."""
        self._paddle = import_paddle()
        import_paddlenlp()
        from paddlenlp.transformers import AutoModelForTokenClassification, AutoTokenizer

        self._paddle.set_device(device)
        self._paddle.base.core.set_num_threads(threads)
        self._labels = model.labels
        with complaints(model.folder):
            self._tokenizer = AutoTokenizer.from_pretrained(str(model.folder))
            self._network = AutoModelForTokenClassification.from_pretrained(str(model.folder))
            self._network.eval()
        self._unit = _CHARACTER if _is_chinese(model.folder / "vocab.txt") else _WORD
        self._known: dict[str, list[int]] = {}
        self.limit = max(1, min(SIZE, model.positions - 2))

    def read(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the spans of each text; their types are those of the model's labels."""
        units = [[match.span() for match in self._unit.finditer(text)] for text in texts]
        pieces = [
            [self._ids(text[start:end]) for start, end in row] for text, row in zip(texts, units, strict=True)
        ]
        longest = min(max(sum(map(len, row)) for row in pieces), self.limit) + 2
        ids = np.full((len(texts), longest), self._tokenizer.pad_token_id, np.int64)
        for line, row in zip(ids, pieces, strict=True):
            flat = [number for unit in row for number in unit][: longest - 2]
            line[0], line[len(flat) + 1] = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
            line[1 : len(flat) + 1] = flat
        chances = self._chances(ids)
        return [self._spans(*row) for row in zip(units, pieces, chances, strict=True)]

    def _ids(self, unit: str) -> list[int]:
        if unit not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            found = self._tokenizer.convert_tokens_to_ids(self._tokenizer.tokenize(unit))
            ids = found or [self._tokenizer.unk_token_id]
            self._known[unit] = ids[:1] if self._unit is _CHARACTER else ids
        return self._known[unit]

    def _chances(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the probabilities [B, T, labels] of token ids [B, T]."""
        with warnings.catch_warnings(), self._paddle.no_grad():
            warnings.simplefilter("ignore")
            output = self._network(self._paddle.to_tensor(ids))
            logits = output[0] if isinstance(output, tuple | list) else output
            chances: NDArray[np.float32] = self._paddle.nn.functional.softmax(
                logits.astype("float32"), axis=-1
            ).numpy()
        return chances

    def _spans(
        self, units: list[tuple[int, int]], pieces: list[list[int]], chances: NDArray[np.float32]
    ) -> list[Span]:
        firsts = np.cumsum([1, *map(len, pieces)])[:-1]
        firsts = firsts[firsts < len(chances) - 1]  # the rest was truncated
        best = chances[firsts].argmax(axis=-1)
        sure = chances[firsts, best].tolist()
        return spans([self._labels[label] for label in best], units[: len(firsts)], sure)


def _is_chinese(vocabulary: Path) -> bool:
    if not vocabulary.is_file():
        return False
    words = vocabulary.read_text("utf-8").split("\n")
    return sum(1 for word in words if len(word) == 1 and _HAN.match(word)) >= _CHINESE_SHARE * len(words)
