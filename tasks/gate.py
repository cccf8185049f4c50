"""The window, kept by each worker for itself: this bootstep adds and cancels the consumers of GPU queues.

It checks the clock every second, and again when a task is handed to the pool, so that a worker that starts,
reconnects or outlives beat still keeps the window. It fails closed. Which queues are consumed is decided by
`tasks.lanes`, what happens after close by `tasks.release`; here both are applied to Celery's consumer and pool.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from celery import bootsteps, signals
from celery.concurrency.prefork import TaskPool
from celery.exceptions import WorkerTerminate
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker import state

from pipeline import clock
from pipeline.errors import PipelineError
from pipeline.night.night import Night
from pipeline.night.release import note_release
from pipeline.night.window import Override
from pipeline.settings import Settings
from tasks import lanes
from tasks.release import Busy, Release, Released

log = get_logger("nightshift.gate")

_TICK = 1.0
_OVERRIDE_PERIOD = 1.0  # seconds between reads of the operator's override


class Gate(bootsteps.StartStopStep):
    """Runs in the worker's parent process; only the GPU queues open and close."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        if not issubclass(consumer.controller.pool_cls, TaskPool):
            log.critical("Nightshift's worker needs the prefork pool: omit -P, or use -P prefork.")
            raise WorkerTerminate(EX_FAILURE)
        self.night = Night.of(Settings.from_env())
        self.override: Override | None = None
        self.release = Release(self.night.settings.close_grace)
        self.timer: Any = None
        self.was_open = False
        queues = consumer.app.amqp.queues
        consumed = list(queues.consume_from)
        self.queues = {name: queues[name] for name in lanes.GPU_QUEUES if name in consumed}
        self.others = [name for name in consumed if name not in self.queues]
        for name in self.queues:
            queues.deselect(name)  # closed until the clock says otherwise
        if self.queues:
            threading.Thread(target=self._watch_override, name="override", daemon=True).start()
            self._guard(consumer)
        signals.worker_ready.connect(self._ready)

    def _watch_override(self) -> None:
        """Read the override in a thread of its own: a store that hangs must not stop the clock."""
        while True:
            try:
                self.override = self.night.schedule.override()
            except PipelineError as error:
                log.warning("cannot read the window's override; retrying: %s", error.message)
            time.sleep(_OVERRIDE_PERIOD)

    def _open(self) -> bool:
        return self.night.schedule.is_open(self.override)

    def _lanes(self) -> list[str]:
        """GPU queues that may be served now, by the clock alone."""
        by_day = self.night.schedule.urgent_by_day(self.override)
        return lanes.allowed(list(self.queues), window_open=self._open(), urgent_by_day=by_day)

    def _window(self) -> str:
        return self.night.schedule.window.describe(clock.utc(), self.override)

    def _ready(self, **_: Any) -> None:
        self.was_open = self._open()
        log.info("ready: window %s, consuming %s", self._window(), ", ".join([*self._lanes(), *self.others]))

    def _guard(self, consumer: Any) -> None:
        """Check the clock again where a task is received and where it gets its process."""
        worker = consumer.controller
        hand_over, receive = worker._process_task, consumer.on_task_request

        def checked(request: Any, proceed: Callable[[Any], Any], *, holds_slot: bool) -> None:
            queue = _queue(request)
            if queue not in self.queues:
                proceed(request)
            elif queue in self._lanes():
                run_date = self.night.schedule.run_date() if self._open() else None
                self.release.work_started(time.monotonic(), run_date)
                proceed(request)
            else:
                self._select(consumer, [])  # first, or the broker delivers it again at once
                request.reject(requeue=True)
                state.task_ready(request)
                if holds_slot:
                    worker._quick_release()

        if worker.process_task == worker._process_task_sem:
            worker._process_task = lambda request: checked(request, hand_over, holds_slot=True)
        consumer.on_task_request = lambda request: checked(request, receive, holds_slot=False)

    def start(self, consumer: Any) -> None:
        """Begin to tick; also after each reconnect, with a new task consumer that consumes no GPU queue yet."""
        if self.queues:
            self.timer = consumer.timer.call_repeatedly(_TICK, self._tick, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Stop ticking."""
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def _tick(self, consumer: Any) -> None:
        allowed, is_open = self._lanes(), self._open()
        if is_open != self.was_open:
            log.info("window %s", self._window())
        self.was_open = is_open
        self._select(consumer, lanes.preferred(allowed, lambda name: self._waiting(consumer, name)))
        if is_open:
            self.release.opened()
        elif self.release.in_use:
            self._close(consumer, allowed)

    def _waiting(self, consumer: Any, name: str) -> int:
        with consumer.connection.channel() as channel:
            return int(channel.queue_declare(name, passive=True).message_count)

    def _select(self, consumer: Any, wanted: list[str]) -> None:
        """Consume exactly the GPU queues `wanted`."""
        tasks = consumer.task_consumer
        if tasks is None:
            return
        now = {queue.name for queue in tasks.queues}
        added = [name for name in wanted if name not in now]
        for name in added:
            consumer.app.amqp.queues.select_add(self.queues[name])
            tasks.add_queue(self.queues[name])
        if added:
            tasks.consume()
            log.info("started consuming %s", ", ".join(added))
        removed = [name for name in self.queues if name in now and name not in wanted]
        for name in removed:
            consumer.app.amqp.queues.deselect(name)
            tasks.cancel_by_queue(name)
        if removed:
            log.info("stopped consuming %s", ", ".join(removed))

    def _close(self, consumer: Any, allowed: list[str]) -> None:
        """Do what `Release` says, now that the window is closed."""
        requests = {
            request.id: request
            for request in set(state.active_requests) | set(state.reserved_requests)
            if _queue(request) in self.queues
        }
        busy = [Busy(id, _queue(request)) for id, request in requests.items()]
        pool = consumer.pool._pool
        processes = {process.pid for process in pool._pool}
        action = self.release.closed(time.monotonic(), allowed, busy, processes)
        self._stop_requests(consumer.pool, [requests[id] for id in action.stop])
        _replace(pool, action.replace)
        if action.released:
            self._note(consumer.hostname, action.released)

    def _stop_requests(self, pool: Any, requests: Iterable[Any]) -> None:
        for request in requests:
            log.warning("grace period expired: stopping and requeueing %s", request.id)
            request.reject(requeue=True)
            request.cancel(pool, signal="KILL", emit_retry=False)

    def _note(self, hostname: str, released: Released) -> None:
        """Report a release, and note it for the night that ended; the store may hang, so in a thread."""
        if not released.run_date:
            log.info("models released after urgent work")
            return
        log.info("models released %.1f s after close", released.seconds)

        def write() -> None:
            try:
                note_release(self.night.store, released.run_date, hostname, released.seconds)
            except PipelineError as error:
                log.warning("the release of the models could not be noted: %s", error.message)

        threading.Thread(target=write, name="note-release", daemon=True).start()


def _replace(pool: Any, processes: Collection[int]) -> None:
    """End these processes, each once it is idle; the pool starts new ones.

    Celery's own `pool.restart()` reaches only processes that get another task.
    """
    for process in list(pool._pool):
        if process.pid in processes and not pool._worker_active(process):
            process.terminate_controlled()


def _queue(request: Any) -> str:
    """The step queue that a request came from; empty for a raw message, whatever routing key it has."""
    key = str((request.delivery_info or {}).get("routing_key", ""))
    return key.removeprefix("step.") if key.startswith("step.") else ""
