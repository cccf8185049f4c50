"""Which dead letters still need a person."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import clock
from pipeline.errors import OverLimit
from pipeline.ledger import pending, records
from pipeline.models import Task
from pipeline.night import failures
from pipeline.night.dead import Letter, Open, group, tidy
from pipeline.night.flow import Flow
from pipeline.night.status import status
from pipeline.storage import keys

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)


def letter(task_id: str = "t", code: str = "over_limit", **more: object) -> Letter:
    plain = {"id": "0" * 12, "code": code, "reason": "It has.", "ours": True, "task_id": task_id, "at": OLD}
    return Letter(**(plain | {"step": "ocr"} | more))  # type: ignore[arg-type]


def fail(flow: Flow, task_id: str = "t", day: str = "2026-11-22") -> None:
    task = Task(task_id=task_id, sha256=None, source="file:///inbox/a.png")
    records.fail(flow.store, task, OverLimit("It has too many pages."), run_date=day, settings_digest="")


def test_a_notice_is_needed_while_its_failure_is_open(flow: Flow) -> None:
    fail(flow)
    fail(flow, "other")
    assert Open(flow.store).needs(letter(), NOW)
    (record,) = failures.find(flow.store, task_id="t")
    failures.discard(flow.store, record, "")
    assert not Open(flow.store).needs(letter(), NOW)
    assert Open(flow.store).needs(letter("other"), NOW)


def test_a_failure_that_is_redriven_and_fails_again_is_open_again(flow: Flow) -> None:
    sha256 = pending.store_document(flow.store, b"bytes")
    task = Task(task_id="t", sha256=sha256, source="file:///inbox/a.png")
    error = OverLimit("It has too many pages.")
    records.fail(flow.store, task, error, run_date="2026-11-22", settings_digest="")
    (record,) = failures.find(flow.store)
    failures.discard(flow.store, record, "")
    (record,) = failures.find(flow.store)
    again = failures.redrive(flow.store, record, {})
    assert not Open(flow.store).needs(letter(), NOW)
    assert not list(flow.store.list(keys.DISCARDED))
    records.fail(flow.store, again, error, run_date="2026-11-22", settings_digest="")
    assert Open(flow.store).needs(letter(), NOW)


@pytest.mark.parametrize(
    "one",
    [
        letter(ours=False),
        letter(task_id=""),
        letter(at=NOW - timedelta(minutes=1)),  # its failure is recorded in a moment
    ],
)
def test_what_nightshift_did_not_write_and_what_is_new_stays(flow: Flow, one: Letter) -> None:
    assert Open(flow.store).needs(one, NOW)


def test_a_notice_of_a_clock_that_was_ahead_is_not_new(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_source", lambda: NOW)
    assert not Open(flow.store).needs(letter(at=NOW + timedelta(days=1)), NOW)


def test_a_notice_that_was_written_while_the_sweep_was_paused_stays(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = Open(flow.store)
    fail(flow)
    monkeypatch.setattr(clock, "_source", lambda: NOW + timedelta(hours=2))
    assert still.needs(letter(at=NOW + timedelta(hours=1)), NOW)


def test_callbacks_and_tasks_set_aside_have_records_of_their_own(flow: Flow) -> None:
    still = Open(flow.store)
    assert not still.needs(letter(step="callback"), NOW)
    assert not still.needs(letter(code="damaged"), NOW)
    flow.store.put(keys.undelivered("2026-11-22", "t"), b"{}")
    flow.store.put(keys.pending("t"), b"damaged")
    still = Open(flow.store)
    assert still.needs(letter(step="callback"), NOW)
    assert still.needs(letter(code="damaged"), NOW)
    assert not still.needs(letter(step="ocr"), NOW)


def test_notices_are_tidied_once_an_hour(flow: Flow) -> None:
    fail(flow, "open")
    asked: list[list[bool]] = []

    def sweep(remove: object) -> None:
        assert callable(remove)
        asked.append([remove(letter("open")), remove(letter("gone")), remove(letter(ours=False))])

    at = [NOW]
    clock.take_from(lambda: at[0])
    try:
        tidy(flow.night, sweep)
        tidy(flow.night, sweep)
        at[0] += timedelta(hours=1, seconds=1)
        tidy(flow.night, sweep)
    finally:
        clock.take_from(None)
    assert asked == [[False, True, False]] * 2


def test_status_counts_what_a_person_must_decide(flow: Flow) -> None:
    fail(flow, "a", "2026-11-20")
    fail(flow, "b", "2026-11-21")
    flow.store.put(keys.pending("c"), b"damaged")
    (record,) = failures.find(flow.store, task_id="b")
    failures.discard(flow.store, record, "")
    found = status(flow.night)
    assert (found.open_failures, found.set_aside) == (1, 1)


def test_groups_are_by_code_most_frequent_first() -> None:
    found = group([letter("a"), letter("b", code="poison"), letter("c", code="poison")])
    assert [(one.code, one.count) for one in found] == [("poison", 2), ("over_limit", 1)]
