"""Documents of every type: each is opened and its first pages are read and drawn, or refused with one sentence."""

import math
from collections.abc import Sequence

from pipeline.documents.base import Document, PageInput
from pipeline.documents.codes import find_codes
from pipeline.documents.layout import assemble
from pipeline.documents.open import open_document
from pipeline.errors import PermanentError
from pipeline.limits import Limits
from tests.fuzz import seeds, structure
from tests.fuzz.checks import code_of, ensure, sentence
from tests.fuzz.mutation import Mutator

LIMITS = Limits(max_bytes=4 << 20, max_pages=200, max_pixels=4_000_000, render_dpi=72, max_side=1200)
PAGES = 3


class _Documents:
    tokens: Sequence[bytes] = (
        b"/Type", b"/Page", b"/Pages", b"/Kids", b"/Parent", b"/Count", b"/Contents", b"/Resources",
        b"/Font", b"/XObject", b"/Pattern", b"/Shading", b"/Form", b"/Image", b"/Filter", b"/FlateDecode",
        b"/LZWDecode", b"/DCTDecode", b"/JBIG2Decode", b"/JPXDecode", b"/CCITTFaxDecode",
        b"/RunLengthDecode", b"/ASCII85Decode", b"/Crypt", b"/DecodeParms", b"/Predictor 15",
        b"/Columns 99999", b"/MediaBox[0 0 1e9 1e9]", b"/Rotate 45", b"/UserUnit 1e6", b"/Width",
        b"/Height", b"/BBox", b"/Matrix", b"/XStep", b"/SMask", b"/ColorSpace", b"/Indexed", b"/ICCBased",
        b"/Separation", b"/Annots", b"/AP", b"/Encoding", b"/ToUnicode", b"/Type0", b"/Type3",
        b"/CharProcs", b"/ObjStm", b"/XRef", b"/Encrypt", b"/AcroForm", b"/XFA", b"/Collection",
        b"/Length 0", b"1 0 R", b"4 0 R", b"<<", b">>", b"[", b"]", b"null", b"true",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>", b"&b;", b"&#x0;", b"&#x1F4C4;",
        b"<![CDATA[", b"<!--", b"<table>", b"<td colspan=99999>",
        b'<img src="data:image/png;base64,AAAA">', b"<w:p>", b"<w:tbl>", b"<w:tc>", b"</w:p>",
        b"charset=utf-7", b"charset=hz", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0\0\0\0",
        b"\xff\xff\xff\xff", b"\x0c", b"\t" * 40, "\u202e\u2066".encode(), "é".encode() * 200,
        "مرحبا".encode(), b"<" * 900, b"x" * 3000,
    )  # fmt: skip

    def seeds(self) -> list[bytes]:
        return list(seeds.documents())

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        return structure.change(mutator, data)

    def check(self, data: bytes) -> str:
        try:
            with open_document(data, LIMITS) as document:
                ensure(document.page_count <= LIMITS.max_pages, f"{document.page_count} pages")
                ended = {_read(document, n) for n in range(1, min(document.page_count, PAGES) + 1)}
        except PermanentError as error:
            return code_of(error)
        return f"{document.media_type.rpartition('.')[2]}: {' '.join(sorted(ended))}"


def _read(document: Document, number: int) -> str:
    """Read and draw a page as the steps do, without models."""
    sentence(document.place(number))
    try:
        page = document.page(number)
        _sound(page)
        if page.image is not None:
            find_codes(page.image, 0)
        elif page.tiled:
            find_codes(document.render(number), page.rotation)
        text, lines = assemble(page.lines or (), page.width, page.height)
        ensure(
            all(text[line.start : line.end] == line.text for line in lines), "a line that is not in the text"
        )
        text.encode()
    except PermanentError as error:
        return code_of(error)
    try:
        shape = document.render(number).shape
        ensure(len(shape) == 3 and shape[2] == 3 and min(shape) > 0, f"a drawing of shape {shape}")
    except PermanentError as error:
        return f"not drawn: {code_of(error)}"
    return "read" if page.lines or page.image is not None else "empty"


def _sound(page: PageInput) -> None:
    """What every step relies on."""
    ensure(page.width > 0 and page.height > 0, f"a page of {page.width} x {page.height}")
    for warning in page.warnings:
        sentence(warning)
    if page.image is not None:
        ensure(
            page.image.ndim == 3 and page.image.shape[2] == 3 and page.image.dtype == "uint8",
            "an image that is not RGB",
        )
    for line in page.lines or ():
        ensure(all(math.isfinite(v) for point in line.box for v in point), "a line at no place")
        ensure("\n" not in line.text and "\0" not in line.text, f"no line: {line.text[:40]!r}")
        line.text.encode()
    for code in page.codes:
        code.text.encode()


TARGET = _Documents()
