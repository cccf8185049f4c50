"""The LAC engine: Baidu's LAC-small on a Paddle predictor finds persons, places, organisations, times.

LAC reads Chinese only, so text without it costs nothing: Paddle is imported with the first Chinese
piece. Tags: Jiao, Sun and Sun 2018, "Chinese Lexical Analysis with Deep Bi-GRU-CRF Network"
(arXiv 1807.01882); for less certain words LAC uses the lower-case tags of the same meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.models import Mention
from pipeline.ner import identity
from pipeline.ner.characters import is_japanese
from pipeline.ner.crf import Lattice, best_paths
from pipeline.ner.lac_model import dictionary, locate, static_model
from pipeline.ner.lac_rules import Word, entities
from pipeline.ner.normalise import normalise
from pipeline.ner.pieces import chinese_pieces
from pipeline.ner.predictor import Scorer, checked_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.ner import NerSettings

BATCH = 32
"""Pieces per batch; since their length is bounded, so is memory, however long the text."""

TAGS = {"PER": ("PER", "nr"), "LOC": ("LOC", "ns"), "ORG": ("ORG", "nt"), "TIME": ("TIME", "t")}
_TYPES = {tag: kind for kind, tags in TAGS.items() for tag in tags}


class _Piece(NamedTuple):
    text: int  # index of its text
    offset: int
    characters: str


class LacEngine:
    """`NerEngine` for the types PER, LOC, ORG and TIME."""

    def __init__(self, settings: NerSettings) -> None:
        """Locate the model's files; the weights are loaded with the first Chinese text.

        Raises `ModelMissing` if a file is missing or is not a LAC dictionary, `UsageError` for an invalid
        device.
        """
        self.info = identity.of_lac(settings)
        self._device, self._threads = checked_device(settings.ner_device), settings.ner_threads
        self._folder = locate(settings.ner_model_dir)
        self._characters = {word: number for number, word in dictionary(self._folder / "word.dic").items()}
        self._labels = [label for _, label in sorted(dictionary(self._folder / "tag.dic").items())]
        self._scorer: Scorer | None = None

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`; none crosses a line break.

        None in Japanese text, whose words (単価, 支払) LAC takes for names.
        A mention's confidence is the model's probability of exactly this span and type.
        Raises `RunError` when the model can't be loaded on the device.
        """
        pieces = [
            _Piece(index, offset, piece)
            for index, text in enumerate(texts)
            if not is_japanese(text)
            for offset, piece in chinese_pieces(text)
        ]
        pieces.sort(key=lambda piece: len(piece.characters))
        found: list[list[Mention]] = [[] for _ in texts]
        for first in range(0, len(pieces), BATCH):
            batch = pieces[first : first + BATCH]
            tagged = self._tag([normalise(piece.characters) for piece in batch])
            for piece, words in zip(batch, tagged, strict=True):
                found[piece.text].extend(_mention(word, piece) for word in entities(words, piece.characters))
        return [sorted(mentions, key=lambda mention: mention.start) for mentions in found]

    def _tag(self, plain: list[str]) -> Iterator[list[Word]]:
        if self._scorer is None:
            self._scorer = Scorer(static_model(self._folder), self._device, self._threads)
        known, unknown = self._characters, self._characters["OOV"]
        lengths = np.array([len(text) for text in plain], np.int64)
        ids = np.zeros((len(plain), int(lengths.max())), np.int64)
        for row, text in enumerate(plain):
            ids[row, : len(text)] = [known.get(character, unknown) for character in text]
        scores = self._scorer.scores(ids, lengths)
        transitions = self._scorer.transitions
        for row, path in enumerate(best_paths(scores, transitions, lengths)):
            yield list(self._words(path, scores[row, : len(path)], transitions))

    def _words(
        self, path: list[int], scores: NDArray[np.float32], transitions: NDArray[np.float32]
    ) -> Iterator[Word]:
        """Yield the words of a path; probabilities are computed only for sentences with a name."""
        spans = list(word_spans([self._labels[label] for label in path]))
        if not any(tag in _TYPES for _, _, tag in spans):
            return
        lattice = Lattice(scores, transitions)
        for start, end, tag in spans:
            kind = _TYPES.get(tag)
            same = TAGS[kind] if kind else ()
            chance = sum(self._probability(lattice, start, end, tag) for tag in same) if same else 1.0
            yield Word(start, end, kind, min(chance, 1.0))

    def _probability(self, lattice: Lattice, start: int, end: int, tag: str) -> float:
        begin, inside = self._labels.index(f"{tag}-B"), self._labels.index(f"{tag}-I")
        return lattice.probability(start, [begin] + [inside] * (end - start - 1), not_next=inside)


def word_spans(labels: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, tag) of the words that labels such as "nr-B", "nr-I" encode.

    A word begins at every -B, and at an -I whose tag differs from the one before.
    """
    start = 0
    for end in range(1, len(labels) + 1):
        tag = labels[start].rpartition("-")[0]
        if end == len(labels) or labels[end] != f"{tag}-I":
            yield start, end, tag
            start = end


def _mention(word: Word, piece: _Piece) -> Mention:
    return Mention(
        type=str(word.kind),
        start=piece.offset + word.start,
        end=piece.offset + word.end,
        confidence=round(word.chance, 4),
        engine="lac",
    )
