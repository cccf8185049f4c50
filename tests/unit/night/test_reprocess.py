"""Reprocessing: what is chosen, what runs again, and that the old result is kept until the new one is there."""

import io
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline.cli import reprocess as command
from pipeline.errors import BrokerUnavailable, NotFound, PermanentError, RunError, UsageError
from pipeline.ledger import pending, records
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task, from_json, to_json
from pipeline.night import failures, reprocess
from pipeline.night.dispatch import resume, resume_all
from pipeline.night.flow import Flow
from pipeline.night.schedule import Schedule
from pipeline.night.status import status
from pipeline.night.summaries import summarise_due
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.submission.contract import Submission
from pipeline.tables.summary import summarise
from tasks import client as broker
from tasks.routing import queue_for
from tests.support.command import grey, page, pages
from tests.support.flows import flow_of

OLD = "2026-03-01"
STALE = "ner_model != current"


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the fake engine notes each page it reads; and every night is the old one."""
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(tmp_path / "pages.log"))
    monkeypatch.setattr(Schedule, "run_date", lambda _: OLD)
    return tmp_path / "pages.log"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env(
        {},
        store_url=str(tmp_path / "store"),
        window="always",
        allowed_sources=tmp_path.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
        callback_secret="secret",
        allowed_callbacks="https://a.example",
    )


@pytest.fixture
def flow(settings: Settings) -> Flow:
    return flow_of(settings)


@pytest.fixture
def better(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The same installation with another NER model."""
    monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "SHADE")
    return flow_of(settings)


@pytest.fixture
def done(flow: Flow, tmp_path: Path) -> DocumentResult:
    """A document that was done in the old night, which has its summary."""
    path = page(tmp_path / "a.png", grey(1))
    sent = Submission(
        task_id="t", task_type="document", url=path.as_uri(), callback_url="https://a.example/x", tenant="b"
    )
    drain(flow, [m for m in flow.reception.accept(sent) if m.step != "callback"])
    summarise(flow.store, OLD)
    return result(flow)


def drain(flow: Flow, messages: Iterable[Message]) -> list[str]:
    """Run all steps but callbacks to the end; gives every step that was asked for."""
    waiting, asked = deque(messages), []
    while waiting:
        message = waiting.popleft()
        asked.append(message.step)
        if message.step == "callback":
            continue
        try:
            waiting.extend(flow.run(message))
        except PermanentError as error:
            waiting.extend(flow.fail(message, error))
    return asked


def result(flow: Flow, task_id: str = "t") -> DocumentResult:
    return from_json(flow.store.get(keys.result(OLD, task_id)), DocumentResult)


def types(of: DocumentResult) -> list[str]:
    return [entity.type for entity in of.entities]


def look(flow: Flow, where: str = STALE) -> list[reprocess.Found]:
    found = reprocess.rows(flow.night.store, where, reprocess.Now(flow.night.settings))
    return list(reprocess.examine(flow.night, found))


def states(flow: Flow, where: str = STALE) -> dict[str, str]:
    return {found.row.task_id: found.state for found in look(flow, where)}


def queue(flow: Flow, where: str = STALE) -> list[Message]:
    """What the command does, with the messages given instead of published."""
    messages = []
    for found in look(flow, where):
        if found.task is not None:
            reprocess.mark_pending(flow.night.store, found.task)
            messages += resume(found.task, flow.settings.spread_pages)
    return messages


def sums(flow: Flow) -> tuple[int, int, int, int, bool]:
    report = audit(flow.store, OLD)
    return report.received, report.done, report.failed, report.pending, report.adds_up


def break_ner(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    def extract(*_: object) -> None:
        raise PermanentError("The text is too long for this model.", code="too_long")

    monkeypatch.setattr(type(Engines(flow.settings).ner), "extract_in", extract)


def test_results_say_what_made_them(done: DocumentResult, flow: Flow) -> None:
    assert done.settings["render_dpi"] == "200"
    assert done.settings["text_layer"] == "true"
    assert done.settings["ner_engine"] == "fake-ner"
    assert done.settings_digest == Engines(flow.settings).digest
    row = pq.read_table(io.BytesIO(flow.store.get(keys.summary("documents", OLD)))).to_pylist()[0]
    assert row["settings_digest"] == done.settings_digest
    assert '"render_dpi":"200"' in row["settings"]
    assert look(flow) == [], "nothing is stale where nothing has changed"


def test_only_the_step_that_changed_runs_again(
    done: DocumentResult, flow: Flow, better: Flow, log: Path
) -> None:
    (found,) = look(better)
    assert found.row.reason == "ner model"
    assert found.row.seconds == pytest.approx(done.seconds["ner"] + done.seconds["fields"])
    messages = queue(better)
    assert [(m.step, queue_for(m)) for m in messages] == [("ocr", "filler-3")]
    assert types(result(flow)) == ["COLOUR"], "the old result is kept"
    asked = drain(better, messages)
    assert asked == ["ocr", "ner", "result"], "and nobody is called back"
    new = result(better)
    assert types(new) == ["SHADE"]
    assert log.read_text().split() == ["016464"], "the page was read once"
    same = ("task_id", "sha256", "source", "run_date", "tenant", "callback_url", "first_seen", "pages", "ocr")
    assert [getattr(new, name) for name in same] == [getattr(done, name) for name in same]
    assert (new.reprocess, new.ner) == (True, Engines(better.settings).ner_info)
    assert len(list(better.store.list(keys.RESULTS))) == 1
    assert drain(better, messages) == ["ocr"], "a message that comes twice does nothing"


def test_other_field_rules_alone_read_nothing_again(
    done: DocumentResult, settings: Settings, log: Path, tmp_path: Path
) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "swatch.txt").write_text("colour swatch sample")
    taught = flow_of(settings.replaced({"document_types": str(tmp_path / "types")}))
    (found,) = look(taught, "fields_digest != current")
    assert found.row.reason == "fields model"
    before = set(taught.store.list("ner/"))
    drain(taught, queue(taught, "fields_digest != current"))
    new = result(taught)
    assert new.fields == Engines(taught.settings).fields_info != done.fields
    assert (new.pages, new.entities, new.ner) == (done.pages, done.entities, done.ner)
    assert log.read_text().split() == ["016464"]
    assert set(taught.store.list("ner/")) == before


def test_the_ledger_stays_balanced(done: DocumentResult, better: Flow) -> None:
    assert sums(better) == (1, 1, 0, 0, True)
    messages = queue(better)
    assert sums(better) == (1, 1, 0, 0, True)
    now = status(better.night)
    assert (now.pending, now.reprocessing, now.failed_again) == (0, 1, 0)
    assert list(resume_all(better.night)) == messages, "a lost message is made good from the marker"
    drain(better, messages)
    assert sums(better) == (1, 1, 0, 0, True)
    assert status(better.night).reprocessing == 0


def test_twice_queues_once(done: DocumentResult, better: Flow) -> None:
    messages = queue(better)
    assert states(better) == {"t": "pending"}
    drain(better, messages)
    assert states(better) == {"t": "up_to_date"}, "the table is older than the result"
    summarise(better.store, OLD)
    assert states(better) == {}
    assert states(better, f"run_date = {OLD}") == {"t": "up_to_date"}


def test_one_that_fails_keeps_its_good_result(
    done: DocumentResult, better: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_ner(better, patch)
        assert drain(better, queue(better)) == ["ocr", "ner"]
    assert result(better) == done
    assert sums(better) == (1, 1, 0, 0, True)
    (failure,) = failures.find(better.store)
    assert (failure.reprocess, failure.error and failure.error.code) == (True, "too_long")
    assert [r.task_id for r in failures.find(better.store, run_date=OLD, code="too_long")] == ["t"]
    assert status(better.night).failed_again == 1
    assert states(better) == {"t": "failed_before"}, "it is not tried every night"

    assert failures.discard(better.store, failure, "old paper").reprocess
    task = failures.redrive(better.store, failure, {})
    assert (task.reprocess, task.run_date, task.priority) == (True, OLD, 0)
    drain(better, resume(task, better.settings.spread_pages))
    assert types(result(better)) == ["SHADE"]
    assert not list(failures.find(better.store))


def test_a_good_reading_takes_an_older_failure_away(
    done: DocumentResult, better: Flow, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_ner(better, patch)
        drain(better, queue(better))
    monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "TINT")
    best = flow_of(settings)
    drain(best, queue(best))
    assert types(result(best)) == ["TINT"]
    assert not list(failures.find(best.store))


def test_a_failure_without_a_good_result_to_keep_is_a_failure(
    done: DocumentResult, better: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = queue(better)
    better.store.delete(keys.result(OLD, "t"))
    break_ner(better, monkeypatch)
    drain(better, messages)
    assert sums(better) == (1, 0, 1, 0, True)
    assert [failure.reprocess for failure in failures.find(better.store)] == [False]


def test_what_has_no_bytes_or_no_result_is_gone(done: DocumentResult, better: Flow) -> None:
    better.store.delete(keys.document(done.sha256 or ""))
    assert states(better) == {"t": "gone"}
    better.store.delete(keys.result(OLD, "t"))
    assert states(better) == {"t": "gone"}
    failure = structs.replace(done, status="failed", reprocess=True)
    better.store.put(keys.failed_again(OLD, "t"), to_json(failure))
    with pytest.raises(PermanentError, match="not in the store"):
        failures.redrive(better.store, failure, {})


def test_a_message_that_did_not_get_through_leaves_no_marker(done: DocumentResult, better: Flow) -> None:
    (found,) = look(better)
    assert found.task is not None
    better.store.put(keys.attempts("t", "ocr"), b"{}")
    reprocess.mark_pending(better.store, found.task)
    assert not list(better.store.list(keys.attempts_of("t"))), "attempts count from 0 again"
    reprocess.withdraw(better.store, found.task)
    assert states(better) == {"t": "stale"}
    pending.mark(better.store, Task(task_id="t", sha256=None, source="x"))
    reprocess.withdraw(better.store, found.task)
    assert pending.get(better.store, "t") is not None, "someone else's marker"


def test_a_broker_that_goes_away_leaves_only_what_got_through(
    flow: Flow, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        path = page(tmp_path / f"{n}.png", grey(n + 10))
        drain(flow, flow.reception.accept(Submission(task_id=f"t{n}", task_type="ocr", url=path.as_uri())))
    summarise(flow.store, OLD)
    finer = flow_of(structs.replace(settings, render_dpi=300))
    sent: list[str] = []

    def send(_: object, messages: Iterable[Message]) -> None:
        if len(sent) >= 5:
            raise BrokerUnavailable("RabbitMQ does not answer.")
        sent.extend(m.task_id for m in messages)

    monkeypatch.setattr(broker, "send", send)
    monkeypatch.setattr(broker, "THREADS", 1)
    with pytest.raises(BrokerUnavailable, match="5 of 20 documents are queued; run the same"):
        command._queue(finer.night, look(finer, "settings_digest != current"))
    assert sorted(map(keys.task_id_of, finer.store.list(keys.PENDING))) == sorted(sent)
    assert len(sent) == 5


def test_close_hands_it_back_and_the_old_result_stands(
    done: DocumentResult, better: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = queue(better)
    with monkeypatch.context() as patch:
        patch.setattr(better.schedule, "seconds_left", lambda _: 0.0)
        assert better.run(message) == [structs.replace(message, turn=1, run_date=done.run_date)]
        assert types(result(better)) == ["COLOUR"]
    drain(better, [message])
    assert types(result(better)) == ["SHADE"]


def test_changed_settings_read_the_pages_anew(done: DocumentResult, settings: Settings, log: Path) -> None:
    finer = flow_of(structs.replace(settings, render_dpi=300))
    (found,) = look(finer, "settings_digest != current")
    assert (found.row.reason, found.row.seconds) == ("settings", sum(done.seconds.values()))
    drain(finer, queue(finer, "settings_digest != current"))
    assert len(log.read_text().split()) == 2
    assert result(finer).settings["render_dpi"] == "300"


def test_limits_that_a_document_was_given_are_kept(
    flow: Flow, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = pages(tmp_path / "long.pdf", [grey(n) for n in (10, 20, 30)])
    small = flow_of(structs.replace(settings, max_pages=2))
    sent = Submission(task_id="t", task_type="document", url=long.as_uri())
    drain(small, small.reception.accept(sent))
    (failure,) = failures.find(small.store)
    task = failures.redrive(small.store, failure, {"max_pages": "3", "ocr_engine": "fake-ocr"})
    drain(small, resume(task, small.settings.spread_pages))
    summarise(small.store, OLD)
    monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "SHADE")
    better = flow_of(small.settings)
    (found,) = look(better)
    assert found.task is not None
    assert found.task.overrides == {"max_pages": "3"}
    drain(better, queue(better))
    assert types(result(better)) == ["SHADE"] * 3


def test_what_another_version_took_in_goes_through_intake_again(done: DocumentResult, flow: Flow) -> None:
    older = structs.replace(done, pipeline_version="0.0.1", media_type="image/png")
    flow.store.put(keys.result(OLD, "t"), to_json(older))
    summarise(flow.store, OLD)
    (found,) = look(flow, "pipeline_version != current")
    assert found.row.reason == "pipeline version"
    assert found.task is not None
    assert [m.step for m in resume(found.task, flow.settings.spread_pages)] == ["ingest"]
    drain(flow, queue(flow, "pipeline_version != current"))
    assert (result(flow).run_date, result(flow).pipeline_version) == (OLD, done.pipeline_version)


def test_a_text_has_no_ocr_model_to_be_stale(
    flow: Flow, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(flow, flow.reception.accept(Submission(task_id="t", task_type="nlp", text="colour 123456")))
    summarise(flow.store, OLD)
    assert result(flow).ocr is None
    assert states(flow, "ocr_model != current") == {}
    monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "SHADE")
    assert [m.step for m in queue(flow_of(settings))] == ["ner"]


def test_failed_documents_are_not_for_reprocessing(flow: Flow) -> None:
    task = Task(task_id="t", sha256=None, source="x")
    records.fail(flow.store, task, PermanentError("no"), run_date=OLD, settings_digest="")
    summarise(flow.store, OLD)
    assert look(flow, "pages >= 0") == []


def test_a_table_of_an_older_version_has_no_settings(done: DocumentResult, better: Flow) -> None:
    table = pq.read_table(io.BytesIO(better.store.get(keys.summary("documents", OLD))))
    _write(better, table.drop_columns(["settings", "settings_digest"]))
    (found,) = look(better)
    assert found.row.reason == "ner model"
    assert look(better, "settings_digest != current") == []


def test_nights_that_can_not_fit_are_not_read(done: DocumentResult, better: Flow) -> None:
    better.store.put(keys.summary("documents", "2026-02-01"), b"no parquet")
    assert states(better, f"{STALE} and run_date >= {OLD}") == {"t": "stale"}
    with pytest.raises(RunError, match="is damaged"):
        look(better)


def test_a_table_with_a_damaged_end_is_reported_on_one_line(done: DocumentResult, better: Flow) -> None:
    key = keys.summary("documents", OLD)
    table = better.store.get(key)
    for at in range(len(table) - 200, len(table) - 8, 16):
        better.store.put(key, table[:at] + b"\xff" * 8 + table[at + 8 :])
        try:
            look(better)
        except RunError as error:
            assert error.message.isprintable()  # noqa: PT017 - some bytes may be changed without harm


def test_without_any_table_it_says_what_to_do(flow: Flow) -> None:
    with pytest.raises(NotFound, match="nightshift summarise"):
        look(flow)
    with pytest.raises(UsageError, match="did you mean ner_model"):
        look(flow, "ner_modle = x")


def test_a_night_however_old_is_summarised_again(done: DocumentResult, better: Flow) -> None:
    for day in ("02", "03", "04", "05"):
        night_of = f"2026-03-{day}"
        record = structs.replace(done, run_date=night_of, task_id=day)
        records.finish(better.store, record, marked=False)
    now = datetime.now(UTC)
    assert summarise_due(better.night, now) == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert summarise_due(better.night, now) == []
    drain(better, queue(better, f"{STALE} and run_date = {OLD}"))
    assert summarise_due(better.night, now) == [OLD]
    (row,) = pq.read_table(io.BytesIO(better.store.get(keys.summary("entities", OLD)))).to_pylist()
    assert row["type"] == "SHADE"
    assert summarise_due(better.night, now) == []
    assert not list(better.store.list(keys.CHANGED))


def test_what_lands_during_a_summary_is_in_the_next(
    done: DocumentResult, better: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(better, queue(better))

    def then_land(store: LocalStore, run_date: str, **more: Any) -> dict[str, int]:
        rows = summarise(store, run_date, **more)
        again = structs.replace(result(better), done_at="2026-03-02T00:00:00.000+00:00")
        records.finish(store, again)
        return rows

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.tables.summary.summarise", then_land)
        summarise_due(better.night, datetime.now(UTC))
    assert summarise_due(better.night, datetime.now(UTC)) == [OLD]


def test_while_work_goes_on_a_changed_night_is_summarised_hourly(done: DocumentResult, better: Flow) -> None:
    now = datetime.now(UTC)
    summarise_due(better.night, now)
    pending.mark(better.store, Task(task_id="other", sha256=None, source="x"))
    drain(better, queue(better))
    assert summarise_due(better.night, now + timedelta(minutes=59)) == []
    assert summarise_due(better.night, now + timedelta(minutes=61)) == [OLD]


def _write(flow: Flow, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    flow.store.put(keys.summary("documents", OLD), buffer.getvalue())
