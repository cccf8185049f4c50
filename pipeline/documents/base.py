"""Turn the bytes of a submission into pages, each an image to recognise or native text.

The type is detected from the bytes, never from the name. Every limit is checked before the expensive
step it guards, so a hostile file causes an error message and not a worker crash. Pages are upright,
as a viewer displays them (EXIF orientation, PDF /Rotate); all boxes are in pixels of that image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from pipeline.documents.sniff import NAMES
from pipeline.models import Code, Rotation, TextLine

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray


Rect = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LEGIBLE = 2
"""Hidden text of fewer letters and digits is not worth a warning."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a line of the text layer whose font may lie: its text, where it is drawn (pixels), and the font."""

    text: str
    box: Rect
    font: str


class PageInput(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One upright page, ready to be read.

    `image`: RGB, shape (height, width, 3), 8 bits per channel, contiguous; `None` where the native text layer is all
    there is to read. `lines`: the native text layer, boxes in pixels of the rendered page; `None` where the page has
    none that can be used. With both, the layer is kept and the `regions` of `image` are also read by OCR: parts
    of the page that the layer does not cover (left, top, right, bottom in pixels), such as pictures and stamps; the
    image is drawn without the layer's text then. `suspects`: pieces of the layer, boxes in pixels of the page as
    `Document.render` draws it, that are to be compared with it before the layer is believed.
    `rotation`: degrees by which a native text layer was turned clockwise to be upright; the boxes, width and height
    are of the turned page. `unread`: parts of the page that are known to hold something and can't be drawn.
    `warnings`: one sentence each. `dpi`: pixels of that image per inch of paper, `None` if unknown. `codes`: data for
    machines that comes with the document. `tiled`: the page draws so many small areas that they may be a barcode.
    """

    number: int
    width: int
    height: int
    image: NDArray[np.uint8] | None = None
    lines: tuple[TextLine, ...] | None = None
    regions: tuple[Rect, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    rotation: Rotation = 0
    unread: int = 0
    warnings: tuple[str, ...] = ()
    dpi: float | None = None
    codes: tuple[Code, ...] = ()
    tiled: bool = False


class Document(ABC):
    """An open document. Pages are numbered from 1 and decoded on request, one at a time."""

    media_type: str
    page_count: int
    size: int = 0
    """Bytes of the document as it came."""
    decoding: float = 0.0
    """Seconds of processor time that its pages took so far, as `pipeline.steps.pages` counts them."""

    @abstractmethod
    def page(self, number: int) -> PageInput:
        """Return a page as image or native text.

        Raises `Unreadable` or `OverLimit`, naming the page.
        """

    @abstractmethod
    def render(self, number: int) -> NDArray[np.uint8]:
        """Render a page even if it has native text: RGB, shape (height, width, 3).

        Raises `Unreadable` or `OverLimit`, naming the page.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the document's resources; pages already returned stay valid."""

    def place(self, number: int) -> str:
        """Describe a page's position, to start a sentence with; raises `IndexError` if it does not exist."""
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
