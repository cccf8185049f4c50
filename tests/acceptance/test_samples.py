"""The demo's job on the demo's documents, with the real models: what should be found is found."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.models import DocumentResult, from_json
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.masking import masked_source
from pipeline.tables.rows import rows_of
from tests.conftest import ROOT
from tests.support.command import DAY, run, statuses

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "expected.json").read_text())
REAL = {"NIGHTSHIFT_OCR_ENGINE": "rapidocr", "NIGHTSHIFT_NER_ENGINE": "lac"}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], dict[str, DocumentResult]]:
    out = tmp_path_factory.mktemp("demo")
    code, figures = run(ROOT / "samples", "--out", out, **REAL)
    store = LocalStore(out)
    records = [
        from_json(store.get(key), DocumentResult)
        for prefix in (keys.results(DAY), keys.failures(DAY))
        for key in store.list(prefix)
    ]
    return code, figures, {Path(r.source).name: r for r in records}


def test_all_but_the_broken_one_are_done(
    night: tuple[int, dict[str, Any], dict[str, DocumentResult]],
) -> None:
    code, figures, _ = night
    assert code == 3
    assert statuses(figures) == {masked_source(name): facts["status"] for name, facts in EXPECTED.items()}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_facts_of_a_document_are_found(
    night: tuple[int, dict[str, Any], dict[str, DocumentResult]], name: str
) -> None:
    record, facts = night[2][name], EXPECTED[name]
    if facts["status"] == "failed":
        assert record.error is not None
        assert record.error.code == facts["error"]
        return
    assert len(record.pages) == facts["pages"]
    assert {page.rotation for page in record.pages} == {facts["rotation"]}
    found: dict[str, set[str]] = {}
    for entity in record.entities:
        assert record.pages[entity.page - 1].text[entity.start : entity.end] == entity.text
        assert entity.boxes
        found.setdefault(entity.type, set()).add(entity.value or entity.text)
    for kind, values in facts["entities"].items():
        plain = {value.lstrip("+") for value in found.get(kind, set())}
        assert {value.lstrip("+") for value in values} - plain == set(), (kind, plain)
    assert record.extraction is not None
    assert record.extraction.document_type == facts["document_type"]
    assert {field.name: field.value for field in record.extraction.fields} == facts["fields"]
    assert len(record.extraction.items) == facts["items"]
    for field in record.extraction.fields:
        assert bool(field.boxes) == (field.value is not None)


PRIVATE = ("支气管炎", "高血压", "阿莫西林", "虚构街道", "安康路", "Mei Tan", "mei.tan", "呼吸内科")


def test_masked_tables_show_nothing_of_a_person(
    night: tuple[int, dict[str, Any], dict[str, DocumentResult]],
) -> None:
    records = night[2]
    people = {
        value
        for facts in EXPECTED.values()
        for kind in ("PER", "ID_NUMBER", "PHONE", "EMAIL")
        for value in facts.get("entities", {}).get(kind, ())
    }
    shown = str(rows_of(list(records.values()), "all"))
    assert {value for value in (*people, *PRIVATE) if value in shown} == set()
    assert {value for value in (*people, *PRIVATE) if value in str(rows_of(list(records.values()), "none"))}
