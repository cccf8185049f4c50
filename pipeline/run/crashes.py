"""How often a job crashed or hung its worker; the rule itself is in `pipeline.ledger.attempts`."""

from __future__ import annotations

from pipeline.errors import Poison
from pipeline.ledger.attempts import Attempts, following, poison
from pipeline.run.jobs import Job


class CrashCount:
    """Attempts of each job of a run; a document is abandoned after `limit` of them without progress."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last: dict[tuple[str, int], Attempts] = {}

    def add(self, job: Job, *, earlier: int, pages: int) -> int:
        """Count a crash; returns the attempts so far, counted from 1 again where pages were read since the last one.

        `earlier`: attempts that the document's pending marker counts, from before this run or from another of its page
        groups. `pages`: pages of this job that are in the store now.
        """
        key = (job.task.task_id, job.first)
        self._last[key] = following(self._last.get(key, Attempts(earlier)), pages)
        return self._last[key].count

    def verdict(self, job: Job, what: str, count: int) -> Poison | None:
        """The reason to abandon the document whose job did `what` `count` times; `None`: it is attempted again."""
        if count < self._limit:
            return None
        advice = "try again with --retry-failed and other settings"
        return poison(what, job.first, job.last, count, advice)
