"""Which dead letters still need a person."""

from collections.abc import Callable
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
    assert Open(flow.store).needs(letter())
    (record,) = failures.find(flow.store, task_id="t")
    failures.discard(flow.store, record, "")
    assert not Open(flow.store).needs(letter())
    assert Open(flow.store).needs(letter("other"))


def test_a_failure_that_is_redriven_and_fails_again_is_open_again(flow: Flow) -> None:
    sha256 = pending.store_document(flow.store, b"bytes")
    task = Task(task_id="t", sha256=sha256, source="file:///inbox/a.png")
    error = OverLimit("It has too many pages.")
    records.fail(flow.store, task, error, run_date="2026-11-22", settings_digest="")
    (record,) = failures.find(flow.store)
    failures.discard(flow.store, record, "")
    (record,) = failures.find(flow.store)
    again = failures.redrive(flow.store, record, {})
    assert not Open(flow.store).needs(letter())
    assert not list(flow.store.list(keys.DISCARDED))
    records.fail(flow.store, again, error, run_date="2026-11-22", settings_digest="")
    assert Open(flow.store).needs(letter())


@pytest.mark.parametrize(
    "one",
    [
        letter(ours=False, task_id=""),
        letter(task_id=""),
    ],
)
def test_what_nightshift_did_not_write_stays(flow: Flow, one: Letter) -> None:
    assert Open(flow.store).needs(one)


def test_callbacks_and_tasks_set_aside_have_records_of_their_own(flow: Flow) -> None:
    still = Open(flow.store)
    assert not still.needs(letter(step="callback"))
    assert not still.needs(letter(code="damaged"))
    flow.store.put(keys.undelivered("2026-11-22", "t"), b"{}")
    flow.store.put(keys.pending("t"), b"damaged")
    still = Open(flow.store)
    assert still.needs(letter(step="callback"))
    assert still.needs(letter(code="damaged"))
    assert not still.needs(letter(step="ocr"))


class Queue:
    """Dead letters that `tidy` sweeps, each hour once more."""

    def __init__(self, flow: Flow, *letters: Letter) -> None:
        self.flow, self.letters, self.sweeps = flow, list(letters), 0

    def sweep(self, remove: Callable[[Letter], bool]) -> None:
        self.sweeps += 1
        self.letters = [one for one in self.letters if not remove(one)]

    def tidy(self, hours: int) -> list[str]:
        clock.take_from(lambda: NOW + timedelta(hours=hours, seconds=hours))
        try:
            tidy(self.flow.night, self.sweep)
            tidy(self.flow.night, self.sweep)
        finally:
            clock.take_from(None)
        return [one.task_id for one in self.letters]


def test_notices_are_swept_once_an_hour_and_removed_by_the_second_sweep(flow: Flow) -> None:
    fail(flow, "open")
    queue = Queue(flow, letter("open"), letter("gone"), letter("", ours=False))
    assert queue.tidy(0) == ["open", "gone", ""]
    assert queue.tidy(1) == ["open", ""]
    assert queue.tidy(2) == ["open", ""]
    assert queue.sweeps == 3


def test_a_message_that_was_returned_too_often_goes_once_its_task_has_ended_or_was_forgotten(
    flow: Flow,
) -> None:
    queue = Queue(
        flow, *(letter(name, "delivery_limit", ours=False) for name in ("pending", "notified", "gone"))
    )
    flow.store.put(keys.pending("pending"), b"{}")
    flow.store.put(keys.callback("2026-11-22", "notified", 0), b"{}")
    assert queue.tidy(0) == ["pending", "notified", "gone"]
    assert queue.tidy(1) == ["pending", "notified"]
    flow.store.delete(keys.pending("pending"))
    flow.store.delete(keys.callback("2026-11-22", "notified", 0))
    assert queue.tidy(2) == ["pending", "notified"]
    assert queue.tidy(3) == []


def test_a_notice_stays_that_is_newer_than_the_look_at_the_store(flow: Flow) -> None:
    queue = Queue(flow, letter(at=NOW - timedelta(days=1)))  # by a clock that is behind
    assert queue.tidy(0) == ["t"], "its failure is not recorded yet"
    fail(flow)
    assert queue.tidy(1) == ["t"]
    assert queue.tidy(2) == ["t"]


def test_a_newer_notice_of_the_same_reason_is_another_one(flow: Flow) -> None:
    queue = Queue(flow, letter())
    queue.tidy(0)
    queue.letters = [letter(at=NOW)]
    assert queue.tidy(1) == ["t"]
    assert queue.tidy(2) == []


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
