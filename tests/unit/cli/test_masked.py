"""What commands print about documents is masked."""

from __future__ import annotations

from pipeline.cli.masked import mask_notes, masked
from pipeline.documents.sources import Notes
from pipeline.ledger.gaps import Gap
from pipeline.models import Failure
from pipeline.night.dead import Letter
from pipeline.run.outcome import Outcome

SOURCE = "file:///in/jane_doe_13812345678.pdf"


def test_sources_and_reasons_are_masked() -> None:
    error = Failure(code="unreadable", message=f"{SOURCE} is no PDF.")
    one = Outcome(status="failed", task_id="a", source=SOURCE, error=error)
    ids, everything = masked(one, "ids"), masked(one, "all")
    assert ids.source == "file:///in/jane_doe_*******5678.pdf"
    assert ids.error == Failure(code="unreadable", message=f"{ids.source} is no PDF.")
    assert everything.source == "***.pdf"
    assert everything.error == Failure(code="unreadable", message="***.pdf is no PDF.")
    assert masked(one, "none") == one


def test_a_key_of_the_store_is_no_source() -> None:
    gap = Gap(
        kind="receipt_missing",
        task_id="",
        source="receipts/date=2026-11-22/20261122000000.json",
        detail="gone",
    )
    assert masked(gap, "all").source == gap.source


def test_reasons_of_dead_letters_are_masked() -> None:
    letter = Letter(id="1" * 12, code="x", reason="a.pdf: call 13812345678", ours=True)
    assert masked(letter, "ids").reason == "a.pdf: call *******5678"
    assert masked(letter, "all").reason == "***.pdf: call ***********"


def test_places_that_could_not_be_entered_are_masked() -> None:
    notes = Notes()
    notes.unreachable = [("/in/13812345678", "/in/13812345678 is not a folder")]
    mask_notes(notes, "ids")
    assert notes.unreachable == [("/in/*******5678", "/in/*******5678 is not a folder")]
