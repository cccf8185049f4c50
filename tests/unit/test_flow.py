"""The flow of a night without broker or processes: steps in, messages out, everything kept in a store."""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from pipeline import keys, ledger
from pipeline.engines import Engines
from pipeline.errors import PermanentError, Poison, RunError, TransientError
from pipeline.fetch import fetch as real_fetch
from pipeline.flow import Flow
from pipeline.messages import Submission
from pipeline.models import DocumentResult, from_json
from pipeline.night import release_delayed, repair, republish, summarise_due
from pipeline.settings import Settings
from pipeline.step_messages import Message
from tests.command import grey, page, pages


class Died(BaseException):
    """Stands for a process that is killed in the middle of a step."""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def flow(tmp_path: Path, inbox: Path) -> Flow:
    return Flow(
        Settings.from_env(
            {},
            store_url=str(tmp_path / "store"),
            window="always",
            allowed_sources=inbox.as_uri(),
            ocr_engine="fake-ocr",
            ner_engine="fake-ner",
            page_group=4,
            spread_pages=8,
        )
    )


@pytest.fixture
def engine(flow: Flow) -> type:
    """The fake engine's class, to be made to misbehave."""
    return type(Engines(flow.settings).ocr)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(tmp_path / "pages.log"))
    return tmp_path / "pages.log"


def submission(path: Path, task_id: str = "t", **more: Any) -> Submission:
    return Submission(**({"task_id": task_id, "task_type": "document", "url": path.as_uri()} | more))


def drain(flow: Flow, messages: Iterable[Message]) -> Counter[str]:
    """Run all steps to the end, as workers would; gives how often each ran."""
    waiting, ran = deque(messages), Counter[str]()
    while waiting:
        order = waiting.popleft()
        ran[order.step] += 1
        try:
            waiting.extend(flow.run(order))
        except PermanentError as error:
            waiting.extend(flow.fail(order, error))
    return ran


def records(flow: Flow) -> dict[str, DocumentResult]:
    found = [*flow.store.list(keys.RESULTS), *flow.store.list(keys.FAILED)]
    return {keys.task_id_of(key): from_json(flow.store.get(key), DocumentResult) for key in found}


def to_ocr(flow: Flow, path: Path) -> Message:
    """Accept and take in; gives the message that asks for OCR."""
    (order,) = flow.reception.accept(submission(path))
    (order,) = flow.run(order)
    assert order.step == "ocr"
    return order


@pytest.mark.parametrize(
    ("at_open", "an_hour_on", "later"),
    [(4, 0, 4), (3, 0, 4), (3, 1, 0), (1, 4, 0)],
    ids=["all there", "one in hand", "work goes on", "disk lost"],
)
def test_lost_messages_are_published_again(
    flow: Flow, inbox: Path, at_open: int, an_hour_on: int, later: int
) -> None:
    for n in range(4):
        flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), f"t{n}"))
    now = datetime.now(UTC)

    def repaired(minutes: int, waiting: int) -> int:
        sent: list[Message] = []
        repair(flow, now + timedelta(minutes=minutes), lambda: waiting, sent.extend)
        return len(sent)

    assert repaired(0, at_open) == (4 if at_open == 1 else 0)
    assert repaired(59, 0) == 0, "what is in hand has its time"
    assert repaired(61, an_hour_on) == later


def test_a_duplicate_that_ends_meanwhile_is_not_taken_up_again(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    fetch = real_fetch

    def slow(*args: Any) -> bytes:
        monkeypatch.setattr("pipeline.reception.fetch", fetch)
        drain(flow, [order])  # the other copy of the message, from its first step to its last
        return fetch(*args)

    monkeypatch.setattr("pipeline.reception.fetch", slow)
    assert flow.run(order) == []
    assert ledger.pending(flow.store, "t") is None
    assert list(records(flow)) == ["t"]


def test_a_document_goes_through_all_steps(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)), trace_id="trace", priority=9, metadata={"k": "v"})
    ran = drain(flow, flow.reception.accept(sent))
    assert ran == {"ingest": 1, "ocr": 1, "ner": 1, "result": 1}
    result = records(flow)["t"]
    assert (result.status, result.trace_id, result.priority) == ("done", "trace", 9)
    assert (result.metadata, result.pages[0].text) == ({"k": "v"}, "colour 016464")
    assert [e.value for e in result.entities] == ["016464"]
    assert result.record is not None
    assert (result.record.document_type, result.record.fields) == ("other", ())
    assert result.fields == Engines(flow.settings).fields_info
    for prefix in (keys.PENDING, "attempts/"):
        assert not list(flow.store.list(prefix))


def test_every_step_may_run_twice(flow: Flow, inbox: Path, log: Path) -> None:
    waiting = deque(flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    while waiting:
        order = waiting.popleft()
        following = flow.run(order)
        assert flow.run(order) in (following, []), "what comes next is the same, or nothing at the end"
        waiting.extend(following)
    assert len(records(flow)) == 1
    assert len(log.read_text().split()) == 1


def test_the_same_submission_is_one_task(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    first = flow.reception.accept(sent)
    assert flow.reception.accept(sent) == first, "under way: its message is given again, should it be lost"
    drain(flow, first)
    assert flow.reception.accept(sent) == [], "ended: nothing to do"
    assert drain(flow, first) == {"ingest": 1}
    assert len(records(flow)) == 1


def test_a_used_id_with_other_bytes_is_refused(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)))))
    (other,) = [r for r in records(flow).values() if r.task_id != "t"]
    assert (other.status, other.error and other.error.code) == ("failed", "id_conflict")
    assert records(flow)["t"].pages[0].text == "colour 016464"


def test_a_used_id_with_the_same_bytes_from_elsewhere_is_the_same_task(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    drain(flow, flow.reception.accept(submission(page(inbox / "copy.png", grey(1)))))
    assert set(records(flow)) == {"t"}
    assert not list(flow.store.list(keys.PENDING))


def test_a_repetition_waits_until_the_first_is_taken_in(flow: Flow, inbox: Path) -> None:
    first = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    (second,) = flow.reception.accept(submission(page(inbox / "copy.png", grey(1))))
    with pytest.raises(TransientError, match="not taken in yet"):
        flow.run(second)
    drain(flow, first)
    assert flow.run(second) == []


def test_a_text_needs_no_ocr(flow: Flow) -> None:
    sent = Submission(task_id="t", task_type="nlp", text="colour 123456")
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1, "ner": 1, "result": 1}
    result = records(flow)["t"]
    assert [e.value for e in result.entities] == ["123456"]
    assert (result.record, result.fields) == (None, None)


def test_other_field_rules_give_another_result_of_the_same_pages_and_entities(
    flow: Flow, tmp_path: Path
) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "swatch.txt").write_text("colour swatch sample")
    before = Engines(flow.settings)
    after = Engines(flow.settings.replaced({"document_types": str(tmp_path / "types")}))
    assert after.digest != before.digest
    assert after.fields_info.digest != before.fields_info.digest
    assert (after.reading_digest, after.entities_digest) == (before.reading_digest, before.entities_digest)


def test_a_task_type_of_another_package(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)), task_type="classify")
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1, "ocr": 1, "keywords": 1, "result": 1}
    result = records(flow)["t"]
    assert result.outputs == {"keywords": {"class": "swatch", "hits": "1"}}
    assert (result.ner, result.pages[0].text) == (None, "colour 016464")


def test_an_unknown_task_type_and_a_forbidden_source_are_not_accepted(flow: Flow, tmp_path: Path) -> None:
    outside = page(tmp_path / "outside.png", grey(1))
    for sent, code in (
        (submission(outside, task_type="poetry"), "unknown_task_type"),
        (submission(outside), "source_refused"),
        (submission(outside, url="http://169.254.169.254/latest"), "source_refused"),
    ):
        with pytest.raises(PermanentError) as caught:
            flow.reception.accept(sent)
        assert caught.value.code == code
    assert not list(flow.store.list(keys.PENDING))


def test_a_delayed_task_waits_in_the_store(flow: Flow, inbox: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    sent = submission(page(inbox / "a.png", grey(1)), not_before=later)
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1}
    released: list[Message] = []
    release_delayed(flow, later - timedelta(seconds=2), released.extend)
    assert released == []

    def broken(_: list[Message]) -> None:
        raise RunError("The broker is away.")

    with pytest.raises(RunError):
        release_delayed(flow, later + timedelta(seconds=1), broken)
    release_delayed(flow, later + timedelta(seconds=1), released.extend)
    (order,) = released
    assert (order.step, order.task_id) == ("ingest", "t")
    assert not list(flow.store.list(keys.DELAYED))


def test_what_kills_its_process_is_given_up_after_three_tries(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(engine, "read", _raiser(Died()))
    for _ in range(3):
        with pytest.raises(Died):
            flow.run(order)
    with pytest.raises(Poison, match="at each of 3 tries") as caught:
        flow.run(order)
    flow.fail(order, caught.value)
    error = records(flow)["t"].error
    assert error is not None
    assert error.code == "poison"
    assert not list(flow.store.list(keys.PENDING))


def test_progress_between_kills_acquits(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = to_ocr(flow, pages(inbox / "long.pdf", [grey(10 * n) for n in range(8)]))
    read = engine.read  # type: ignore[attr-defined]
    for n in range(6):  # each try gets one page further
        turns = iter([read, _raiser(Died())])
        monkeypatch.setattr(engine, "read", lambda self, image, turns=turns: next(turns)(self, image))
        with pytest.raises(Died):
            flow.run(order)
        assert len(list(flow.store.list("ocr/"))) == n + 1
    monkeypatch.setattr(engine, "read", read)
    assert drain(flow, [order])["result"] == 1


def test_orderly_retries_are_no_kills(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(engine, "read", _raiser(TransientError("the device is away")))
    for retries in range(6):
        with pytest.raises(TransientError):
            flow.run(structs.replace(order, retries=retries))


def test_close_hands_the_document_back_between_page_groups(
    flow: Flow, inbox: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = to_ocr(flow, pages(inbox / "long.pdf", [grey(10 * n) for n in range(8)]))
    answers = iter([True, False])
    monkeypatch.setattr(flow, "may_use_gpu", lambda priority: next(answers))
    assert flow.run(order) == [order]
    assert len(list(flow.store.list("ocr/"))) == 4
    assert not list(flow.store.list("attempts/")), "an orderly stop is no failed try"
    monkeypatch.undo()
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(log))
    drain(flow, [order])
    assert len(records(flow)["t"].pages) == 8
    assert len(log.read_text().split()) == 8


def test_a_long_document_is_assembled_by_whoever_reads_the_last_pages(
    flow: Flow, inbox: Path, log: Path
) -> None:
    (order,) = flow.reception.accept(submission(pages(inbox / "long.pdf", [grey(10 * n) for n in range(20)])))
    parts = flow.run(order)
    assert [(p.first, p.last) for p in parts] == [(1, 8), (9, 16), (17, 20)]
    assert [flow.run(part) for part in (parts[2], parts[0])] == [[], []]
    (following,) = flow.run(parts[1])
    assert drain(flow, [following]) == {"ner": 1, "result": 1}
    assert [p.number for p in records(flow)["t"].pages] == list(range(1, 21))
    assert drain(flow, parts) == {"ocr": 3}, "parts that come again do nothing"
    assert len(log.read_text().split()) == 20


def test_a_lost_broker_is_made_good_from_the_store(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "accepted"))
    (order,) = flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "taken_in"))
    flow.run(order)
    again = republish(flow)
    assert {(m.task_id, m.step) for m in again} == {("accepted", "ingest"), ("taken_in", "ocr")}
    drain(flow, again)
    assert {r.status for r in records(flow).values()} == {"done"}


def test_a_refused_message_has_a_record_and_a_receipt(flow: Flow) -> None:
    name = flow.reception.refuse(
        b'{"task_id": "x", ', PermanentError("The message is not JSON.", code="bad_message")
    ).task_id
    assert name.startswith("x#")
    assert records(flow)[name].status == "failed"
    (key,) = flow.store.list(keys.receipts(flow.run_date()))
    assert name.encode() in flow.store.get(key)


def test_a_failed_callback_fails_no_document(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    order = Message(step="callback", task_id="t", run_date=flow.run_date())
    assert flow.fail(order, PermanentError("The receiver refuses it.", code="callback_failed")) == []
    assert records(flow)["t"].status == "done"
    assert flow.store.exists(keys.undelivered(flow.run_date(), "t"))
    assert ledger.pending(flow.store, "t") is None


def _raiser(error: BaseException) -> Any:
    def read(self: object, image: object) -> None:
        raise error

    return read


@pytest.mark.parametrize("task_id", ["发" * 22, "/" * 66, "." + "x" * 199, "a" * 200])
def test_a_long_id_leaves_room_for_what_is_put_behind_it(flow: Flow, task_id: str) -> None:
    body = msgspec.json.encode({"task_id": task_id, "task_type": "document", "priority": 10})
    refused = flow.reception.refuse(body, PermanentError("priority must be …", code="bad_message"))
    assert records(flow)[refused.task_id].status == "failed"
    assert refused.task_id[:10] == task_id[:10]
    for text in ("one", "two"):
        flow.reception.accept(Submission(task_id=task_id, task_type="nlp", text=text))


def test_a_damaged_record_holds_up_no_message_and_no_other_night(flow: Flow, inbox: Path) -> None:
    flow.store.put(keys.result("2026-01-01", "half"), b"{")
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    with pytest.raises(RunError, match=r"half\.json is damaged"):
        summarise_due(flow, datetime.now(UTC))
    assert flow.store.exists(keys.summary("documents", flow.run_date()))


def test_a_message_sent_again_is_no_further_try(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    (order,) = flow.reception.accept(sent)
    assert flow.reception.accept(sent) == [order], "its first message may never have left"
    flow.run(order)
    assert flow.reception.accept(sent) == []
