"""Electronic invoices attached to a PDF come with its first page."""

from __future__ import annotations

import zlib

import pytest

from pipeline.documents import attached
from pipeline.documents.base import PageInput
from pipeline.documents.einvoice import parse
from pipeline.documents.open import open_document
from pipeline.documents.portfolio import members
from pipeline.errors import Unreadable
from pipeline.limits import Limits
from tests.support.einvoices import cii, ubl, zugferd1
from tests.unit.documents.conftest import build_pdf
from tests.unit.documents.test_portfolio import INVOICE, MIB, embed


def page(files: dict[str, bytes], content: bytes | list[bytes] = INVOICE, number: int = 1) -> PageInput:
    with open_document(embed(files, content=content, root=b""), Limits()) as document:
        return document.page(number)


@pytest.mark.parametrize(
    ("name", "xml"),
    [
        ("factur-x.xml", cii()),
        ("ZUGFeRD-invoice.xml", zugferd1()),
        ("zugferd-invoice.xml", cii()),
        ("xrechnung.xml", ubl()),
        ("Rechnung 417.XML", ubl(root="CreditNote")),
    ],
)
def test_the_attached_invoice_is_read(name: str, xml: str) -> None:
    given = page({name: xml.encode()})
    assert [(code.kind, code.text, code.box) for code in given.codes] == [("xml", xml, None)]
    assert given.warnings == ()
    assert given.lines


def test_it_is_no_document_of_its_own() -> None:
    data = embed({"factur-x.xml": cii().encode()}, content=INVOICE, root=b"")
    assert members(data, "a.pdf", MIB) == []


def test_it_comes_once_a_document_and_with_a_scan_too() -> None:
    files = {"factur-x.xml": cii().encode()}
    assert page(files, [INVOICE, INVOICE]).codes
    assert not page(files, [INVOICE, INVOICE], 2).codes
    scan = page(files, b"0 0 200 100 re f")
    assert scan.lines is None
    assert scan.codes


def test_other_attachments_are_left_alone() -> None:
    given = page({"data.xml": b"<a/>", "notes.txt": b"note", "order.xml": b"<CrossIndustryOrder/>"})
    assert (given.codes, given.warnings) == ((), ())


def test_a_known_name_with_something_else_in_it_is_reported() -> None:
    given = page({"factur-x.xml": b"<a/>"})
    assert not given.codes
    assert given.warnings == ("The attached factur-x.xml is not an electronic invoice: it was not read.",)


def test_several_invoices_are_all_read_the_standard_name_first() -> None:
    given = page({"a.xml": ubl().encode(), "factur-x.xml": cii().encode()})
    assert [code.text for code in given.codes] == [cii(), ubl()]
    many = page({f"{n}.xml": cii().encode() for n in range(8)})
    assert len(many.codes) == attached.MAX_INVOICES


def test_broken_streams_are_reported() -> None:
    whole = embed({"factur-x.xml": cii().encode()}, content=INVOICE, root=b"")
    packed = zlib.compress(cii().encode())
    damaged = whole.replace(packed, b"\0" * len(packed))
    assert damaged != whole
    with open_document(damaged, Limits()) as document:
        given = document.page(1)
    assert not given.codes
    assert len(given.warnings) == 1
    assert given.lines


def test_a_stream_that_is_damaged_in_the_middle_gives_xml_that_is_broken() -> None:
    whole = embed({"factur-x.xml": cii().encode()}, content=INVOICE, root=b"")
    packed = zlib.compress(cii().encode())
    cut = whole.replace(packed, packed[:600] + b"\0" * (len(packed) - 600))
    with open_document(cut, Limits()) as document:
        given = document.page(1)
    assert given.lines
    (code,) = given.codes
    assert code.text.startswith(cii()[:300])
    with pytest.raises(Unreadable):
        parse(code.text)


def test_large_ones_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MAX_XML", 1024 * 1024)
    given = page({"factur-x.xml": cii().encode() + b" " * 1024 * 1024})
    assert not given.codes
    assert given.warnings == ("The attached factur-x.xml is larger than 1 MiB: it was not read.",)


def test_what_would_fill_the_memory_is_not_unpacked() -> None:
    bomb = embed({"factur-x.xml": cii().encode() + b" " * 40 * MIB}, content=INVOICE, root=b"")
    with open_document(bomb, Limits(max_bytes=4 * MIB)) as document:
        given = document.page(1)
    assert not given.codes
    assert given.warnings == ("The files attached to the PDF are too large: they were not read.",)


def test_an_attachment_without_a_stream_is_reported() -> None:
    names = b"/Names<</EmbeddedFiles<</Names[(factur-x.xml)4 0 R]>>>>"
    data = build_pdf(INVOICE, extra=[b"<</Type/Filespec/F(factur-x.xml)/UF(factur-x.xml)>>"], root=names)
    with open_document(data, Limits()) as document:
        given = document.page(1)
    assert not given.codes
    assert len(given.warnings) == 1


def test_a_pdf_of_the_owner_only_is_read_as_well() -> None:
    names = b"/Names<</EmbeddedFiles<</Names[(factur-x.xml)5 0 R]>>>>"
    xml = cii().encode()
    extra = [
        b"<</Type/EmbeddedFile/Length %d>>stream\n" % len(xml) + xml + b"\nendstream",
        b"<</Type/Filespec/F(factur-x.xml)/UF(factur-x.xml)/EF<</F 4 0 R>>>>",
    ]
    data = build_pdf(INVOICE, extra=extra, root=names, user_password=b"")
    with open_document(data, Limits()) as document:
        assert document.page(1).lines  # its attachments are encrypted, and the test's are not: nothing breaks
