"""The window, kept by each worker for itself: this bootstep adds and cancels the consumers of GPU queues.

It checks the clock every second, and again when a task is handed to the pool, so that a worker that starts,
reconnects or outlives beat still keeps the window. It fails closed. Which queues are consumed is decided by
`tasks.lanes`, what happens after close by `tasks.release`; here both are applied to Celery's consumer and pool.

Nothing here waits for the broker or the store: what they know is asked by threads (`tasks.depths`, `tasks.override`),
and where the event loop itself stops, `tasks.watchdog` keeps the window.
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
from pipeline.settings import Settings
from tasks import lanes, pulse, transport
from tasks.depths import Depths
from tasks.override import LastOverride
from tasks.release import Action, Busy, Release, Released
from tasks.routing import RAW
from tasks.watchdog import STUCK, Watchdog

log = get_logger("nightshift.gate")

_TICK = 1.0


class Gate(bootsteps.StartStopStep):
    """Runs in the worker's parent process; only the GPU queues open and close."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        if not issubclass(consumer.controller.pool_cls, TaskPool):
            log.critical("Nightshift's worker needs the prefork pool: omit -P, or use -P prefork.")
            raise WorkerTerminate(EX_FAILURE)
        self.night = Night.of(Settings.from_env())
        self.override = LastOverride()
        self.depths = Depths(consumer.app)
        self.ticks = 0
        self.alarm = ""
        self._lock = threading.Lock()  # of `release`, which the watchdog uses too
        self.release = Release(self.night.settings.close_grace)
        self.timer: Any = None
        self.was_open = False
        queues = consumer.app.amqp.queues
        self.consumed = dict(queues.consume_from)
        self.queues = [name for name in lanes.GPU_QUEUES if name in self.consumed]
        self.others = [name for name in self.consumed if name not in self.queues]
        for name in self.queues:
            queues.deselect(name)  # closed until the clock says otherwise
        if self.queues:
            self.override.watch(self.night.schedule)
            self.depths.start()
            self._guard(consumer)
        self._watchdog(consumer).start()
        signals.worker_ready.connect(self._ready)

    def _watchdog(self, consumer: Any) -> Watchdog:
        def processes() -> set[int]:
            pool = getattr(consumer.pool, "_pool", None)
            return {process.pid for process in list(pool._pool)} if pool else set()

        def close() -> Action:
            with self._lock:
                if self._open():
                    self.release.opened()
                    return Action()
                return self.release.unattended(time.monotonic(), processes())

        def stuck() -> float:
            stopping = state.should_stop is not None or state.should_terminate is not None
            return STUCK + (
                consumer.app.conf.task_time_limit if stopping else 0
            )  # it waits for running steps

        return Watchdog(
            ticks=lambda: self.ticks,
            processes=processes,
            close=close,
            note=lambda released: self._note(consumer.hostname, released),
            stuck=stuck,
        )

    def _open(self) -> bool:
        known = self.override.known(time.monotonic())
        return known and self.night.schedule.is_open(self.override.value)

    def _lanes(self) -> list[str]:
        """GPU queues that may be served now, by the clock alone."""
        known = self.override.known(time.monotonic())
        by_day = known and self.night.schedule.urgent_by_day(self.override.value)
        return lanes.allowed(self.queues, window_open=self._open(), urgent_by_day=by_day)

    def _window(self) -> str:
        return self.night.schedule.window.describe(clock.utc(), self.override.value)

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
                with self._lock:
                    self.release.work_started(time.monotonic(), run_date)
                proceed(request)
            else:
                self._select(consumer, self.others)  # first, or the broker delivers it again at once
                request.reject(requeue=True)
                state.task_ready(request)
                if holds_slot:
                    worker._quick_release()

        if worker.process_task == worker._process_task_sem:
            worker._process_task = lambda request: checked(request, hand_over, holds_slot=True)
        consumer.on_task_request = lambda request: checked(request, receive, holds_slot=False)

    def start(self, consumer: Any) -> None:
        """Begin to tick; also after each reconnect, with a new task consumer that consumes no GPU queue yet."""
        consumer.task_consumer.auto_declare = False  # everything is declared
        self.depths.counts()  # the first tick needs them
        self.timer = consumer.timer.call_repeatedly(_TICK, self._tick, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Stop ticking."""
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def _tick(self, consumer: Any) -> None:
        self.ticks += 1
        pulse.beat()
        allowed, is_open = self._lanes(), self._open()
        if is_open != self.was_open:
            log.info("window %s", self._window())
        self.was_open = is_open
        self._select(consumer, self._wanted(consumer, allowed))
        if is_open:
            with self._lock:
                self.release.opened()
        elif self.release.in_use:
            self._close(consumer, allowed)

    def _wanted(self, consumer: Any, allowed: list[str]) -> Collection[str]:
        """Names of the queues to consume now."""
        if self._alarm(consumer):  # what a step publishes would not be taken
            return [RAW] if RAW in self.others else []
        counts = self.depths.counts() if allowed else {}
        if counts is None:
            now = {queue.name for queue in consumer.task_consumer.queues}
            return [*self.others, *(name for name in allowed if name in now)]
        return [*self.others, *lanes.preferred(allowed, lambda name: counts.get(name, 0))]

    def _alarm(self, consumer: Any) -> str:
        """Why the broker takes no messages, as it says on the connection for events; empty if it does."""
        dispatcher = consumer.event_dispatcher
        alarm = transport.alarm(dispatcher and dispatcher.connection)
        if alarm and not self.alarm:
            log.warning("RabbitMQ is in alarm (%s): no new work until it is over", alarm)
        if self.alarm and not alarm:
            log.info("RabbitMQ is no longer in alarm")
        self.alarm = alarm
        return alarm

    def _select(self, consumer: Any, wanted: Collection[str]) -> None:
        """Consume exactly the queues `wanted`, and wait for no reply of the broker."""
        tasks = consumer.task_consumer
        if tasks is None:
            return
        now = {queue.name for queue in tasks.queues}
        added = [name for name in wanted if name not in now]
        for name in added:
            consumer.app.amqp.queues.select_add(self.consumed[name])
            tasks._basic_consume(tasks.add_queue(self.consumed[name]), nowait=True)
        if added:
            log.info("started consuming %s", ", ".join(added))
        removed = [name for name in now if name not in wanted]
        for name in removed:
            consumer.app.amqp.queues.deselect(name)
            tasks._queues.pop(name)
            tasks.channel.basic_cancel(tasks._active_tags.pop(name), nowait=True)
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
        with self._lock:
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
