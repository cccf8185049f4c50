"""What a process left that was paused between its last look and its write, and died right after the write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.ledger import digests, records, tabled
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import DocumentResult, from_json
from pipeline.night import failures
from pipeline.night.flow import Flow
from pipeline.night.summaries import LEASE, WHEN_OVER, summarise_due
from pipeline.storage import Store, keys
from pipeline.tables import summary
from pipeline.tables.names import TABLES
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import drain, submission


@pytest.fixture
def day(flow: Flow) -> str:
    return flow.schedule.run_date()


def read(store: Store, key: str) -> DocumentResult:
    return from_json(store.get(key), DocumentResult)


def test_a_failure_next_to_a_good_result_is_deleted_before_the_tables_are_written(
    flow: Flow, inbox: Path, day: str
) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    done = structs.replace(read(flow.store, keys.result(day, "t")), callback_url="https://a.example")
    flow.store.put(keys.result(day, "t"), digests.encode(done))  # its receiver has heard of the failure
    summarise_due(flow.night, clock.utc())
    failure = structs.replace(records.without_pages(done), status="failed")
    flow.store.put(keys.failed(day, "t"), digests.encode(failure))  # and dies
    assert [gap.kind for gap in audit(flow.store, day).gaps] == ["twice"]

    flow.store.delete(keys.night(day, "summarised"))  # the next look is due
    summarise_due(flow.night, clock.utc())
    assert not list(flow.store.list(keys.FAILED))
    assert audit(flow.store, day).adds_up
    assert list(flow.store.list(keys.CALLBACKS)) == [keys.callback(day, "t", 0)], (
        "it is to hear of the result"
    )


def test_a_failure_next_to_a_later_one_is_deleted_before_the_tables_are_written(
    flow: Flow, inbox: Path, day: str
) -> None:
    drain(flow, flow.reception.accept(submission(inbox / "nowhere.png")))
    older = read(flow.store, keys.failed(day, "t"))
    drain(flow, [Message.of("ingest", failures.redrive(flow.store, older, {}))])
    flow.store.put(keys.failed(day, "t"), digests.encode(older))  # of a paused process that dies now

    summarise_due(flow.night, clock.utc())
    assert list(flow.store.list(keys.FAILED)) == [keys.failed(day, "t", 1)]
    assert audit(flow.store, day).adds_up


def test_the_notes_of_partial_results_are_completed_and_others_deleted(
    flow: Flow, inbox: Path, day: str
) -> None:
    drain(flow, flow.reception.accept(submission(pages(inbox / "p.pdf", [grey(2), GREEN]), "part")))
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "whole")))
    note = flow.store.get(keys.partial(day, "part"))
    flow.store.delete(keys.partial(day, "part"))
    flow.store.put(keys.partial(day, "whole"), note)

    summarise_due(flow.night, clock.utc())
    assert list(flow.store.list(keys.PARTIAL)) == [keys.partial(day, "part")]
    assert flow.store.get(keys.partial(day, "part")) == note


def test_a_record_that_comes_after_another_was_deleted_by_a_summary_gets_its_row(
    flow: Flow, inbox: Path, day: str
) -> None:
    """The night has as many records as before, and nothing else says that it has changed."""
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    done = read(flow.store, keys.result(day, "t"))
    failure = structs.replace(records.without_pages(done), status="failed")
    flow.store.put(keys.failed(day, "t"), digests.encode(failure))  # and dies
    now = clock.utc()
    summarise_due(flow.night, now)
    drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "u")))
    summarise_due(flow.night, now + WHEN_OVER)
    assert set(tabled.rows(flow.store, day)) == {"t", "u"}


def test_a_summary_that_was_paused_while_it_read_leaves_the_tables_to_a_later_one(
    flow: Flow, inbox: Path, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    now, read_all, replace = clock.utc(), summary._chunks, summary._replace
    replaced: list[str] = []

    def later() -> None:
        drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "u")))
        assert summarise_due(flow.night, now + 2 * LEASE) == [day]

    paused = [later]

    def slowly(store: Store, run_date: str) -> Iterator[list[DocumentResult]]:
        yield from read_all(store, run_date)
        if paused:
            paused.pop()()

    def noted(*args: Any) -> list[str]:
        replaced.append(args[1])
        return replace(*args)

    monkeypatch.setattr(summary, "_chunks", slowly)
    monkeypatch.setattr(summary, "_replace", noted)
    summarise_due(flow.night, now)
    assert replaced == list(TABLES), "by the later one alone, as this one may die before it says so"
    assert set(tabled.rows(flow.store, day)) == {"t", "u"}
