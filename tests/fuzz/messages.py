"""Raw messages of any producer: each is accepted, or refused with one sentence, a record and a dead letter."""

import json
from collections.abc import Iterable, Sequence

from pipeline.errors import PermanentError
from pipeline.messages import Message
from pipeline.models import DocumentResult
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.settings import Settings
from pipeline.storage import keys, objects
from pipeline.storage.memory import MemoryStore
from pipeline.submission.contract import BadMessage, parse, partial_id, partial_trace
from pipeline.telemetry.w3c import NONE, Context
from tests.fuzz import structure
from tests.fuzz.checks import ensure, sentence
from tests.fuzz.mutation import Mutator

WHOLE = {
    "task_id": "scan-17", "task_type": "document", "image_url": "file:///inbox/a.png",
    "trace_id": "4bf92f35", "priority": 7, "callback_url": "https://dms.example/hook", "tenant": "archive",
    "metadata": {"box": "12", "n": 3}, "submitted_at": "2026-11-22T16:05:00Z",
    "not_before": "2026-11-22T22:00:00+01:00", "extra": [1, 2.50, None],
}  # fmt: skip
SETTINGS = {
    "NIGHTSHIFT_ALLOWED_SOURCES": "file:///inbox/,s3://inbox/,https://dms.example/",
    "NIGHTSHIFT_ALLOWED_CALLBACKS": "https://dms.example/",
    "NIGHTSHIFT_STORE_URL": "memory://messages",
    "NIGHTSHIFT_WINDOW": "never",
}


class _Broker:
    """Takes note of what is published."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.dead: list[tuple[bytes, str, str, str, str]] = []

    def publish(self, messages: Iterable[Message]) -> None:
        self.sent += messages

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        raise AssertionError("nothing is retried when a message is accepted")

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        raise AssertionError("no step is paused")

    def publish_dead(
        self, body: bytes, *, reason: str, code: str, task_id: str, trace_id: str, **_: object
    ) -> None:
        self.dead.append((body, reason, code, task_id, trace_id))


class _Messages:
    tokens: Sequence[bytes] = (
        *(name.encode() for name in WHOLE),
        b"document_url", b"text", b"nlp", b"ner", b"ocr", b"null", b"true", b"\\u0000", b"\\ud800", b"\\u202e",
        b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc2\x85", b"1e999", b"-0", b"5.0", b"{}",
        b"[" * 3000, b'{"a":' * 600, b"..", b"%2e%2e", b"https://dms.example/", b"s3://inbox/",
        b"file:///inbox/../etc", b"9999-12-31T23:59:59+00:00", b"0001-01-01T00:00:00+14:00", b"2026-W48-1",
        b"A" * 201, "é".encode() * 150, "\U0001f4c4".encode() * 17, b"\\r\\nX-Header: 1",
    )  # fmt: skip

    def __init__(self) -> None:
        self._count = 0
        self._fresh()

    def _fresh(self) -> None:
        """A new store now and then: what one message leaves is there for the next ones, but not for ever."""
        settings = Settings.from_env(SETTINGS)
        self._store = MemoryStore("messages")
        self._broker = _Broker()
        self._delivery = Delivery(
            Flow(Night(settings, self._store, Schedule(settings, self._store))), self._broker
        )

    def seeds(self) -> list[bytes]:
        text = {"task_id": "t1", "task_type": "nlp", "text": "Invoice 17 of 3 May: 12,50 €"}
        few = {"task_id": "a/b.jpg", "task_type": "ocr", "document_url": "s3://inbox/a.pdf"}
        signed = {"task_id": "u", "task_type": "document", "image_url": "https://dms.example/a?sig=secret"}
        values: tuple[object, ...] = (WHOLE, text, few, signed, {}, [], 1)
        bodies = [json.dumps(value).encode() for value in values]
        return [
            *bodies,
            json.dumps(WHOLE, ensure_ascii=False).encode("utf-16"),
            b"",
            b"\x80\x04\x95",
            b"not JSON",
        ]

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        return structure.change(mutator, data)

    def check(self, data: bytes) -> str:
        self._count += 1
        if self._count % 100 == 0:
            self._fresh()
        for guess in (partial_id(data) or "", partial_trace(data)):
            ensure(
                all(c.isprintable() or c in "\u2028\u2029" or ord(c) > 127 for c in guess),
                f"control in {guess!r}",
            )
        try:
            submission, why = parse(data), ""
            keys.pending(submission.task_id)
            ensure(0 <= submission.priority <= 9, "a priority from 0 to 9")
        except BadMessage as error:
            submission, why = None, error.message
            sentence(why)
        self._broker.sent.clear()
        self._broker.dead.clear()
        refused = self._delivery.accept(data)
        if refused is None:
            ensure(submission is not None, f"accepted although {why}")
            ensure(not self._broker.dead, "accepted and dead-lettered")
            return "accepted"
        ((body, reason, code, task_id, _),) = self._broker.dead
        sentence(reason)
        ensure(body == data, "the dead letter has other bytes")
        ensure(task_id == refused.task_id, "the dead letter has another id")
        record = self._record(refused.task_id)
        ensure(
            record.error and record.error.code == code, "the record says another reason than the dead letter"
        )
        ensure(not self._store.exists(keys.pending(refused.task_id)), "refused and pending")
        return f"refused: {code}"

    def _record(self, task_id: str) -> DocumentResult:
        for key in self._store.list(keys.FAILED):
            if keys.task_id_of(key) == task_id:
                return objects.read(self._store, key, DocumentResult)
        raise PermanentError("no record of a refused message")


TARGET = _Messages()
