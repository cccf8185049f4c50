"""The engine `taskflow`: reads long texts in overlapping windows and maps spans back to the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import RunError, UsageError
from pipeline.models import Mention
from pipeline.ner.overlap import resolve
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.taskflow import folder
from pipeline.ner.taskflow.opening import BATCH, open_taskflow
from pipeline.ner.taskflow.readers import Reader, SchemaReader, WordReader
from pipeline.ner.taskflow.source import describe, find
from pipeline.ner.taskflow.windows import OVERLAP, Window, cut

if TYPE_CHECKING:
    from pipeline.ner import NerSettings
    from pipeline.ner.taskflow.labels import Span

_DEVICE = re.compile(r"cpu|gpu(:\d+)?")


class _Piece(NamedTuple):
    text: int  # index of its text
    offset: int  # of the line, or 0 for a text read across its lines
    window: Window  # in the line
    characters: str


class TaskflowEngine:
    """`NerEngine` over a PaddleNLP model; its types are the model's own labels, or the schema's names.

    The model is opened with the first text, in the process that reads it: a Taskflow used before a fork
    hangs the child.
    """

    def __init__(self, settings: NerSettings) -> None:
        """Locate the model; raises as `source.find` does, and `UsageError` for an invalid device."""
        self.info = describe(settings)
        if not _DEVICE.fullmatch(settings.ner_device):
            raise UsageError(f"Invalid NER device '{settings.ner_device}': use cpu, gpu or gpu:0.")
        self._device, self._threads = settings.ner_device, settings.ner_threads
        self._source = find(settings)
        self._reader: Reader | None = None

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another.

        A mention of up to `windows.OVERLAP` / 2 characters is found anywhere in a long text. Blank texts
        are not read. Raises `ModelMissing` and `RunError` if the model can't be opened or fetched.
        """
        found: list[list[Mention]] = [[] for _ in texts]
        if not any(text and not text.isspace() for text in texts):
            return found
        if self._reader is None:
            self._reader = self._open()
        limit = self._reader.limit
        pieces = [
            _Piece(index, offset, window, line[window.start : window.end])
            for index, text in enumerate(texts)
            for offset, line in (_lines(text) if self._reader.by_line else [(0, text)])
            for window in cut(line, limit, min(OVERLAP, limit // 4))
        ]
        pieces.sort(key=lambda piece: len(piece.characters))
        for first in range(0, len(pieces), BATCH):
            batch = pieces[first : first + BATCH]
            answers = self._reader.read([piece.characters for piece in batch])
            for piece, spans in zip(batch, answers, strict=True):
                found[piece.text].extend(_mentions(piece, spans))
        return [resolve(mentions) for mentions in found]

    def _open(self) -> Reader:
        kind, _, number = self._device.partition(":")
        if kind == "gpu" and not import_paddle().device.is_compiled_with_cuda():
            raise RunError(
                f"The NER device is {self._device}, but this Paddle is a CPU build: install the GPU build."
            )
        model = self._source.open()
        if model.layout is folder.TOKENS:
            from pipeline.ner.taskflow.tokens import TokenReader

            return TokenReader(model, self._device, self._threads)
        device_id = -1 if kind == "cpu" else int(number or 0)
        flow = open_taskflow(model, self._source.schema, device_id, self._threads)
        if model.layout is folder.UIE_MODEL:
            return SchemaReader(flow, model, self._source.schema)
        return WordReader(flow, model)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, line) of a text."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1


def _mentions(piece: _Piece, spans: Iterable[Span]) -> Iterable[Mention]:
    """Map spans from a window to its text, without white space at their ends."""
    for span in spans:
        wording = piece.characters[span.start : span.end]
        start = piece.window.start + span.start + len(wording) - len(wording.lstrip())
        size = len(wording.strip())
        if size and piece.window.owns(start):
            yield Mention(
                type=span.type,
                start=piece.offset + start,
                end=piece.offset + start + size,
                confidence=round(min(span.confidence, 1.0), 4),
                engine="taskflow",
            )
