"""The intake: the bytes of a submission become pages, each an image to read or text already there.

The type is told from the bytes and never from the name. Every limit is checked before the costly
step it guards, so a hostile file costs a sentence instead of the worker. A page is handed out upright
as a viewer displays it (EXIF orientation, PDF /Rotate); pixels of that image are the frame that all
boxes refer to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from pipeline.documents.sniff import NAMES
from pipeline.models import TextLine

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray


class PageInput(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One page, upright, ready to be read: exactly one of `image` and `lines` is set.

    `image`: RGB, shape (height, width, 3), 8 bits a channel, contiguous. `lines`: the native text
    layer, boxes in pixels of the image the page would have. `dpi`: pixels of that image per inch of
    paper, `None` if the file does not say.
    """

    number: int
    width: int
    height: int
    image: NDArray[np.uint8] | None = None
    lines: tuple[TextLine, ...] | None = None
    dpi: float | None = None


class Document(ABC):
    """An open document. Pages count from 1 and are decoded when asked for, one at a time."""

    media_type: str
    page_count: int

    @abstractmethod
    def page(self, number: int) -> PageInput:
        """Give a page as image or native text.

        Raises `Unreadable` or `OverLimit`, naming the page.
        """

    @abstractmethod
    def render(self, number: int) -> NDArray[np.uint8]:
        """Draw a page even where it has native text: RGB, shape (height, width, 3).

        Raises `Unreadable` or `OverLimit`, naming the page.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what the document holds; its pages stay valid."""

    def place(self, number: int) -> str:
        """Say where a page is, to begin a sentence with; raises `IndexError` if there is no such page."""
        if not 1 <= number <= self.page_count:
            msg = f"no page {number} in a document of {self.page_count}"
            raise IndexError(msg)
        name = NAMES[self.media_type]
        return f"Page {number} of {self.page_count} of the {name}" if self.page_count > 1 else f"The {name}"

    def __enter__(self) -> Document:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
