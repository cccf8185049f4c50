"""The thread of the device process that computes: one batch after the other, smaller ones where one fails."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from pipeline.device.batches import Batches, Item, Key
from pipeline.device.counters import Count
from pipeline.device.wire import ALONE, TOGETHER, WAITING, Arena
from pipeline.ocr.batched import Answer, BatchModels, DeviceLost, DeviceMemory
from pipeline.ocr.cuts import Image

MAX_WAIT = 0.05
"""Maximum seconds to wait for more images ..."""
WAIT_SHARE = 0.1
"""... and the share of the seconds of the last batch that it is worth: to wait longer fills more slots, but computes
fewer pages (docs/explanation/device.md)."""

log = logging.getLogger("nightshift")


class Job(Item):
    """An image in an arena, and its place in the request. `seconds`: its share of the batch that computed it."""

    __slots__ = ("arena", "image", "place", "seconds")

    def __init__(self, key: Key, owner: int, arena: Arena, image: Image, place: int) -> None:
        super().__init__(key, owner)
        self.arena, self.image, self.place = arena, image, place
        self.seconds = 0.0


class Failed(Exception):
    """An image that can't be computed. `code`: a word for machines."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


Outcome = tuple[Job, Answer | Failed]


class Computing(threading.Thread):
    """Takes batches until the device is lost.

    `jobs` may be used while `changed` is held; who changes them notifies. `ended(outcomes)` is called for each batch,
    by this thread, and `lost(reason)` at its end; the images with which the device was lost stay marked.
    """

    def __init__(
        self,
        models: BatchModels,
        count: Count,
        ended: Callable[[list[Outcome]], None],
        lost: Callable[[str], None],
    ) -> None:
        super().__init__(name="computing", daemon=True)
        self._models, self._count, self._ended, self._lost = models, count, ended, lost
        self._limits: dict[Key, int] = {}
        self.changed = threading.Condition()
        self.jobs: Batches[Job] = Batches(self.most, wait=0.0)

    def most(self, key: Key) -> int:
        """How many images a batch may hold: what the models say, less once memory was short."""
        return max(min(self._models.most(*key), self._limits.get(key, 1 << 30)), 1)

    def run(self) -> None:
        """Compute until the device is lost; any defect here ends the process."""
        try:
            while True:
                self._ended(self._batch(self._next()))
        except DeviceLost as error:
            self._lost(str(error))
        except BaseException:
            log.exception("the device process has a defect")
            os._exit(1)

    def _next(self) -> list[Job]:
        with self.changed:
            while True:
                now = time.monotonic()
                if batch := self.jobs.take(now):
                    self._count.begin(len(self.jobs))
                    return batch
                self.changed.wait(self.jobs.due(now))

    def _batch(self, jobs: list[Job]) -> list[Outcome]:
        slots = 1 if jobs[0].alone else self.most(jobs[0].key)
        started = time.perf_counter()
        outcomes = self._computed(jobs)
        seconds = time.perf_counter() - started
        for job in jobs:
            job.seconds = seconds / len(jobs)
        self.jobs.wait = min(MAX_WAIT, WAIT_SHARE * seconds)
        failures = sum(isinstance(outcome, Failed) for _, outcome in outcomes)
        self._count.end(slots=slots, images=len(jobs), busy=seconds, failures=failures)
        return outcomes

    def _computed(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Compute images together; halves where memory is short, one by one where one of them may be bad."""
        try:
            return list(zip(jobs, self._run(jobs), strict=True))
        except DeviceLost:
            raise
        except (DeviceMemory, MemoryError):
            return self._halved(jobs)
        except Exception as error:
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._computed([job])]
            log.exception("an image of %s could not be computed", jobs[0].key)
            reason = f"The OCR engine could not compute this page ({type(error).__name__})."
            return [(jobs[0], Failed("internal", reason))]

    def _halved(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Compute images for which memory is short together; later batches are smaller, unless one is at fault."""
        if len(jobs) == 1:
            reason = "The device has too little memory to read this page: lower NIGHTSHIFT_OCR_MAX_SIDE."
            return [(jobs[0], Failed("out_of_memory", reason))]
        key, half = jobs[0].key, len(jobs) // 2
        log.warning("the device has too little memory for %d images of %s", len(jobs), key)
        outcomes = self._computed(jobs[:half]) + self._computed(jobs[half:])
        if not any(isinstance(outcome, Failed) for _, outcome in outcomes):
            self._limits[key] = min(half, self._limits.get(key, half))
        return outcomes

    def _run(self, jobs: Sequence[Job]) -> list[Answer]:
        """Compute images together, marked as long as that lasts."""
        for job in jobs:
            job.arena.mark(job.place, ALONE if len(jobs) == 1 else TOGETHER)
        try:
            return self._models.run(jobs[0].key[0], [job.image for job in jobs])
        except DeviceLost:
            jobs = ()  # they stay marked: one of them may be the cause, as if the process had crashed
            raise
        finally:
            for job in jobs:
                job.arena.mark(job.place, WAITING)
