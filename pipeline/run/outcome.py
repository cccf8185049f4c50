"""How a job of `nightshift run` ended: small enough to travel between processes."""

from __future__ import annotations

import resource
from collections import Counter
from typing import Literal

import msgspec
from msgspec import structs

from pipeline.errors import PipelineError
from pipeline.ledger import records
from pipeline.models import DocumentResult, Failure, Task
from pipeline.storage import Store

Reused = Literal["", "pages", "checkpoints", "result"]
"""What was found in the store: nothing or not all pages, all pages, pages and entities, or the whole result."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one job ended.

    `status`: `done`, `partial` and `failed` end the document. `spread`: it has many pages, which are to be read in
    groups first. `read`: one of these groups was read. `counted`: its pages were counted, not read. `seconds`:
    computing time of all steps. `peak_mib`: peak memory of
    the process so far, MiB.
    """

    status: Literal["done", "partial", "failed", "spread", "read", "counted"]
    task_id: str
    source: str
    sha256: str | None = None
    pages: int = 0
    entities: dict[str, int] = {}
    confidence: float | None = None
    seconds: float = 0.0
    error: Failure | None = None
    reused: Reused = ""
    peak_mib: int = 0

    @property
    def nothing_computed(self) -> bool:
        """Whether neither OCR nor NER ran for this document."""
        return self.reused in ("result", "checkpoints")

    @staticmethod
    def of(result: DocumentResult, *, reused: Reused = "") -> Outcome:
        """The outcome of a document whose record is `result`: its figures without pages and entities."""
        return Outcome(
            status=result.status,
            task_id=result.task_id,
            source=result.source,
            sha256=result.sha256,
            pages=len(result.pages),
            entities=dict(Counter(e.type for e in result.entities)),
            confidence=result.confidence,
            seconds=sum(result.seconds.values()),
            error=result.error,
            reused=reused,
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )


def fail(store: Store, task: Task, error: PipelineError, *, run_date: str, settings_digest: str) -> Outcome:
    """Record that a task failed because of `error`, and return its outcome, which says if an older result is kept."""
    record = records.fail(store, task, error, run_date=run_date, settings_digest=settings_digest)
    outcome = Outcome.of(record)
    if not record.reprocess:
        return outcome
    kept = Failure(code=error.code, message=f"{error.message} The previous result is kept.")
    return structs.replace(outcome, error=kept)
