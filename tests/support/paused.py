"""A process that is paused between two calls of its store, while others go on; and what must be stored then."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError, TransientError
from pipeline.ledger import healing, pending
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task, from_json
from pipeline.night import failures, remnants, reprocess
from pipeline.night.callbacks import overdue
from pipeline.night.dispatch import resume, resume_all
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.settings import Settings
from pipeline.steps.engines import EnginesByTask
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore
from pipeline.submission.contract import Submission
from tests.support.flows import Died

START = datetime(2026, 11, 24, 20, tzinfo=UTC)
SPREAD = 8


class PausedStore:
    """A store before whose call number `at` (from 0) `meanwhile` is called; `calls` names all of them.

    `dies`: before call number `at` + `dies`; all later ones fail, too.
    """

    def __init__(self, store: Store, at: int, meanwhile: Callable[[], None], dies: int | None = None) -> None:
        self.store, self.url, self.at, self.meanwhile = store, store.url, at, meanwhile
        self.dies = dies
        self.calls: list[str] = []

    def _call(self, name: str, key: str) -> Store:
        self.calls.append(f"{name} {key}")
        if len(self.calls) - 1 == self.at:
            self.meanwhile()
        if self.dies is not None and len(self.calls) - 1 >= self.at + self.dies:
            raise Died
        return self.store

    def put(self, key: str, data: bytes) -> None:
        self._call("put", key).put(key, data)

    def put_new(self, key: str, data: bytes) -> bool:
        return self._call("put", key).put_new(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self._call("put", key).put_file(key, path)

    def get(self, key: str) -> bytes:
        return self._call("get", key).get(key)

    def exists(self, key: str) -> bool:
        return self._call("exists", key).exists(key)

    def delete(self, key: str) -> None:
        self._call("delete", key).delete(key)

    def list(self, prefix: str) -> Iterator[str]:
        return iter([*self._call("list", prefix).list(prefix)])

    def folders(self, prefix: str) -> Iterator[str]:
        return iter([*self._call("folders", prefix).folders(prefix)])

    @property
    def is_versioned(self) -> bool | None:
        return self.store.is_versioned

    def purge(self, key: str) -> int:
        return self.store.purge(key)

    def purge_below(self, prefix: str) -> int:
        return self.store.purge_below(prefix)

    def check(self) -> None:
        self.store.check()


class Site:
    """One installation with one submission `t`: what its producer, its other workers and its operator do."""

    def __init__(
        self,
        inbox: Path,
        picture: bytes,
        engines: EnginesByTask,
        settings: Settings,
        callback_url: str = "https://a.example",
    ) -> None:
        self.store = MemoryStore("site")
        self.path, self.picture, self.engines, self.settings = inbox / "a.png", picture, engines, settings
        self.now, self._ticks, self._messages = START, 0, 0
        self.waiting: list[Message] = []
        self.late, self.at_once = False, True
        self.posted: list[str] = []
        clock.take_from(self._time)
        self.send_file()
        self.flow = self.process(self.store)
        url = self.path.as_uri()
        self.submission = Submission(task_id="t", task_type="document", url=url, callback_url=callback_url)

    def _time(self) -> datetime:
        self._ticks += 1
        return self.now + timedelta(milliseconds=self._ticks)

    def process(self, store: Store) -> Flow:
        """Another process with this store."""
        flow = Flow(Night(self.settings, store, Schedule(self.settings, store)), at_once=self.at_once)
        flow.engines = self.engines
        return flow

    def later(self, days: int = 1) -> None:
        self.now += timedelta(days=days)

    def send_file(self) -> None:
        self.path.write_bytes(self.picture)

    def tidy_up(self) -> None:
        """The producer removes its file."""
        self.path.unlink(missing_ok=True)

    def deliver(self, message: Message, flow: Flow | None = None) -> list[Message]:
        """What a worker does with a message; callbacks wait until all is done, if they are `late`."""
        if message.step == "callback" and self.late:
            self.waiting.append(message)
            return []
        if not message.id:
            self._messages += 1
            message = structs.replace(message, id=f"m{self._messages}")
        process = flow or self.flow
        try:
            return process.run(message)
        except (PermanentError, TransientError) as error:
            return process.fail(message, PermanentError(error.message, code=error.code))

    def post(self, url: str, body: bytes, *_: object) -> int:
        """In place of `pipeline.night.callbacks.post`."""
        self.posted.append(json.loads(body)["status"])
        return 200

    def drain(self, messages: Iterable[Message]) -> None:
        waiting = deque(messages)
        while waiting:
            waiting.extend(self.deliver(waiting.popleft()))

    def settle(self) -> None:
        """All that waits is done, and housekeeping publishes again what has a marker or a callback that is due.

        Then what it does before it writes the tables of a night.
        """
        self.late, waiting, self.waiting = False, self.waiting, []
        self.drain(waiting)
        for _ in range(2):
            self.drain(resume_all(self.flow.night))
        self.drain(overdue(self.store, self.now + timedelta(hours=2)))
        for night in keys.run_dates(self.store.folders(keys.FAILED)):
            healing.failures(self.store, night, lambda end: remnants.notify_again(self.store, end))

    def accept(self) -> list[Message]:
        return self.flow.reception.accept(self.submission)

    def process_all(self) -> None:
        self.send_file()
        self.drain(self.accept())
        self.drain(resume_all(self.flow.night))

    def fail(self, code: str = "poison") -> None:
        for message in self.accept() or list(resume_all(self.flow.night)):
            self.flow.fail(message, PermanentError("no", code=code))

    def failure(self) -> DocumentResult | None:
        found = (r for r in failures.find(self.store) if not r.reprocess and r.status == "failed")
        return next(found, None)

    def redrive(self, store: Store | None = None) -> list[Message]:
        record = self.failure()
        if record is None:
            return []
        try:
            task = failures.redrive(store or self.store, record, {}, today=self.flow.schedule.run_date())
        except PermanentError:
            return []
        return [Message.of("ingest", task)]

    def discard(self) -> None:
        if record := self.failure():
            failures.discard(self.store, record, "")

    def good(self) -> DocumentResult | None:
        key = next(self.store.list(keys.RESULTS), None)
        return from_json(self.store.get(key), DocumentResult) if key else None

    def stale(self) -> Task | None:
        """The task that reprocesses the good result, from its first step."""
        record = self.good()
        if record is None or pending.follows(self.store, record):
            return None
        return reprocess._task(structs.replace(record, pipeline_version="0"))

    def reprocess(self) -> list[Message]:
        task = self.stale()
        if task is None:
            return []
        reprocess.mark_pending(self.store, task)
        return resume(task, SPREAD)

    def wrongs(self, good: DocumentResult | None) -> list[str]:
        """What is wrong now that all has ended; `good` was there before the paused process went on."""
        found = []
        stored = [key for key in self.store.list("") if key.startswith((keys.RESULTS, keys.FAILED))]
        if len(stored) != 1:
            found.append(f"{len(stored)} records: {stored}")
        if waiting := list(self.store.list(keys.PENDING)):
            found.append(f"still pending: {waiting}")
        now = self.good()
        if good and (now is None or now.generation < good.generation):
            found.append("a good result is gone")
        days = range((self.now.date() - START.date()).days + 1)
        audits = [audit(self.store, (START.date() + timedelta(n)).isoformat()) for n in days]
        if sum(report.received for report in audits) != 1:
            found.append(f"received {[report.received for report in audits]}")
        found += [f"{gap.kind} in the audit" for report in audits for gap in report.gaps]
        again = [from_json(self.store.get(key), DocumentResult) for key in self.store.list(keys.FAILED_AGAIN)]
        if any(now and record.generation <= now.generation for record in again):
            found.append("failed_again of what has succeeded since")
        notes = self.store.list(keys.CALLBACKS)
        if any(self._is_lonely(key) for key in notes):
            found.append("a callback is due for no record")
        if list(self.store.list(keys.CALLBACKS)):
            found.append("a callback is still due")
        for key in stored:
            record = from_json(self.store.get(key), DocumentResult)
            if not record.reprocess and record.status not in self.posted and record.callback_url:
                found.append(f"ended as {record.status}, posted {self.posted}")
        return found

    def _is_lonely(self, note: str) -> bool:
        where = keys.run_date_of(note), keys.task_id_of(note)
        failed = keys.failed(*where, keys.generation_of(note))
        return not (self.store.exists(keys.result(*where)) or self.store.exists(failed))
