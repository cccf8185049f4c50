"""RabbitMQ as `nightshift doctor` sees it: version, alarms, rights, queues, and workers. Nothing is changed.

Rights are tried by what has no effect where it is allowed: declaring what exists, getting from an empty queue, and
sending what RabbitMQ refuses only after it has checked the right (a message with an invalid lifetime).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed

from pipeline.doctor.finding import Finding, fault, of_message, ok, warning
from pipeline.errors import BrokerRefused, BrokerUnavailable
from pipeline.plural import count
from pipeline.settings import Settings
from tasks import broker, brokers, client, topology, transport
from tasks.broker import mismatch
from tasks.lanes import GPU_QUEUES
from tasks.routing import (
    DEAD,
    DEAD_QUEUE,
    DECLARED,
    PROBE,
    QUEUES,
    RAW,
    RAW_QUEUE,
    RETRY_QUEUES,
    TOPIC,
    WORK_QUEUES,
    Queue,
)

SECONDS = 20.0
"""For all of it: each part is bounded by `client.errors` or by `transport.within`."""

_OLDEST = (3, 10)  # at-least-once dead-lettering of quorum queues, on which retries depend
_NODE = 2.0  # seconds for each of several brokers to answer
_WAIT = 1.5  # seconds for workers to answer
_ROLES = {
    "worker": frozenset(
        {"declare queues", "send messages", "send retries", "write dead letters", "read steps"}
    ),
    "operator": frozenset({"send messages", "write dead letters", "read dead letters"}),
    "producer": frozenset({"send messages"}),
    "monitor": frozenset(),
}
"""What each role needs (docs/how-to/rights.md), the one that needs most first."""


def check(app: Any, settings: Settings) -> Iterator[Finding]:
    """All findings about the broker; ends with the first one where it is unavailable."""
    try:
        with client.errors(app), app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=0)
            yield _reached(connection)
            yield from _nodes(app, connection)
            yield from _queues(connection)
            yield from _raw_in_cluster(connection)
            alarm = _alarm(connection)  # last: in an alarm the broker reads nothing more from this connection
        yield alarm
        if alarm.level == "ok":
            with client.errors(app), app.connection_for_write() as connection:
                yield from _rights(connection)
    except BrokerUnavailable as error:
        yield of_message("broker", error.message)
        return
    yield from _workers(app, settings)


def _reached(connection: Any) -> Finding:
    said = connection.connection.server_properties
    product, version = str(said.get("product", "?")), str(said.get("version", "?"))
    url = connection.as_uri()  # of the one that answers
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if product != "RabbitMQ" or numbers < _OLDEST:
        return fault(
            "broker",
            f"{url} is {product} {version}: too old for retries in quorum queues.",
            "use RabbitMQ 3.10 or later",
        )
    return ok("broker", f"{url} answers: {product} {version}, with quorum queues.")


def _nodes(app: Any, connection: Any) -> Iterator[Finding]:
    """Whether each of several brokers answers."""
    for url in connection.alt:
        try:
            with transport.within(_NODE), app.connection_for_read(url) as one:
                one.ensure_connection(max_retries=0)
        except broker.ERRORS as error:
            place = brokers.place(url)
            sentence = broker.trouble(error, place).sentence
            yield warning("broker", sentence, "the others do its work until it is back")


def _raw_in_cluster(connection: Any) -> Iterator[Finding]:
    """Whether `inference_tasks`, which belongs to its producers, outlives a node of a cluster."""
    if not connection.alt:
        return
    quorum = Queue(RAW, durable=True, no_declare=True, queue_arguments={"x-queue-type": "quorum"})
    try:
        with connection.channel() as channel:
            channel.queue_declare(RAW, passive=True)
            quorum(channel).queue_declare()
    except PreconditionFailed:
        yield warning(
            "broker queues",
            f"{RAW} is a classic queue: while its node is down, no raw message is accepted and no worker starts.",
            "make it a quorum queue (docs/how-to/cluster.md)",
        )
    except (AccessRefused, NotFound):  # this user may not compare, or it is not there yet
        return


def _alarm(connection: Any) -> Finding:
    """Whether the broker takes messages: it says so to a connection that sends some."""
    try:
        with connection.channel() as channel:
            channel.basic_publish(channel.prepare_message(b""), PROBE.name)
    except transport.Alarm:
        why = transport.alarm(connection) or "low on memory or disk"
        return fault(
            "broker alarm", f"RabbitMQ is in alarm ({why}) and takes no messages.", "see rabbitmqctl status"
        )
    except AccessRefused:
        return ok("broker alarm", "Not tried: this user may not send.")
    except NotFound:
        return ok("broker alarm", "Not tried: the exchanges do not exist yet.")
    return ok("broker alarm", "RabbitMQ takes messages.")


def _rights(connection: Any) -> Iterator[Finding]:
    """What this user may do, and the role that this is enough for."""
    user = str(connection.userid or "")
    may = {what for what, act in _TRIES.items() if _may(connection, act)}
    if _lacks_exchange(connection):
        yield warning("broker rights", "Not tried: the exchanges do not exist yet.", "start a worker first")
        return
    named = next((role for role in _ROLES if user.endswith(f"-{role}") or user == role), "")
    if named and (lacking := _ROLES[named] - may):
        yield fault(
            "broker rights",
            f'The user "{user}" may not {", ".join(sorted(lacking))}, as a {named} must.',
            "import docker/rabbitmq/definitions.json again (docs/how-to/rights.md)",
        )
        return
    role = named or next(role for role, needs in _ROLES.items() if needs <= may)
    said = f'The user "{user}" has the rights of a {role}.'
    if role == "monitor":
        said = f'The user "{user}" may look, and nothing else, as a monitor.'
    yield ok("broker rights", said)


def _lacks_exchange(connection: Any) -> bool:
    try:
        with connection.channel() as channel:
            channel.exchange_declare(TOPIC.name, TOPIC.type, passive=True, auto_delete=False)
    except NotFound:
        return True
    except AccessRefused:
        return False
    return False


def _may(connection: Any, act: Callable[[Any], object]) -> bool:
    try:
        with connection.channel() as channel:
            act(channel)
    except AccessRefused:
        return False
    except (NotFound, PreconditionFailed):  # it has another fault, which is found elsewhere
        return True
    return True


def _send(exchange: str, routing_key: str) -> Callable[[Any], object]:
    """Needs the right to write to the exchange; the message is refused all the same, so no queue gets it."""

    def act(channel: Any) -> None:
        channel.basic_publish(
            channel.prepare_message(b"", properties={"expiration": "never"}), exchange, routing_key
        )

    return act


def _get(queue: str) -> Callable[[Any], object]:
    """Needs the right to read the queue; what has messages is not touched."""

    def act(channel: Any) -> None:
        if channel.queue_declare(queue, passive=True).message_count == 0:
            found = channel.basic_get(queue)
            if found is not None:  # it came in between
                channel.basic_reject(found.delivery_tag, requeue=True)

    return act


_TRIES: dict[str, Callable[[Any], object]] = {
    "declare queues": lambda channel: WORK_QUEUES[0](channel).queue_declare(),
    "send messages": _send(TOPIC.name, "task_type.any"),
    "send retries": _send(RETRY_QUEUES[0].exchange.name, "step.none"),
    "write dead letters": _send(DEAD.name, "dead"),
    "read steps": _get("result"),
    "read dead letters": _get(DEAD_QUEUE.name),
}


def _queues(connection: Any) -> Iterator[Finding]:
    """Queues that are missing, or that another program has declared with other arguments."""
    missing, wrong, compared = [], list(filter(None, [topology.interrupted(connection)])), 0
    for queue in DECLARED:
        try:
            with connection.channel() as channel:
                channel.queue_declare(queue.name, passive=True)
        except NotFound as error:
            if sentence := broker.majority(error, ""):
                wrong.append(sentence)
            else:
                missing.append(queue.name)
            continue
        except AccessRefused:  # by RabbitMQ 4.3, as this user has no right there
            continue
        if queue in (RAW_QUEUE, DEAD_QUEUE):
            continue  # used with the arguments that they have
        try:
            with connection.channel() as channel:
                queue(channel).queue_declare()
            compared += 1
        except PreconditionFailed as error:
            wrong.append(mismatch(error) or str(error))
        except AccessRefused:
            continue
    for sentence in wrong:
        yield of_message("broker queues", sentence)
    if missing:
        some = ", ".join(missing[:3]) + (" and others" if len(missing) > 3 else "")
        yield warning("broker queues", f"{len(missing)} queues do not exist yet: {some}.", "start a worker")
    elif not compared and not wrong:
        yield ok(
            "broker queues",
            "All queues exist; their arguments are not compared, as this user may declare none.",
        )
    elif not wrong:
        yield ok(
            "broker queues", f"All {len(DECLARED)} queues exist, with the arguments that Nightshift declares."
        )


def _workers(app: Any, settings: Settings) -> Iterator[Finding]:
    """Whether workers answer, whether each queue has one, and how many dead letters there are."""
    try:
        with client.errors(app):
            found = None if settings.remote_control == "off" else app.control.inspect(timeout=_WAIT).ping()
            counts = _counts(app)
    except BrokerRefused:
        yield ok("workers", "Not asked: this user may not order workers about.")
        return
    except BrokerUnavailable as error:
        yield of_message("workers", error.message)
        return
    if settings.remote_control == "off":
        yield ok("workers", "Not asked: NIGHTSHIFT_REMOTE_CONTROL is off.")
    elif not found:
        yield fault("workers", "No worker answers.", "start one: celery -A tasks worker -Q …; see its log")
    else:
        yield ok("workers", f"{count(len(found), 'worker')} online: {', '.join(sorted(found)[:5])}.")
    unserved = [name for name, (_, consumers) in counts.items() if not consumers and name in _ALL_DAY]
    if unserved and found:
        yield warning(
            "workers", f"No worker consumes {', '.join(unserved)}.", f"start one with -Q {','.join(unserved)}"
        )
    if dead := counts.get(DEAD_QUEUE.name, (0, 0))[0]:
        yield warning("dead letters", f"The queue dead has {count(dead, 'message')}.", "nightshift dead list")


_ALL_DAY = frozenset(queue.name for queue in (*WORK_QUEUES, RAW_QUEUE)) - frozenset(GPU_QUEUES)


def _counts(app: Any) -> dict[str, tuple[int, int]]:
    """Messages and consumers of the queues that exist."""
    found: dict[str, tuple[int, int]] = {}
    with app.connection_for_read() as connection:
        for queue in QUEUES:
            try:
                with connection.channel() as channel:
                    declared = channel.queue_declare(queue.name, passive=True)
            except NotFound:
                continue
            found[queue.name] = declared.message_count, declared.consumer_count
    return found
