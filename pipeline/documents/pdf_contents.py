"""Whether the content of a PDF page is whole: PDFium draws what it understands of it, and reports no error.

A page whose content can't be unpacked is blank, one whose content is cut off shows its beginning, and a picture that
the file does not hold leaves a hole.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium

from pipeline.documents.pdf_bounds import plain_copy
from pipeline.documents.pdf_objects import Objects, Ref, Stream, unescaped
from pipeline.documents.streams import DAMAGED, EARLY, MISSING, Fault

MAX_BYTES = 64 * 1024 * 1024
"""Larger PDFs are checked only where a page is blank: writing them again takes too long."""
MAX_UNPACKED = 64 * 1024 * 1024
MAX_STREAMS = 500
"""What is checked per page; what is beyond that is taken as it is."""
NESTED = 4
"""Depth of forms in forms that are looked at."""

_CHUNK = 1 << 20
_SYNCED = b"\0\0\xff\xff"
"""End of deflated data that was flushed and never closed, as some producers leave it: all of it is there."""
_DRAWN = re.compile(rb"/([^\s\0()<>\[\]{}/%]+)[\s\0]+Do\b")
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1f\x7f-\xff]")


class Contents:
    """Looks at the pages of a PDF as it is stored, when first asked."""

    def __init__(self, pdf: pdfium.PdfDocument, size: int) -> None:
        self._pdf = pdf
        self._small = size <= MAX_BYTES
        self._objects: Objects | None = None
        self._pages: list[dict[bytes, Any]] = []
        self._known: dict[int, list[Fault]] = {}

    def faults(self, number: int, *, blank: bool) -> list[Fault]:
        """What is wrong with page `number` (from 1); `blank`: nothing is drawn on it."""
        if not (blank or self._small):
            return []
        objects, page = self._stored(number)
        search = _Search(objects, self._known)
        found, drawn = list[Fault](), b""
        for part in _parts(objects, page.get(b"Contents")):
            text, fault = search.unpacked(part)
            drawn += text + b"\n"
            found += [fault] if fault else []
        if blank and not found and _BINARY.search(drawn):
            found.append(DAMAGED)
        return found + search.holes(drawn, objects.get(page.get(b"Resources")), NESTED)

    def has_patterns(self, number: int) -> bool:
        """Whether page `number` (from 1) may fill areas with tiles, as some printers draw pictures."""
        if not self._small:
            return False
        objects, page = self._stored(number)
        named = objects.under(objects.get(page.get(b"Resources")), b"Pattern")
        patterns = map(objects.get, list(named.values())[:MAX_STREAMS]) if isinstance(named, dict) else ()
        return any(
            isinstance(pattern, Stream) for pattern in patterns
        )  # one of type 2 is a shading, and no stream

    def _stored(self, number: int) -> tuple[Objects, dict[bytes, Any]]:
        """The objects of the file, and a page's dictionary; empty where PDFium follows the page tree in another way."""
        if self._objects is None:
            self._objects = Objects(plain_copy(self._pdf))
            self._pages = self._objects.pages(len(self._pdf))
        return self._objects, self._pages[number - 1] if len(self._pages) == len(self._pdf) else {}


class _Search:
    """The search of one page, which ends after so many streams and bytes."""

    def __init__(self, objects: Objects, known: dict[int, list[Fault]]) -> None:
        self._objects = objects
        self._known = known
        self._streams, self._bytes = MAX_STREAMS, MAX_UNPACKED

    def unpacked(self, part: Any) -> tuple[bytes, Fault | None]:
        """What a stream unpacks to, empty if it is packed in a way that is not looked at; and what is wrong with it."""
        if not isinstance(part, Stream):
            return b"", MISSING
        self._streams -= 1
        if self._streams < 0 or self._bytes <= 0:
            return b"", None
        filters = part.about.get(b"Filter") or []
        filters = filters if isinstance(filters, list) else [filters]
        if not filters:
            return part.data, None
        if filters not in ([b"FlateDecode"], [b"Fl"]):
            return b"", None
        text, fault = _inflated(part.data, self._bytes)
        self._bytes -= len(text)
        return text, fault

    def holes(self, drawn: bytes, resources: Any, depth: int) -> list[Fault]:
        """Faults of the pictures and forms that content draws."""
        named = self._objects.under(resources, b"XObject")
        found = list[Fault]()
        for name in dict.fromkeys(unescaped(name) for name in _DRAWN.findall(drawn)):
            value = named.get(name) if isinstance(named, dict) else None
            if not isinstance(value, Ref):
                found += self._hole(value, resources, depth)
                continue
            if value.number not in self._known:
                self._known[value.number] = []  # of a form that draws itself
                self._known[value.number] = self._hole(self._objects.get(value), resources, depth)
            found += self._known[value.number]
            if self._streams < 0:
                break
        return found

    def _hole(self, item: Any, resources: Any, depth: int) -> list[Fault]:
        if not isinstance(item, Stream):
            return [MISSING]
        if item.about.get(b"Subtype") == b"Form":
            text, fault = self.unpacked(item)
            own = self._objects.under(item, b"Resources") or resources
            inner = self.holes(text, own, depth - 1) if depth else []
            return ([fault] if fault else []) + inner
        for key in (b"SMask", b"Mask"):
            mask = item.about.get(key)
            if isinstance(mask, Ref) and (fault := self.unpacked(self._objects.get(mask))[1]):
                return [fault]
        return []


def _parts(objects: Objects, value: Any) -> Iterator[Any]:
    held = objects.get(value)
    if isinstance(held, list):
        yield from map(objects.get, held[:MAX_STREAMS])
    elif value is not None:
        yield held


def _inflated(data: bytes, most: int) -> tuple[bytes, Fault | None]:
    inflater, out, rest = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), data[2:]
    try:
        while rest and not inflater.eof and len(out) < most:
            out += inflater.decompress(rest, _CHUNK)
            rest = inflater.unconsumed_tail
    except zlib.error:
        return bytes(out), EARLY if out else DAMAGED
    whole = inflater.eof or len(out) >= most or not data.strip() or data.rstrip(b"\r\n").endswith(_SYNCED)
    return bytes(out), None if whole else EARLY
