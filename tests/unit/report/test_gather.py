"""The facts of a night: equal to what other commands say, masked, and known or said not to be."""

import io
import re
import shlex
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer.main

from pipeline.cli.app import app
from pipeline.errors import Damaged, OverLimit
from pipeline.ledger import records
from pipeline.ledger.audit import audit
from pipeline.models import Failure, Page, to_json
from pipeline.night import conditions as language
from pipeline.night import failures, release
from pipeline.night.brake import LIMIT, Braked
from pipeline.night.dead import Group
from pipeline.night.reprocess import Now
from pipeline.report import figures, text
from pipeline.report.facts import Report, Todo
from pipeline.report.gather import gather
from pipeline.report.render import render
from pipeline.storage import Store, keys
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.summary import summarise
from tests.support import reports
from tests.support.flows import raiser
from tests.support.reports import PHONE, at, finish, night_of, paper, receive, sample, write_tables

DAY = "2026-11-22"
MORNING = at("2026-11-23T07:00")


def a_night(store: Store, mask: str = "ids") -> None:
    """Two done, one partial, two failed, one pending document; then the tables."""
    done, other, part, bad, worse, _ = receive(
        store, DAY, "done-1", "done-2", "part-3", "bad-4", "bad-5", "wait-6"
    )
    finish(store, done)
    finish(store, other, document_type="invoice", done_at="2026-11-22T23:00:00.000+00:00")
    finish(
        store,
        part,
        status="partial",
        error=Failure(code="over_limit", message=f"Page 2 of {PHONE}.png is too large: split it."),
    )
    for task in (bad, worse):
        error = OverLimit(f"{task.task_id} of 13912345678 has 2417 pages: split it.")
        records.fail(store, task, error, run_date=DAY, settings_digest="")
    summarise(store, DAY, masked=mask)


def report(store: Store, **settings: str) -> Report:
    return gather(night_of(store, **settings), DAY, MORNING)


def test_the_counts_are_those_of_the_audit(store: Store) -> None:
    a_night(store)
    found, counts = report(store), audit(store, DAY)
    line = found.audit
    assert (line.received, line.done, line.partial, line.failed, line.pending) == (6, 2, 1, 2, 1)
    assert (counts.received, counts.done, counts.partial, counts.failed, counts.pending) == (6, 2, 1, 2, 1)
    assert (line.discrepancies, line.unread) == ({}, 5)
    numbers = {one.name: one.value for one in found.numbers}
    assert numbers == {"received": 6, "done": 2, "unwell": 3, "left": 1, "review": 6}
    assert found.verdict.word == "left"
    assert {one.task_id for one in found.documents} == {"done-1", "done-2", "part-3", "bad-4", "bad-5"}
    assert [one.status for one in found.documents[:3]] == ["failed", "failed", "partial"]
    assert found.groups == ()
    assert found.cost.pages == 3
    assert found.steps[0].median == 0.5
    assert (found.opened, found.closed) == (at("2026-11-22T22:00"), at("2026-11-23T06:00"))


def test_failures_have_a_reason_an_example_and_a_command(store: Store) -> None:
    a_night(store)
    (one,) = [one for one in report(store).todo if one.what == "failures"]
    assert (one.code, one.count) == ("over_limit", 3)
    assert one.sentences["en"].startswith("2 failed and 1 partial with over_limit;")
    assert one.command == "nightshift failed redrive --run-date 2026-11-22 --code over_limit"
    for record in failures.find(store, run_date=DAY, code="over_limit"):
        failures.discard(store, record, "not needed")
    summarise(store, DAY)
    assert [one for one in report(store).todo if one.what == "failures"] == []


def everything_open(store: Store) -> Report:
    """A night with each kind of thing to do."""
    a_night(store)
    receive(store, DAY, "lost-7")
    store.delete(keys.pending("lost-7"))
    store.put(keys.undelivered(DAY, "done-1"), to_json(Failure(code="refused", message="It answered 404.")))
    part = reports.result("again-8", status="failed", reprocess=True)
    store.put(keys.failed_again(DAY, "again-8"), to_json(part))
    paused = Braked(
        step="ocr", code="poison", since=MORNING, until=MORNING + timedelta(minutes=3), count=LIMIT
    )
    store.put(keys.brake("ocr"), to_json(paused))
    for minute, workers in (("2200", 2), ("2205", 1)):
        store.put(
            keys.timeline(DAY, minute),
            to_json(sample(f"2026-11-22T22:{minute[2:]}", workers=workers, busy_seconds=9.0)),
        )
    letters = [Group(code="not_ours", count=2, example="It was not written by Nightshift.", id="ab")]
    night = night_of(store, ner_engine="fake-ner")
    return gather(night, DAY, MORNING, letters=letters)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.clock._source", lambda: MORNING)


def test_failures_that_are_not_in_the_tables_yet_are_not_nothing_to_do(store: Store) -> None:
    a_night(store)
    store.delete(keys.summary("documents", DAY))
    (one,) = [todo for todo in report(store).todo if todo.what == "failures"]
    assert one.count == 3
    assert one.command == f"nightshift failed list --run-date {DAY}"


@pytest.mark.usefixtures("now")
def test_every_command_is_one_that_there_is(store: Store) -> None:
    found = everything_open(store).todo
    assert {one.what for one in found} == {
        "failures", "callbacks", "stale_models", "workers", "brake", "dead", "discrepancies",
    }  # fmt: skip
    top: Any = typer.main.get_command(app)
    for one in found:
        program, *words = shlex.split(one.command)
        assert program == "nightshift"
        command, context = top, None
        while hasattr(command, "commands"):
            name, command, words = command.resolve_command(
                command.make_context("x", [words[0]], resilient_parsing=True), words
            )
            assert command is not None, one.command
        context = command.make_context(name, words)  # raises for an option or argument that does not exist
        assert context.params
    (stale,) = [one for one in found if one.what == "stale_models" and "fields" in one.command]
    where = shlex.split(stale.command)[-1]
    condition = language.parse(where, SCHEMAS["documents"], Now(night_of(store).settings))
    assert condition.may_hold(DAY)
    assert not condition.may_hold("2026-11-21")


def pictures(report: Report) -> set[str]:
    return ({one.picture for one in report.looks} | {one.picture for one in report.documents}) - {""}


def strings(report: Report) -> str:
    return to_json(report).decode()


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("written_with", ["ids", "none"])
def test_no_number_is_shown_whatever_the_tables_were_masked_with(store: Store, written_with: str) -> None:
    a_night(store, mask=written_with)
    found = strings(report(store))
    assert PHONE not in found
    assert "13912345678" not in found
    assert "12.50" in found
    assert (PHONE in strings(report(store, mask="none"))) == (written_with == "none"), (
        "of the failures' reasons"
    )
    everything = report(store, mask="all")
    assert "inbox" not in strings(everything)
    assert pictures(everything) == set()


def test_what_to_look_at_is_spread_over_types(store: Store) -> None:
    tasks = receive(store, DAY, *(f"doc-{n:02}" for n in range(30)), data=paper())
    for number, task in enumerate(tasks):
        kind = "invoice" if number == 29 else "receipt"
        finish(store, task, total=0.1 + number / 100, document_type=kind)
    summarise(store, DAY)
    found = report(store).looks
    assert len(found) == 12
    assert [one.task_id for one in found[:3]] == ["doc-00", "doc-29", "doc-01"]
    assert len({one.task_id for one in found}) == 12
    assert (found[0].field, found[0].value, found[0].confidence) == ("total", "12.50", 0.1)
    assert found[0].reason == "confidence below 0.8"


def test_a_masked_value_has_no_picture(store: Store) -> None:
    (task,) = receive(store, DAY, "one", data=paper())
    finish(store, task, total=0.95)
    summarise(store, DAY)
    (look,) = report(store).looks
    assert (look.field, look.value, look.picture) == ("phone", "*******5678", "")
    (look,) = report(store, mask="none").looks
    assert (look.value, bool(look.picture)) == (PHONE, True)


def test_a_night_before_is_taken_from_its_report_or_its_tables(store: Store) -> None:
    write_tables(store, "2026-11-20", 40)
    write_tables(store, "2026-11-21", 60)
    first = gather(night_of(store), "2026-11-21", MORNING)
    store.put(keys.report("2026-11-21", "report.json"), to_json(first))
    write_tables(store, DAY, 100)
    found = report(store)
    numbers = {one.name: one.before for one in found.numbers}
    done = [figures.of_night(store, day) for day in ("2026-11-20", "2026-11-21")]
    assert numbers["done"] == (done[0] and done[0].done, 0)  # the audit has no receipts of generated tables
    assert numbers["received"] == (None, 0)
    assert found.confidence.drift is not None
    assert found.confidence.drift < 0.1
    receipt = next(one for one in found.kinds if one.name == "receipt")
    assert receipt.before is not None
    assert sum(one.value for one in found.kinds) == 100
    assert found.documents == ()
    assert sum(one.documents for one in found.groups) <= 100
    assert len(found.groups) == 20


def old(store: Store, table: str, *without: str) -> None:
    """Rewrite a table as a version that did not know these columns."""
    key = keys.summary(table, DAY)
    read = pq.read_table(io.BytesIO(store.get(key)), use_threads=False)
    out = io.BytesIO()
    pq.write_table(read.drop_columns(list(without)), out)
    store.put(key, out.getvalue())


def test_a_night_of_an_older_version_is_reported_as_far_as_it_goes(store: Store) -> None:
    a_night(store)
    new = report(store)
    known = (
        "tenant",
        "document_type",
        "fields_digest",
        "seconds_fields",
        "settings",
        "needs_review",
        "receipt",
    )
    old(store, "documents", *known, "digest", "gpu_seconds")
    old(store, "fields", "needs_review", "verified")
    for key in list(store.list(keys.RECEIPTS)):
        store.delete(key)
    found = report(store)
    assert found.numbers[1].value == 0, "nothing proves what was received"
    assert {one.name for one in found.kinds} == {"document", "unread"}
    assert found.confidence == new.confidence
    assert found.numbers[4].value == new.numbers[4].value
    assert found.samples == ()
    assert found.device_share is None
    store.delete(keys.summary("fields", DAY))
    assert report(store).numbers[4].value == 0


@pytest.mark.parametrize("table", ["documents", "fields"])
def test_damaged_tables_are_one_sentence(store: Store, table: str) -> None:
    a_night(store)
    store.put(keys.summary(table, DAY), b"PAR1 this is no table")
    found = [one for one in report(store).todo if one.command == "nightshift summarise 2026-11-22"]
    assert len(found) == 1
    assert re.fullmatch(
        rf"summary/{table}/.* is not readable \(\w+\): write it again .*\.", found[0].sentences["en"]
    )


def test_a_night_without_anything(store: Store) -> None:
    found = report(store)
    assert found.verdict.sentences["en"] == "Nothing was received."
    assert [one.value for one in found.numbers] == [0] * 5
    assert found.todo == ()


def test_what_is_left_has_a_forecast(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a_night(store)
    later: Any = SimpleNamespace(p50=at("2026-11-24T01:30"))
    monkeypatch.setattr("pipeline.report.gather.outlook", lambda *_: later)
    assert report(store).verdict.sentences["en"] == "1 left, done tomorrow 01:30."
    monkeypatch.setattr("pipeline.report.gather.outlook", raiser(Damaged("A marker is damaged.")))
    assert report(store).verdict.word == "left", "a forecast that fails costs no report"


def test_cost_and_release(store: Store) -> None:
    a_night(store)
    release.note_release(store, DAY, "celery@gpu-1", 12.34)
    found = report(store, device_price="2.10 EUR")
    assert found.released == {"celery@gpu-1": 12.3}
    cost = found.cost
    assert (cost.price_an_hour, cost.currency, cost.device_seconds) == (2.1, "EUR", 1.8)
    assert cost.per_1000_pages == pytest.approx(1.8 / 3600 * 2.1 / 3 * 1000, abs=1e-4)
    assert report(store).cost.per_1000_pages is None
    assert found.conditions["ocr model"] == f"fake-ocr fake ({'0' * 12})"


def test_a_record_that_was_replaced_since_the_tables_is_read_by_the_audit(store: Store) -> None:
    a_night(store)
    store.put(keys.changed(DAY, "done-1", "2026-11-23T06:00:00.000+00:00"), b"")
    assert report(store).audit.unread == 4
    store.delete(keys.summary("documents", DAY))
    assert report(store).audit.unread == 0


def test_drift_is_the_population_stability_index() -> None:
    assert figures.drift((100, 100), (100, 100)) == 0
    assert figures.drift((0, 0), (1, 1)) is None
    # shares (0.5, 0.5) and (0.3, 0.7) of large counts: 0.2 ln(0.5/0.3) - 0.2 ln(0.5/0.7)
    assert figures.drift((500_000, 500_000), (300_000, 700_000)) == pytest.approx(0.1695, abs=1e-4)


def test_pages_without_place_have_no_picture(store: Store) -> None:
    (task,) = receive(store, DAY, "one", data=b"not a picture")
    finish(store, task, pages=(Page(number=1, width=0, height=0),))
    summarise(store, DAY)
    found = report(store)
    assert (len(found.looks), len(found.documents), pictures(found)) == (1, 1, set())


def test_a_report_of_many_documents_is_quick_and_small(store: Store, tmp_path: Path) -> None:
    write_tables(store, DAY, 5000)
    found = report(store)
    assert len(to_json(found)) < 50_000
    assert sum(one.count for one in found.todo if one.what == "failures") > 50
    assert isinstance(found.todo[0], Todo)


def test_missed_deadlines(store: Store) -> None:
    tasks = receive(store, DAY, "late", "soon", "none")
    dues = ("2026-11-23T03:00:00+00:00", "2026-11-23T09:00:00+00:00", "")
    for task, deadline in zip(tasks, dues, strict=True):
        finish(store, task, deadline=deadline)
    summarise(store, DAY)
    found = report(store)
    assert (found.due, found.late) == (2, 1)
    for tongue, said in (("en", "Deadlines missed: 1 of 2"), ("zh", "错过期限：2 份中 1 份")):
        assert said in render(found, tongue)
        assert f"  {said}" in text.lines(found, tongue)
