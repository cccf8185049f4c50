"""The window, kept by each worker for itself: this bootstep adds and cancels the consumers of GPU queues.

It checks the clock every second, and again when a task is handed to the pool, so that a worker that starts,
reconnects or outlives beat still keeps the window. It fails closed. Which queues are consumed is decided by
`tasks.lanes` and applied here to Celery's consumer; what happens after close is the part of `tasks.closing`.

Nothing here waits for the broker or the store: what they know is asked by threads (`tasks.depths`, `tasks.override`),
and where the event loop itself stops, `tasks.watchdog` keeps the window.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from celery import bootsteps, signals
from celery.concurrency.prefork import TaskPool
from celery.exceptions import WorkerTerminate
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker import state

from pipeline import clock, telemetry
from pipeline.night.night import Night
from pipeline.settings import Settings
from tasks import devices, lanes, metrics, pulse, transport
from tasks.closing import Closing, queue_of
from tasks.depths import Depths
from tasks.override import LastOverride
from tasks.release import Action
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
        self.timer: Any = None
        self.was_open = False
        self.unclaimed = ""  # why there is no GPU work, where another process has the device
        queues = consumer.app.amqp.queues
        consumed = list(queues.consume_from)
        self.queues = lanes.for_all_turns(name for name in consumed if name in lanes.GPU_QUEUES)
        self.others = [name for name in consumed if name not in self.queues]
        self.paused: list[str] = []  # those of them that wait for the end of an alarm
        for name in self.queues:
            queues.deselect(name)  # closed until the clock says otherwise
        self.closing = Closing(self.night, consumer, self.queues)
        if self.queues:
            self.override.watch(self.night.schedule)
            self.depths.start()
            self._guard(consumer)
            telemetry.gauge("nightshift_device_held", 0)
        self._watchdog(consumer).start()
        metrics.serve(lambda: self.ticks, consumer.app, self.closing.holders.processes)
        signals.worker_ready.connect(self._ready)

    def _watchdog(self, consumer: Any) -> Watchdog:
        def close(patience: float) -> Action:
            if self._open():
                self.closing.opened()
                return Action()
            return self.closing.unattended(patience)

        def stuck() -> float:
            stopping = state.should_stop is not None or state.should_terminate is not None
            waits = consumer.app.conf.task_time_limit if stopping else 0.0  # for the steps in progress
            return float(STUCK + waits)

        return Watchdog(
            ticks=lambda: self.ticks,
            processes=self.closing.holders.processes,
            kill=self.closing.holders.kill,
            close=close,
            note=self.closing.note,
            stuck=stuck,
        )

    def _open(self) -> bool:
        known = self.override.known(time.monotonic())
        return known and self.night.schedule.is_open(self.override.value)

    def _lanes(self) -> list[str]:
        """GPU queues that may be served now, by the clock alone."""
        known = self.override.known(time.monotonic())
        by_day = known and self.night.schedule.urgent_by_day(self.override.value)
        found = lanes.allowed(self.queues, window_open=self._open(), urgent_by_day=by_day)
        return found if not found or self._claimed() else []

    def _claimed(self) -> bool:
        """Whether this worker has its devices, if it needs any; logs once which process has them instead."""
        held = devices.of_worker()
        why = held.claim() if held else ""
        if why and not self.unclaimed:
            log.error("%s No GPU work starts here until then.", why)
        if self.unclaimed and not why:
            log.info("the devices are free: GPU work starts here")
        self.unclaimed = why
        return not why

    def _window(self) -> str:
        return self.night.schedule.window.describe(clock.utc(), self.override.value)

    def _ready(self, **_: Any) -> None:
        self.was_open = self._open()
        consumed = [*_without_turns(self._lanes()), *self.others]
        log.info("ready: window %s, consuming %s", self._window(), ", ".join(consumed))

    def _guard(self, consumer: Any) -> None:
        """Check the clock again where a task is received and where it gets its process."""
        worker = consumer.controller
        hand_over, receive = worker._process_task, consumer.on_task_request

        def checked(request: Any, proceed: Callable[[Any], Any], *, holds_slot: bool) -> None:
            queue = queue_of(request)
            if queue not in self.queues:
                proceed(request)
            elif queue in self._lanes():
                run_date = self.night.schedule.run_date() if self._open() else None
                self.closing.work_started(run_date)
                proceed(request)
            else:
                self._select(
                    consumer, self._others(consumer)
                )  # first, or the broker delivers it again at once
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
        if consumer.task_consumer is not None:
            self._select(consumer, self._wanted(consumer, allowed))
        if is_open:
            self.closing.opened()
            self.closing.idle()
        else:
            self.closing.tick(allowed)
        self.closing.counted.tick()
        if not allowed and not self.closing.in_use and (held := devices.of_worker()):
            held.unclaim()

    def _wanted(self, consumer: Any, allowed: list[str]) -> Collection[str]:
        """Names of the queues to consume now; in an alarm none, as what a step publishes would not be taken."""
        others = self._others(consumer)
        if self._alarm(consumer):  # but raw messages are stored first, and have no limit of deliveries
            self.paused += [name for name in others if name != RAW]
            return [name for name in others if name == RAW]
        others, self.paused = [*others, *self.paused], []
        counts = self.depths.counts() if allowed else {}
        left = self.night.schedule.window.seconds_left(clock.utc(), self.override.value)
        last = lanes.is_for_last(time.time(), left)
        return lanes.wanted(others, allowed, counts, _consumed(consumer), last=last)

    def _others(self, consumer: Any) -> list[str]:
        """Queues without a window that are consumed: at first all, until an operator cancels or adds one."""
        return [name for name in _consumed(consumer) if name not in self.queues]

    def _alarm(self, consumer: Any) -> str:
        """Why the broker takes no messages, as it says on the connection for events; empty if it does."""
        dispatcher = consumer.event_dispatcher
        alarm = transport.alarm(dispatcher and dispatcher.connection)
        if alarm and not self.alarm:
            log.warning("RabbitMQ is in alarm (%s): no new work until it is over", alarm)
        if self.alarm and not alarm:
            log.info("RabbitMQ is no longer in alarm")
        self.alarm = alarm
        telemetry.gauge("nightshift_broker_alarm", 1 if alarm else 0)
        return alarm

    def _select(self, consumer: Any, wanted: Collection[str]) -> None:
        """Consume exactly the queues `wanted`, and wait for no reply of the broker."""
        tasks, queues, now = consumer.task_consumer, consumer.app.amqp.queues, _consumed(consumer)
        added = [name for name in wanted if name not in now]
        for name in added:
            queues.select_add(queues[name])
            tasks._basic_consume(tasks.add_queue(queues[name]), nowait=True)
        _report("started", added)
        removed = [name for name in now if name not in wanted]
        for name in removed:
            queues.deselect(name)
            tasks._queues.pop(name)
            tasks.channel.basic_cancel(tasks._active_tags.pop(name), nowait=True)
        _report("stopped", removed)


def _report(what: str, names: list[str]) -> None:
    """Log a change of the queues consumed; changes of further turns, which are frequent, for debugging only."""
    shown = _without_turns(names)
    if names:
        log.log(logging.INFO if shown else logging.DEBUG, "%s consuming %s", what, ", ".join(shown or names))


def _without_turns(names: Iterable[str]) -> list[str]:
    return [name for name in names if lanes.first_turn(name) == name]


def _consumed(consumer: Any) -> list[str]:
    """Names of the queues that are consumed."""
    return [queue.name for queue in consumer.task_consumer.queues] if consumer.task_consumer else []
