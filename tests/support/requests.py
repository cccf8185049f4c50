"""Which requests to a store a document costs: a backend that counts them, and one document's way through the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from msgspec import structs

from pipeline.documents.sources import Source
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import flow as flow_module
from pipeline.night import housekeeping, schedule
from pipeline.night.course import Course
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.repair import Queued
from pipeline.night.schedule import Schedule
from pipeline.run.acceptance import Acceptance
from pipeline.run.counters import PageCounters
from pipeline.run.worker import Worker
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, keys, open_backend, recent
from pipeline.storage.base import Backend
from pipeline.submission import reception
from pipeline.submission.contract import Submission
from pipeline.submission.producer import Producer, Request

_OPERATIONS = ("put", "put_file", "put_new", "get", "head", "exists", "list", "folders", "delete")


class Asked(NamedTuple):
    """One request: what was asked, of which kind of object, in which step."""

    step: str
    operation: str
    prefix: str


class CountingBackend:
    """A backend that notes each request; a listing counts as one, as it has at most 1,000 keys here."""

    def __init__(self, inner: Backend) -> None:
        self.inner, self.url, self.step = inner, inner.url, ""
        self.asked: list[Asked] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in _OPERATIONS:
            return found

        def ask(key: str, *args: Any) -> Any:
            self.asked.append(Asked(self.step, name, key.partition("/")[0]))
            return found(key, *args)

        return ask

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        """Requests of a step."""
        before, self.step = self.step, step
        try:
            yield
        finally:
            self.step = before

    @property
    def by_step(self) -> dict[str, int]:
        """How many requests each step made, in the order of the steps."""
        return dict(Counter(one.step for one in self.asked))

    def lines(self) -> list[str]:
        """The table: steps, each with its requests, in the order of their first ones."""
        shown = []
        for step, count in self.by_step.items():
            kinds = Counter(f"{one.operation} {one.prefix}" for one in self.asked if one.step == step)
            what = ", ".join(f"{kind}{f' x{n}' if n > 1 else ''}" for kind, n in kinds.items())
            shown.append(f"{step:8} {count:3}  {what}")
        return [*shown, f"{'all':8} {len(self.asked):3}"]


@contextmanager
def unhurried() -> Iterator[None]:
    """However slow this machine is, what is believed for a second or two is believed meanwhile."""
    with (
        mock.patch.object(schedule, "_RECENT", 3600.0),
        mock.patch.object(recent, "LONGEST", 3600.0),
        mock.patch.object(reception, "SOON", 3600.0),
        mock.patch.object(flow_module, "SOON", 3600.0),
    ):
        yield


def settings_in(folder: Path, inbox: Path) -> Settings:
    """Settings with a store in a folder, which read documents from an inbox with the fake engines."""
    return Settings.from_env(
        {},
        store_url=str(folder),
        window="always",
        allowed_sources=inbox.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )


def counted_night(settings: Settings, kept: Path | None = None) -> tuple[Night, CountingBackend]:
    """A night whose store counts; `kept`: a folder in which the processes of a host keep what they wrote."""
    backend = CountingBackend(open_backend(settings.store_url, settings))
    store = EncryptedStore.around(backend, settings)
    if kept:
        kept.mkdir()
        recent.use(store, recent.Folder(kept, settings.recent_mb << 20))
    return Night(settings, store, Schedule(settings, store)), backend


def by_message(
    settings: Settings, first: Path, second: Path, *, kept: Path | None = None, by_day: bool = False
) -> CountingBackend:
    """Documents that raw messages name, through all steps of the night; the second is counted.

    The first one makes the requests that a process makes once, or once in so many seconds. `kept`: see `counted_night`;
    without, each step finds nothing that another one has kept, as if on another host. `by_day`: so it is with `ocr`.
    """
    night, backend = counted_night(settings, kept)
    flow = Flow(night, at_once=True)
    for path in (first, second):
        backend.asked.clear()
        named = Submission(task_id=path.name, task_type="document", url=path.as_uri())
        with backend.during("accept"):
            waiting = flow.reception.accept(named)
        _drain(flow, backend, waiting, kept if by_day else None)
    return backend


def by_submit(
    settings: Settings, first: Path, second: Path, *, kept: Path | None = None, by_day: bool = False
) -> CountingBackend:
    """As `by_message`, of documents whose bytes a producer submits, which keeps nothing."""
    night, backend = counted_night(settings, kept)
    flow, own = Flow(night, at_once=True), EncryptedStore.around(backend, settings)
    for path in (first, second):
        backend.asked.clear()
        waiting: list[Message] = []
        producer = Producer(settings, own, night.schedule.run_date, waiting.extend)
        with backend.during("accept"):
            producer.submit(path.as_uri(), path.read_bytes(), Request())
        _drain(flow, backend, waiting, kept if by_day else None)
    return backend


def by_run(settings: Settings, first: Path, second: Path) -> CountingBackend:
    """As `by_message`, of documents that `nightshift run` accepts in its main process and reads in another one."""
    night, backend = counted_night(settings)
    worker = Worker(settings, night.schedule.run_date(), PageCounters(get_context("spawn")))
    worker.store = EncryptedStore.around(backend, settings)
    acceptance = Acceptance(
        night.store, run_date=worker.run_date, digest=worker.engines.digest, retry_failed=False
    )
    for path in (first, second):
        backend.asked.clear()
        with backend.during("accept"):
            (task,) = acceptance.accept([Source(path.as_uri(), path.read_bytes)])
        assert isinstance(task, Task)
        with backend.during("process"):
            worker.process(task, False)
    return backend


def by_tick(settings: Settings, document: Path, *, nights: int) -> CountingBackend:
    """A tick of housekeeping in a store with so many past nights, after one that did what was due."""
    night, backend = counted_night(settings)
    flow = Flow(night, at_once=True)
    named = Submission(task_id="t", task_type="document", url=document.as_uri())
    _drain(flow, backend, flow.reception.accept(named))
    (result,) = backend.inner.list(keys.RESULTS)
    today, data = night.schedule.run_date(), backend.inner.get(result)
    for past in range(1, nights):
        day = (date.fromisoformat(today) - timedelta(past)).isoformat()
        backend.inner.put(result.replace(today, day), data.replace(today.encode(), day.encode()))
    course = Course()
    for _ in range(2):
        backend.asked.clear()
        with backend.during("tick"):
            housekeeping.tick(night, Queued, lambda _: None, course)
    return backend


def _drain(
    flow: Flow, backend: CountingBackend, waiting: list[Message], lost_before_ocr: Path | None = None
) -> None:
    while waiting:
        message = waiting.pop(0)
        if message.step == "ocr" and lost_before_ocr:
            for path in lost_before_ocr.iterdir():
                path.unlink()
        with backend.during(message.step):
            waiting += flow.run(structs.replace(message, id=f"{message.step}-{message.task_id}"))
