"""How dead letters are read, removed and put back; the broker is replaced by a list."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import clock
from pipeline.encryption.keyring import keyring, new_line
from pipeline.settings import Settings
from pipeline.submission.contract import MAX_BODY
from tasks import confidential, dead, signing
from tasks.routing import RAW
from tasks.wire import UNREADABLE

OURS = {
    "code": "poison",
    "reason": "It crashes.",
    "task_id": "t",
    "trace_id": "tr",
    "at": "2026-11-22T23:00:00+00:00",
}
STEP = b'{"task_id": "t", "step": "ocr"}'


def death(queue: str, reason: str) -> dict[str, Any]:
    return {"x-death": [{"queue": queue, "reason": reason, "time": datetime(2026, 11, 22, 23)}]}


def message(body: bytes = STEP, headers: dict[str, Any] | None = None, key: str = "dead") -> Any:
    return SimpleNamespace(
        body=body,
        headers=headers,
        properties={"application_headers": headers},
        delivery_info={"routing_key": key},
        delivery_tag=id(body),
        _serialize_properties=lambda: b"",
    )


class Queue:
    """A channel with one queue: what is not acknowledged is put back when it closes."""

    def __init__(self, *messages: Any) -> None:
        self.waiting: list[Any] = list(messages)
        self.held: list[Any] = []
        self.copies: list[Any] = []

    def __enter__(self) -> "Queue":
        return self

    def __exit__(self, *_: object) -> None:
        self.waiting, self.held = self.held + self.waiting, []

    channel = connection_for_write = lambda self: self

    def queue_declare(self, *_: object, **__: object) -> Any:
        return SimpleNamespace(message_count=len(self.waiting))

    def basic_get(self, _: str) -> Any:
        if not self.waiting:
            return None
        self.held.append(self.waiting.pop(0))
        return self.held[-1]

    def basic_ack(self, tag: int) -> None:
        self.held = [one for one in self.held if one.delivery_tag != tag]

    def basic_publish_confirm(self, one: Any, *_: object, **__: object) -> None:
        copy = message(one.body, one.properties["application_headers"])
        self.copies.append(copy)
        self.waiting.append(copy)


def _found(given: Any, lines: str = "") -> dead.Found:
    return dead._found(given, keyring(Settings(encryption_keys=lines)))


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dead.Swept]:
    monkeypatch.setattr(dead, "declare_dead", lambda _: None)

    def call(queue: Queue, remove: Callable[[dead.Found], bool], **limits: Any) -> dead.Swept:
        app: Any = queue
        return dead.sweep(app, remove, **limits)

    return call


@pytest.mark.parametrize(
    ("given", "code", "queue", "step"),
    [
        (message(headers=OURS), "poison", "", "ocr"),
        (message(b"{}", OURS), "poison", "inference_tasks", ""),
        (message(b"\xff", death("ingest", "rejected")), "not_ours", "ingest", ""),
        (message(b"x", death("ocr", "expired")), "expired", "ocr", ""),
        (message(b"x", death("ocr", "delivery_limit")), "delivery_limit", "ocr", ""),
        (message(b"x", death("ocr", "another")), "other", "ocr", ""),
        (message(b"x", None, key="no\nsuch"), "unroutable", "", ""),
        (message(b"x", {"x-death": "nonsense"}), "unroutable", "", ""),
        (message(b"x", {UNREADABLE: True}), "unreadable", "", ""),
        (message(b"[" * 9000, OURS), "poison", "inference_tasks", ""),
    ],
)
def test_each_says_why_it_is_there(given: Any, code: str, queue: str, step: str) -> None:
    letter = _found(given).letter
    assert (letter.code, letter.queue, letter.step) == (code, queue, step)
    assert letter.ours == (code == "poison")
    assert "\n" not in letter.reason
    assert letter.at in (None, datetime(2026, 11, 22, 23, tzinfo=UTC))
    assert _found(given).letter.id == letter.id


@pytest.mark.parametrize(
    ("queue", "reason", "body", "task_id"),
    [
        ("ocr", "delivery_limit", b'[["mueller-1"], {"run_date": "2026-11-22"}, {}]', "mueller-1"),
        ("ocr", "delivery_limit", b"[[], {}, {}]", ""),
        ("ocr", "delivery_limit", b"x", ""),
        ("ocr", "rejected", b'[["mueller-1"], {}, {}]', ""),
        (RAW, "delivery_limit", b'[["mueller-1"], {}, {}]', ""),
    ],
)
def test_a_message_of_a_step_that_was_returned_too_often_names_its_task(
    queue: str, reason: str, body: bytes, task_id: str
) -> None:
    headers = {"task": "nightshift.ocr", "id": "m1"} | death(queue, reason)
    letter = _found(message(body, headers)).letter
    assert (letter.task_id, letter.ours, letter.step) == (task_id, False, "")


def test_a_pass_removes_what_it_is_told_to_and_puts_back_the_rest(
    sweep: Callable[..., dead.Swept],
) -> None:
    queue = Queue(*(message(bytes([n]), OURS | {"task_id": str(n)}) for n in range(5)))
    swept = sweep(queue, lambda found: found.letter.task_id in "13")
    assert swept == dead.Swept(seen=5, removed=2, complete=True)
    assert [one.headers["task_id"] for one in queue.waiting] == ["0", "2", "4"]
    assert not sweep(queue, lambda _: False, most=2).complete
    assert len(queue.waiting) == 3


def test_one_that_was_returned_often_is_put_back_as_a_copy_and_seen_once(
    sweep: Callable[..., dead.Swept],
) -> None:
    queue = Queue(message(b"a", OURS | {"x-delivery-count": 15}), message(b"b", OURS))
    seen: list[str] = []

    def look(found: dead.Found) -> bool:
        seen.append(found.letter.id)
        return False

    sweep(queue, look)
    assert len(seen) == 2
    assert len(queue.waiting) == 2
    (copy,) = queue.copies
    assert copy.headers == OURS
    assert _found(copy).letter.id == seen[0]


@pytest.mark.usefixtures("sweep")
def test_a_copy_does_not_name_its_sender(sweep: Callable[..., dead.Swept]) -> None:
    """RabbitMQ closes the channel over a name that is not that of the operator."""
    often = message(headers={"x-delivery-count": 10})
    often.properties["user_id"] = "scanner"
    sweep(Queue(often), lambda _: False)
    assert "user_id" not in often.properties


def test_only_older_notices_of_the_tasks_are_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_source", lambda: datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    queue: Any = Queue(
        message(headers=OURS),
        message(headers=OURS | {"task_id": "other"}),
        message(headers=OURS | {"at": "2026-11-23T01:00:00+00:00"}),
        message(b'{"task_id": "t", "step": "callback"}', OURS),
        message(b"x", death("ingest", "rejected")),
    )
    before = datetime(2026, 11, 23, tzinfo=UTC)
    assert dead.clear(queue, {"t"}, before, callbacks=False) == 1
    assert dead.clear(queue, {"t"}, before, callbacks=True) == 1
    assert dead.clear(queue, set(), before, callbacks=True) == 0
    assert len(queue.waiting) == 3


@pytest.mark.usefixtures("sweep")
def test_a_notice_of_a_clock_that_was_ahead_is_cleared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime(2026, 11, 21, 20, tzinfo=UTC)
    monkeypatch.setattr(clock, "_source", lambda: datetime(2026, 11, 21, 20, 30, tzinfo=UTC))
    queue: Any = Queue(message(headers=OURS), message(headers={**OURS, "at": "2026-11-21T20:33:00+00:00"}))
    assert dead.clear(queue, {"t"}, before, callbacks=False) == 1
    assert [one.headers["at"] for one in queue.waiting] == ["2026-11-21T20:33:00+00:00"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", "soon"])
def test_a_moment_that_cannot_be_is_none(at: str) -> None:
    assert _found(message(headers={**OURS, "at": at})).letter.at is None


def test_what_a_header_says_cannot_change_the_terminal() -> None:
    headers = {"code": "\x1b[31mred", "reason": "\x1b[2J\nnext line", "task_id": "a\rb", "trace_id": "\x07"}
    letter = _found(message(headers=headers)).letter
    assert (letter.code, letter.reason) == ("\\x1b[31mred", "\\x1b[2J\\nnext line")
    assert (letter.task_id, letter.trace_id) == ("a\\rb", "\\x07")


def test_a_step_without_a_valid_signature_is_named_by_who_has_the_key(
    sweep: Callable[..., dead.Swept], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'[["t"], {}, {"callbacks": null}]'
    step = message(body, {"task": "nightshift.ocr", "id": "m", **death("ocr", "rejected")})
    other = message(b"foreign", death("ocr", "rejected"))
    seen: list[str] = []

    def look(found: dead.Found) -> bool:
        seen.append(found.letter.code)
        return False

    for keys in ((), ("k" * 32,)):
        monkeypatch.setattr(signing, "keys", lambda keys=keys: keys)
        sweep(Queue(step, other), look)
    assert seen == ["not_ours", "not_ours", "bad_signature", "not_ours"]


REASON = "https://scans.example.org/ada.pdf is not allowed."


@pytest.mark.parametrize(
    "body", [b"", b"\xff text of Ada", b"x" * MAX_BODY, b'{"task_id": "t", "text": "Ada"}']
)
def test_a_refused_message_is_not_readable_in_the_queue_and_comes_back_as_it_was(body: bytes) -> None:
    line = new_line("k1")
    closed, secret = confidential.close(body, REASON, keyring(Settings(encryption_keys=line)))
    assert not body or body[:9] not in closed
    assert "example.org" not in str(secret)
    assert len(closed) <= len(body) + confidential.OVERHEAD
    plain = _found(message(body, OURS | {"reason": REASON}))
    found = _found(message(closed, OURS | secret), line)
    assert (found.letter, found.body) == (plain.letter, body)
    assert found.letter.queue == "inference_tasks"


def test_the_notice_of_a_document_stays_readable_its_reason_does_not() -> None:
    line = new_line("k1")
    closed, secret = confidential.close(STEP, REASON, keyring(Settings(encryption_keys=line)))
    assert closed == STEP
    assert "example.org" not in str(secret)
    assert _found(message(closed, OURS | secret), line).letter.reason == REASON
    assert _found(message(closed, OURS | secret)).letter.step == "ocr", "without the key, too"


def test_a_dead_letter_without_its_key_is_shown_and_cannot_be_sent_back() -> None:
    closed, secret = confidential.close(b"x", REASON, keyring(Settings(encryption_keys=new_line("k1"))))
    letter = _found(message(closed, OURS | secret)).letter
    assert letter.reason.startswith('The dead letter is encrypted with the key "k1", which is not in')
    assert letter.queue == ""
    for changed in (secret | {"reason": "plain"}, secret | {"reason": "é"}):
        letter = _found(message(closed, OURS | changed)).letter
        assert (letter.reason, letter.queue) == ("The dead letter is not what Nightshift has written.", "")


def test_a_raw_message_that_is_sent_back_keeps_its_trace_if_it_is_valid() -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert dead._trace({"traceparent": parent, "tracestate": "a=1", "x": 1}) == {
        "traceparent": parent,
        "tracestate": "a=1",
    }
    assert dead._trace({"traceparent": 7}) == dead._trace({}) == {}
