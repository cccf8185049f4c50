"""When reports are written: once a night is over, again when it changed, by one process at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pipeline import clock
from pipeline.errors import StoreUnavailable
from pipeline.ledger import forgotten, removed, reported
from pipeline.models import to_json
from pipeline.night.night import Night
from pipeline.night.summaries import Look, summarise_due
from pipeline.report import due, gather, written
from pipeline.report.facts import Report
from pipeline.storage import Store, keys
from tests.support.flows import Died, raiser
from tests.support.reports import at, finish, night_of, receive

DAY = "2026-11-22"
CLOSE = at("2026-11-23T06:00")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    times = [CLOSE - timedelta(hours=1)]
    monkeypatch.setattr(clock, "_source", lambda: times[0])
    return times


@pytest.fixture
def night(store: Store, now: list[datetime]) -> Night:
    night = night_of(store)
    (task, _) = receive(store, DAY, "one", "two")
    finish(store, task)
    return night


def tick(night: Night, now: list[datetime], after: timedelta = timedelta()) -> str | None:
    """Housekeeping and a report `after` some time."""
    now[0] += after
    summarise_due(night, now[0])
    return due.write_due(night, now[0])


MINUTE = timedelta(minutes=1)


def test_once_a_night_is_over_and_again_when_it_changed(
    night: Night, store: Store, now: list[datetime]
) -> None:
    assert [tick(night, now) for _ in range(2)] == ["2026-11-21", None], "its window is open"
    now[0] = CLOSE + timedelta(seconds=5)
    assert due.write_due(night, now[0]) is None, "work is still stopping"
    assert tick(night, now, 6 * MINUTE) == DAY
    assert store.exists(keys.report(DAY, "index.html"))
    first = written.read(store, DAY)
    assert first
    assert first.made == now[0]
    assert first.verdict.word == "left"
    assert list(store.list(keys.REPORTS_DUE)) == []
    for _ in range(8):
        assert tick(night, now, 6 * MINUTE) is None, "nothing changed"
    (two,) = [task for task in receive(store, DAY, "two") if task.task_id == "two"]
    finish(store, two)
    assert tick(night, now, 6 * MINUTE) == DAY
    again = written.read(store, DAY)
    assert again
    assert again.verdict.word == "done"


def test_an_empty_night_has_a_report_that_says_why(store: Store, now: list[datetime]) -> None:
    night = night_of(store)
    now[0] = CLOSE + due.WAIT - MINUTE
    assert due.write_due(night, now[0]) is None
    now[0] += MINUTE
    assert due.write_due(night, now[0]) == DAY
    found = written.read(store, DAY)
    assert found
    assert found.verdict.sentences["en"] == "Nothing was received."
    assert due.write_due(night, now[0] + timedelta(hours=1)) is None


def test_tables_that_are_never_written_are_waited_for_so_long(night: Night, now: list[datetime]) -> None:
    now[0] = CLOSE + due.WAIT
    assert due.write_due(night, now[0]) == DAY


def test_two_at_once_write_one(
    night: Night, store: Store, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    now[0] = CLOSE + due.WAIT
    inner: list[str | None] = []
    made = gather.gather

    def meanwhile(*given: object, **known: object) -> Report:
        inner.append(due.write_due(night, now[0] + MINUTE))
        return made(*given, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(written, "gather", meanwhile)
    assert due.write_due(night, now[0]) == DAY
    assert inner == [None]


def test_one_that_dies_is_followed_after_its_lease(
    night: Night, store: Store, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    now[0] = CLOSE + due.WAIT
    with monkeypatch.context() as patch:
        patch.setattr(written, "put", raiser(Died()))
        with pytest.raises(Died):
            due.write_due(night, now[0])
    assert due.write_due(night, now[0] + due.LEASE - MINUTE) is None
    assert due.write_due(night, now[0] + due.LEASE) == DAY


def test_one_that_fails_is_tried_again(
    night: Night, store: Store, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    now[0] = CLOSE + due.WAIT
    with monkeypatch.context() as patch:
        patch.setattr(written, "put", raiser(StoreUnavailable("It does not answer.")))
        with pytest.raises(StoreUnavailable):
            due.write_due(night, now[0])
    assert due.write_due(night, now[0] + due.AGAIN - MINUTE) is None
    assert due.write_due(night, now[0] + due.AGAIN) == DAY


def test_what_changes_meanwhile_is_not_lost(
    night: Night, store: Store, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    now[0] = CLOSE + due.WAIT
    reported.mark(store, DAY)
    put = written.put

    def changed(*given: object) -> None:
        reported.mark(store, DAY)
        put(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(written, "put", changed)
        assert due.write_due(night, now[0]) == DAY
    assert due.write_due(night, now[0] + due.AGAIN) == DAY


def test_a_night_without_its_records_keeps_its_report(
    night: Night, store: Store, now: list[datetime]
) -> None:
    now[0] = CLOSE + due.WAIT
    removed.note(store, DAY, "results", clock.now())
    reported.mark(store, DAY)
    assert due.write_due(night, now[0]) is None
    assert list(store.list(keys.REPORTS_DUE)) == []
    assert not store.exists(keys.report(DAY, "index.html"))


def test_an_older_night_that_changed_is_written_too(night: Night, store: Store, now: list[datetime]) -> None:
    now[0] = CLOSE + due.WAIT
    reported.mark(store, "2026-10-01")
    assert [due.write_due(night, now[0]) for _ in range(3)] == [DAY, "2026-10-01", None]


def test_documents_that_are_forgotten_meanwhile_make_it_start_again(
    night: Night, store: Store, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps: Iterator[str] = iter(["a"])
    made, times = gather.gather, [0]

    def meanwhile(*given: object, **known: object) -> Report:
        times[0] += 1
        for stamp in stamps:
            forgotten.stamp(store, stamp)
        return made(*given, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(written, "gather", meanwhile)
    written.write(night, DAY, now[0])
    assert times == [2]


@pytest.mark.parametrize(
    ("window", "expected"),
    [("22:00-06:00", DAY), ("always", "2026-11-22"), ("never", None), ("fri 20:00-23:00", "2026-11-20")],
)
def test_the_last_night_by_the_schedule(store: Store, window: str, expected: str | None) -> None:
    assert due.last_closed(night_of(store, window=window), at("2026-11-23T07:00")) == expected


def test_a_look_from_before_the_close_does_not_count(night: Night, store: Store, now: list[datetime]) -> None:
    now[0] = CLOSE + 6 * MINUTE
    looks = (
        Look(at=CLOSE - MINUTE, activity="waiting"),
        Look(at=now[0], activity="working"),
        Look(at=now[0], activity="waiting", begun=True),
    )
    for look in looks:
        store.put(keys.night(DAY, "summarised"), to_json(look))
        assert due.write_due(night, now[0]) is None
    store.put(keys.night(DAY, "summarised"), to_json(Look(at=now[0], activity="waiting")))
    assert due.write_due(night, now[0]) == DAY
