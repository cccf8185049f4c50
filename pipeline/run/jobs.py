"""Which job is next: jobs that wait, jobs for later, page groups of long documents, and duplicates.

Pure bookkeeping, without a process, a clock or a store.
"""

from __future__ import annotations

from collections import deque

import msgspec

from pipeline.models import Task
from pipeline.run.outcome import Outcome


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work for one process: a whole document, or pages `first` to `last` (from 1) of a long one.

    `spread`: a long document is to be handed back unread, for its pages to be read in groups. `groups`: how many page
    groups it may take the time of. `retries`: how often the store was unavailable for it. `begun`: an earlier job of
    this run worked on the document, so what is in the store may have been computed in this run.
    """

    task: Task
    first: int = 0
    last: int = 0
    spread: bool = True
    groups: int = 1
    retries: int = 0
    begun: bool = False


class _Groups(msgspec.Struct):
    total: int
    left: int
    computed: bool


class JobQueue:
    """The jobs of a run that are not with a worker. `page_group`: pages in one group of a long document."""

    def __init__(self, page_group: int) -> None:
        self._page_group = page_group
        self._waiting: deque[Job] = deque()
        self._later: list[tuple[float, Job]] = []
        self._groups: dict[str, _Groups] = {}  # by task id: long documents whose groups are being read
        self._duplicates: dict[str, list[Task]] = {}  # by sha256 of documents in progress

    def __bool__(self) -> bool:
        """Whether any job waits, now or for later."""
        return bool(self._waiting or self._later)

    def add(self, task: Task) -> None:
        """Queue a document; one whose bytes are in progress already waits until the first of them ends."""
        assert task.sha256 is not None
        if task.sha256 in self._duplicates:
            self._duplicates[task.sha256].append(task)
        else:
            self._duplicates[task.sha256] = []
            self._waiting.append(Job(task=task))

    def next(self) -> Job | None:
        """Take the next job, `None` when none waits; page groups of a document that has ended are dropped."""
        while self._waiting:
            job = self._waiting.popleft()
            if self.is_open(job):
                return job
        return None

    def is_open(self, job: Job) -> bool:
        """Whether a job still matters: no other page group has failed its document meanwhile."""
        return not job.first or job.task.task_id in self._groups

    def repeat(self, job: Job) -> None:
        """Queue a job again whose worker crashed or hung."""
        self._waiting.append(msgspec.structs.replace(job, begun=True))

    def repeat_later(self, job: Job, due: float) -> None:
        """Queue a job again from the moment `due` on, because the store was unavailable."""
        self._later.append((due, msgspec.structs.replace(job, retries=job.retries + 1, begun=True)))

    def wake(self, now: float) -> None:
        """Queue the jobs that are due."""
        self._waiting.extend(job for due, job in self._later if due <= now)
        self._later = [(due, job) for due, job in self._later if due > now]

    def advance(self, job: Job, outcome: Outcome) -> Outcome | None:
        """Queue what follows from a job that ended well or failed; returns the outcome of a document that has ended."""
        if outcome.status == "spread":
            self._spread(job, outcome.pages)
        elif outcome.status == "read":
            self._group_read(job, outcome)
        elif self.is_open(job):
            self.abandon_groups(job.task)
            return msgspec.structs.replace(outcome, reused="") if job.begun else outcome
        return None

    def abandon_groups(self, task: Task) -> None:
        """Drop the page groups of a document that has ended."""
        self._groups.pop(task.task_id, None)

    def release_duplicates(self, task: Task) -> list[Task]:
        """The tasks that waited for these bytes to end; later ones no longer wait."""
        return self._duplicates.pop(task.sha256 or "", [])

    def add_released(self, task: Task) -> None:
        """Queue a released duplicate: its pages and entities are in the store."""
        self._waiting.append(Job(task=task))

    def _spread(self, job: Job, pages: int) -> None:
        """Queue the page groups of a long document, before everything else."""
        firsts = range(1, pages + 1, self._page_group)
        self._groups[job.task.task_id] = _Groups(total=len(firsts), left=len(firsts), computed=job.begun)
        groups = [
            Job(task=job.task, first=first, last=min(first + self._page_group - 1, pages)) for first in firsts
        ]
        self._waiting.extendleft(reversed(groups))

    def _group_read(self, job: Job, outcome: Outcome) -> None:
        """Count a page group; after the last one the document is finished from its checkpoints, before all else."""
        groups = self._groups.get(job.task.task_id)
        if groups is None:
            return
        groups.left -= 1
        groups.computed |= job.begun or not outcome.reused
        if not groups.left:
            self._waiting.appendleft(
                Job(task=job.task, spread=False, groups=groups.total, begun=groups.computed)
            )
