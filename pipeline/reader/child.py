"""What runs inside a reader process: it opens the documents that its parent sends, and returns their pages.

Documents may take it over, so its parent checks all its answers.
"""

from __future__ import annotations

import os
import signal
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline import guard
from pipeline.errors import PermanentError
from pipeline.reader import wire
from pipeline.sandbox import confine, readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.documents.base import Document


def main(requests: int, answers: int, parent: int, memory: int, opening: int) -> None:
    """Serve documents until the parent closes its end.

    Arguments: descriptors, the parent's process id, MiB (0: no limit), seconds that opening a document may take.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    statm = guard.open_statm()
    missing = confine(readable())
    if os.getppid() != parent:
        return
    guard.start(memory, opening, statm=statm)
    with os.fdopen(requests, "rb") as source, os.fdopen(answers, "wb", buffering=0) as target:
        from pipeline.documents import pdf, text_file  # noqa: F401 - before the first document waits for them

        _silence()
        _serve(source, target, missing)


def _silence() -> None:
    """Nothing of a document reaches the parent's log."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 2)
    os.close(null)


def _serve(source: IO[bytes], target: IO[bytes], missing: tuple[str, ...]) -> None:
    _send(target, wire.Ready(missing))
    document: Document | None = None
    while head := source.read(wire.HEAD.size):
        length, size = wire.HEAD.unpack(head)
        request, body = wire.decode_request(source.read(length)), source.read(size)
        try:
            if isinstance(request, wire.Open):
                if document is not None:
                    document.close()
                    document = None
                document = _opened(body, request, target)
            else:
                assert document is not None
                _page(document, request, target)
        except Exception as error:
            _send(target, _failed(error))


def _opened(data: bytes, request: wire.Open, target: IO[bytes]) -> Document:
    from pipeline.documents.open import open_document

    document = open_document(data, request.limits)
    _send(target, wire.Opened(document.media_type, document.page_count))
    return document


def _page(document: Document, request: wire.Read | wire.Render, target: IO[bytes]) -> None:
    if isinstance(request, wire.Render):
        image = document.render(request.number)
        _send(target, _size(image), image)
        return
    page = document.page(request.number)
    answer = wire.ReadPage(
        width=page.width,
        height=page.height,
        drawn=None if page.image is None else _size(page.image),
        lines=page.lines,
        regions=page.regions,
        suspects=page.suspects,
        rotation=page.rotation,
        unread=page.unread,
        warnings=tuple(warning[:2000] for warning in page.warnings[:100]),
        dpi=page.dpi,
        codes=page.codes,
        tiled=page.tiled,
    )
    _send(target, answer, page.image)


def _size(image: NDArray[np.uint8]) -> wire.Drawn:
    return wire.Drawn(image.shape[0], image.shape[1])


def _send(target: IO[bytes], answer: wire.Answer, image: NDArray[np.uint8] | None = None) -> None:
    _write(target, memoryview(wire.framed(answer, 0 if image is None else image.nbytes)))
    if image is not None:
        _write(target, image.reshape(-1).data)


def _write(target: IO[bytes], data: memoryview) -> None:
    sent = 0
    while sent < len(data):
        sent += target.write(data[sent:])


def _failed(error: Exception) -> wire.Failed:
    if isinstance(error, PermanentError):
        return wire.Failed(type(error).__name__, error.message[:2000], error.code)
    trail = traceback.extract_tb(error.__traceback__)[-12:]
    where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in trail)
    return wire.Failed(type(error).__name__[:100], where[:2000])
