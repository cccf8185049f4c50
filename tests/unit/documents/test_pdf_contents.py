"""Pages whose content PDFium can't draw, or draws in part without saying so."""

from __future__ import annotations

import re
import zlib

import pytest

from pipeline.documents.open import open_document
from pipeline.documents.pdf_bounds import plain_copy
from pipeline.documents.pdf_contents import Contents
from pipeline.documents.pdf_objects import Objects, Ref, Stream
from pipeline.errors import Unreadable
from pipeline.limits import Limits
from tests.unit.documents.conftest import build_pdf

LINES = [b"BT /F1 10 Tf 50 %d Td (Row %d of the delivery note) Tj ET" % (280 - 12 * n, n) for n in range(20)]
TEXT = b"\n".join(LINES)
FORM = b"<</Type/XObject/Subtype/Form/BBox[0 0 400 300]%s/Length %d>>stream\n%s\nendstream"
PIXELS = zlib.compress(bytes(64 * 64))
PICTURE = b"<</Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8%s"
PICTURE += b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"


def packed(text: bytes, *, share: float = 1.0) -> bytes:
    """A PDF of one page whose content is deflated, and cut off after that share."""
    data = zlib.compress(text)
    data = data[: round(len(data) * share)]
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(data), data)
    return build_pdf(b"", extra=[stream]).replace(b"/Contents 6 0 R", b"/Contents 4 0 R")


def drawn(data: bytes, number: int = 1) -> tuple[int, tuple[str, ...]]:
    with open_document(data, Limits()) as document:
        page = document.page(number)
        return page.unread, page.warnings


def test_a_whole_page_has_no_fault() -> None:
    assert drawn(packed(TEXT)) == (0, ())
    assert drawn(build_pdf(TEXT)) == (0, ())


def test_content_that_is_cut_off_is_a_missing_part() -> None:
    unread, warnings = drawn(packed(TEXT, share=0.6))
    assert unread == 1
    assert warnings == ("The PDF has content that ends early, so a part is missing.",)


def test_content_that_was_flushed_and_never_closed_is_whole() -> None:
    packer = zlib.compressobj()
    data = packer.compress(TEXT) + packer.flush(zlib.Z_SYNC_FLUSH)
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(data), data)
    pdf = build_pdf(b"", extra=[stream]).replace(b"/Contents 6 0 R", b"/Contents 4 0 R")
    assert drawn(pdf) == (0, ())


@pytest.mark.parametrize(
    ("pdf", "why"),
    [
        (build_pdf(TEXT).replace(b"/Contents 5 0 R", b"/Contents 9 0 R"), "is missing from the file"),
        (
            packed(TEXT).replace(zlib.compress(TEXT)[:9], b"x\x9c\xff\xff\xff\xff\xff\xff\xff"),
            "can't be decoded",
        ),
        (build_pdf(b"\x81\x93\x07 no content <<\x02"), "can't be decoded"),
        (build_pdf(b"/Im1 Do", resources=b"/XObject<</Im1 99 0 R>>"), "is missing from the file"),
        (build_pdf(b"/Im1 Do"), "is missing from the file"),
    ],
    ids=["no content", "damaged", "noise", "no picture", "no resource"],
)
def test_a_page_of_which_nothing_is_left_is_unreadable(pdf: bytes, why: str) -> None:
    with open_document(pdf, Limits()) as document, pytest.raises(Unreadable, match=why):
        document.page(1)


def test_an_empty_page_is_whole() -> None:
    assert drawn(build_pdf(b"")) == (0, ())
    assert drawn(build_pdf(b"q Q")) == (0, ())
    assert drawn(re.sub(rb"/Contents \d+ 0 R", b"", build_pdf(b""))) == (0, ())


def test_only_the_broken_page_of_many_is_lost() -> None:
    pdf = build_pdf([TEXT, TEXT, TEXT]).replace(b"/Contents 7 0 R", b"/Contents 77 0 R")
    with open_document(pdf, Limits()) as document:
        assert document.page(1).lines
        assert document.page(3).lines
        with pytest.raises(Unreadable, match=r"Page 2 of 3 of the PDF has content that is missing"):
            document.page(2)


def test_a_missing_picture_beside_text_is_a_missing_part() -> None:
    unread, warnings = drawn(build_pdf(TEXT + b" /Im1 Do", resources=b"/XObject<</Im1 99 0 R>>"))
    assert unread == 1
    assert warnings == ("The PDF has content that is missing from the file.",)


def test_forms_are_looked_into_once_even_if_they_draw_themselves() -> None:
    inner = FORM % (b"/Resources<</XObject<</A 4 0 R/B 88 0 R>>>>", 14, b"/A Do /B#20 Do")
    pdf = build_pdf(TEXT + b" /A Do", extra=[inner], resources=b"/XObject<</A 4 0 R>>")
    assert drawn(pdf)[0] == 1


def test_a_mask_that_is_cut_off_hides_a_part_of_its_picture() -> None:
    mask = PICTURE % (b"", len(PIXELS) // 2, PIXELS[: len(PIXELS) // 2])
    picture = PICTURE % (b"/SMask 5 0 R", len(PIXELS), PIXELS)
    pdf = build_pdf(
        TEXT + b" q 50 0 0 50 300 10 cm /I Do Q", extra=[picture, mask], resources=b"/XObject<</I 4 0 R>>"
    )
    assert drawn(pdf)[0] == 1


def test_content_made_to_exhaust_a_machine_is_looked_at_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.documents.pdf_contents.MAX_UNPACKED", 10_000)
    data = zlib.compress(b" " * 5_000_000)
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(data), data)
    pdf = build_pdf(b"", extra=[stream]).replace(b"/Contents 6 0 R", b"/Contents[" + b"4 0 R " * 300 + b"]")
    with open_document(pdf, Limits()) as document:
        contents = Contents(document._pdf, len(pdf))  # type: ignore[attr-defined]
        assert contents.faults(1, blank=True) == []


def test_large_files_are_checked_where_a_page_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.documents.pdf_contents.MAX_BYTES", 10)
    assert drawn(packed(TEXT, share=0.6)) == (0, ())
    with open_document(build_pdf(b"/Im1 Do"), Limits()) as document, pytest.raises(Unreadable):
        document.page(1)


def test_objects_are_found_by_number() -> None:
    with open_document(
        build_pdf(b"(a \\) (b) c) Tj", page=b"/X(\\()/Y[1 null<</Z/N#61me>>]"), Limits()
    ) as document:
        objects = Objects(plain_copy(document._pdf))  # type: ignore[attr-defined]
        (page,) = objects.pages(10)
        assert page[b"Y"] == [b"1", b"null", {b"Z": b"Name"}]
        assert isinstance(objects.get(page[b"Contents"]), Stream)
        assert objects.get(Ref(1000)) is None


@pytest.mark.parametrize("tiles", [True, False])
def test_a_picture_painted_as_tiles_is_a_region_to_be_read(tiles: bool) -> None:
    cell = b"q 0 0 0 rg 0 0 30 30 re f Q"
    pattern = b"<</Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 60 60]/XStep 60/YStep 60"
    pattern += b"/Resources<<>>/Length %d>>stream\n%s\nendstream" % (len(cell), cell)
    fill = b" /Pattern cs /P1 scn 200 40 120 60 re f" if tiles else b" .749 g 200 40 120 60 re f"
    resources = b"/Pattern<</P1 4 0 R>>" if tiles else b""
    pdf = build_pdf(TEXT + fill, extra=[pattern], resources=resources)
    with open_document(pdf, Limits()) as document:
        page = document.page(1)
    assert len(page.regions) == tiles
