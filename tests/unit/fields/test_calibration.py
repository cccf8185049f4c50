import itertools

import pytest

from pipeline.fields import calibration
from pipeline.fields.calibration import calibrated, probability
from pipeline.fields.filler import FIELDS
from pipeline.models import Extraction, Field


def test_better_scores_are_better_probabilities() -> None:
    scores = [n / 20 for n in range(21)]
    for kind, names in FIELDS.items():
        for name in (*names, "a field of tomorrow"):
            chances = [probability(kind, name, score) for score in scores]
            assert all(0 < chance < 1 for chance in chances)
            assert all(low <= high for low, high in itertools.pairwise(chances)), (kind, name)


def test_only_values_of_the_page_are_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        calibration, "_curves", lambda: {"*": {"*": (1.0, -1.0)}, "receipt": {"date": (1.0, 1.0)}}
    )
    fields = (
        Field(name="total", value="1.00", confidence=0.5),
        Field(name="date", value="2026-11-22", confidence=0.5),
        Field(name="seller", value="A", confidence=1.0, source="xml"),
        Field(name="tax"),
    )
    record = calibrated(Extraction(document_type="receipt", confidence=1.0, fields=fields))
    assert [field.confidence for field in record.fields] == [0.269, 0.731, 1.0, 0.0]
    other = calibrated(Extraction(document_type="invoice", confidence=1.0, fields=fields[1:2]))
    assert other.fields[0].confidence == 0.269, "the numbers of all types"


def test_a_failed_check_gets_no_more_than_the_score() -> None:
    fields = tuple(
        Field(name="total", value="1.00", confidence=0.4, checks=checks)
        for checks in ((), ("no_label",), ("sum_mismatch",))
    )
    record = calibrated(Extraction(document_type="receipt", confidence=1.0, fields=fields))
    free, hinted, failed = (field.confidence for field in record.fields)
    assert free == hinted > failed
    assert failed <= 0.4
