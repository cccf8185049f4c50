"""Checks of a PDF's structure that PDFium does not make: what object streams unpack to, and the number of pages."""

from __future__ import annotations

import io
import re
import zlib
from mmap import mmap

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.errors import OverLimit, Unreadable

MAX_STRUCTURE = 256 * 1024 * 1024
"""Bytes that the object streams of a PDF may unpack to: it takes over a million objects to need as many."""
_SMALL = 65536  # packed bytes that can't become more than 64 MiB
INDIRECT_FILTER = re.compile(rb"/Filter\s+\d+\s+\d+\s+R\b")
"""The filters of a stream stand elsewhere, so can't be counted here; no known writer does so for these streams."""
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STRUCTURE = re.compile(
    rb"/(?:(?:O|#4[Ff])(?:b|#62)(?:j|#6[Aa])(?:S|#53)(?:t|#74)(?:m|#6[Dd])"
    rb"|(?:X|#58)(?:R|#52)(?:e|#65)(?:f|#66))\b"
)
_BEGINS = re.compile(rb"stream[\r\n]")
_PACKED = re.compile(rb"/(?:FlateDecode|Fl|LZWDecode|LZW|RunLengthDecode|RL)\b")


def check_object_streams(data: bytes | mmap) -> None:
    """Raise `OverLimit` for a small file whose structure would fill the memory: PDFium unpacks it before any limit."""
    total, at, end = 0, 0, 0
    for found in _STRUCTURE.finditer(data):
        if found.start() < at:
            continue  # of the same dictionary: each byte is looked at once
        opened = max(data.rfind(b"obj", at, found.start()), at)
        begins = _BEGINS.search(data, found.end())
        if begins is None:
            break
        at = begins.start()
        if end < at:
            end = data.find(b"endstream", at)
            end = len(data) if end < 0 else end
        head = _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), data[opened:at])
        filters = len(_PACKED.findall(head)) + 2 * bool(INDIRECT_FILTER.search(head))
        if end - at > _SMALL:
            total += unpacked(data, at, MAX_STRUCTURE)
        if total > MAX_STRUCTURE or filters > 1:
            raise OverLimit(
                f"The structure of the PDF unpacks to more than {MAX_STRUCTURE // 1024**2} MiB, as in files made to"
                " exhaust a machine: print it to a PDF and send that if it is genuine."
            )


def unpacked(data: bytes | mmap, at: int, most: int) -> int:
    """Size in bytes of the deflated data after the word `stream` at `at`, counted to just beyond `most`."""
    at += len(b"stream")
    at += 2 if data[at : at + 2] == b"\r\n" else 1
    inflater, size, step = zlib.decompressobj(), 0, 512  # what is no deflated data ends at once
    while not inflater.eof and size <= most and at < len(data):
        rest = data[at : at + step]
        at += step
        step = min(2 * step, 65536)
        try:
            while rest and size <= most and not inflater.eof:
                size += len(inflater.decompress(rest, 1 << 20))
                rest = inflater.unconsumed_tail
        except zlib.error:
            break
    return size


def check_page_count(pdf: pdfium.PdfDocument, data: bytes) -> None:
    """Raise `Unreadable` if the page tree holds more pages than it says, since PDFium reads only as many."""
    said = len(pdf)
    if len(re.findall(rb"/Type\s*/Page\b", data)) <= said:
        return  # an older version of a page counts too: only then is the tree walked
    held = _leaves(plain_copy(pdf), most=100_000)
    if held > said:
        raise Unreadable(
            f"The PDF says that it has {said} {'page' if said == 1 else 'pages'} and holds {held:,}: it is damaged,"
            " and pages would be lost. Print it to a PDF and send that."
        )


def plain_copy(pdf: pdfium.PdfDocument) -> bytes:
    """The PDF written again: its dictionaries are outside of compressed streams, and nothing is encrypted."""
    out = io.BytesIO()
    pdf.save(out, flags=pdfium_c.FPDF_REMOVE_SECURITY)
    return out.getvalue()


def _leaves(plain: bytes, most: int) -> int:
    """Count the pages of the tree, each once; 0 if it can't be followed."""
    starts = {int(m[1]): m.end() for m in re.finditer(rb"(?:^|[\r\n])(\d{1,8}) \d+ obj\b", plain)}

    def body(number: int) -> bytes:
        at = starts.get(number, len(plain))
        return plain[at : plain.find(b"endobj", at)]

    root = re.search(rb"/Root\s+(\d+)\s", plain[plain.rfind(b"trailer") :])
    top = re.search(rb"/Pages\s+(\d+)\s", body(int(root[1]))) if root else None
    waiting, seen, leaves = [int(top[1])] if top else [], set[int](), 0
    while waiting and leaves < most:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        text = body(number)
        listed = re.search(rb"/Kids\s*(?:\[([^\]]*)\]|(\d+)\s+\d+\s+R)", text)
        if listed is None:
            leaves += bool(re.search(rb"/Type\s*/Page\b", text))
            continue
        kids = listed[1] if listed[2] is None else body(int(listed[2]))
        waiting += [int(n) for n in re.findall(rb"(\d+)\s+\d+\s+R", kids)]
    return leaves
