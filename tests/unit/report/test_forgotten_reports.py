"""Reports obey: what is forgotten is in none, and what is kept no longer goes from them, too."""

from datetime import datetime, timedelta

import pytest

from pipeline import clock
from pipeline.ledger import reported
from pipeline.night import forget, retention, selection
from pipeline.night.search import Search
from pipeline.night.selection import Selector
from pipeline.report import due, written
from pipeline.storage import Store, keys
from pipeline.tables.summary import summarise
from tests.support.reports import at, finish, night_of, paper, receive

DAY = "2026-11-22"
MORNING = at("2026-11-23T07:00")


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    times = [MORNING]

    def tick() -> datetime:
        times[0] += timedelta(milliseconds=1)
        return times[0]

    monkeypatch.setattr(clock, "_source", tick)
    return times


def two(store: Store, day: str = DAY) -> None:
    """A night with two documents, and its report."""
    tasks = receive(store, day, f"one-{day}", f"two-{day}", data=paper())
    for task in tasks:
        finish(store, task, texts=(f"Total 12.50 of {task.task_id}", "Phone 13812345678"))
    summarise(store, day)
    written.write(night_of(store), day, clock.utc())


def shown(store: Store, name: str) -> list[str]:
    return [key for key in store.list(keys.REPORTS) if name.encode() in store.get(key)]


def test_a_document_that_is_forgotten_is_in_no_report(store: Store) -> None:
    two(store, "2026-11-21")
    two(store)
    gone, kept = f"one-{DAY}", "one-2026-11-21"
    assert len(shown(store, gone)) == 2
    plan = selection.plan(store, Selector(task_id=gone), actor="anna", reason="asked for")
    assert plan is not None
    forget.carry_out(store, plan)
    assert shown(store, gone) == []
    assert written.read(store, DAY) is None
    assert len(shown(store, kept)) == 2, "another night's report stays"
    assert due.write_due(night_of(store), clock.utc()) == DAY
    found = written.read(store, DAY)
    assert found
    assert (found.audit.forgotten, len(found.documents)) == (1, 1)
    proof = Search(store, plan).run()
    assert [key for key in proof.hits if "report" in key] == []


def test_a_report_of_a_night_that_no_longer_has_it_is_found_by_what_it_says(store: Store) -> None:
    two(store)
    later = f"{keys.REPORTS}run_date=2026-11-25/index.html"
    store.put(later, f"<!doctype html><p>one-{DAY}</p>".encode())
    plan = selection.plan(store, Selector(task_id=f"one-{DAY}"), actor="anna", reason="asked for")
    assert plan is not None
    assert later in Search(store, plan).run().hits, "the proof reads pages"
    forget.carry_out(store, plan)
    assert not store.exists(later)


@pytest.mark.parametrize(
    "page",
    [
        "<!doctype html><td title='x'>doc-1234</td>",
        '<!doctype html><img alt="doc-1234">',
        "<!DOCTYPE HTML>\n<p>a doc-1234, b",
    ],
)
def test_the_proof_reads_what_a_page_says(store: Store, page: str) -> None:
    (task,) = receive(store, DAY, "doc-1234")
    finish(store, task)
    plan = selection.plan(store, Selector(task_id="doc-1234"), actor="anna", reason="")
    assert plan is not None
    key = keys.report(DAY, "index.html")
    store.put(key, page.encode())
    assert key in Search(store, plan).run().hits
    store.put(key, page.replace("doc-1234", "doc-12345").encode())
    assert key not in Search(store, plan).run().hits


def keep(store: Store, days: str, later: datetime) -> None:
    night = night_of(store, keep_days=days)
    retention.retain(night, later)


def test_pictures_go_with_the_documents_and_reports_by_their_own_time(
    store: Store, now: list[datetime]
) -> None:
    two(store)
    report = written.read(store, DAY)
    assert report
    assert any(one.picture for one in report.documents)
    store.put(keys.timeline(DAY, "2200"), b"{}")
    now[0] += timedelta(days=10)
    keep(store, "documents=5", clock.utc().replace(hour=12))
    bare = written.read(store, DAY)
    assert bare == written.bare(report)
    assert b"iVBOR" not in store.get(keys.report(DAY, "index.html"))
    now[0] += timedelta(days=10)
    keep(store, "reports=15", clock.utc().replace(hour=12))
    assert list(store.list(keys.REPORTS)) == list(store.list(keys.TIMELINE)) == []
    reported.mark(store, DAY)
    while (done := due.write_due(night_of(store), clock.utc())) is not None:
        assert done != DAY, "it does not come back"
    assert keys.report_due(DAY) not in store.list(keys.REPORTS_DUE)


def test_with_all_of_a_night_its_report_goes(store: Store, now: list[datetime]) -> None:
    two(store)
    now[0] += timedelta(days=10)
    for _ in range(2):
        keep(store, "all=5", clock.utc().replace(hour=12))
        store.delete(keys.control("retention"))
    assert list(store.list(keys.REPORTS)) == []
    assert keys.report_due(DAY) not in store.list(keys.REPORTS_DUE)


def test_keys_of_marks() -> None:
    assert keys.due_report(keys.report_due(DAY)) == DAY
    assert keys.due_report("control/report-x.json") == ""


def test_a_name_is_found_as_json_and_as_html(store: Store) -> None:
    store.put(keys.report("2026-11-20", "index.html"), b"<!doctype html><p>a&amp;b</p>")
    store.put(keys.report("2026-11-21", "report.json"), b'{"task_id":"a\\"b"}')
    store.put(keys.report("2026-11-22", "report.json"), '{"task_id":"é"}'.encode())
    assert list(reported.showing(store, {"a&b"})) == ["2026-11-20"]
    assert list(reported.showing(store, {'a"b'})) == ["2026-11-21"]
    assert list(reported.showing(store, {"é"})) == ["2026-11-22"]
    assert list(reported.showing(store, {""})) == []
