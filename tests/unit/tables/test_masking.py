"""Values that no page shows are masked as well."""

from __future__ import annotations

from pipeline.models import DocumentResult, Field
from pipeline.tables.masking import masked_field

RESULT = DocumentResult(task_id="a", sha256="0", source="a.pdf", status="done", run_date="2026-11-22")


def test_an_account_that_only_the_xml_has_is_masked() -> None:
    found = Field(name="iban", value="DE02120300000000202051", source="xml", other="DE75512108001245126199")
    shown = masked_field(RESULT, found)
    assert (shown.value, shown.other) == ("******************2051", None)


def test_other_values_that_only_the_xml_has_are_not() -> None:
    found = Field(name="number", value="24442000000012345678", source="xml")
    assert masked_field(RESULT, found) == found
