"""Open a document: bytes in, pages out, whatever the type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import guard
from pipeline.documents import encodings
from pipeline.documents.base import Document
from pipeline.documents.sniff import HTML, NAMES, TEXT_FILE, WORD, XML_INVOICE, sniff
from pipeline.errors import OverLimit, PermanentError, Unreadable
from pipeline.limits import Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.documents.text_file import Content


def open_document(data: bytes, limits: Limits) -> Document:
    """Open a document; use it as a context manager.

    Raises `Unsupported`, `Unreadable`, `Encrypted` or `OverLimit`; `MemoryError` where it needs too much. A worker
    process that it takes too much of ends, because of this document.
    """
    with guard.opening():
        document = _open(data, limits)
    document.size = len(data)
    return document


def _open(data: bytes, limits: Limits) -> Document:
    if len(data) > limits.max_bytes:
        raise OverLimit(
            f"The file is {_mebibytes(len(data))} MiB, more than the limit of"
            f" {_mebibytes(limits.max_bytes)} MiB: split it, or raise NIGHTSHIFT_MAX_BYTES."
        )
    media_type = sniff(data)
    if media_type == "application/pdf":
        from pipeline.documents.pdf import PdfFile

        return PdfFile(data, limits)
    if not media_type.startswith("image/"):
        return _text_file(data, media_type, limits)
    from pipeline.documents.images import ImageFile

    return ImageFile(data, media_type, limits)


def _text_file(data: bytes, media_type: str, limits: Limits) -> Document:
    from pipeline.documents import html, office
    from pipeline.documents.text_file import Content, TextFile

    try:
        if media_type == TEXT_FILE:
            content = Content(encodings.decode(data))
        elif media_type == HTML:
            content = html.web_page(data)
        elif media_type == XML_INVOICE:
            content = _invoice(data)
        elif media_type == WORD:
            content = office.word(data, limits)
        else:
            content = office.sheets(data, limits, NAMES[media_type])
        return TextFile(content, media_type, limits)
    except (PermanentError, MemoryError):
        raise
    except Exception as error:  # hostile bytes make parsers raise nearly any type
        if isinstance(error, RecursionError) or "depth" in str(error):
            raise Unreadable(html.TOO_DEEP.format(NAMES[media_type])) from error
        raise Unreadable(
            f"The {NAMES[media_type]} is damaged: save it again, or export it as a PDF."
        ) from error


def _invoice(data: bytes) -> Content:
    """What an XML invoice says; raises `Unreadable` or `OverLimit`."""
    from pipeline.documents import einvoice
    from pipeline.documents.text_file import Content

    if len(data) > einvoice.MAX_XML:
        raise OverLimit(
            f"The XML invoice is larger than {_mebibytes(einvoice.MAX_XML)} MiB: send its annexes separately."
        )
    xml, annexes = einvoice.xml_text(data)
    warnings = [f"{annexes} of the files inside the XML invoice were left out."] if annexes else []
    return Content(einvoice.readable(einvoice.parse(xml)), warnings=warnings, xml=xml)


def page_image(data: bytes, number: int, rotation: int, limits: Limits) -> NDArray[np.uint8]:
    """Render a stored page in the frame of its boxes: as `open_document` returns it, rotated clockwise.

    `rotation` is `Page.rotation` (0, 90, 180, 270 degrees). Returns RGB of shape (height, width, 3).
    Raises what `open_document` and `Document.render` raise.
    """
    import numpy as np

    with open_document(data, limits) as document:
        return np.ascontiguousarray(np.rot90(document.render(number), -rotation // 90))


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.1f}".removesuffix(".0")
