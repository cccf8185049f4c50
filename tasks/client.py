"""A client's connection to RabbitMQ: confirmed publishing, and one-sentence errors when it is unavailable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import BrokerRefused, BrokerUnavailable
from pipeline.ledger import counting
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.telemetry import spans

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.messages import Message
    from pipeline.submission.producer import Producer
    from tasks.dead import Found, Swept

THREADS = 8  # below the ten connections that Celery's pool holds
_SECONDS = 10.0  # for a command to reach the broker, and for a message to be sent
_REPLY = 5.0  # for one reply of the broker, so that a second attempt, on another connection, has time left


def celery() -> Any:
    """The Celery application, set up by the environment."""
    from tasks.app import app

    return app


@contextmanager
def errors(app: Any, seconds: float = _SECONDS) -> Iterator[None]:
    """Raise connection and protocol errors as `BrokerUnavailable`, and bound what is asked inside to so many seconds.

    A permission that the user lacks is raised as `BrokerRefused`.
    """
    from tasks import brokers
    from tasks.broker import ERRORS, is_refusal, trouble
    from tasks.transport import Alarm, within

    try:
        with within(seconds, _REPLY):
            yield
    except Alarm as error:
        raise BrokerUnavailable(f"{error}. Nothing is lost: run the same command again then.") from error
    except ERRORS as error:
        kind = BrokerRefused if is_refusal(error) else BrokerUnavailable
        raise kind(trouble(error, brokers.shown(app.connection_for_write())).sentence) from error


@cache
def _start_spans() -> None:
    spans.start(Settings.from_env())


@cache
def producer(settings: Settings) -> Producer:
    """A producer that publishes to the broker of the environment's settings; one per process."""
    from pipeline.submission.producer import Producer

    _start_spans()
    night, app = Night.of(settings), celery()
    counting.start(night.store, night.schedule.run_date)
    return Producer(settings, night.store, night.schedule.run_date, lambda messages: send(app, messages))


def reach(app: Any, *, to_publish: bool = True) -> None:
    """Connect, and see that exchanges and queues exist, so that a command fails before it changes anything.

    Raises `BrokerUnavailable`, within ten seconds, also where no message is confirmed; with `to_publish` also where the
    broker is in alarm, or this user may not publish.
    """
    from amqp.exceptions import AccessRefused, NotFound

    from tasks.routing import PROBE
    from tasks.topology import ensure
    from tasks.transport import Alarm

    passed: tuple[type[Exception], ...] = () if to_publish else (Alarm, AccessRefused, NotFound)
    with errors(app), app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        ensure(connection)
        with (
            suppress(*passed),
            connection.channel() as channel,
        ):
            channel.basic_publish(channel.prepare_message(b""), PROBE.name)


def send(app: Any, messages: Iterable[Message]) -> None:
    """Publish and wait for the broker's confirmation; raises `BrokerUnavailable`. Thread-safe."""
    from tasks.publish import publish

    _start_spans()
    with errors(app):
        publish(app, messages)


def send_all(app: Any, messages: Iterable[Message]) -> int:
    """Send from several threads; returns how many."""
    from pipeline.threads import in_threads

    return sum(1 for _ in in_threads(lambda message: send(app, [message]), messages, threads=THREADS))


def look_at_dead(
    app: Any, look: Callable[[Found], bool], *, most: int = 10_000, seconds: float = 8.0
) -> bool:
    """Show dead letters to `look`; whether those were all. Raises `BrokerUnavailable`."""
    from tasks import dead

    with errors(app):
        return dead.sweep(app, look, most=most, seconds=seconds).complete


def sweep_dead(
    app: Any, remove: Callable[[Found], bool], *, most: int = 10_000, seconds: float = 8.0
) -> Swept:
    """Remove the dead letters for which `remove` returns true, in passes of so many letters and seconds.

    Ends once all were seen, or a pass has removed none. Raises `BrokerUnavailable`.
    """
    from tasks import dead

    removed = 0
    while True:
        with errors(app, seconds + _REPLY):
            swept = dead.sweep(app, remove, most=most, seconds=seconds)
        removed += swept.removed
        if swept.complete or not swept.removed:
            return swept._replace(removed=removed)


def clear_dead(app: Any, task_ids: Collection[str], before: datetime, *, callbacks: bool = False) -> int:
    """Remove the dead letters of tasks whose failures were handled, if they are older than that; returns how many.

    `callbacks`: also those of their callbacks. Raises `BrokerUnavailable`.
    """
    from tasks import dead

    with errors(app):
        return dead.clear(app, set(task_ids), before, callbacks=callbacks)
