"""Which requests to a store a document costs: a backend that counts them, and one document's way through the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.documents.sources import Source
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.run.acceptance import Acceptance
from pipeline.run.counters import PageCounters
from pipeline.run.worker import Worker
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, open_backend
from pipeline.storage.base import Backend
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


def counted_night(settings: Settings) -> tuple[Night, CountingBackend]:
    """A night whose store counts."""
    backend = CountingBackend(open_backend(settings.store_url, settings))
    store = EncryptedStore.around(backend, settings)
    return Night(settings, store, Schedule(settings, store)), backend


def by_message(settings: Settings, first: Path, second: Path) -> CountingBackend:
    """Documents that raw messages name, through all steps of the night in one process; the second is counted.

    The first one makes the requests that a process makes once, or once in so many seconds.
    """
    night, backend = counted_night(settings)
    flow = Flow(night)
    for path in (first, second):
        backend.asked.clear()
        named = Submission(task_id=path.name, task_type="document", url=path.as_uri())
        with backend.during("accept"):
            waiting = flow.reception.accept(named)
        _drain(flow, backend, waiting)
    return backend


def by_submit(settings: Settings, first: Path, second: Path) -> CountingBackend:
    """As `by_message`, of documents whose bytes a producer submits."""
    night, backend = counted_night(settings)
    flow = Flow(night)
    for path in (first, second):
        backend.asked.clear()
        waiting: list[Message] = []
        producer = Producer(settings, night.store, night.schedule.run_date, waiting.extend)
        with backend.during("accept"):
            producer.submit(path.as_uri(), path.read_bytes(), Request())
        _drain(flow, backend, waiting)
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


def _drain(flow: Flow, backend: CountingBackend, waiting: list[Message]) -> None:
    while waiting:
        message = waiting.pop(0)
        with backend.during(message.step):
            waiting += flow.run(message)
