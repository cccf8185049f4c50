"""A rolling upgrade with a backlog: workers of an old version, of both, then of this one; nothing lost or doubled."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage import keys
from tests.support.command import page
from tests.support.night import Night, Process, shade
from tests.support.servers import wait_for
from tests.upgrade.old import HERE, Version

PATIENCE = 1800.0
"""Seconds until documents that have not ended count as lost."""


_REFUSALS = ("dead-lettered", "unregistered task", "raised unexpected")


class Outcome(msgspec.Struct):
    """What came of the documents. `by_schema`: results by the version of their schema."""

    version: str
    documents: int
    submitted_by_old: int
    before: int = 0
    """Ended before the first worker of this version started, ..."""
    together: int = 0
    """... and while workers of both ran."""
    ended: dict[str, int] = {}
    lost: int = 0
    doubled: int = 0
    by_schema: dict[str, int] = {}
    dead: dict[str, int] = {}
    """Dead letters by code."""
    refused: list[str] = []
    """What the logs say of messages that a worker refused, or that failed in it."""
    redriven: int = 0
    """Failed as not_read, and redriven once all workers were of this version: both had read them in turn."""
    audit: dict[str, object] = {}
    rows: int = 0
    seconds: float = 0.0
    errors: dict[str, int] = {}

    @property
    def passed(self) -> bool:
        """Whether every document ended once, as done, and audit and table agree."""
        whole = self.ended == {"done": self.documents} and self.rows == self.documents
        return whole and not (self.lost or self.doubled) and bool(self.audit.get("adds_up"))


class Rolling:
    """One upgrade, in one night, with a backlog of so many documents, and some more that this version submits."""

    def __init__(self, old: Version, night: Night, documents: int, say: Callable[[str], None]) -> None:
        self.old, self.night, self.say = old, night, say
        self.backlog, self.documents = documents, documents + documents // 10

    def run(self) -> Outcome:
        """Submit by the old version, replace its processes half-way, and count."""
        began, outcome = time.monotonic(), Outcome(self.old.commit, self.documents, self.backlog)
        old_worker = self._ready(self.old.worker(self.night, "old"))
        old_beat = self.old.celery(
            self.night, "beat", "old-beat", "--pidfile=", "-s", str(self.night.folder / "beat")
        )
        self._submit()
        self._until(self.backlog // 5)
        outcome.before = self._ended()
        self.say(f"{outcome.before} documents done; a worker of this version joins")
        new_worker = HERE.worker(self.night, "new")
        self._until(self.backlog // 2)
        self._ready(new_worker)
        self._submit_more()
        self._until(self._ended() + self.backlog // 5)
        outcome.together = self._ended() - outcome.before
        self.say(f"{outcome.before + outcome.together} done; the old version stops")
        old_beat.stop()
        old_worker.stop()
        HERE.celery(self.night, "beat", "new-beat", "--pidfile=")
        self._until(self.documents)
        self._redrive(outcome)
        self._count(outcome)
        outcome.seconds = round(time.monotonic() - began, 1)
        return outcome

    def _ready(self, worker: Process) -> Process:
        wait_for(lambda: " ready." in worker.text(), f"{worker.name} to be ready", PATIENCE)
        return worker

    def _submit(self) -> None:
        """Half of them by the old version's command, the others as raw messages; each page has its own colour."""
        half = self.backlog // 2
        folder = self.night.inbox / "submitted"
        for n in range(half):
            page(folder / f"{n}.png", shade(n))
        raw = [
            self.night.document(f"raw-{n:05}", page(self.night.inbox / f"{n}.png", shade(n)))
            for n in range(half, self.backlog)
        ]
        self.night.publish(raw)
        self.say(self.old.nightshift(self.night, "submit", folder).strip().splitlines()[-1])

    def _submit_more(self) -> None:
        """Some by this version, while workers of both run."""
        folder = self.night.inbox / "more"
        for n in range(self.backlog, self.documents):
            page(folder / f"{n}.png", shade(n))
        HERE.nightshift(self.night, "submit", folder)

    def _ended(self) -> int:
        return len(self.night.ended())

    def _until(self, count: int) -> None:
        """Wait until so many have ended, or no longer."""
        end = time.monotonic() + PATIENCE
        while self._ended() < min(count, self.documents) and time.monotonic() < end:
            time.sleep(2)
        while count >= self.documents and self.night.pending() and time.monotonic() < end:
            time.sleep(2)

    def _redrive(self, outcome: Outcome) -> None:
        """As docs/how-to/upgrade.md says, where workers of both versions have run at once."""
        codes = Counter(record.error.code for record in self.night.records().values() if record.error)
        outcome.redriven = codes["not_read"]
        if outcome.redriven:
            HERE.nightshift(self.night, "failed", "redrive", "--code", "not_read")
            self._until(self.documents)

    def _count(self, outcome: Outcome) -> None:
        night = self.night
        ended, records = night.ended(), night.records()
        outcome.lost = self.documents - len(records)
        outcome.doubled = sum(count > 1 for count in ended.values()) + max(0, len(records) - self.documents)
        outcome.ended = dict(Counter[str](record.status for record in records.values()))
        outcome.errors = dict(Counter(r.error.code for r in records.values() if r.error))
        outcome.by_schema = dict(Counter(str(record.schema_version) for record in records.values()))
        groups = json.loads(HERE.nightshift(night, "dead", "list", "--json"))["groups"]
        logs = [line for process in night.processes for line in process.text().splitlines()]
        outcome.refused = [line[:300] for line in logs if any(word in line for word in _REFUSALS)][:10]
        outcome.dead = {group["code"]: group["count"] for group in groups}
        for day in sorted({record.run_date for record in records.values()}):
            HERE.nightshift(night, "summarise", day)
            outcome.audit = json.loads(HERE.nightshift(night, "audit", day, "--json"))
            table = pq.read_table(pa.BufferReader(night.store.get(keys.summary("documents", day))))
            outcome.rows += len(set(table["task_id"].to_pylist()))


def folder_of(work: Path, name: str) -> Path:
    """A new folder for a part of the check."""
    folder = work / name
    folder.mkdir()
    return folder
