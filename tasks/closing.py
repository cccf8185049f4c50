"""What `tasks.release` decides, applied to Celery's pool: from the gate's ticks, and from the watchdog without them."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable
from typing import Any

from celery.utils.log import get_logger
from celery.worker import state

from pipeline import telemetry
from pipeline.errors import PipelineError
from pipeline.night.night import Night
from pipeline.night.release import note_release
from tasks import devices
from tasks.holders import Holders
from tasks.release import Action, Busy, Release, Released

log = get_logger("nightshift.gate")


class Closing:
    """The end of GPU work in one worker. `queues`: names of the GPU queues that it may consume."""

    def __init__(self, night: Night, consumer: Any, queues: Collection[str]) -> None:
        self._night, self._consumer, self._queues = night, consumer, queues
        self._release = Release(night.settings.close_grace, night.settings.idle_grace)
        self.holders = Holders(consumer, devices.of_worker(), children=night.settings.ner_device != "cpu")
        self.counted = devices.Counted(night, devices.of_worker())
        self._lock = threading.Lock()  # of `_release`, which two threads use

    def work_started(self, run_date: str | None) -> None:
        """See `Release.work_started`."""
        with self._lock:
            self._release.work_started(time.monotonic(), run_date)
        self.holders.work_started()
        telemetry.gauge("nightshift_device_held", 1)

    @property
    def in_use(self) -> bool:
        """Whether models may be loaded: from the first GPU work until they are released."""
        return self._release.in_use

    def opened(self) -> None:
        """See `Release.opened`."""
        with self._lock:
            self._release.opened()

    def tick(self, allowed: Collection[str]) -> None:
        """Do what is due while the window is closed; `allowed` are GPU queues that may be served all the same."""
        if not self._release.in_use:
            return
        requests = self._requests()
        with self._lock:
            action = self._release.closed(time.monotonic(), allowed, _busy(requests), self.holders.ids())
        self._stop([requests[id] for id in action.stop])
        self._apply(action)

    def idle(self) -> None:
        """Do what is due while the window is open, where there is no work."""
        if not self._release.in_use:
            return
        with self._lock:
            action = self._release.idle(time.monotonic(), _busy(self._requests()), self.holders.ids())
        self._apply(action)

    def _requests(self) -> dict[str, Any]:
        """The GPU work that is running or waits for a process, by the id of its request."""
        found = set(state.active_requests) | set(state.reserved_requests)
        return {request.id: request for request in found if queue_of(request) in self._queues}

    def _apply(self, action: Action) -> None:
        self.holders.replace(action.replace)
        if action.released:
            self.note(action.released)

    def unattended(self, patience: float) -> Action:
        """What the watchdog should do while the window is closed."""
        with self._lock:
            return self._release.unattended(time.monotonic(), self.holders.ids(), patience)

    def note(self, released: Released) -> None:
        """Report a release, and note it for the night that ended; the store may hang, so in a thread."""
        telemetry.gauge("nightshift_device_held", 0)
        self.counted.released()
        if not released.run_date:
            log.info("models released after urgent work")
            return
        after = "without work, in the window" if released.early else "after close"
        log.info("models released %.1f s %s", released.seconds, after)
        if not released.early:
            telemetry.gauge("nightshift_release_seconds", released.seconds)

        def write() -> None:
            try:
                hostname, store = self._consumer.hostname, self._night.store
                note_release(store, released.run_date, hostname, released.seconds, early=released.early)
            except PipelineError as error:
                log.warning("the release of the models could not be noted: %s", error.message)

        threading.Thread(target=write, name="note-release", daemon=True).start()

    def _stop(self, requests: Iterable[Any]) -> None:
        for request in requests:
            log.warning("grace period expired: stopping and requeueing %s", request.id)
            request.reject(requeue=True)
            request.cancel(self._consumer.pool, signal="KILL", emit_retry=False)


def _busy(requests: dict[str, Any]) -> list[Busy]:
    return [Busy(id, queue_of(request)) for id, request in requests.items()]


def queue_of(request: Any) -> str:
    """The step queue that a request came from; empty for a raw message, whatever routing key it has."""
    key = str((request.delivery_info or {}).get("routing_key", ""))
    return key.removeprefix("step.") if key.startswith("step.") else ""
