"""Counting what the store really has, for the counters: seldom, as it lists every marker and the records of the night.

Housekeeping reads all markers every hour in any case (`pipeline.night.repair`): those are counted on the way. What is
accepted or ends meanwhile, or in the seconds before, may be counted twice or not at all, until the next recount. Where
the counters look wrong, and for an operator, `recount` waits for what processes have not written yet: when nothing is
going on, it is exact.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

from pipeline import clock
from pipeline.errors import Damaged, Newer
from pipeline.ledger import counters, folding, pending
from pipeline.ledger.counters import State, Sums
from pipeline.ledger.counting import PERIOD
from pipeline.models import Task
from pipeline.night.checks import claimed, last_made
from pipeline.night.dead import Open
from pipeline.night.night import Night
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

DAMAGED = "damaged"
"""What the backlog shows as the task type of a marker that can't be read."""

_DAMAGED = f"normal|unknown|new|{DAMAGED}"
SETTLE = PERIOD + 1.0
"""Seconds after which every process has written what it counted before."""

_LOOKS, _LONG = (
    3,
    5.0,
)  # times that one recount counts, and seconds after which counting again would take too long
_SOON = timedelta(minutes=5)  # between two recounts of a few documents
_FEW = 1000  # documents that are counted again as soon as the counters look wrong


class Recount:
    """One recount: `see` each marker, then `finish`. The counters are read first, when it is made."""

    def __init__(self, night: Night) -> None:
        self._night, self._at = night, clock.utc()
        self._state = counters.read(night.store)
        self._sums, self._oldest = Sums(), dict[str, str]()

    def see(self, task: Task | None) -> None:
        """Count a marker; `None` for a damaged one."""
        if task is None:
            counters.add(self._sums, {f"documents|{_DAMAGED}": 1})
            return
        where = counters.place(task)
        counters.add(self._sums, counters.amounts(task))
        counters.add(self._sums, {"open|overdue": int(counters.is_overdue(task, self._at))})
        if task.submitted_at:
            self._oldest[where] = min(self._oldest.get(where, task.submitted_at), task.submitted_at)

    def settled(self) -> bool:
        """Whether no process has counted anything since the counters were read; they are read again."""
        before, self._at = self._state.sums, clock.utc()
        self._state = counters.read(self._night.store)
        return self._state.sums == before

    def finish(self) -> None:
        """Write what was counted, with the records of the night; raises what the store raises."""
        counted = self._sums | outcomes(self._night.store, self._night.schedule.run_date())
        folding.fold(self._night.store, self._state, self._at, counted=counted, oldest=self._oldest)

    def state(self) -> State:
        """The counters as they would be read after `finish`; nothing is written."""
        counted = self._sums | outcomes(self._night.store, self._night.schedule.run_date())
        base = folding.new_base(self._state, self._at, counted=counted, oldest=self._oldest)
        return State(base=base, written=self._state.written)


def outcomes(store: Store, run_date: str) -> Sums:
    """Documents of a night by outcome, and what is open of all nights, by their keys alone."""
    delayed = sum(1 for _ in store.list(keys.DELAYED))
    noted = {keys.result_of_partial(key) for key in store.list(keys.partials(run_date))}
    results = Counter(key in noted for key in store.list(keys.results(run_date)))
    still = Open(store)
    return {
        f"night|{run_date}|done": results[False],
        f"night|{run_date}|partial": results[True],
        f"night|{run_date}|failed": sum(1 for _ in store.list(keys.failures(run_date))),
        "open|failed": still.failed.total(),
        "open|failed_again": still.failed_again.total(),
        "open|undelivered": still.undelivered.total(),
        "open|delayed": delayed,
    }


def recount(night: Night) -> None:
    """Count now, and wait until every process has written what it did before; raises what the store raises.

    Where something has happened meanwhile, and there is not much to count, it is counted again.
    """
    with claimed(night.store, keys.control("recount"), clock.utc()):
        for _ in range(_LOOKS):
            began = time.monotonic()
            counting = _look(night)
            took = time.monotonic() - began
            time.sleep(SETTLE)
            if counting.settled() or took > _LONG:
                break
        counting.finish()


def look(night: Night) -> State:
    """Count now without writing anything: for a store that was never counted. Raises what the store raises."""
    return _look(night).state()


def _look(night: Night) -> Recount:
    counting = Recount(night)
    for one in in_threads(lambda key: _marker(night.store, key), pending.newest_keys(night.store)):
        if one != "gone":
            counting.see(one if isinstance(one, Task) else None)
    return counting


def _marker(store: Store, key: str) -> Task | Literal["gone", "damaged"]:
    try:
        return pending.get(store, keys.task_id_of(key), keys.generation_of(key)) or "gone"
    except (Damaged, Newer):
        return "damaged"


def is_due(night: Night, state: State, now: datetime, *, nothing_queued: bool = False) -> bool:
    """Whether the counters should be checked before the hourly repair does that.

    Where nothing was ever counted, or an operator's command asks for it (`ask`); and, for a few documents, where what
    they say can't be: less than nothing, nothing left although there was at the last recount, or work that waits while
    `nothing_queued` at the broker.
    """
    if state.base is None or state.base.recounted is None:
        return True
    last = last_made(night.store, keys.control("recount"), now)
    if last is None and clock.age(state.base.recounted, now) is not None:
        return True
    backlog = state.backlog()
    if backlog.documents > _FEW or (last and now - last < _SOON):
        return False
    counted = sum(v for n, v in state.base.sums.items() if n.startswith("documents|"))
    below = any(value < 0 for name, value in state.sums.items() if not name.startswith("night|"))
    return below or (counted > 0 and not backlog.documents) or (nothing_queued and backlog.documents > 0)


def ask(store: Store) -> None:
    """Have housekeeping recount at its next turn, after what no counter can follow; raises what the store raises."""
    store.delete(keys.control("recount"))
