"""The brake pauses a step in which nearly everything fails, and nothing else."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline import clock
from pipeline.errors import NotFound, PermanentError, Poison, RunError, Unreadable
from pipeline.models import to_json
from pipeline.night import brake as module
from pipeline.night.brake import LIMIT, OF_THE_DOCUMENT, PERIOD, PROBE, Brake, Braked, notes, release
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore

START = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
GONE = NotFound("file:///inbox/a.png not found.")


class Time:
    """Both clocks, which pass together."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Time:
    it = Time()
    monkeypatch.setattr(module, "time", it)
    monkeypatch.setattr(clock, "_source", lambda: START + timedelta(seconds=it.seconds))
    return it


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore("brake")


def fail(brake: Brake, times: int, error: PermanentError = GONE, step: str = "ingest") -> list[bool]:
    return [brake.failed(step, error) for _ in range(times)]


def braked(store: Store, passed: Time) -> Brake:
    it = Brake(store)
    fail(it, LIMIT)
    passed.seconds += 2 * PROBE
    assert not it.holds("ingest"), "the first document to be tried"
    assert fail(it, 1) == [True]
    return it


def test_the_twentieth_failure_in_a_row_waits_and_pauses_its_step(
    store: MemoryStore, passed: Time, caplog: pytest.LogCaptureFixture
) -> None:
    it = Brake(store)
    assert fail(it, LIMIT - 1) == [False] * (LIMIT - 1)
    assert not list(store.list("")), "nothing is written while few have failed"
    assert fail(it, 3) == [True] * 3
    (note,) = notes(store)
    assert (note.step, note.code, note.since, note.example) == ("ingest", "not_found", START, GONE.message)
    assert [r.levelno for r in caplog.records] == [logging.ERROR], "said once"
    assert not it.holds("ocr")


@pytest.mark.parametrize("code", sorted(OF_THE_DOCUMENT))
def test_what_the_bytes_decide_never_brakes(store: MemoryStore, passed: Time, code: str) -> None:
    it = Brake(store)
    assert not any(fail(it, 3 * LIMIT, PermanentError("x", code=code)))
    assert not any(fail(it, 3 * LIMIT, step="callback"))


@pytest.mark.parametrize(
    "code", ["internal", "poison", "out_of_memory", "not_read", "source_forbidden", "source_refused"]
)
def test_what_may_come_from_the_surroundings_brakes(store: MemoryStore, passed: Time, code: str) -> None:
    assert fail(Brake(store), LIMIT, PermanentError("x", code=code))[-1]


def test_a_success_or_another_code_begins_the_count_again(store: MemoryStore, passed: Time) -> None:
    it = Brake(store)
    fail(it, LIMIT - 1)
    it.succeeded("ingest")
    assert not any(fail(it, LIMIT - 1))
    assert not any(fail(it, LIMIT - 1, PermanentError("x", code="source_forbidden")))
    assert not any(fail(it, 1, Unreadable("x")))
    assert fail(it, 1, PermanentError("x", code="source_forbidden")) == [True], "a damaged one proves nothing"


def test_other_processes_pause_too_and_try_one_now_and_then(store: MemoryStore, passed: Time) -> None:
    braked(store, passed)
    other, tried = Brake(store), 0
    for _ in range(600):
        passed.seconds += 0.1
        if not other.holds("ingest"):
            tried += 1
            passed.seconds += 0.2
            assert fail(other, 1) == [True], "which fails nothing more"
    assert 15 <= tried <= 60, "a tenth of its time"


def test_documents_that_may_cost_a_process_are_tried_seldom(store: MemoryStore, passed: Time) -> None:
    fail(Brake(store), LIMIT, Poison("It crashed its worker."))
    tried = 0
    for second in range(600):
        passed.seconds += 1
        if second % 50 == 0:
            other = Brake(store)  # the last one died
        if not other.holds("ingest"):
            tried += 1
            fail(other, 1, Poison("It crashed its worker."))
    assert tried <= 20


def test_the_pause_lasts_as_long_as_documents_fail_and_ends_with_a_success(
    store: MemoryStore, passed: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nightshift")
    it = braked(store, passed)
    for _ in range(6):
        passed.seconds += PERIOD.total_seconds() + 60  # the messages come back
        assert not it.holds("ingest")
        assert fail(it, 1) == [True]
        assert it.holds("ingest")
    passed.seconds += 2 * PROBE
    assert not it.holds("ingest")
    it.succeeded("ingest")
    assert not list(notes(store))
    assert not it.holds("ingest")
    assert fail(it, LIMIT - 1) == [False] * (LIMIT - 1)
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.WARNING]


def test_one_bad_worker_does_not_stop_the_good_ones(store: MemoryStore, passed: Time) -> None:
    good = Brake(store)
    good.succeeded("ingest")
    bad = braked(store, passed)
    for _ in range(50):
        passed.seconds += 1
        assert not good.holds("ingest")
        good.succeeded("ingest")
        assert list(notes(store)), "which is the other one's"
        if not bad.holds("ingest"):
            assert fail(bad, 1) == [True]
    fresh = Brake(store)
    assert fresh.holds("ingest")
    passed.seconds += 2 * PROBE
    assert not fresh.holds("ingest")
    fresh.succeeded("ingest")
    assert not list(notes(store))
    passed.seconds += PROBE
    assert not bad.holds("ingest")
    assert fail(bad, 1) == [True], "released by a good one, the bad one still fails nothing"


def test_documents_that_kill_their_process_are_counted_across_processes(
    store: MemoryStore, passed: Time
) -> None:
    said = []
    for _ in range(LIMIT):
        passed.seconds += 30
        said += fail(Brake(store), 1, Poison("It crashed its worker."))
    assert said == [False] * (LIMIT - 1) + [True]
    (note,) = notes(store)
    assert note.code == "poison"


def test_a_success_between_crashes_ends_their_count(store: MemoryStore, passed: Time) -> None:
    for _ in range(2 * LIMIT):
        assert fail(Brake(store), LIMIT // 4, Poison("It crashed its worker.")) == [False] * (LIMIT // 4)
        Brake(store).succeeded("ingest")
    assert not list(store.list(keys.BRAKES))


def test_an_operator_may_want_the_failures(store: MemoryStore, passed: Time) -> None:
    assert release(store, "ingest") is None
    it = braked(store, passed)
    assert release(store, "ingest")
    passed.seconds += 11
    assert not it.holds("ingest")
    assert not any(fail(it, 3 * LIMIT))
    assert [note.released for note in notes(store)] == [True]
    passed.seconds += timedelta(days=1).total_seconds()
    assert not list(notes(store))
    assert fail(Brake(store), LIMIT)[-1]


@pytest.mark.parametrize(
    "since", [START + timedelta(days=1), START - timedelta(days=3)], ids=["ahead", "lapsed"]
)
def test_a_note_of_a_wrong_clock_or_of_long_ago_pauses_nothing(
    store: MemoryStore, passed: Time, since: datetime
) -> None:
    note = Braked(step="ingest", code="not_found", since=since, until=since + PERIOD)
    store.put(keys.brake("ingest"), to_json(note))
    it = Brake(store)
    assert not it.holds("ingest")
    assert fail(it, 1) == [False]
    assert not list(notes(store))


def test_a_store_that_does_not_answer_pauses_nothing(
    store: MemoryStore, passed: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> bytes:
        raise RunError("away")

    for method in ("get", "put", "delete"):
        monkeypatch.setattr(store, method, away)
    it = Brake(store)
    assert not it.holds("ingest")
    it.succeeded("ingest")
    assert fail(it, LIMIT)[-1], "each process counts by itself"
