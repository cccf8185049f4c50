"""Which tasks are chosen to be forgotten: those that were derived from an id, and none that only look like it."""

from pathlib import Path

import pytest

from pipeline.ledger import claims
from pipeline.night import inventory, selection
from pipeline.night.flow import Flow
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import submission
from tests.unit.night.test_forget import a_flow, a_night, drain_all, gone, rows, text


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return a_flow(tmp_path, MemoryStore("selection"))


def test_an_id_that_only_looks_derived_is_another_task(flow: Flow) -> None:
    drain_all(flow, flow.reception.accept(text("clinic", "A document of its own")))
    drain_all(flow, flow.reception.accept(text("clinic#202611221530", "Another one", tenant="other")))
    summarise(flow.store, flow.schedule.run_date())
    assert gone(flow, task_id="clinic").hits == []
    assert rows(flow.store, "documents", flow.schedule.run_date()) == {"clinic#202611221530"}
    assert len(list(flow.store.list(keys.DOCUMENTS))) == 1


def test_a_second_derived_id_goes_too_and_who_has_the_first_stays(flow: Flow, tmp_path: Path) -> None:
    long = "a-long-id-" + "x" * 189
    pictures = [page(tmp_path / name, grey(1)) for name in ("a.png", "b.png")]
    other = keys.derived(long, "#" + claims.origin_of(pictures[1].as_uri(), None))
    drain_all(flow, flow.reception.accept(text(other, "It has the id that would be derived")))
    for picture in pictures:
        drain_all(flow, flow.reception.accept(submission(picture, long)))
    summarise(flow.store, flow.schedule.run_date())
    assert gone(flow, task_id=long).hits == []
    assert rows(flow.store, "documents", flow.schedule.run_date()) == {other}
    assert {keys.claimed_task(key) for key in flow.store.list(keys.CLAIMS)} == {other}


def test_a_derived_task_of_a_younger_night_stays(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    page(tmp_path / "other.png", grey(3))
    drain_all(flow, flow.reception.accept(submission(tmp_path / "other.png", "one-1")))
    day = flow.schedule.run_date()
    (failed,) = [key for key in flow.store.list(keys.failures(day)) if "one-1" in key]
    later = failed.replace(day, "9999-01-01")
    flow.store.put(later, flow.store.get(failed).replace(day.encode(), b"9999-01-01"))
    flow.store.delete(failed)
    gone(flow, before="9999-01-01")
    assert flow.store.exists(later)
    assert list(flow.store.list(keys.claims(keys.task_id_of(later))))


def test_a_task_that_was_accepted_and_ended_since_the_listing_is_forgotten_with_its_record(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain_all(flow, flow.reception.accept(text("a", "A document")))
    monkeypatch.setattr(inventory, "items", lambda *_, **__: iter(()))
    plan = selection.plan(flow.store, selection.Selector(task_id="a"), actor="me")
    assert plan is not None
    (target,) = plan.targets
    assert target.keys == (keys.result(flow.schedule.run_date(), "a"),)
    assert target.seen, "so that a step in progress finds that it was forgotten"
