"""The LAC engine: Baidu's LAC-small on a Paddle predictor finds persons, places, organisations, times.

LAC reads Chinese only, so text without it costs nothing: Paddle is imported with the first Chinese
piece. Tags: Jiao, Sun and Sun 2018, "Chinese Lexical Analysis with Deep Bi-GRU-CRF Network"
(arXiv 1807.01882); LAC writes what it is less sure of in the lower-case tags of the same meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.errors import ModelMissing, RunError, UsageError
from pipeline.models import Mention
from pipeline.ner import identity
from pipeline.ner.crf import Lattice, best_paths
from pipeline.ner.lac_model import locate, static_model
from pipeline.ner.lac_rules import Word, entities
from pipeline.ner.normalise import normalise
from pipeline.ner.pieces import chinese_pieces
from pipeline.ner.quiet_paddle import import_paddle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.ner import NerSettings

BATCH = 32
"""Pieces read at once; with pieces of bounded length this bounds memory, however long the text."""

TAGS = {"PER": ("PER", "nr"), "LOC": ("LOC", "ns"), "ORG": ("ORG", "nt"), "TIME": ("TIME", "t")}
_DEVICE = re.compile(r"cpu|gpu(:\d+)?")
_TYPES = {tag: kind for kind, tags in TAGS.items() for tag in tags}


class _Piece(NamedTuple):
    text: int  # index of the text it is cut from
    offset: int
    characters: str


class LacEngine:
    """`NerEngine` for the types PER, LOC, ORG and TIME."""

    def __init__(self, settings: NerSettings) -> None:
        """Find the model's files; the weights are loaded with the first Chinese text.

        Raises `ModelMissing` when a file is not there or no LAC dictionary, `UsageError` for a device
        that is none.
        """
        self.info = identity.of_lac(settings)
        if not _DEVICE.fullmatch(settings.ner_device):
            raise UsageError(f"There is no NER device '{settings.ner_device}': name cpu, gpu or gpu:0.")
        self._device, self._threads = settings.ner_device, settings.ner_threads
        self._folder = locate(settings.ner_model_dir)
        self._characters = {word: number for number, word in _dictionary(self._folder / "word.dic").items()}
        self._labels = [label for _, label in sorted(_dictionary(self._folder / "tag.dic").items())]
        self._scorer: _Scorer | None = None

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`; none crosses a line break.

        A mention's confidence is the probability the model gives to exactly this span and type.
        Raises `RunError` when the model can't be loaded on the device.
        """
        pieces = [
            _Piece(index, offset, piece)
            for index, text in enumerate(texts)
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
            self._scorer = _Scorer(static_model(self._folder), self._device, self._threads)
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
        """Yield the words of a path; only a sentence with a name in it pays for the probabilities."""
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
    """Yield (start, end, tag) of the words that labels such as "nr-B", "nr-I" spell.

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


def _dictionary(path: Path) -> dict[int, str]:
    """Read the lines `number<TAB>word` of a LAC dictionary; the numbers may have gaps."""
    try:
        pairs = [line.split("\t") for line in path.read_text("utf-8").split("\n") if line]
        return {int(number): word for number, word in pairs}
    except ValueError as error:
        raise ModelMissing(f"{path} is no LAC dictionary ({error}): name another model folder.") from error


class _Scorer:
    """A Paddle predictor that gives the label scores of a batch."""

    def __init__(self, model: Path, device: str, threads: int) -> None:
        import_paddle()
        from paddle import inference

        config = inference.Config(str(model / "inference.json"), str(model / "inference.pdiparams"))
        config.disable_glog_info()
        _set_device(config, device)
        config.set_cpu_math_library_num_threads(threads)
        config.disable_mkldnn()  # oneDNN is slower here and its cache grows with each new shape.
        config.enable_new_ir(True)
        config.enable_new_executor(True)
        self._predictor = inference.create_predictor(config)
        self._inputs = [self._predictor.get_input_handle(name) for name in ("ids", "lengths")]
        self._output = self._predictor.get_output_handle(self._predictor.get_output_names()[0])
        self.transitions: NDArray[np.float32] = np.load(model / "transitions.npy")

    def scores(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores [B, T, L] of `ids` [B, T]; those behind a row's length mean nothing."""
        for handle, values in zip(self._inputs, (ids, lengths), strict=True):
            handle.copy_from_cpu(values)
        self._predictor.run()
        scores: NDArray[np.float32] = self._output.copy_to_cpu()
        return scores


def _set_device(config: Any, device: str) -> None:
    kind, _, number = device.partition(":")
    if kind == "cpu":
        config.disable_gpu()
        return
    paddle = import_paddle()
    if not paddle.device.is_compiled_with_cuda():
        raise RunError(f"The NER device is {device}, but this Paddle is a CPU build: install the GPU build.")
    config.enable_use_gpu(256, int(number or 0))
