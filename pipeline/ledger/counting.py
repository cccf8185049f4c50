"""The writer's side of the counters: what one process did, added up in memory and put by a thread of its own.

A process that should be counted calls `start` once; elsewhere `of(store)` gives an object that counts nothing. No step
waits for the store: the thread puts the whole object within `PERIOD` seconds, and what could not be put is put later.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress

from pipeline import clock
from pipeline.ledger import counters
from pipeline.ledger.counters import Sums, Written, amounts
from pipeline.models import DocumentResult, Task, to_json
from pipeline.storage import Store, keys

log = logging.getLogger("nightshift")

Memory = Callable[[], Mapping[str, float]]
"""MiB that the models of a process have in use, by device."""

PERIOD = 5.0
"""Seconds between two puts of one process, at least."""

HEARTBEAT = 240.0
"""Seconds after which a worker's process puts its object although nothing has changed: it lives."""

_SILENCE = 60.0  # seconds between two log messages about counters that can't be put
_AT_EXIT = 10.0  # seconds that a process waits at its end for a put that is in progress


class Counting:
    """What one process counts. `run_date`: the night that work now belongs to. `worker`, `memory`: see `Written`.

    Any thread may count. A forked process counts from zero, as another writer.
    """

    def __init__(
        self, store: Store, run_date: Callable[[], str], *, worker: str = "", memory: Memory = dict
    ) -> None:
        self._store, self._run_date, self._worker, self._memory = store, run_date, worker, memory
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._putting = threading.Lock()
        self._complained_at = float("-inf")
        self._begin(0)

    def _begin(self, pid: int) -> None:
        """Count from zero, as a new writer."""
        self._present = False
        self._pid, self._writer, self._sums, self._changed = pid, uuid.uuid4().hex[:16], Sums(), False
        self._day = ""
        self._thread: threading.Thread | None = None

    def present(self) -> None:
        """From now on, have an object although nothing is counted: this worker lives, also where nobody may ask it."""
        with self._lock:
            if self._pid != os.getpid():
                self._begin(os.getpid())
            self._present = self._changed = True
            self._look_after()
        self._wake.set()

    def accepted(self, task: Task) -> None:
        """A task has its pending marker."""
        self.count(amounts(task))

    def gone(self, task: Task) -> None:
        """A pending marker was deleted."""
        self.count(amounts(task, -1))

    def moved(self, before: Task, after: Task) -> None:
        """A pending marker was replaced: its pages and kind are known now, or its lane has changed."""
        sums = amounts(before, -1)
        counters.add(sums, amounts(after))
        self.count(sums)

    def ended(
        self, task: Task | None, record: DocumentResult, *, counts: bool = True, overdue: bool = False
    ) -> None:
        """A document has ended; `task`: as its marker was, `None` without one. `counts`: its record was stored.

        `overdue`: it was counted as such.
        One that is processed again is among the outcomes of its night already.
        """
        sums = amounts(task, -1) if task else Sums()
        if record.reprocess:
            sums["open|failed_again"] = int(not counts)
        elif counts:
            sums[f"night|{record.run_date}|{record.status}"] = 1
            sums["open|failed"] = int(record.status == "failed")
            sums[f"night|{record.run_date}|late"] = int(counters.is_late(record))
        sums["open|overdue"] = -int(overdue)
        self.count(sums)

    def failure_removed(self, record: DocumentResult, *, discarded: bool = False) -> None:
        """The record of a failure was deleted, as it is redriven; `discarded`: it was not open any more."""
        night = f"night|{record.run_date}|"
        sums = (
            Sums()
            if record.reprocess
            else Sums({f"{night}failed": -1, f"{night}late": -int(counters.is_late(record))})
        )
        if not discarded:
            sums["open|failed_again" if record.reprocess else "open|failed"] = -1
        self.count(sums)

    def opened(self, what: str, amount: int = 1) -> None:
        """There are more (or fewer) of one of `counters.OPEN`."""
        self.count({f"open|{what}": amount})

    def worked(self, sums: Mapping[str, float]) -> None:
        """Work of this night: `pages`, `unread`, `busy`, `step|<step>`."""
        day = self._run_date()
        self.count({f"night|{day}|{name}": amount for name, amount in sums.items()})

    def count(self, sums: Mapping[str, float]) -> None:
        """Add to the sums of this process; never raises, never waits."""
        if not any(sums.values()):
            return
        with self._lock:
            if self._pid != os.getpid():
                self._begin(os.getpid())
            counters.add(self._sums, sums)
            self._changed = True
            self._look_after()
        self._wake.set()

    def moved_memory(self) -> None:
        """The memory in use is another one: put it soon, where anything was ever counted."""
        with self._lock:
            self._changed = bool(self._sums)
        self._wake.set()

    def _look_after(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with suppress(RuntimeError):  # the interpreter is ending, or there is no room for another thread
                self._thread = threading.Thread(target=self._keep, name="counters", daemon=True)
                self._thread.start()

    def _keep(self) -> None:
        """Put what has changed, for as long as the process lives."""
        while True:
            if self._wake.wait(HEARTBEAT if self._worker else None):
                time.sleep(PERIOD)
                self._wake.clear()
            self.flush(alive=True)

    def flush(self, *, last: bool = False, alive: bool = False) -> None:
        """Put the sums if they have changed; `last`: this process ends. `alive`: in any case. Never raises."""
        if not self._putting.acquire(timeout=_AT_EXIT if last else -1):
            return
        try:
            with self._lock:
                changed, self._changed = self._changed, False
                day, sums = self._day, dict(self._sums)
            shown = bool(sums) or self._present
            if self._pid == os.getpid() and (changed or (shown and (last or alive))):
                self._put(day or self._run_date(), sums, last=last)
        except Exception as error:  # whatever it is: it costs a counter, not a document
            self._changed = True
            self._complain(error)
            if alive:
                self._wake.set()  # the thread tries again
        finally:
            self._putting.release()

    def _put(self, day: str, sums: Sums, *, last: bool) -> None:
        """Put the object of a run date; those of a new run date begin with zero, in an object of their own."""
        today = self._run_date()
        over = last or day != today
        memory = {} if last else dict(self._memory())
        one = Written(at=clock.utc(), sums=sums, ended=over, worker=self._worker, memory=memory)
        self._store.put(keys.counter(day, self._writer), to_json(one))
        with self._lock:
            self._day = day
            if over:
                counters.add(self._sums, {name: -amount for name, amount in sums.items()})
                self._sums = {name: amount for name, amount in self._sums.items() if amount}
                self._day, self._writer, self._changed = today, uuid.uuid4().hex[:16], bool(self._sums)
        if over and not last and self._present:
            self._put(today, Sums(), last=False)

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained_at >= _SILENCE:
            self._complained_at = time.monotonic()
            log.warning(
                "the counters of this process could not be written, retrying; `nightshift status` is behind: %s",
                error,
            )


class _Silent(Counting):
    """Counts nothing, in a process that did not `start`."""

    def __init__(self) -> None:
        pass

    def worked(self, sums: Mapping[str, float]) -> None:
        """See `Counting.worked`."""

    def count(self, sums: Mapping[str, float]) -> None:
        """See `Counting.count`."""


_SILENT = _Silent()
_started: dict[str, Counting] = {}  # by the URL of the store


def start(store: Store, run_date: Callable[[], str], *, worker: str = "", memory: Memory = dict) -> Counting:
    """Count what this process does in a store from now on; a second call for the same store changes nothing."""
    if not _started:
        atexit.register(stop)
    if store.url not in _started:
        _started[store.url] = Counting(store, run_date, worker=worker, memory=memory)
    return _started[store.url]


def of(store: Store) -> Counting:
    """What counts in this process for a store; without `start`, something that counts nothing."""
    return _started.get(store.url, _SILENT)


def stop(seconds: float = _AT_EXIT) -> None:
    """Put what is left, as this process ends, within so many seconds. What is counted afterwards may be lost."""
    threads = [
        threading.Thread(target=one.flush, kwargs={"last": True}, name="last-counters", daemon=True)
        for one in _started.values()
    ]
    end = time.monotonic() + seconds
    for thread in threads:
        with suppress(RuntimeError):  # no thread can be started any more
            thread.start()
            thread.join(max(0.0, end - time.monotonic()))
