"""Whose turn a document is: the first pages of every tenant come before the many of one.

With its last page, a document is among the first 100 pages of its tenant and lane in this night (turn 1), among the
first 2,000 (turn 2), or beyond (turn 3). So 50,000 pages of one tenant, or one document of thousands, delay another
tenant's ten by those of turn 1 only. Each process counts what it has ingested itself: a new process begins with 0,
which gives a tenant 100 pages more. Quotas need the pages of all processes: with quotas, these exchange their counts
through the store.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from contextlib import suppress

import msgspec
from msgspec import structs

from pipeline import tenants
from pipeline.errors import NotFound
from pipeline.messages import BACKFILL, TURNS, is_backfill, is_urgent
from pipeline.models import Task
from pipeline.storage import Store, keys

LIMITS = (100, 2_000)
"""Pages of a tenant up to which a document is in the first and in the second turn."""
assert len(LIMITS) == TURNS - 1

_PERIOD = 10.0  # seconds between two exchanges of counts


class Shares:
    """Counts of one process. `quotas`: pages per night by tenant (`pipeline.tenants.quotas`)."""

    def __init__(self, store: Store, quotas: dict[str, int]) -> None:
        self._store, self._quotas = store, quotas
        self._writer = uuid.uuid4().hex[:16] if quotas else ""
        self._begin("")

    def _begin(self, run_date: str) -> None:
        self._run_date = run_date
        self._queued: Counter[tuple[str, bool, bool]] = Counter()
        self._own: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._exchanged = -_PERIOD

    def placed(self, task: Task, run_date: str) -> Task:
        """An ingested task with its turn; one beyond its tenant's quota becomes backfill.

        Raises `StoreUnavailable` where there are quotas.
        """
        if run_date != self._run_date:
            self._begin(run_date)
        if self._over_quota(task):
            task = structs.replace(task, priority=min(task.priority, BACKFILL))
        lane = (task.tenant, is_urgent(task.priority), is_backfill(task.priority))
        self._queued[lane] += _pages(task)
        return structs.replace(task, turn=1 + sum(self._queued[lane] > limit for limit in LIMITS))

    def _over_quota(self, task: Task) -> bool:
        self._own[task.tenant] += _pages(task)
        quota = tenants.quota(self._quotas, task.tenant)
        if quota is None:
            return False
        if time.monotonic() - self._exchanged >= _PERIOD:
            self._exchange()
        return self._own[task.tenant] + self._others[task.tenant] > quota

    def _exchange(self) -> None:
        """Write the counts of this process, and read those of the others."""
        mine = keys.tenant_pages(self._run_date, self._writer)
        self._store.put(mine, msgspec.json.encode(self._own))
        self._others.clear()
        for key in self._store.list(keys.tenant_pages(self._run_date)):
            if key != mine:
                with suppress(NotFound, msgspec.DecodeError):
                    self._others.update(msgspec.json.decode(self._store.get(key), type=dict[str, int]))
        self._exchanged = time.monotonic()


def _pages(task: Task) -> int:
    return max(task.pages, 1)  # a text has none
