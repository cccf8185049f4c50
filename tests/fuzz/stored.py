"""Damaged objects of the store: all that reads them goes on, or says what is damaged.

An input is the name of an object in a small store, such as `results.2`, and the bytes that are put there. Whatever
becomes of the task that the object belongs to, the results of the others stay as they are.
"""

from __future__ import annotations

import io
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property

from PIL import Image

from pipeline import clock
from pipeline.errors import PipelineError
from pipeline.ledger.audit import audit, restore
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.night import callbacks, failures, reprocess
from pipeline.night.delivery import Delivery
from pipeline.night.dispatch import resume_all
from pipeline.night.flow import Flow
from pipeline.night.housekeeping import tick
from pipeline.night.night import Night
from pipeline.night.repair import Queued
from pipeline.night.schedule import Schedule
from pipeline.night.status import status
from pipeline.night.summaries import nights
from pipeline.night.window import Override
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.submission.contract import Submission
from pipeline.tables.summary import summarise
from pipeline.telemetry.w3c import NONE, Context
from tests.fuzz import structure
from tests.fuzz.checks import Violation, code_of, ensure, sentence
from tests.fuzz.mutation import Mutator

URL = "memory://stored"
SETTINGS = Settings(
    store_url=URL, window="always", ocr_engine="fake-ocr", ner_engine="fake-ner", callback_secret="s",
    max_retries=1, allowed_sources="file:///inbox/", allowed_callbacks="https://dms.example/",
)  # fmt: skip
NOW, LATER = datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


class _Broker:
    """Delivers what is published at once, up to a limit; what waits is not delivered."""

    def __init__(self) -> None:
        self.queue: deque[Message] = deque()

    def publish(self, messages: Iterable[Message]) -> None:
        self.queue.extend(messages)

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        return 10

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        return 10

    def publish_dead(
        self, body: bytes, *, reason: str, code: str, task_id: str, trace_id: str, **_: object
    ) -> None:
        sentence(reason)


def _picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, 100, 100)).save(out, "PNG")
    return out.getvalue()


class _Stored:
    tokens: Sequence[bytes] = (
        b"null", b"[]", b"{}", b'""', b"1e999", b"-1", b"true", b'"9999-12-31T23:59:59Z"', b'"2026-11-22"',
        b'"2026-02-30"', b'"t0"', b'"done"', b'"failed"', b'"partial"', b'"open"', b"../../x", b"\\ud800",
        b"\\u0000", b"\xff", b"[[[[[[[[", b'"schema_version":99', b'"ocr"', b'"nlp"',
        b'"render_dpi":"abc"', b'"ner_engine":"none"', b'"sha256":"xyz"', b'"run_date":"yesterday"',
        b'"task_type":"sort"', b'"pages":-5', b'"pages":99999999', b'"priority":99',
        b'"submitted_at":"then"', b'"not_before":"soon"', b"9" * 400,
    )  # fmt: skip

    def __init__(self) -> None:
        clock.take_from(lambda: NOW)  # the same keys and the same ends every day
        self.store = MemoryStore.named("stored")
        self.night = Night(SETTINGS, self.store, Schedule(SETTINGS, self.store))
        self.flow = Flow(self.night)

    @cached_property
    def whole(self) -> dict[str, bytes]:
        """A night in progress: documents done, partial, failed, pending, delayed, with callbacks, notes, tables."""
        broker = _Broker()
        delivery = Delivery(self.flow, broker)
        types = ("document", "document", "ocr", "nlp", "document", "document", "document", "nlp")
        for n, task_type in enumerate(types):
            text = "Invoice 17, 12 May 2024, 12.50 EUR" if task_type == "nlp" else ""
            data = None if text else b"\x7fELF" if n == 5 else _picture(n)
            submission = Submission(
                task_id=f"t{n}", task_type=task_type, text=text, url="" if text else f"file:///inbox/{n}.png",
                trace_id=f"{n}" * 8, callback_url="https://dms.example/hook" if n in (0, 5) else "",
                metadata={"box": "12"}, not_before=LATER if n == 6 else None,
            )  # fmt: skip
            delivery.broker.publish(self.flow.reception.accept(submission, data))
        _drain(
            delivery,
            broker,
            most=200,
            leave=lambda m: m.step == "callback" or (m.step == "ner" and m.task_id in ("t4", "t7")),
        )
        delivery.accept(b'{"task_id": "refused"}')
        self.store.put(
            keys.undelivered(self.flow.schedule.run_date(), "t5"), b'{"code":"x","message":"Not sent."}'
        )
        self.store.put(keys.attempts("t4", "ner", "m1"), b'{"count":1,"progress":0}')
        self.store.put(keys.control("window"), to_json(Override("open", "2027-06-01T00:00:00+00:00")))
        tick(self.night, lambda: Queued(elsewhere=1), broker.publish)
        (failed,) = failures.find(self.store, code="unsupported_type")
        self.store.put(keys.failed_again(failed.run_date, "t1"), to_json(failed))
        self.store.put(keys.partial(failed.run_date, "t2"), to_json(failed))
        self.store.put(keys.changed(failed.run_date, "t0", "then"), b"")
        return dict(self.store._objects)

    @cached_property
    def names(self) -> dict[bytes, str]:
        """A short name for each key that stays the same from day to day."""
        found: dict[bytes, str] = {}
        for key in self.whole:
            kind = key.split("/")[0]
            found[f"{kind}.{sum(name.startswith(f'{kind}.'.encode()) for name in found)}".encode()] = key
        return found

    def seeds(self) -> list[bytes]:
        return [name + b" " + self.whole[key] for name, key in self.names.items()]

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        name, _, body = data.partition(b" ")
        if mutator.rng.random() < 0.1:
            name = mutator.rng.choice(list(self.names))
        return name + b" " + structure.change(mutator, body)

    def check(self, data: bytes) -> str:
        name, _, body = data.partition(b" ")
        key = self.names.get(name)
        if key is None:
            return "no object"
        self.store._objects.clear()
        self.store._objects.update(self.whole)
        self.store.put(key, body)
        broker = _Broker()
        ended = [_said(do) for do in self._readers(broker, thorough=zlib.crc32(data) % 16 == 0)]
        self._others_stand(key)
        wrong = sorted({code for code in ended if code})
        return f"{key.split('/')[0]}: {', '.join(wrong) or 'ok'}"

    def _readers(self, broker: _Broker, *, thorough: bool) -> Iterator[Callable[[], object]]:
        store, night, day = self.store, self.night, self.flow.schedule.run_date()
        delivery = Delivery(self.flow, broker)
        yield lambda: status(night)
        yield lambda: restore(store, audit(store, day))
        yield lambda: list(failures.find(store))
        yield lambda: [failures.task_of(record) for record in failures.find(store)]
        yield lambda: [callbacks.resend(store, one) for one in list(callbacks.undelivered(store))]
        yield lambda: broker.publish(callbacks.overdue(store, clock.utc()))
        yield lambda: broker.publish(resume_all(night))
        yield lambda: _drain(delivery, broker, most=60, leave=lambda m: m.step == "callback")
        yield lambda: list(
            reprocess.examine(night, reprocess.rows(store, "pages >= 0", reprocess.Now(SETTINGS)))
        )
        if thorough:
            yield lambda: tick(night, Queued, broker.publish)
            yield lambda: [summarise(store, run_date) for run_date in nights(store)]

    def _others_stand(self, damaged: str) -> None:
        """The results of tasks whose objects are sound are as they were."""
        for key, value in self.whole.items():
            if key.startswith((keys.RESULTS, keys.RECEIPTS)) and key != damaged:
                ensure(
                    self.store._objects.get(key) == value,
                    f"damage of {damaged.split('/', maxsplit=1)[0]} changed {key}",
                )


def _drain(delivery: Delivery, broker: _Broker, *, most: int, leave: Callable[[Message], bool]) -> None:
    for _ in range(most):
        if not broker.queue:
            return
        message = broker.queue.popleft()
        if not leave(message):
            delivery.step(message)
    if any(not leave(message) for message in broker.queue):
        raise Violation(f"messages without end: {broker.queue[0]}")


def _said(do: Callable[[], object]) -> str:
    try:
        do()
    except PipelineError as error:
        return code_of(error)
    return ""


TARGET = _Stored()
