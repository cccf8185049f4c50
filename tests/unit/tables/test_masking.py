"""What is masked in pages, entities and fields, and how much of it stays visible."""

from __future__ import annotations

import random

import pytest
from msgspec import structs

from pipeline.mask_policy import NUMBERS
from pipeline.models import DocumentResult, Entity, Extraction, Field, Page
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns import finder as patterns
from pipeline.tables.masking import mask_spans, mask_text, sensitive_spans
from pipeline.tables.masking.documents import masked_entity, masked_result
from pipeline.tables.masking.spans import NO_SPANS, Span, Spans, mask

IBAN = "DE89 3704 0044 0532 0130 00"
ZONE = "P<UTOTESTER<<JO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nX123456785UTO8503172F3102280<<<<<<<<<<<<<<08"
MASKED = [
    ("IBAN", f"IBAN {IBAN}", "IBAN **** **** **** **** **30 00"),
    ("BANK_ACCOUNT", "Account no: 12345678", "Account no: ****5678"),
    ("BANK_CARD", "Ref no 4111111111111111", "Ref no ************1111"),
    ("TAX_ID", "VAT DE136695976", "VAT *******5976"),
    ("TAX_ID", "Steuernummer 181/815/08155", "Steuernummer ***/***/*8155"),
    ("ID_NUMBER", "SSN 536-90-4399", "SSN ***-**-4399"),
    ("ID_NUMBER", "Passport no X1234567", "Passport no ****4567"),
    ("PHONE", "Tel +44 20 7946 0958", "Tel +** ** **** 0958"),
]
SHOWN = ["BIC COBADEFFXXX", "2018-12-25", "Total 1,234.56", "Invoice no 20181225"]


def entities(text: str) -> list[Entity]:
    return [
        Entity(
            page=1,
            type=one.type,
            text=text[one.start : one.end],
            value=one.value,
            currency=None,
            confidence=one.confidence,
            start=one.start,
            end=one.end,
            boxes=(),
            engine="patterns",
        )
        for one in resolve(patterns.find(text))
    ]


def document(text: str, *fields: Field) -> DocumentResult:
    page = Page(number=1, width=100, height=100, text=text)
    return DocumentResult(
        task_id="one",
        sha256=None,
        source="a.pdf",
        status="done",
        run_date="2026-11-22",
        pages=(page,),
        entities=tuple(entities(text)),
        extraction=Extraction(document_type="invoice", confidence=0.9, fields=fields),
    )


def shown_field(one: DocumentResult, field: Field) -> Field:
    assert one.extraction
    found = masked_result(
        structs.replace(one, extraction=structs.replace(one.extraction, fields=(field,)))
    ).extraction
    assert found
    return found.fields[0]


@pytest.mark.parametrize(
    ("text", "masked"),
    [("+86 138-0013-8000", "+** ***-****-8000"), ("123", "**3"), ("12345", "***45"), ("", "")],
)
def test_masks_keep_length_and_separators(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(("kind", "text", "masked"), MASKED)
def test_a_sensitive_value_is_masked_with_and_without_its_entity(kind: str, text: str, masked: str) -> None:
    found = entities(text)
    assert kind in NUMBERS
    assert mask_spans(text, sensitive_spans(text, found)) == masked
    assert mask_text(text) == masked
    (one,) = [entity for entity in found if entity.type == kind]
    shown = masked_entity(one, sensitive_spans(text, found))
    assert shown.text in masked
    assert shown.value == mask(one.value or "")


@pytest.mark.parametrize("text", SHOWN)
def test_other_values_are_shown(text: str) -> None:
    assert mask_text(text) == text


def test_a_machine_readable_zone_is_masked_whole() -> None:
    text = f"PASSPORT\n{ZONE}"
    found = entities(text)
    hidden = mask_spans(text, sensitive_spans(text, found))
    assert hidden == "PASSPORT\n" + "*" * 44 + "\n" + "*" * 44
    (zone,) = [entity for entity in found if entity.type == "MRZ"]
    shown = masked_entity(zone, NO_SPANS)
    assert set(shown.text) == {"*", "\n"}
    assert shown.value is None or set(shown.value) == {"*", "\n"}


def test_fields_from_a_machine_readable_zone_show_names_and_dates_only() -> None:
    text = f"PASSPORT\n{ZONE}"
    read = Field(name="any", page=1, text=ZONE, start=9, end=9 + len(ZONE))
    one = document(text)
    for value, shown in (
        ("JO TESTER", "JO TESTER"),
        ("1985-03-17", "1985-03-17"),
        ("X12345678", "*****5678"),
    ):
        field = shown_field(one, structs.replace(read, value=value))
        assert (field.value, set(field.text)) == (shown, {"*", "\n"})


def test_a_value_inside_another_entity_is_masked() -> None:
    text = f"pay to Example Ltd {IBAN} today"
    name = structs.replace(entities(text)[0], type="ORG", text=text[7:], start=7, end=len(text), value=None)
    shown = masked_entity(name, sensitive_spans(text, [name]))
    assert shown.text == "Example Ltd **** **** **** **** **30 00 today"


def test_an_iban_taken_for_an_amount_is_masked() -> None:
    text = f"IBAN {IBAN}"
    amount = structs.replace(entities(text)[0], type="MONEY")
    assert mask_spans(text, sensitive_spans(text, [amount])).endswith("**30 00")


def test_fields_are_masked_by_their_text_their_place_their_name_or_their_source() -> None:
    one = document(f"IBAN {IBAN}\nTotal 4.00")
    compact = IBAN.replace(" ", "")
    hidden = "*" * 18 + "3000"
    placed = Field(name="reference", value=compact, text=IBAN, page=1, start=5, end=5 + len(IBAN))
    named = Field(name="iban", value="X" * 18 + "3000")
    attached = Field(name="reference", value=compact, source="xml")
    for field in (placed, named, attached):
        assert shown_field(one, field).value == hidden
    number = Field(name="buyer_tax_id", value="99/999/99990", source="xml")
    assert shown_field(one, number).value == "**/***/*9990"
    total = Field(name="total", value="4.00", text="4.00", page=1)
    assert shown_field(one, total) == total


def test_the_other_reading_is_masked_as_well() -> None:
    one = structs.replace(entities("SSN 536-90-4399")[0], other="536904390")
    assert masked_entity(one, NO_SPANS).other == "*****4390"


def test_a_date_in_a_number_explains_only_itself() -> None:
    text = "Tel 030 901820, 2018-12-25, Tel 030 901821"
    hidden = mask_spans(text, sensitive_spans(text, [one for one in entities(text) if one.type == "DATE"]))
    assert hidden == "Tel *** **1820, 2018-12-25, Tel *** **1821"


def test_a_page_full_of_numbers_is_masked_in_linear_time() -> None:
    text = "2018-12-25 Tel 030 901820\n" * 5_000
    found = [structs.replace(entities(text[:30])[0], start=at, end=at + 10) for at in range(0, len(text), 26)]
    hidden = mask_spans(text, sensitive_spans(text, found))
    assert hidden == "2018-12-25 Tel *** **1820\n" * 5_000


def test_fields_are_masked_by_the_type_of_their_document() -> None:
    number, paid = Field(name="number", value="DOE99712345JD"), Field(name="account", value="797.50")
    shown = {}
    for kind in ("id_card", "medical_bill", "bank_statement"):
        one = structs.replace(document("x"), extraction=Extraction(document_type=kind, confidence=1.0))
        shown[kind] = shown_field(one, number).value, shown_field(one, paid).value
    assert shown == {
        "id_card": ("*********45JD", "***.50"),
        "medical_bill": ("DOE99712345JD", "797.50"),
        "bank_statement": ("DOE99712345JD", "***.50"),
    }


def test_near_spans_are_those_that_touch() -> None:
    chance = random.Random(7)
    spans = Spans(sorted(Span(at := chance.randrange(500), at + chance.randrange(1, 40)) for _ in range(80)))
    for start in range(0, 540, 7):
        for end in (start, start + 1, start + 30):
            touching = [s for s in spans if s.start < end and start < s.end]
            near = spans.near(start, end)
            assert [s for s in near if s.start < end and start < s.end] == touching


def test_of_many_spans_only_the_near_ones_are_looked_at() -> None:
    spans = Spans(Span(30 * n, 30 * n + 11) for n in range(50_000))
    assert spans.near(30_000, 30_020) == (Span(30_000, 30_011),)
    assert mask_spans("13812345678 and 5", spans, 30_000) == "*******5678 and 5"
