"""XML invoices: recognised by their root, decoded, and a document of their own when submitted alone."""

from __future__ import annotations

import base64

import pytest

from pipeline.documents.einvoice import MAX_XML, is_einvoice, parse, readable, xml_text
from pipeline.documents.layout import assemble
from pipeline.documents.open import open_document
from pipeline.errors import OverLimit, Unreadable, Unsupported
from pipeline.limits import Limits
from tests.support.einvoices import cii, ubl, zugferd1

ANNEX = (
    "<cac:AdditionalDocumentReference><cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode='application/pdf'>"
    + base64.b64encode(b"%PDF-1.7 and so on").decode()
    + "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
)


@pytest.mark.parametrize(
    "data",
    [
        cii().encode(),
        zugferd1().encode(),
        ubl().encode(),
        ubl(root="CreditNote").encode(),
        cii().encode("utf-8-sig"),
        cii().encode("utf-16"),
        cii().partition("?>")[2].encode(),
    ],
)
def test_invoices_are_recognised(data: bytes) -> None:
    assert is_einvoice(data)
    assert is_einvoice(data[:1024])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"<?xml",
        b"<!-- " + b"<!-- " * 5000,
        b"<?xml version='1.0'?><Invoice><ID>1</ID></Invoice>",
        b"<Invoice xmlns='urn:example:invoice'/>",
        b"<?xml version='1.0'?><CrossIndustryOrder/>",
        b"<html><body>CrossIndustryInvoice</body></html>",
        b"Invoice 5001 <CrossIndustryInvoice>",
        b"\xff\xfe" * 20,
    ],
)
def test_other_data_are_not(data: bytes) -> None:
    assert not is_einvoice(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_text_is_decoded_as_declared(encoding: str) -> None:
    data = cii().replace('encoding="UTF-8"', f'encoding="{encoding}"').encode(encoding)
    text, annexes = xml_text(data)
    assert "München" in text
    assert text.startswith("<?xml")
    assert not annexes
    assert parse(text) is not None


@pytest.mark.parametrize("encoding", ["punycode", "rot13", "iso-8859-12", "no-such"])
def test_strange_encodings_are_ignored(encoding: str) -> None:
    text, _ = xml_text(cii().replace('encoding="UTF-8"', f'encoding="{encoding}"').encode())
    assert "München" in text


def test_files_inside_the_xml_are_left_out() -> None:
    text, annexes = xml_text(ubl(annex=ANNEX * 2).encode())
    assert annexes == 2
    assert "JVBERi" not in text
    assert parse(text) is not None


def test_an_xml_invoice_is_a_document_whose_page_lists_it() -> None:
    with open_document(ubl(annex=ANNEX).encode(), Limits()) as document:
        page = document.page(1)
        assert document.media_type == "application/xml"
        assert all(not document.page(n).codes for n in range(2, document.page_count + 1))
    text, _ = assemble(page.lines or (), page.width, page.height)
    assert "Issue Date: 2026-03-04" in text
    assert "Payable Amount: 197.50 EUR" in text
    (code,) = page.codes
    assert code.kind == "xml"
    assert code.box is not None
    assert "JVBERi" not in code.text
    assert page.warnings == ("1 of the files inside the XML invoice were left out.",)


def test_days_of_cii_are_shown_as_dates() -> None:
    assert "Date Time String: 2026-03-04" in readable(parse(cii()))


def test_broken_and_large_ones_are_refused() -> None:
    with pytest.raises(Unreadable, match="is broken"), open_document(cii()[:3000].encode(), Limits()):
        pass
    large = cii().encode() + b" " * MAX_XML
    with pytest.raises(OverLimit, match="larger than 5 MiB"), open_document(large, Limits()):
        pass


def test_other_xml_is_refused_as_before() -> None:
    with (
        pytest.raises(Unsupported, match="an XML document"),
        open_document(b"<?xml version='1.0'?><a/>", Limits()),
    ):
        pass
