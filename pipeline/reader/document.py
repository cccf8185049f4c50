"""A document that is open in a reader process; to everyone else, a document like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from pipeline import errors
from pipeline.documents.base import Document, PageInput
from pipeline.documents.sniff import NAMES
from pipeline.environment import printable
from pipeline.errors import PermanentError
from pipeline.limits import Limits
from pipeline.reader import wire

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T", bound=wire.Answer)
_KINDS = {
    kind.__name__: kind
    for kind in (PermanentError, errors.Unsupported, errors.Unreadable, errors.Encrypted, errors.OverLimit)
}
"""Errors that a reader may raise, by name."""


class ReaderDefect(Exception):
    """A parser failed with an unexpected error; the message names it and the lines it passed through."""


class Opener(Protocol):
    """What a document is open in: a reader, whose processes come and go."""

    def opened(self, document: ReaderDocument) -> wire.Opened:
        """Open it; raises what can be said of a document."""

    def ask(
        self, document: ReaderDocument, request: wire.Request, expected: type[T], place: str
    ) -> tuple[T, NDArray[np.uint8] | None]:
        """The answer about it, and the picture with it; `place`: what a page is called in messages."""


class ReaderDocument(Document):
    """A document whose pages are decoded in another process, each when it is asked for."""

    def __init__(self, data: bytes, limits: Limits, reader: Opener) -> None:
        """Open it there; raises what `pipeline.documents.open.open_document` raises, and `Poison`."""
        self.data, self.limits, self._reader = data, limits, reader
        self.media_type, self.page_count, self.size = "", 0, len(data)
        opened = reader.opened(self)
        self.media_type, self.page_count = opened.media_type, opened.page_count

    def fits(self, opened: wire.Opened) -> bool:
        """Whether a reader has opened what it may open, and, if it opened it before, the same."""
        if self.page_count:
            return (opened.media_type, opened.page_count) == (self.media_type, self.page_count)
        return opened.media_type in NAMES and opened.page_count <= self.limits.max_pages

    @property
    def largest(self) -> int:
        """Maximum pixels of a page's picture: strips have a quarter more than a square page of `max_side`."""
        return max(2 * self.limits.max_side**2, 4_000_000)

    def page(self, number: int) -> PageInput:
        """Return a page as image or native text; raises `Unreadable`, `OverLimit` or `Poison`, naming it."""
        page, image = self._reader.ask(self, wire.Read(number), wire.ReadPage, self.place(number))
        return PageInput(
            number=number,
            width=page.width,
            height=page.height,
            image=image,
            lines=page.lines,
            regions=page.regions,
            suspects=page.suspects,
            rotation=page.rotation,
            unread=page.unread,
            warnings=tuple(map(printable, page.warnings)),
            dpi=page.dpi,
            codes=page.codes,
            tiled=page.tiled,
        )

    def render(self, number: int) -> NDArray[np.uint8]:
        """Render a page as RGB; raises `Unreadable`, `OverLimit` or `Poison`, naming it."""
        _, image = self._reader.ask(self, wire.Render(number), wire.Drawn, self.place(number))
        assert image is not None
        return image

    def close(self) -> None:
        """Forget the bytes; the process closes the document when it opens the next one."""
        self.data = b""


def raised(failed: wire.Failed) -> Exception:
    """The error that a reader reports."""
    kind = _KINDS.get(failed.kind)
    if kind is not None:
        return kind(printable(failed.message), code=failed.code or None)
    if failed.kind == "MemoryError":
        return MemoryError()
    return ReaderDefect(printable(f"{failed.kind} at {failed.message}"))
