"""PDFs that are wrappers: documents embedded in a PDF, and covers that stand for something that can't be shown.

Embedded documents are read as documents of their own. A portfolio shows a cover ("open this in Acrobat") instead of
them, so that the cover alone is never read as the document.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock

import msgspec
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.documents.cover import is_cover, is_cover_apart
from pipeline.documents.notice_words import PROTECTED
from pipeline.documents.pdf_bounds import INDIRECT_FILTER, check_object_streams, plain_copy, unpacked
from pipeline.documents.sniff import OLD_SHEET, OPEN_SHEET, SHEET, WORD, sniff
from pipeline.environment import printable
from pipeline.errors import Encrypted, OverLimit, PermanentError, Unreadable, Unsupported
from pipeline.limits import UNPACKED_RATIO, unpacked_limit

MAX_DEPTH = 2
"""Portfolios in each other, the outermost included."""
MAX_EMBEDDED = 1000
MAX_TOTAL = 4
"""What is embedded in one PDF may have this many times the largest size of a document."""

_PDFIUM = Lock()  # PDFium is not thread-safe, and documents are submitted by threads
_NAMED = 5

_OFFICE = (WORD, SHEET, OLD_SHEET, OPEN_SHEET)


class Embedded(msgspec.Struct, frozen=True):
    """One document to read: `name` is shown and never used as a path, empty for the PDF itself.

    `read` takes the maximum size in bytes; raises a `PermanentError`.
    """

    name: str
    read: Callable[[int], bytes]


def members(file: Path | bytes, name: str, max_bytes: int) -> list[Embedded]:
    """The documents that a PDF consists of; empty where that is the PDF alone, or it can't be opened.

    A portfolio consists of what is embedded in it; another PDF of itself and the PDFs, images and Office documents
    embedded in it (data such as the XML of an electronic invoice is left alone). Portfolios in a portfolio are opened
    to `MAX_DEPTH`; the names inside follow a `!`. `name`: of the PDF, for messages. Raises `OverLimit` for what unpacks
    to too much. Cost for a PDF without attachments: under 1 ms, whatever its size.
    """
    return list(_members(file, name, max_bytes, 1))


def _members(file: Path | bytes, name: str, max_bytes: int, depth: int) -> Iterator[Embedded]:
    try:
        with _mapped(file) as mapped:
            check_object_streams(mapped)
    except (PermanentError, OSError, ValueError):
        return  # reported when the document is opened
    try:
        with _PDFIUM, closing(pdfium.PdfDocument(file)) as pdf:
            count = pdfium_c.FPDFDoc_GetAttachmentCount(pdf)
            if not count or _is_payload(pdf):
                return
            plain = plain_copy(pdf)
            collection = _has_collection(pdf, plain)
            check_sizes(plain, name, count, max_bytes)
            names = names_of(pdf)
        wrapper = collection and is_cover_apart(file)
    except (pdfium.PdfiumError, OSError):
        return  # reported when the document is opened
    found = []
    for index, inner in enumerate(names):
        read = partial(_read, file, index, f"{name}!{printable(inner)[:120]}")
        data = _data_or_none(read, max_bytes)
        kind = _kind(data)
        if kind == "application/pdf" and depth < MAX_DEPTH and data is not None:
            deeper = list(_members(data, inner, max_bytes, depth + 1))
            if deeper:
                # a portfolio inside is read again with each of its members: they are few
                found += [
                    Embedded(
                        f"{inner}!{one.name}" if one.name else inner, partial(_inside, read, i, depth + 1)
                    )
                    for i, one in enumerate(deeper)
                ]
                continue
        if wrapper or kind.startswith("image/") or kind in ("application/pdf", *_OFFICE):
            found.append(Embedded(inner, read))
    if found and not wrapper:
        yield Embedded("", partial(_whole, file, name))
    yield from found


@contextmanager
def _mapped(file: Path | bytes) -> Iterator[bytes | mmap]:
    """A file's bytes without reading them into memory at once; raises `OSError`, and `ValueError` for an empty one."""
    if isinstance(file, bytes):
        yield file
        return
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as data:
        yield data


def refuse_wrapper(pdf: pdfium.PdfDocument) -> None:
    """Raise `Unsupported` for a portfolio, and `Encrypted` for the cover of a protected document."""
    if not pdfium_c.FPDFDoc_GetAttachmentCount(pdf):
        return
    if _is_payload(pdf):
        raise Encrypted(
            "The PDF is only the cover of a protected document inside it: send an unprotected copy.",
            code="protected",
        )
    if _has_collection(pdf, plain_copy(pdf)) and is_cover(pdf):
        names = names_of(pdf)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise Unsupported(
            f"The PDF is a portfolio, only a cover for {len(names)} embedded"
            f" {'file' if len(names) == 1 else 'files'} ({', '.join(names[:_NAMED])}{more}):"
            " save these and send them, or give the portfolio as a file.",
            code="portfolio",
        )


def _is_payload(pdf: pdfium.PdfDocument) -> bool:
    """Whether the PDF is the cover of an encrypted payload (PDF 2.0, 7.6.7; Microsoft's rights management)."""
    if pdfium_c.FPDFDoc_GetAttachmentCount(pdf) != 1:
        return False
    file = pdfium_c.FPDFDoc_GetAttachment(pdf, 0)
    return _wide(partial(pdfium_c.FPDFAttachment_GetAFRelationship, file)) == "EncryptedPayload" or bool(
        PROTECTED.search(names_of(pdf)[0])
    )


def _has_collection(pdf: pdfium.PdfDocument, plain: bytes) -> bool:
    """Whether the PDF has one page, which may be nothing but a cover for the embedded files."""
    return len(pdf) == 1 and bool(re.search(rb"/Collection\s*(<<|\d+\s+\d+\s+R)", plain))


def check_sizes(plain: bytes, name: str, count: int, max_bytes: int) -> None:
    """Raise `OverLimit` for embedded files that unpack to too much; PDFium would unpack them whole in memory."""
    if count > MAX_EMBEDDED:
        raise OverLimit(
            f"{name} has {count:,} embedded files, more than the limit of {MAX_EMBEDDED:,}: save them and send those."
        )
    total = 0
    numbers = {
        n
        for entry in re.findall(rb"/EF\s*<<([^>]*)>>", plain)
        for n in re.findall(rb"(\d+)\s+\d+\s+R", entry)
    }
    for number in numbers:
        start = re.search(rb"(?:^|[\r\n])%s\s+\d+\s+obj\b" % number, plain)
        at = plain.find(b"stream", start.end()) if start else -1
        if start is None or at < 0:
            continue
        head = plain[start.end() : at]
        packed = len(re.findall(rb"/(?:Fl|FlateDecode|LZW|LZWDecode|RL|RunLengthDecode)\b", head))
        flat = re.search(rb"/(?:Fl|FlateDecode)\b", head)
        size = unpacked(plain, at, max_bytes) if flat else 0
        total += size
        if (
            size > max_bytes
            or total > MAX_TOTAL * max_bytes
            or packed > (flat is not None)
            or INDIRECT_FILTER.search(head)
        ):
            raise OverLimit(
                f"{name} has embedded files that unpack to more than the limit of {max_bytes / 1024**2:,.0f} MiB each:"
                " save them and send those, or raise NIGHTSHIFT_MAX_BYTES."
            )
        if total > unpacked_limit(len(plain)):
            raise OverLimit(
                f"{name} has embedded files that unpack to more than {UNPACKED_RATIO} times its size, as files made to"
                " exhaust a machine do: save them and send those if they are genuine."
            )


def names_of(pdf: pdfium.PdfDocument) -> list[str]:
    """The names of all embedded files, on one line each and different from each other."""
    names: list[str] = []
    for index in range(min(pdfium_c.FPDFDoc_GetAttachmentCount(pdf), MAX_EMBEDDED)):
        file = pdfium_c.FPDFDoc_GetAttachment(pdf, index)
        name = name_of(file) or f"file-{index + 1}"
        stem, dot, suffix = name.rpartition(".")
        tried, number = name, 1
        while tried in names:
            number += 1
            tried = f"{stem} ({number}){dot}{suffix}" if dot else f"{name} ({number})"
        names.append(tried)
    return names


def name_of(file: pdfium_c.FPDF_ATTACHMENT) -> str:
    """The name of an embedded file, on one line; empty if it has none."""
    name = _wide(partial(pdfium_c.FPDFAttachment_GetName, file))
    return "".join(char if char.isprintable() and char != "!" else "_" for char in name)[:200]


def _wide(get: Callable[..., int]) -> str:
    """A string that PDFium returns as UTF-16 with a closing zero."""
    buffer = ctypes.create_string_buffer(get(None, 0))
    get(ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), len(buffer))
    return buffer.raw[:-2].decode("utf-16-le", "replace")


def _read(file: Path | bytes, index: int, name: str, max_bytes: int) -> bytes:
    try:
        with _PDFIUM, closing(pdfium.PdfDocument(file)) as pdf:
            data = bytes(pdf.get_attachment(index).get_data())
    except (pdfium.PdfiumError, OSError, IndexError) as error:
        raise Unreadable(f"{name} can't be extracted from its PDF: save it and send that.") from error
    if len(data) > max_bytes:
        raise OverLimit(f"{name} is larger than {max_bytes / 1024**2:.0f} MiB; raise NIGHTSHIFT_MAX_BYTES.")
    return data


def _inside(read: Callable[[int], bytes], index: int, depth: int, max_bytes: int) -> bytes:
    inner = list(_members(read(max_bytes), "", max_bytes, depth))
    return inner[index].read(max_bytes)


def _whole(file: Path | bytes, name: str, max_bytes: int) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        with file.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(f"{name} can't be read from disk: {error.strerror}.") from error
    if len(data) > max_bytes:
        raise OverLimit(f"{name} is larger than {max_bytes / 1024**2:.0f} MiB; raise NIGHTSHIFT_MAX_BYTES.")
    return data


def _data_or_none(read: Callable[[int], bytes], max_bytes: int) -> bytes | None:
    try:
        return read(max_bytes)
    except PermanentError:  # reported when it is read
        return None


def _kind(data: bytes | None) -> str:
    """Media type by content, empty if there is none."""
    try:
        return sniff(data) if data else ""
    except PermanentError:
        return ""
