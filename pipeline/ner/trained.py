"""The engine `crf`: a BiGRU-CRF trained by `nightshift ner train`, on a Paddle predictor.

The model reads any text, in whatever language it was trained; mentions never cross a line break
(`pipeline.ner.windows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec import structs

from pipeline.errors import ModelMissing
from pipeline.models import Mention
from pipeline.ner import identity, model_folder
from pipeline.ner.bioes import spans_of
from pipeline.ner.crf import Lattice, best_paths
from pipeline.ner.normalise import PLAIN
from pipeline.ner.overlap import resolve
from pipeline.ner.predictor import Scorer, checked_device
from pipeline.ner.windows import Window, windows

if TYPE_CHECKING:
    from pipeline.ner import NerSettings

BATCH = 32
"""Windows per batch; since their length is bounded, so is memory."""


class _Piece(NamedTuple):
    text: int  # index of its text
    window: Window


class TrainedEngine:
    """`NerEngine` for the types a model was trained on."""

    def __init__(self, settings: NerSettings) -> None:
        """Check the model's folder; the weights are loaded with the first non-blank text.

        Raises `UsageError` if no folder is named or the device is invalid, `ModelMissing` if the folder
        does not contain a complete model.
        """
        self.info = identity.of_trained(settings)
        self._device, self._threads = checked_device(settings.ner_device), settings.ner_threads
        self._folder = model_folder.locate(settings.ner_model_dir)
        card = model_folder.read_card(self._folder)
        if card.reads not in PLAIN:
            raise ModelMissing(
                f"The model in {self._folder} reads text as '{card.reads}', which is unknown: train it again."
            )
        self._plain = PLAIN[card.reads]
        vocabulary = model_folder.read_lines(self._folder / model_folder.VOCABULARY)
        self._numbers = {character: number for number, character in enumerate(vocabulary)}
        self._tags = model_folder.read_lines(self._folder / model_folder.TAGS)
        self._scorer: Scorer | None = None

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another.

        A mention's confidence is the model's probability of exactly this span and type.
        Raises `RunError` when the model can't be loaded on the device.
        """
        pieces = [_Piece(index, window) for index, text in enumerate(texts) for window in windows(text)]
        pieces.sort(key=lambda piece: piece.window.end - piece.window.start)
        found: list[list[Mention]] = [[] for _ in texts]
        for first in range(0, len(pieces), BATCH):
            batch = pieces[first : first + BATCH]
            read = self._read([texts[p.text][p.window.start : p.window.end] for p in batch])
            for (text, window), mentions in zip(batch, read, strict=True):
                found[text].extend(
                    mention
                    for mention in _moved(mentions, window.start)
                    if window.first <= mention.start < window.last
                )
        return [resolve(mentions) for mentions in found]

    def _read(self, batch: list[str]) -> Iterator[list[Mention]]:
        if self._scorer is None:
            self._scorer = Scorer(self._folder, self._device, self._threads)
        lengths = np.array([len(text) for text in batch], np.int64)
        ids = np.zeros((len(batch), int(lengths.max())), np.int64)
        for row, text in enumerate(batch):
            ids[row, : len(text)] = [self._numbers.get(character, 0) for character in self._plain(text)]
        scores, transitions = self._scorer.scores(ids, lengths), self._scorer.transitions
        for row, path in enumerate(best_paths(scores, transitions, lengths)):
            spans = spans_of([self._tags[tag] for tag in path])
            if not spans:
                yield []
                continue
            lattice = Lattice(scores[row, : len(path)], transitions)
            yield [
                Mention(
                    type=kind,
                    start=start,
                    end=end,
                    confidence=round(min(lattice.probability(start, path[start:end]), 1.0), 4),
                    engine="crf",
                )
                for kind, start, end in spans
            ]


def _moved(mentions: Sequence[Mention], offset: int) -> Iterator[Mention]:
    for mention in mentions:
        yield structs.replace(mention, start=mention.start + offset, end=mention.end + offset)
