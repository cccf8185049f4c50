"""The intake: the bytes of a submission become pages, each an image to read or text already there.

The type is told from the bytes and never from the name. Every limit is checked before the costly
step it guards, so a hostile file costs a sentence instead of the worker. A page is handed out upright
as a viewer displays it (EXIF orientation, PDF /Rotate); pixels of that image are the frame that all
boxes refer to.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from pipeline.errors import OverLimit, Unreadable, Unsupported
from pipeline.models import TextLine

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

SNIFF_BYTES = 1024
"""How much of a document `sniff` looks at: a PDF's header may follow that much junk."""

READABLE = "JPEG, PNG, WebP, BMP, GIF, JPEG 2000, TIFF and PDF"

NAMES = {
    "image/jpeg": "JPEG image",
    "image/png": "PNG image",
    "image/webp": "WebP image",
    "image/bmp": "BMP image",
    "image/gif": "GIF image",
    "image/jp2": "JPEG 2000 image",
    "image/j2c": "JPEG 2000 image",
    "image/tiff": "TIFF image",
    "application/pdf": "PDF",
}
"""What a document of each readable media type is called in sentences for people."""

_BMP_HEADER_SIZES = rb"(?:\x0c|\x10|\x28|\x34|\x38|\x40|\x6c|\x7c)\x00\x00\x00"

_SIGNATURES: tuple[tuple[str, bytes], ...] = (
    ("image/jpeg", rb"\xff\xd8\xff"),
    ("image/png", rb"\x89PNG\r\n\x1a\n"),
    ("image/webp", rb"RIFF.{4}WEBP"),
    ("image/gif", rb"GIF8[79]a"),
    ("image/jp2", rb"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    ("image/j2c", rb"\xff\x4f\xff\x51"),
    ("image/tiff", rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"),
    ("image/bmp", rb"BM.{12}" + _BMP_HEADER_SIZES),
    ("application/pdf", rb".{0,1019}?%PDF-"),
)

_STRANGERS: tuple[tuple[str, bytes], ...] = (
    ("a Photoshop file", rb"8BPS"),
    ("an Apple icon (ICNS)", rb"icns"),
    ("an SGI image", rb"\x01\xda[\x00\x01][\x01\x02]"),
    ("a Windows icon or cursor", rb"\x00\x00[\x01\x02]\x00[^\x00]\x00"),
    ("a DirectDraw texture (DDS)", rb"DDS "),
    ("a FITS image", rb"SIMPLE  ="),
    ("a PNM image (PBM, PGM, PPM or PAM)", rb"P[1-7]\s?[\d#]|P7 332|P7\n"),
    ("a Microsoft Paint image (MSP)", rb"DanM|LinS"),
    ("a HEIC or AVIF image", rb".{4}ftyp(?:hei|hev|mif1|msf1|avi)"),
    ("a video", rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI "),
    ("a JPEG XL image", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("a DICOM image", rb".{128}DICM"),
    ("a DjVu document", rb"AT&TFORM"),
    ("a ZIP archive or an Office document", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
    ("an archive", rb"\x1f\x8b|7z\xbc\xaf\x27\x1c|Rar!\x1a|BZh|\xfd7zXZ"),
    ("an old Office document", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("a rich-text document (RTF)", rb"\{\\rtf"),
    ("a PostScript file", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("a web page or XML document", rb"(?:\xef\xbb\xbf)?\s*<(?:!|\?xml|html|svg)"),
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one document may cost.

    `max_pixels`: width x height of one page or embedded image as stored. `max_side`: longest side in
    pixels of the image that OCR sees (see `longest_side`); larger pages are scaled down. `render_dpi`: for PDF pages.
    `text_layer`: whether a good PDF text layer replaces OCR.
    """

    max_bytes: int = 256 * 1024 * 1024
    max_pages: int = 2000
    max_pixels: int = 100_000_000
    render_dpi: int = 200
    max_side: int = 4000
    text_layer: bool = True

    def longest_side(self, width: float, height: float) -> float:
        """Pixels the long side of a page of this shape may have: `max_side`, up to 5 times it for strips.

        Else a till roll or a long screenshot would shrink until no letter can be told.
        """
        ratio = max(width, height) / min(width, height)
        return self.max_side * min(max(ratio / 4, 1.0), 5.0)


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


def sniff(head: bytes) -> str:
    """Tell the media type from a document's first bytes (`SNIFF_BYTES` of them are enough).

    Raises `Unsupported` for everything that is not read, and `Unreadable` for an empty file.
    """
    head = head[:SNIFF_BYTES]
    if not head:
        raise Unreadable("The file is empty: send it again.", code="empty")
    for media_type, pattern in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return media_type
    found = next((name for name, pattern in _STRANGERS if re.match(pattern, head, re.DOTALL)), None)
    if found is None:
        found = "plain text" if _is_text(head) else "of no type that is known here"
    raise Unsupported(f"The file is {found}; what can be read is {READABLE}: convert it to one of these.")


def open_document(data: bytes, limits: Limits) -> Document:
    """Open a document; use it as a context manager.

    Raises `Unsupported`, `Unreadable`, `Encrypted` or `OverLimit`.
    """
    if len(data) > limits.max_bytes:
        raise OverLimit(
            f"The file has {_mebibytes(len(data))} MiB, more than the limit of"
            f" {_mebibytes(limits.max_bytes)} MiB: split it, or raise NIGHTSHIFT_MAX_BYTES."
        )
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type == "application/pdf":
        from pipeline.documents.pdf import PdfFile

        return PdfFile(data, limits)
    from pipeline.documents.images import ImageFile

    return ImageFile(data, media_type, limits)


def page_image(data: bytes, number: int, rotation: int, limits: Limits) -> NDArray[np.uint8]:
    """Draw a stored page as its boxes refer to it: as `open_document` gives it, turned clockwise.

    `rotation` is `Page.rotation` (0, 90, 180, 270 degrees). Returns RGB of shape (height, width, 3).
    Raises what `open_document` and `Document.render` raise.
    """
    import numpy as np

    with open_document(data, limits) as document:
        return np.ascontiguousarray(np.rot90(document.render(number), -rotation // 90))


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.1f}".removesuffix(".0")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely a character cut by the end of `head`
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
