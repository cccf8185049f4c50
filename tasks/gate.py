"""The window, kept by each worker for itself: this bootstep adds and cancels the consumers of GPU queues.

It looks at the clock every second and once more when a task is handed to the pool, so that a worker
that starts, reconnects or outlives beat still keeps the window. It fails closed. After close it waits
for GPU work in flight to stop at a page group; what has not stopped after a grace is killed and goes
back to its queue; then the pool's processes are replaced, so that none holds a model.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.concurrency.prefork import TaskPool
from celery.exceptions import WorkerTerminate
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker import state

from pipeline.errors import PipelineError
from pipeline.night.night import Night
from pipeline.night.window import Override
from pipeline.settings import Settings
from tasks import topology
from tasks.routing import GPU_QUEUES

log = get_logger("nightshift.gate")

_TICK = 1.0
_LOOK = 1.0  # seconds between looks at the operator's override in the store


class Gate(bootsteps.StartStopStep):
    """Runs in the worker's parent process; `open` and `closed` are about the GPU queues only."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        if not issubclass(consumer.controller.pool_cls, TaskPool):
            log.critical("Nightshift's worker needs the prefork pool: leave out -P, or give -P prefork.")
            raise WorkerTerminate(EX_FAILURE)
        queues = consumer.app.amqp.queues
        wanted = set(queues.consume_from)
        self.queues = {name: queues[name] for name in GPU_QUEUES if name in wanted}
        for name in self.queues:
            queues.deselect(name)  # closed until the clock says otherwise
        self.timer: Any = None
        self.closed_at: float | None = None
        self.used = False
        self.night = (
            ""  # run date of the last GPU work in a window: after close the clock tells the coming night's
        )
        self.by_day = -math.inf  # when urgent work was last seen outside it
        self.holders: set[int] = set()
        self.place = Night.of(Settings.from_env())
        self.override: Override | None = None
        if self.queues:
            threading.Thread(target=self._watch_override, name="override", daemon=True).start()
            self._guard(consumer)

    def _watch_override(self) -> None:
        """Look at the store beside the event loop: a store that hangs must not stop the clock."""
        while True:
            try:
                self.override = self.place.schedule.override()
            except PipelineError as error:
                log.warning("the window's override can't be read: %s", error.message)
            time.sleep(_LOOK)

    def _open(self) -> bool:
        return self.place.schedule.is_open(self.override)

    def _lanes(self) -> list[str]:
        """Queues that may be served now, by the clock alone."""
        if self._open():
            return list(self.queues)
        by_day = self.place.schedule.urgent_by_day(self.override)
        return [name for name in self.queues if name == "urgent" and by_day]

    def _guard(self, consumer: Any) -> None:
        """Check the clock again where a task is received and where it gets its process."""
        worker = consumer.controller
        hand_over, receive = worker._process_task, consumer.on_task_request

        def checked(request: Any, go: Callable[[Any], Any], *, holds_slot: bool) -> None:
            queue = _queue(request)
            if queue not in self.queues:
                go(request)
            elif queue in self._lanes():
                self.used = True
                if self._open():
                    self.night = self.place.schedule.run_date()
                else:
                    self.by_day = time.monotonic()
                go(request)
            else:
                self._select(consumer, [])  # first, else the broker hands it straight back
                request.reject(requeue=True)
                state.task_ready(request)
                if holds_slot:
                    worker._quick_release()

        if worker.process_task == worker._process_task_sem:
            worker._process_task = lambda request: checked(request, hand_over, holds_slot=True)
        consumer.on_task_request = lambda request: checked(request, receive, holds_slot=False)

    def start(self, consumer: Any) -> None:
        """Begin to tick; also after each reconnect, with a new task consumer that consumes nothing yet."""
        with consumer.connection.channel() as channel:
            topology.declare(channel)
        if not self.queues:
            return
        self.timer = consumer.timer.call_repeatedly(_TICK, self._tick, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - Celery's signature
        """End the ticking."""
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def _tick(self, consumer: Any) -> None:
        lanes = self._lanes()
        self._select(consumer, self._busiest(consumer, lanes))
        if self._open():
            self.closed_at = None
        elif self.used:
            self._close(consumer, lanes)

    def _busiest(self, consumer: Any, lanes: list[str]) -> list[str]:
        """Cut the lanes behind the first that has work waiting: urgent before normal before filler."""
        if "urgent" in lanes and self._waiting(consumer, "urgent"):
            return ["urgent"]
        if "filler" in lanes and any(self._waiting(consumer, name) for name in ("ocr", "ner")):
            return [name for name in lanes if name != "filler"]
        return lanes

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
            log.warning("window open: consuming %s", ", ".join(added))
        for name in self.queues:
            if name in now and name not in wanted:
                consumer.app.amqp.queues.deselect(name)
                tasks.cancel_by_queue(name)
                log.warning("no longer consuming %s", name)

    def _close(self, consumer: Any, lanes: list[str]) -> None:
        """After close: wait for GPU work, at last kill it, then let go of the models.

        Work of `lanes`, which may run by day, is waited for; models that it used are kept for as long as a grace,
        for the next of it.
        """
        now = time.monotonic()
        if self.closed_at is None:
            self.closed_at = now
            self.holders = {process.pid for process in consumer.pool._pool._pool}
        busy = [
            request
            for request in set(state.active_requests) | set(state.reserved_requests)
            if _queue(request) in self.queues
        ]
        if any(_queue(request) in lanes for request in busy):
            self.by_day = now
        if now - self.by_day <= self.place.settings.close_grace:  # whose processes may have come since
            self.holders = {process.pid for process in consumer.pool._pool._pool}
        waited, grace = now - self.closed_at, self.place.settings.close_grace
        # work by day that the operator stops has its grace from then on
        urgent = now - max(self.closed_at, self.by_day)
        late = [
            r
            for r in busy
            if _queue(r) not in lanes and (urgent if _queue(r) == "urgent" else waited) > grace
        ]
        if late:
            for request in late:
                log.warning("grace over: %s is stopped and handed back", request.id)
                request.reject(requeue=True)
                request.cancel(consumer.pool, signal="KILL", emit_retry=False)
        elif not busy and now - self.by_day > grace and self._replaced(consumer.pool._pool):
            self.used, self.closed_at = False, None
            if not self.night:
                log.warning("models released after urgent work")
                return
            log.warning("models released %.1f s after close", waited)
            note = (self.night, consumer.hostname, waited)
            self.night = ""
            threading.Thread(target=self._note_release, args=note, daemon=True).start()

    def _replaced(self, pool: Any) -> bool:
        """End the processes that may hold models, each once it is idle; true when none of them is left.

        Celery's own `pool.restart()` reaches only processes that get another task.
        """
        left = [process for process in pool._pool if process.pid in self.holders]
        for process in left:
            if not pool._worker_active(process):
                process.terminate_controlled()
        return not left

    def _note_release(self, night: str, hostname: str, seconds: float) -> None:
        from pipeline.night.housekeeping import note_release

        try:
            note_release(self.place.store, night, hostname, seconds)
        except PipelineError as error:
            log.warning("that can't be noted: %s", error.message)


def _queue(request: Any) -> str:
    """The queue of steps that a request came from, none for a raw message, whatever its producer's key."""
    key = str((request.delivery_info or {}).get("routing_key", ""))
    return key.removeprefix("step.") if key.startswith("step.") else ""
