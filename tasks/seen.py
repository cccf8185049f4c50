"""What RabbitMQ and the workers know of one task at this moment: bounded, and without side effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from pipeline.errors import BrokerUnavailable
from pipeline.messages import Message
from pipeline.night.why.model import AtBroker, AtWork, Queue
from tasks import client, lanes, transport
from tasks.routing import PROBE, QUEUES, RAW, RETRY_QUEUES, queue_for

T = TypeVar("T")

_SECONDS = 1.0  # for workers to answer
_LETTERS, _LOOKED_FOR = 1000, 2.0  # dead letters that are looked at, and seconds
_STEP = "nightshift."


def place(message: Message) -> Queue:
    """Where a message waits, and what is served before it."""
    name = queue_for(message)
    gpu = name in lanes.GPU_QUEUES
    return Queue(
        name=name,
        gpu=gpu,
        before=_before(name) if gpu else (),
        elsewhere=tuple(queue.name for queue in RETRY_QUEUES),
    )


def _before(name: str) -> tuple[str, ...]:
    """The queues whose messages are served before those of this one: all that come first, of each lane."""
    first = lanes.first_turn(name)
    earlier = lanes.turns(first)
    names = list(earlier[: earlier.index(name)])
    if first != lanes.URGENT:
        names += lanes.turns(lanes.URGENT)
    if first == lanes.BACKFILL:
        names += [queue for normal in lanes.NORMAL for queue in lanes.turns(normal)]
    return tuple(names)


def seen(app: Any, task_id: str, *, letters: bool) -> AtBroker:
    """Ask the broker and the workers about a task; `letters`: look at dead letters, too. Never raises."""
    try:
        with client.errors(app):
            messages, consumers = _counts(app)
            found = AtBroker(messages=messages, consumers=consumers, alarm=_alarm(app))
        if found.alarm:  # nobody can be asked anything
            return found
        at_work = _permitted(lambda: _at_work(app, task_id))
        about = _permitted(lambda: _letters(app, task_id)) if letters and messages.get("dead") else None
    except BrokerUnavailable as error:
        return AtBroker(trouble=error.message)
    return AtBroker(
        messages=found.messages,
        consumers=found.consumers,
        alarm=found.alarm,
        workers=at_work.workers if at_work else None,
        holders=at_work.holders if at_work else (),
        letters=tuple(about or ()),
    )


def _permitted(ask: Callable[[], T]) -> T | None:
    """What `ask` finds; `None` where this user's rights at the broker do not reach, or workers cannot be asked."""
    with suppress(BrokerUnavailable):
        return ask()
    return None


def _counts(app: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Messages and consumers by queue; a queue that does not exist yet has none."""
    from amqp.exceptions import NotFound

    messages: dict[str, int] = {}
    consumers: dict[str, int] = {}
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        for queue in QUEUES:
            with suppress(NotFound), connection.channel() as channel:
                found = channel.queue_declare(queue.name, passive=True)
                messages[queue.name], consumers[queue.name] = found.message_count, found.consumer_count
    return messages, consumers


def _alarm(app: Any) -> str:
    """Why the broker takes no messages; empty if it does, or if this user may not send any."""
    from amqp.exceptions import AMQPError

    with app.connection_for_write() as connection:
        try:
            with connection.channel() as channel:
                channel.basic_publish(channel.prepare_message(b""), PROBE.name)
        except transport.Alarm:
            return transport.alarm(connection) or "low on memory or disk"
        except AMQPError:  # no right to publish, or no such exchange yet
            return ""
    return ""


def _at_work(app: Any, task_id: str) -> AtBroker:
    """Workers that answer, and those that have a message of the task."""
    with client.errors(app):
        inspect = app.control.inspect(timeout=_SECONDS)
        answers = [inspect.active() or {}, inspect.reserved() or {}]
    holders = [
        _work(name, one)
        for answer in answers
        for name, tasks in answer.items()
        for one in tasks
        if _is_of(one, task_id)
    ]
    return AtBroker(workers=tuple(sorted({name for one in answers for name in one})), holders=tuple(holders))


def _is_of(task: dict[str, Any], task_id: str) -> bool:
    """Whether a step's message is about this task; the argument of `accept` is a whole message."""
    args: Any = task.get("args") or ()
    return task.get("name") != f"{_STEP}accept" and bool(args) and str(args[0]) == task_id


def _work(worker: str, task: dict[str, Any]) -> AtWork:
    started = task.get("time_start")
    since = datetime.fromtimestamp(started, UTC) if started else None
    return AtWork(worker=worker, step=str(task["name"]).removeprefix(_STEP), since=since)


def _letters(app: Any, task_id: str) -> list[str]:
    """Reasons of the dead letters about a task, of the first thousand."""
    found: list[str] = []

    def look(one: Any) -> bool:
        if one.letter.task_id == task_id:
            found.append(f"{one.letter.code}: {one.letter.reason}")
        return False

    client.look_at_dead(app, look, most=_LETTERS, seconds=_LOOKED_FOR)
    return found


def raw(found: AtBroker) -> int:
    """Raw messages that no worker has accepted yet."""
    return found.messages.get(RAW, 0)
