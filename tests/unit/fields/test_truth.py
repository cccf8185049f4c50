"""Stated values come before printed ones; what agrees is verified, and what differs is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from msgspec import structs

from pipeline.fields import load, vat_invoice
from pipeline.fields.filler import Filler
from pipeline.fields.truth import Truth, merged, read
from pipeline.models import Code, Extraction, Field, LineItem, Page
from pipeline.settings import Settings
from tests.support.einvoices import IBAN, cii, ubl
from tests.unit.fields.paper import entities, page
from tests.unit.fields.test_qr_codes import epc

NAMES = (
    "number",
    "date",
    "due_date",
    "seller",
    "seller_address",
    "seller_tax_id",
    "buyer",
    "iban",
    "bic",
    "net",
    "tax",
    "total",
    "due",
    "currency",
)
BOX = ((10.0, 20.0), (60.0, 20.0), (60.0, 70.0), (10.0, 70.0))
VAT = "01,{kind},{code},{number},{amount},20260203,,A1B2,"


def xml(text: str) -> Code:
    return Code(kind="xml", text=text)


def qr(text: str) -> Code:
    return Code(kind="qr", text=text, box=BOX)


def found(name: str, value: str, confidence: float = 0.9, *checks: str) -> Field:
    return Field(
        name=name,
        value=value,
        text=value,
        confidence=confidence,
        page=1,
        boxes=(BOX,),
        start=3,
        end=9,
        checks=checks,
    )


def record(
    codes: Sequence[Code],
    *printed: Field,
    kind: str = "invoice",
    names: Sequence[str] = NAMES,
    paper: Page | None = None,
    items: tuple[LineItem, ...] = (),
) -> Extraction:
    """The record of a page with these codes on which these fields were found."""
    paper = paper or Page(number=1, width=100, height=100)
    known = {field.name: field for field in printed}
    fields = tuple(known.get(name, Field(name=name)) for name in names)
    truth = read([Page(number=1, width=100, height=100, codes=tuple(codes))])
    before = Extraction(document_type=kind, confidence=1.0, fields=fields, items=items)
    return merged(before, truth, [paper], entities(paper))


def fields(extraction: Extraction) -> Mapping[str, Field]:
    return {field.name: field for field in extraction.fields}


def test_without_codes_nothing_changes() -> None:
    before = record([], found("total", "297.50"))
    assert fields(before)["total"] == found("total", "297.50")
    assert not before.warnings


def test_what_is_not_printed_comes_from_the_xml() -> None:
    got = fields(record([xml(cii())]))
    assert got["total"] == Field(name="total", value="297.50", confidence=1.0, source="xml", currency="EUR")
    assert got["seller_tax_id"].value == "DE123456788"
    assert all(field.source == "xml" and not field.verified for field in got.values())


@pytest.mark.parametrize(
    ("name", "shown", "value"),
    [
        ("number", "R 2026/417", "R-2026-417"),
        ("date", "2026-03-04", "2026-03-04"),
        ("total", "297.5", "297.50"),
        ("seller", "MUSTER ELEKTRIK GMBH", "Muster Elektrik GmbH"),
        ("seller", "MusterElektrik GmbH", "Muster Elektrik GmbH"),
        ("seller_address", "Werftweg 8\u30fb20095 Hamburg, Germany", "Werftweg 8, 20095 Hamburg"),
        ("seller_tax_id", "48/815/0001", "48/815/0001"),
        ("iban", "DE02 1203 0000 0000 2020 51", IBAN),
        ("bic", "BYLADEM1001", "BYLADEM1001"),
        ("currency", "EUR", "EUR"),
    ],
)
def test_a_printed_value_that_agrees_verifies(name: str, shown: str, value: str) -> None:
    extraction = record([xml(cii())], found(name, shown, 0.3, "no_label"))
    field = fields(extraction)[name]
    assert (field.value, field.confidence, field.source, field.verified) == (value, 1.0, "xml", True)
    assert (field.text, field.page, field.boxes, field.start, field.end) == (shown, 1, (BOX,), 3, 9)
    assert not field.checks
    assert not field.needs_review
    assert not extraction.warnings


@pytest.mark.parametrize(
    ("name", "shown", "sentence"),
    [
        (
            "number",
            "R-2026-418",
            'The attached XML and the page differ in number: "R-2026-417" and "R-2026-418".',
        ),
        (
            "date",
            "2026-04-03",
            'The attached XML and the page differ in date: "2026-03-04" and "2026-04-03".',
        ),
        ("total", "297.05", 'The attached XML and the page differ in total: "297.50" and "297.05".'),
        (
            "seller",
            "Anders KG",
            'The attached XML and the page differ in seller: "Muster Elektrik GmbH" and "Anders KG".',
        ),
        (
            "iban",
            "DE75512108001245126199",
            'The attached XML and the page differ in iban: "…2051" and "…6199".',
        ),
    ],
)
def test_a_difference_is_one_sentence(name: str, shown: str, sentence: str) -> None:
    extraction = record([xml(cii())], found(name, shown))
    field = fields(extraction)[name]
    assert extraction.warnings == (sentence,)
    assert (field.source, field.confidence, field.other, field.checks) == (
        "xml",
        1.0,
        shown,
        ("contradiction",),
    )
    assert (field.text, field.boxes, field.verified) == (shown, (BOX,), False)
    assert field.needs_review
    assert extraction.needs_review


def test_the_data_decide_between_two_readings_of_a_date() -> None:
    shown = structs.replace(found("date", "2026-04-03", 0.6, "ambiguous_date"), other="2026-03-04")
    extraction = record([xml(cii())], shown)
    field = fields(extraction)["date"]
    assert (field.value, field.verified, field.other, field.checks) == ("2026-03-04", True, None, ())
    assert not extraction.warnings


def test_a_doubtful_printed_value_is_no_contradiction() -> None:
    extraction = record([xml(cii())], found("total", "41.00", 0.4))
    assert not extraction.warnings
    assert fields(extraction)["total"] == fields(record([xml(cii())]))["total"]


@pytest.mark.parametrize(
    ("name", "shown"), [("number", "2026-417"), ("seller", "Muster Elektrik"), ("buyer", "Bau")]
)
def test_a_part_of_the_value_is_neither(name: str, shown: str) -> None:
    extraction = record([xml(cii())], found(name, shown))
    field = fields(extraction)[name]
    assert (field.text, field.verified, field.checks, extraction.warnings) == (shown, False, (), ())


def test_amounts_of_credit_notes_may_have_a_sign_on_paper() -> None:
    field = fields(record([xml(cii(kind="381"))], found("total", "-297.50"), kind="credit_note"))["total"]
    assert (field.value, field.verified) == ("297.50", True)
    assert record([xml(cii())], found("total", "-297.50")).warnings


def test_values_that_the_page_shows_without_a_label_get_their_place() -> None:
    paper = page("Muster Elektrik\nWerftweg 8\n20095 Hamburg\nKonto DE02 1203 0000 0000 2020 51\n297.50 EUR")
    got = fields(record([xml(cii())], paper=paper))
    assert (got["seller_address"].text, got["seller_address"].verified) == ("Werftweg 8\n20095 Hamburg", True)
    assert (got["iban"].text, got["iban"].page, got["iban"].verified) == (
        "DE02 1203 0000 0000 2020 51",
        1,
        True,
    )
    assert got["iban"].boxes
    assert (got["total"].text, got["total"].verified) == ("297.50 EUR", False)
    assert (got["number"].text, got["number"].page, got["number"].verified) == ("", None, False)


def test_a_page_that_shows_the_stated_number_as_well_does_not_contradict_it() -> None:
    paper = page("Customer 88123\nInvoice R-2026-417\nAmounts 297.50 EUR  297.05 EUR")
    extraction = record([xml(cii())], found("number", "88123"), found("total", "297.05"), paper=paper)
    got = fields(extraction)
    assert (got["number"].value, got["number"].text, got["number"].verified) == (
        "R-2026-417",
        "R-2026-417",
        True,
    )
    assert got["total"].checks == ("contradiction",)
    assert len(extraction.warnings) == 1


@pytest.mark.timeout(20)
def test_hostile_values_are_looked_for_in_linear_time() -> None:
    paper = Page(number=1, width=1, height=1, text="1 " * 20_000)
    for number in ("1" * 199 + "2", "1" * 500, "1 " * 99 + "2"):
        assert fields(record([xml(cii(number=number))], paper=paper))["number"].value


def test_xml_that_contradicts_itself_is_to_be_reviewed() -> None:
    extraction = record([xml(cii(total="300.00"))])
    assert fields(extraction)["net"].checks == ("sum_mismatch",)
    assert fields(extraction)["net"].needs_review


def test_broken_xml_is_a_sentence_and_the_page_is_used() -> None:
    extraction = record([xml(cii()[:3000])], found("total", "297.50"))
    assert extraction.warnings == (
        "The XML of the invoice is broken and can't be read. The printed page was used.",
    )
    assert fields(extraction)["total"] == found("total", "297.50")


def test_two_attached_invoices() -> None:
    assert not record([xml(cii()), xml(ubl())]).warnings
    extraction = record([xml(cii()), xml(cii(number="R-1", total="99.00"))])
    assert extraction.warnings == (
        "The document has 2 attached XML invoices that differ in number, total: the first was used.",
    )
    assert fields(extraction)["number"].value == "R-2026-417"


def test_rows_come_from_the_xml_and_keep_their_place() -> None:
    row = LineItem(page=1, row=1, description="Cable dnum", amount="250.00", confidence=0.6, boxes=(BOX,))
    (item,) = record([xml(cii())], items=(row,)).items
    assert (item.description, item.confidence, item.boxes) == ("Cable drum", 1.0, (BOX,))
    (item,) = record([xml(cii())], items=(row, row)).items
    assert (item.description, item.boxes) == ("Cable drum", ())


def test_an_xml_document_is_not_compared_with_itself() -> None:
    code = Code(kind="xml", text=cii(), box=BOX)
    extraction = record([code], found("total", "9.00"), found("code", "17"), names=(*NAMES, "code"))
    got = fields(extraction)
    assert (got["total"].value, got["total"].verified, got["total"].page) == ("297.50", False, 1)
    assert got["code"] == Field(name="code")
    assert not extraction.warnings


def test_a_payment_code_confirms_the_page_and_the_xml() -> None:
    got = fields(record([qr(epc())], found("iban", IBAN, 0.6), found("total", "297.50")))
    assert (got["iban"].source, got["iban"].verified) == ("qr", True)
    assert (got["due"].value, got["due"].source, got["due"].page, got["due"].boxes) == (
        "197.50",
        "qr",
        1,
        (BOX,),
    )
    assert got["total"].source == "page"
    both = fields(record([xml(cii()), qr(epc())]))
    assert (both["iban"].source, both["iban"].verified) == ("xml", True)
    assert (both["tax"].source, both["tax"].verified) == ("xml", False)


@pytest.mark.parametrize("codes", [[], [xml(cii())]], ids=["page", "xml"])
def test_the_payee_confirms_the_seller_or_says_nothing(codes: list[Code]) -> None:
    for payee, verified in (("MUSTER ELEKTRIK GMBH", True), ("Inkasso Bank AG", False)):
        extraction = record(
            [*codes, qr(epc(name=payee))], *([] if codes else [found("seller", "Muster Elektrik GmbH", 0.4)])
        )
        seller = fields(extraction)["seller"]
        assert (seller.value, seller.verified, seller.checks) == ("Muster Elektrik GmbH", verified, ())
        assert not extraction.warnings
    assert fields(record([qr(epc())]))["seller"].value is None


def test_a_payment_code_that_differs_from_the_xml_is_reported() -> None:
    extraction = record([xml(cii()), qr(epc(sum="EUR999.00"))])
    assert extraction.warnings == ('The QR code and the attached XML differ in due: "999.00" and "197.50".',)
    assert fields(extraction)["due"].checks == ("contradiction",)


def test_codes_of_another_kind_of_paper_are_left_alone() -> None:
    printed = found("number", "17")
    for kind in ("receipt", "vat_invoice"):
        assert fields(record([qr(epc())], printed, kind=kind))["number"] == printed


def vat(
    kind: str = "10", code: str = "044001900111", number: str = "12345678", amount: str = "388.10"
) -> Code:
    return qr(VAT.format(kind=kind, code=code, number=number, amount=amount))


def vat_record(codes: Sequence[Code], *printed: Field) -> Extraction:
    return record(codes, *printed, kind="vat_invoice", names=vat_invoice.NAMES)


def test_the_code_of_a_vat_invoice_confirms_what_is_printed() -> None:
    extraction = vat_record(
        [vat()],
        found("number", "12345678", 0.4, "low_ocr"),
        found("net", "388.10", 0.4, "sum_mismatch"),
        found("total", "412.00"),
    )
    got = fields(extraction)
    assert [name for name, field in got.items() if field.verified] == ["number", "net"]
    assert (got["code"].value, got["code"].source, got["code"].boxes) == ("044001900111", "qr", (BOX,))
    assert got["date"].value == "2026-02-03"
    assert not got["net"].checks
    assert got["total"] == found("total", "412.00")
    assert tuple(got) == vat_invoice.NAMES
    assert not extraction.warnings


def test_its_amount_is_net_or_total_by_what_the_page_shows() -> None:
    digital = vat("32", "", "24442000000012345678", "412.00")
    got = fields(vat_record([digital], found("net", "388.10"), found("total", "412.00")))
    assert (got["total"].verified, got["net"].verified) == (True, False)
    free = fields(vat_record([vat(amount="50.00")], found("net", "50.00"), found("total", "50.00")))
    assert free["total"].verified
    assert free["net"].verified
    assert fields(vat_record([digital]))["total"].value is None
    assert fields(vat_record([vat()]))["net"].value == "388.10"


def test_its_amount_that_is_nowhere_on_the_page_is_reported() -> None:
    extraction = vat_record([vat()], found("net", "338.10"), found("total", "412.00"))
    net = fields(extraction)["net"]
    assert extraction.warnings == ('The QR code and the page differ in net: "388.10" and "338.10".',)
    assert (net.value, net.checks) == ("338.10", ("contradiction",))


def test_of_several_codes_the_one_of_the_printed_invoice_counts() -> None:
    one, other = vat(number="11111111", amount="7.00"), vat(number="22222222")
    got = fields(vat_record([one, other], found("number", "22222222"), found("net", "388.10")))
    assert got["number"].verified
    assert got["net"].verified
    assert fields(vat_record([one, other]))["number"].value is None


def test_codes_beyond_the_first_pages_are_not_looked_at() -> None:
    assert read([Page(number=6, width=1, height=1, codes=(xml(cii()),))]) == Truth()


@pytest.fixture(scope="module")
def filler() -> Filler:
    return load(Settings())


def test_the_xml_decides_the_type_and_fills_the_record(filler: Filler) -> None:
    paper = structs.replace(
        page("Holiday greetings\nMuster Elektrik GmbH\nTotal 297.50 EUR"), codes=(xml(cii()),)
    )
    extraction = filler.fill([paper], entities(paper))
    assert (extraction.document_type, extraction.confidence) == ("invoice", 1.0)
    got = fields(extraction)
    assert (got["seller"].value, got["seller"].verified) == ("Muster Elektrik GmbH", True)
    assert (got["total"].confidence, got["total"].source) == (1.0, "xml")
    assert (got["number"].value, got["number"].source) == ("R-2026-417", "xml")
    assert got["tax_19"].value == "47.50"
    assert len(extraction.items) == 1


def test_a_contradiction_of_the_seller_is_one_sentence() -> None:
    extraction = record(
        [xml(cii())], found("seller", "Anders KG"), found("company", "Anders KG"), names=("seller", "company")
    )
    assert len(extraction.warnings) == 1


def test_a_code_of_a_vat_invoice_decides_only_what_the_text_does_not(filler: Filler) -> None:
    blank = Page(number=1, width=100, height=100, codes=(vat(),))
    extraction = filler.fill([blank], [])
    assert (extraction.document_type, fields(extraction)["number"].value) == ("vat_invoice", "12345678")
