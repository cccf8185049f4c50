"""What one process measures of its own work: metrics, spans, counters, and the pace that forecasts are made of.

None of it decides how a document ends, and nothing here raises.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline import telemetry
from pipeline.ledger import counting
from pipeline.ledger.counters import is_late
from pipeline.models import TEXT, DocumentResult, Page, Task
from pipeline.night.admission import Admission
from pipeline.night.night import Night
from pipeline.night.pace import Meter
from pipeline.telemetry import spans

log = logging.getLogger("nightshift")


class Fresh:
    """Which pages of a group were processed just now, rather than taken from the store: called after each."""

    def __init__(self) -> None:
        self.flags: list[bool] = []
        self._began = time.monotonic()
        self.seconds: list[float] = []

    def __call__(self, new: bool) -> None:
        """Note the next page, or the next batch of them."""
        now = time.monotonic()
        self.flags.append(new)
        self.seconds.append(now - self._began)
        self._began = now


class Measures:
    """The measures of one process. `admission`: what it expects the next work to take."""

    def __init__(self, night: Night) -> None:
        self.admission = Admission(night.schedule)
        self._store, self._shared = night.store, bool(night.settings.devices)
        self._meter = Meter(night)

    def accepted(self, task: Task) -> None:
        """A document was ingested, or could not be."""
        telemetry.count("nightshift_documents_total", "accepted", task.task_type, task.tenant)
        if task.media_type == TEXT:  # its one page is not read by a step
            telemetry.count("nightshift_pages_total", "read", "text_layer", task.tenant)

    def ended(self, task: Task, result: DocumentResult, *, counts: bool, overdue: bool) -> None:
        """A document has ended; `counts`: by this record, rather than by one that was there; `overdue`: as counted."""
        counting.of(self._store).ended(task, result, counts=counts, overdue=overdue)
        if counts and is_late(result) and not result.reprocess:
            telemetry.count("nightshift_deadlines_missed_total", task.task_type, task.tenant)
        if counts:
            telemetry.count("nightshift_documents_total", result.status, task.task_type, task.tenant)

    def concluded(self, result: DocumentResult) -> None:
        """All steps of a document are done."""
        try:
            self._meter.ended(result)
        except Exception as error:  # whatever it is, the document is done
            log.warning("the pace could not be measured: %s", type(error).__name__)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """The seconds of a step count however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            counting.of(self._store).worked({f"step|{name}": time.monotonic() - began})

    @contextmanager
    def work(self, step: str, pages: int, *, each: int, part: bool = False) -> Iterator[Fresh]:
        """The models' work on so many pages; what this gives is called after `each` so many of them.

        `part`: of what the step does, so that it has a span of its own.
        """
        fresh = Fresh()
        with spans.inner(step, {"nightshift.pages": pages}, part):
            yield fresh
        for new, seconds in zip(fresh.flags, fresh.seconds, strict=True):
            self.admission.measured(step, new, seconds / max(each, 1))

    def read(self, pages: Sequence[Page], fresh: Fresh) -> None:
        """Count the pages that were read just now; a device of its own counts its seconds itself."""
        new = [page for page, is_new in zip(pages, fresh.flags, strict=True) if is_new]
        unread = sum(page.error is not None for page in new)
        busy = 0.0 if self._shared else sum(page.seconds for page in new)
        counting.of(self._store).worked({"pages": len(new) - unread, "unread": unread, "busy": busy})

    def extracted(self, seconds: float, fresh: Fresh) -> None:
        """Count the seconds of entities that were found just now."""
        counting.of(self._store).worked({"busy": seconds if any(fresh.flags) and not self._shared else 0.0})
