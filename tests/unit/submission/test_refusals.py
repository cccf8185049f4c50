"""A well-formed message that is refused keeps what it says, and is accepted once the setting is right."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline import clock
from pipeline.encryption.keyring import new_line
from pipeline.errors import PermanentError
from pipeline.ledger import pending, receipts
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import SCHEMA_VERSION, DocumentResult
from pipeline.night import callbacks, failures
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.submission import envelope
from pipeline.submission.reception import Reception
from pipeline.telemetry.w3c import NONE, Context
from tests.support.command import grey, page
from tests.support.flows import drain, flow_of, records_of, submission
from tests.support.paused import PausedStore


class Broker:
    """What was published."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.dead: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.waiting: list[bytes] = []

    def publish(self, messages: Any) -> None:
        self.sent += messages

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        raise NotImplementedError

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        self.waiting.append(raw)
        return 60

    def publish_dead(self, body: bytes, **headers: Any) -> None:
        self.dead.append(headers)
        self.bodies.append(body)

    def take(self) -> list[Message]:
        found, self.sent = self.sent, []
        return found


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    return page(tmp_path / "outside" / "a.png", grey(7))


SECRET = "https://bank.example.org/done?token=hush"


def settings(flow: Flow, **changed: Any) -> Flow:
    """A flow on the same store, with other settings."""
    return flow_of(Settings.from_env({}, **(msgspec.structs.asdict(flow.settings) | changed)))


def body(source: Path, task_id: str = "scan-1", **more: Any) -> bytes:
    return json.dumps(
        {"task_id": task_id, "task_type": "document", "document_url": source.as_uri()} | more
    ).encode()


def deliver(flow: Flow, broker: Broker, raw: bytes) -> None:
    Delivery(flow, broker).accept(raw)


def failed(flow: Flow) -> dict[str, DocumentResult]:
    return {record.task_id: record for record in failures.find(flow.store)}


def passes(flow: Flow) -> bool:
    return audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_refused_message_keeps_what_it_says_and_its_producer_is_notified(
    flow: Flow, broker: Broker, outside: Path
) -> None:
    flow = settings(flow, allowed_callbacks="https://bank.example.org")
    raw = body(
        outside, tenant="bank-a", metadata={"branch": "17"}, trace_id="tr-1", priority=8, callback_url=SECRET
    )
    deliver(flow, broker, raw)
    record = failed(flow)["scan-1"]
    assert (record.tenant, record.metadata, record.trace_id, record.priority, record.task_type) == (
        "bank-a",
        {"branch": "17"},
        "tr-1",
        8,
        "document",
    )
    assert record.source == outside.as_uri()
    assert record.error is not None
    assert record.error.code == "source_refused"
    assert [(d["task_id"], d["code"], d["trace_id"]) for d in broker.dead] == [
        ("scan-1", "source_refused", "tr-1")
    ]
    (message,) = broker.take()
    assert (message.step, message.task_id) == ("callback", "scan-1")
    assert passes(flow)


def test_a_refusal_that_is_paused_for_hours_is_notified(
    flow: Flow, broker: Broker, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Housekeeping deletes the note of its callback, as there is no record yet."""
    flow = settings(flow, allowed_callbacks="https://bank.example.org")
    real = Reception.note_refusal

    def paused(reception: Reception, *args: Any) -> None:
        assert list(callbacks.overdue(flow.store, clock.utc() + timedelta(hours=2))) == []
        assert not list(flow.store.list(keys.CALLBACKS))
        real(reception, *args)

    monkeypatch.setattr(Reception, "note_refusal", paused)
    deliver(flow, broker, body(outside, callback_url=SECRET))
    assert len(list(flow.store.list(keys.CALLBACKS))) == len(broker.take()) == 1


def test_the_query_of_a_callback_is_in_no_record(
    flow: Flow, broker: Broker, inbox: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = []
    monkeypatch.setattr("pipeline.night.callbacks.post", lambda url, *_: posted.append(url))
    flow = settings(flow, allowed_callbacks="https://bank.example.org", callback_secret="x")
    for name, source in (("good", page(inbox / "a.png", grey(1))), ("bad", outside)):
        deliver(flow, broker, body(source, name, callback_url=SECRET))
    drain(flow, broker.take())
    assert posted == [SECRET, SECRET]
    holding = {key.split("/")[0] for key in flow.store.list("") if b"hush" in flow.store.get(key)}
    assert holding == {"callback_urls"}
    assert records_of(flow)["good"].callback_url == "https://bank.example.org/done?"


@pytest.mark.parametrize(
    "url", ["https://bank.example.org/done#hush", "https://u:hush@bank.example.org/done"]
)
def test_neither_user_nor_fragment_of_a_callback_is_stored(
    flow: Flow, broker: Broker, inbox: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    flow = settings(flow, allowed_callbacks="https://bank.example.org", callback_secret="x")
    deliver(flow, broker, body(page(inbox / "a.png", grey(1)), callback_url=url))
    assert [key for key in flow.store.list("") if b"hush" in flow.store.get(key)] == []
    assert "hush" not in caplog.text


def test_the_signature_of_a_source_is_in_no_record(
    flow: Flow, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    message = {
        "task_id": "signed",
        "task_type": "document",
        "image_url": "https://h.example/a.png?sig=hush#hush",
    }
    deliver(flow, broker, json.dumps(message).encode())
    assert failed(flow)["signed"].source == "https://h.example/a.png"
    assert [key for key in flow.store.list("") if b"hush" in flow.store.get(key)] == []
    assert [letter for letter in broker.dead if "hush" in letter["reason"]] == []
    assert "hush" not in caplog.text


def test_a_callback_that_is_refused_is_not_sent(flow: Flow, broker: Broker, inbox: Path) -> None:
    deliver(flow, broker, body(page(inbox / "a.png", grey(1)), callback_url=SECRET))
    assert broker.take() == []
    assert not list(flow.store.list(keys.CALLBACKS))
    assert failures.code_of(failed(flow)["scan-1"]) == "callback_refused"


@pytest.mark.parametrize("text", ["", "colour 123456"])
def test_it_is_redriven_once_the_setting_is_right(
    flow: Flow, broker: Broker, outside: Path, text: str
) -> None:
    raw = body(outside)
    if text:
        raw = json.dumps(
            {"task_id": "scan-1", "task_type": "nlp", "text": text, "callback_url": SECRET}
        ).encode()
    deliver(flow, broker, raw)
    right = settings(
        flow,
        allowed_sources=outside.parent.as_uri(),
        allowed_callbacks="https://bank.example.org",
        callback_secret="",
    )
    task = failures.redrive(right.store, failed(right)["scan-1"], {})
    drain(right, [Message.of("ingest", task)])
    assert records_of(right)["scan-1"].status == "done"
    assert not failed(right)
    assert passes(right)


def test_the_same_message_is_accepted_once_the_setting_is_right(
    flow: Flow, broker: Broker, outside: Path
) -> None:
    for _ in range(2):
        deliver(flow, broker, body(outside))
    assert len(broker.dead) == 2
    assert list(failed(flow)) == ["scan-1"]
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    for _ in range(2):
        deliver(right, broker, body(outside))
    messages = broker.take()
    assert [m.step for m in messages] == ["ingest", "ingest"]
    assert not failed(right), "its failure is replaced"
    drain(right, messages)
    assert records_of(right)["scan-1"].status == "done"
    deliver(right, broker, body(outside))
    assert broker.take() == [], "done: a repetition does nothing"
    assert passes(right)


@pytest.mark.parametrize("at", range(12))
def test_a_process_that_is_paused_while_it_accepts_a_refused_message(
    flow: Flow, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Another one accepts it meanwhile, and it is done, on the next run date."""
    days = ["2026-11-24"]
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: days[-1])
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    right.reception.refuse(b"", PermanentError("no", code="source_refused"), submission(outside))

    def done_by_another() -> None:
        days.append("2026-11-25")
        drain(right, right.reception.accept(submission(outside)))
        days.append("2026-11-26")

    paused = PausedStore(right.store, at, done_by_another)
    first = Reception(paused, right.settings, right.schedule.run_date)
    drain(right, first.accept(submission(outside)))
    assert len(paused.calls) > at
    assert [record.status for record in records_of(right).values()] == ["done"]
    assert len(list(right.store.list(keys.RESULTS))) == 1
    assert not list(right.store.list(keys.PENDING))
    assert all(audit(right.store, day).adds_up for day in days)


@pytest.mark.parametrize("at", range(7))
def test_a_process_that_is_paused_while_it_refuses_a_message(
    flow: Flow, broker: Broker, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Another one refuses it, it is redriven and done; when it is sent again on the next run date, it is known."""
    days = ["2026-11-24"]
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: days[-1])
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    error, sent = PermanentError("no", code="source_refused"), submission(outside, "scan-1")

    def done_by_another() -> None:
        right.reception.refuse(b"", error, sent)
        task = failures.redrive(right.store, failed(right)["scan-1"], {}, today=days[-1])
        drain(right, [Message.of("ingest", task)])
        days.append("2026-11-25")

    paused = PausedStore(right.store, at, done_by_another)
    Reception(paused, right.settings, right.schedule.run_date).refuse(b"", error, sent)
    assert len(paused.calls) > at
    drain(right, right.reception.accept(sent))
    good = [key for key in right.store.list(keys.RESULTS) if keys.task_id_of(key) == "scan-1"]
    assert good == [keys.result(days[0], "scan-1")]
    assert "scan-1" not in failed(right)
    assert not list(right.store.list(keys.PENDING))


@pytest.mark.parametrize("at", range(7))
def test_a_process_that_is_paused_while_it_refuses_a_message_that_another_one_accepts(
    flow: Flow, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """It is done; when it is sent again on the next run date, it is known."""
    days = ["2026-11-24"]
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: days[-1])
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    error, sent = PermanentError("no", code="source_refused"), submission(outside, "scan-1")

    def done_by_another() -> None:
        drain(right, right.reception.accept(sent))
        days.append("2026-11-25")

    paused = PausedStore(right.store, at, done_by_another)
    Reception(paused, right.settings, right.schedule.run_date).refuse(b"", error, sent)
    assert len(paused.calls) > at
    assert right.reception.accept(sent) == []
    good = [key for key in right.store.list(keys.RESULTS) if keys.task_id_of(key) == "scan-1"]
    assert good == [keys.result(days[0], "scan-1")]
    assert "scan-1" not in failed(right)
    assert not list(right.store.list(keys.PENDING))


@pytest.mark.parametrize("corrected_first", [True, False])
@pytest.mark.parametrize("at", range(20))
def test_two_messages_that_take_the_place_of_a_refusal_at_once(
    flow: Flow, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int, corrected_first: bool
) -> None:
    """The refused message itself and a corrected one, once the setting is right: the id is of one of them."""
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: "2026-11-24")
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    refused = submission(outside, "scan-1")
    corrected = submission(page(outside.parent / "b.png", grey(9)), "scan-1")
    right.reception.refuse(b"", PermanentError("no", code="source_refused"), refused)
    one, other = (corrected, refused) if corrected_first else (refused, corrected)
    messages: list[Message] = []

    paused = PausedStore(right.store, at, lambda: messages.extend(right.reception.accept(other)))
    messages += Reception(paused, right.settings, right.schedule.run_date).accept(one)
    drain(right, sorted(messages, key=lambda message: message.task_id))  # a duplicate waits for the first
    assert len(paused.calls) > at
    assert audit(right.store, "2026-11-24").gaps == ()
    assert not list(right.store.list(keys.PENDING))
    (good,) = (record for record in records_of(right).values() if record.status == "done")
    assert good.task_id == "scan-1"
    assert [failures.code_of(record) for record in failed(right).values()] == ["id_conflict"]


@pytest.mark.parametrize("at", range(12))
def test_a_message_that_is_accepted_twice_in_place_of_its_refusal_has_one_receipt(
    flow: Flow, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """By two processes, one of which has another run date and is paused until the document is done."""
    days = ["2026-11-24", "2026-11-25"]
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: days[0])
    right, sent = settings(flow, allowed_sources=outside.parent.as_uri()), submission(outside, "scan-1")
    right.reception.refuse(b"", PermanentError("no", code="source_refused"), sent)

    def done_by_another() -> None:
        drain(right, right.reception.accept(sent))

    paused = PausedStore(right.store, at, done_by_another)
    drain(right, Reception(paused, right.settings, lambda: days[1]).accept(sent))
    assert len(paused.calls) > at
    received = [receipts.received(right.store, day).get("scan-1", ()) for day in days]
    assert [any(not task.refused for task in tasks) for tasks in received].count(True) == 1
    assert [records_of(right)["scan-1"].status] == ["done"]
    assert all(audit(right.store, day).gaps == () for day in days)


@pytest.mark.parametrize("at", range(13))
def test_a_refusal_that_is_redriven_while_a_corrected_message_takes_its_place(
    flow: Flow, outside: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The id is of one of them."""
    monkeypatch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: "2026-11-24")
    right = settings(flow, allowed_sources=outside.parent.as_uri())
    corrected = submission(page(outside.parent / "b.png", grey(9)), "scan-1")
    right.reception.refuse(b"", PermanentError("no", code="source_refused"), submission(outside, "scan-1"))
    record, messages = failed(right)["scan-1"], list[Message]()

    paused = PausedStore(right.store, at, lambda: messages.extend(right.reception.accept(corrected)))
    with suppress(PermanentError):
        messages.append(Message.of("ingest", failures.redrive(paused, record, {}, today="2026-11-24")))
    assert len(paused.calls) > at
    drain(right, sorted(messages, key=lambda message: message.task_id))
    assert not list(right.store.list(keys.PENDING))
    found = {one.sha256 for one in (*records_of(right).values(), *failed(right).values())}
    assert pending.store_document(right.store, (outside.parent / "b.png").read_bytes()) in found
    assert audit(right.store, "2026-11-24").gaps == ()


def test_a_corrected_message_may_use_the_id_again(
    flow: Flow, broker: Broker, inbox: Path, outside: Path
) -> None:
    deliver(flow, broker, body(outside))
    good = body(page(inbox / "a.png", grey(3)))
    deliver(flow, broker, good)
    deliver(flow, broker, good)
    drain(flow, broker.take())
    assert records_of(flow)["scan-1"].status == "done"
    assert not failed(flow)
    assert passes(flow)
    deliver(flow, broker, body(outside))
    assert records_of(flow)["scan-1"].status == "done", "the refused one does not come back"
    (other,) = failed(flow)
    assert other.startswith("scan-1#")
    deliver(flow, broker, good)
    assert broker.take() == []
    assert passes(flow)


def test_a_message_whose_id_is_used_gets_another_one_and_is_accepted_later(
    flow: Flow, broker: Broker, inbox: Path, outside: Path
) -> None:
    deliver(flow, broker, body(page(inbox / "a.png", grey(3))))
    drain(flow, broker.take())
    deliver(flow, broker, body(outside))
    (name,) = failed(flow)
    assert name.startswith("scan-1#")
    right = settings(flow, allowed_sources=f"{outside.parent.as_uri()},{inbox.as_uri()}")
    deliver(right, broker, body(outside))
    drain(right, broker.take())
    assert failures.code_of(failed(right)[name]) == "id_conflict", "its bytes are others"
    assert records_of(right)["scan-1"].status == "done"
    assert passes(right)


def test_a_refused_repetition_that_is_accepted_later_ends_with_a_record(
    flow: Flow, broker: Broker, inbox: Path, outside: Path
) -> None:
    """Its refusal has a receipt: ingest must not drop it as it drops other repetitions."""
    good = page(inbox / "a.png", grey(1))
    deliver(flow, broker, body(good))
    drain(flow, broker.take())
    outside.write_bytes(good.read_bytes())
    deliver(flow, broker, body(outside))
    assert list(failed(flow)) == [broker.dead[0]["task_id"]]
    wide = settings(flow, allowed_sources=f"{inbox.as_uri()},{outside.parent.as_uri()}")
    deliver(wide, broker, body(outside))
    drain(wide, broker.take())
    assert not failed(flow)
    assert {name: record.status for name, record in records_of(flow).items()} == {
        "scan-1": "done",
        broker.dead[0]["task_id"]: "done",
    }
    assert passes(flow)


def test_a_done_document_that_is_sent_again_and_refused_now_keeps_its_result(
    flow: Flow, broker: Broker, inbox: Path
) -> None:
    raw = body(page(inbox / "a.png", grey(3)))
    deliver(flow, broker, raw)
    drain(flow, broker.take())
    wrong = settings(flow, allowed_sources="s3://elsewhere")
    deliver(wrong, broker, raw)
    assert records_of(flow)["scan-1"].status == "done"
    assert len(broker.dead) == 1
    assert passes(flow)


@pytest.mark.parametrize("part", ["claims", "failed", "receipts", "pending"])
def test_a_process_that_dies_in_between_repeats_it(
    flow: Flow, broker: Broker, inbox: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Each write of this kind fails once, while the message is refused and while a corrected one is accepted."""

    def once(raw: bytes) -> None:
        put, left = type(flow.store).put, [1]

        def dying(store: Any, key: str, data: bytes) -> None:
            put(store, key, data)
            if key.startswith(part) and left:
                left.clear()
                raise PermissionError("died")

        with monkeypatch.context() as patch:
            patch.setattr(type(flow.store), "put", dying)
            with suppress(PermissionError):
                deliver(flow, broker, raw)
        deliver(flow, broker, raw)

    once(body(outside))
    assert list(failed(flow)) == ["scan-1"]
    once(body(page(inbox / "a.png", grey(3))))
    drain(flow, broker.take())
    assert {name: r.status for name, r in records_of(flow).items()} == {"scan-1": "done"}
    assert passes(flow)


def test_a_malformed_message_gets_an_id_of_its_own(flow: Flow, broker: Broker) -> None:
    deliver(flow, broker, b'{"task_id": "scan-1", "task_type": "document"}')
    (name,) = failed(flow)
    assert name.startswith("scan-1#")
    assert [d["code"] for d in broker.dead] == ["bad_message"]


def test_an_encrypted_message_is_like_any_other(
    flow: Flow, broker: Broker, inbox: Path, outside: Path
) -> None:
    flow = settings(flow, encryption_keys=new_line("k1"))
    for source, name in ((page(inbox / "a.png", grey(1)), "good"), (outside, "bad")):
        deliver(flow, broker, envelope.seal(body(source, name, tenant="bank-a"), flow.settings))
    drain(flow, broker.take())
    records = records_of(flow)
    assert {name: (one.status, one.tenant) for name, one in records.items()} == {
        "good": ("done", "bank-a"),
        "bad": ("failed", "bank-a"),
    }
    assert [one["task_id"] for one in broker.dead] == ["bad"]
    assert list(json.loads(broker.bodies[0])) == ["encrypted"], "as it came"
    assert passes(flow)


def test_an_encrypted_message_without_its_key_is_kept_until_it_can_be_redriven(
    flow: Flow, broker: Broker, inbox: Path
) -> None:
    line = new_line("k1")
    raw = envelope.seal(body(page(inbox / "a.png", grey(1))), Settings(encryption_keys=line))
    deliver(flow, broker, raw)
    assert [one["code"] for one in broker.dead] == ["message_locked"]
    assert broker.bodies == [raw]
    flow = settings(flow, encryption_keys=line)
    deliver(flow, broker, raw)
    drain(flow, broker.take())
    assert records_of(flow)["scan-1"].status == "done"
    assert passes(flow)


def test_a_message_that_is_refused_for_another_reason_says_the_latest(
    flow: Flow, broker: Broker, outside: Path
) -> None:
    delivery = Delivery(flow, broker)
    for more in ({}, {"callback_url": SECRET}, {"callback_url": SECRET}):
        delivery.accept(body(outside, **more))
    codes = [letter["code"] for letter in broker.dead]
    assert len(set(codes)) == 2
    record = records_of(flow)["scan-1"]
    assert record.error is not None
    assert (record.error.code, record.error.message) == (codes[-1], broker.dead[-1]["reason"])
    assert len(list(flow.store.list(keys.FAILED))) == 1
    assert len(list(flow.store.list(keys.CHANGED))) == 1
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def of_later_version(flow: Flow, key: str) -> None:
    found = json.loads(flow.store.get(key)) | {"schema_version": SCHEMA_VERSION + 1}
    flow.store.put(key, json.dumps(found).encode())


def test_a_refusal_that_a_later_version_has_recorded_stays_so(
    flow: Flow, broker: Broker, outside: Path
) -> None:
    deliver(flow, broker, body(outside))
    (key,) = flow.store.list(keys.FAILED)
    of_later_version(flow, key)
    before = flow.store.get(key)
    deliver(flow, broker, body(outside, callback_url=SECRET))  # for another reason; raises nothing
    assert flow.store.get(key) == before
    assert (len(broker.dead), broker.waiting) == (2, [])


def test_a_refused_message_whose_task_a_later_version_has_marked_waits(
    flow: Flow, broker: Broker, inbox: Path
) -> None:
    raw = body(page(inbox / "a.png", grey(7)))
    deliver(flow, broker, raw)
    (key,) = flow.store.list(keys.PENDING)
    of_later_version(flow, key)
    narrow = settings(flow, allowed_sources="s3://elsewhere")
    deliver(narrow, broker, raw)
    assert (broker.dead, broker.waiting) == ([], [raw])


def test_a_refusal_that_was_discarded_stays_so(flow: Flow, broker: Broker, outside: Path) -> None:
    delivery = Delivery(flow, broker)
    delivery.accept(body(outside))
    failures.discard(flow.store, records_of(flow)["scan-1"], "known")
    delivery.accept(body(outside, callback_url=SECRET))
    assert failures.code_of(records_of(flow)["scan-1"]) == "discarded"
