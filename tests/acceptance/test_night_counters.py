"""Counters of a night with real processes: right while it works, after a kill, and left tidy when workers end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import clock
from pipeline.ledger import counters, pending, timeline
from pipeline.models import Task
from pipeline.storage import keys
from tests.support.command import GREEN, nightshift, page
from tests.support.night import Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture
def it(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path, NIGHTSHIFT_FAKE_SECONDS="0.05") as one:
        yield one


def status(it: Night, *options: str) -> dict[str, Any]:
    done = nightshift("status", "--json", *options, **it.env)
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_counters_follow_the_night_and_a_recount_puts_right_what_a_kill_has_cost(it: Night) -> None:
    it.window("closed")
    worker = it.ready(it.worker())
    it.tick()
    wait_for(lambda: counters.read(it.store).base, "the first count")
    it.publish([*it.documents(20), it.document("bad", page(it.inbox / "bad.png", GREEN))])

    def waiting() -> tuple[int, int, str]:
        found = status(it)
        return found["pending"], found["pages_pending"], found["state"]

    wait_for(lambda: waiting() == (21, 21, "ok"), "all to be counted", 60)
    assert [one.backlog_documents for one in timeline.samples(it.store, it.flow.schedule.run_date())] == [0]

    it.window("open")
    it.settle(21)
    day = it.flow.schedule.run_date()
    wait_for(lambda: counters.read(it.store).night(day).done == 20, "what has ended to be counted", 60)
    found = status(it)
    assert (found["pending"], found["done"], found["failed"], found["open_failures"]) == (0, 20, 1, 1)
    assert (found["pages"], found["state"]) == (20, "attention")
    ended = counters.read(it.store).night(day)
    assert (ended.unread, set(ended.step_seconds)) == (1, {"ingest", "ocr", "ner", "result"})
    assert counters.read(it.store).processes(day, clock.utc()) == (2, 1)

    it.publish(it.documents(10, "more"))
    wait_for(lambda: len(it.ended()) > 25, "some to be done")
    worker.kill()
    it.ready(it.worker("w2"))
    it.settle(31)
    exact = status(it, "--recount")
    assert (exact["pending"], exact["done"], exact["failed"]) == (0, 30, 1)


def test_workers_that_end_have_counted_everything(it: Night) -> None:
    worker = it.ready(it.worker())
    it.tick()
    wait_for(lambda: counters.read(it.store).base, "the first count")
    it.publish(it.documents(5))
    it.settle(5)
    worker.stop()
    state = counters.read(it.store)
    assert (state.backlog().documents, state.night(it.flow.schedule.run_date()).done) == (0, 5)
    assert all(one.ended for one in state.written.values())
    assert list(it.store.list(keys.PENDING)) == []


@pytest.mark.long
def test_a_worker_that_nobody_may_ask_is_known_before_it_has_counted(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_REMOTE_CONTROL="off") as one:
        waiting = Task(task_id="a", sha256=None, source="x", submitted_at=clock.now())
        pending.mark(one.store, waiting)
        assert status(one)["state"] == "no_worker"
        worker = one.ready(one.worker("w1", "-Q", "filler"))
        wait_for(lambda: status(one)["state"] == "ok", "the worker to be known", 30)
        assert not counters.read(one.store).sums
        worker.stop()
        wait_for(lambda: status(one)["state"] == "no_worker", "its end to be known", 30)
