"""What the audit has seen: all comparisons together, and how many tasks are done, partial, failed and pending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pipeline.ledger.comparison import Compared
from pipeline.ledger.gaps import Gap
from pipeline.ledger.places import Places
from pipeline.storage import Store, keys


class Seen:
    """What all comparisons found. `suspect`: keys of records that differ from their tables.

    `agree`: how many have the bytes that were received. `unread`: how many records were not read.
    """

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.suspect: list[str] = []
        self.agree = self.unread = 0
        self._partial: set[str] = set()
        self._unknown: set[str] = set()

    def add(self, one: Compared) -> None:
        """Add one of them."""
        if one.gap:
            self.gaps.append(one.gap)
        if one.suspect:
            self.suspect.append(one.key)
        if one.ended is None:
            self._unknown.add(one.key)
        elif one.ended.status == "partial":
            self._partial.add(one.key)
        self.agree += one.agrees
        self.unread += one.unread

    def counts(
        self, store: Store, there: Places, odd: Iterable[str], removed: Counter[str]
    ) -> dict[str, int]:
        """Tasks by how they ended; by the note of a partial record where it could not be read.

        `odd`: tasks that were not compared. `removed`: how many there were, by status, whose records retention has
        removed.
        """
        first = {task_id: there.received.get(task_id, [""])[0] for task_id in odd}
        first |= {keys.task_id_of(key): key for key in self._unknown}
        nights = {
            keys.run_date_of(key)
            for task_id, key in first.items()
            if key.startswith(keys.RESULTS) and there.received.get(task_id, [""])[0] == key
        }
        noted = (key for night in nights for key in store.list(keys.partials(night)))
        partial = self._partial.union(map(keys.result_of_partial, noted))
        ends = removed.copy()
        for key, *_ in there.received.values():
            good = "partial" if key in partial else "done"
            ends[good if key.startswith(keys.RESULTS) else key.partition("/")[0]] += 1
        return {name: ends[name] for name in ("done", "partial", "failed", "pending")}
