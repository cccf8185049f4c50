"""What an error of the broker means: one sentence that says what to do, and whether waiting can help."""

from __future__ import annotations

import re
from typing import NamedTuple

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    InternalError,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    ResourceLocked,
)
from kombu.exceptions import KombuError

from tasks.secure import NoTls, Untrusted
from tasks.transport import OutOfTime, Silent, Unconfirmed

ERRORS = (AMQPError, KombuError, OSError, EOFError)
"""What a connection to RabbitMQ raises."""

_OTHER_ARGUMENT = re.compile(
    r"inequivalent arg '(?P<name>[^']+)' for (?P<kind>queue|exchange) '(?P<of>[^']*)' in vhost '(?P<vhost>[^']*)': "
    r"received (?P<ours>.+) but current is (?P<theirs>.+)"
)
_VALUE = re.compile(r"the value (.+) of type '\w+'")
_PASSES = ("is down", "limit")  # a virtual host that still starts, or too many connections for now


_HOME_DOWN = re.compile(r"home node '[^']*@(?P<node>[^']*)' of durable queue '(?P<queue>[^']*)'")
_START = "start the other nodes (rabbitmqctl cluster_status). Nothing is lost, and work resumes by itself."

_ANOTHER_NAME = re.compile(
    r"user_id property set to '(?P<sender>[^']*)' but authenticated user was '(?P<user>[^']*)'"
)
_REFUSED = re.compile(
    r"(?P<right>configure |write |read |)access to (?P<what>\w+ '[^']*'(?: in exchange '[^']*')?) "
    r"in vhost '(?P<vhost>[^']*)' refused for user '(?P<user>[^']*)'"
)
_RIGHTS = {
    ("Basic.publish", "exchange"): "write",
    ("Basic.publish", "topic"): "write",
    ("Basic.get", "queue"): "read",
    ("Basic.consume", "queue"): "read",
    ("Queue.purge", "queue"): "read",
    ("Queue.bind", "exchange"): "read",
    ("Queue.bind", "topic"): "read",
    ("Queue.bind", "queue"): "write",
    ("Queue.declare", "exchange"): "write",
    ("Exchange.unbind", "exchange"): "read and write",
}
"""The right that a method needs, where RabbitMQ does not name it (3.10); all others need `configure`."""


class NotDeclared(AMQPError):
    """An exchange or a queue is missing, and this user may not declare it; its text is the sentence to show."""


class Interrupted(NotDeclared):
    """A queue is being declared again, or that was interrupted; its text is the sentence to show."""


class Trouble(NamedTuple):
    """Why the broker can't be used. `lasting`: a person must act, so that waiting for it is of no use."""

    sentence: str
    lasting: bool


def trouble(error: BaseException, url: str) -> Trouble:
    """What an error means; `url` is shown, so it must be one without a password (`brokers.shown`)."""
    cause = _cause(error)
    text = str(getattr(cause, "reply_text", "") or "")
    if found := mismatch(cause):
        return Trouble(found, lasting=True)
    if isinstance(cause, (NoTls, Untrusted)):
        return Trouble(str(cause), lasting=isinstance(cause, Untrusted))
    if isinstance(cause, NotDeclared):
        return Trouble(text, lasting=True)
    if found := refusal(cause) or _another_name(cause):
        return Trouble(f"RabbitMQ at {url}: {found}", lasting=True)
    if found := majority(cause, url):
        return Trouble(found, lasting=False)
    if isinstance(cause, NotAllowed):
        reason = f"RabbitMQ at {url} has no such virtual host, or this user may not access it"
    elif isinstance(cause, AccessRefused):
        reason = f"RabbitMQ at {url} rejects the user name or password"
    else:
        name = type(error.__cause__ or error).__name__
        reason = f"RabbitMQ at {url} does not answer ({name})"
    lasting = isinstance(cause, (NotAllowed, AccessRefused)) and not any(word in text for word in _PASSES)
    return Trouble(f"{reason}: check NIGHTSHIFT_BROKER_URL and that the server is running.", lasting)


def difference(error: BaseException) -> str:
    """In what a queue is not as it was declared: argument, value and wanted value; empty if that is not why."""
    found = _OTHER_ARGUMENT.search(str(error)) if isinstance(error, PreconditionFailed) else None
    return f"{found['name']} is {_value(found['theirs'])}, not {_value(found['ours'])}" if found else ""


def majority(error: BaseException, url: str) -> str:
    """One sentence where a queue can't be used as nodes of the cluster are down; empty for any other error."""
    if isinstance(error, InternalError):
        return f"RabbitMQ at {url} has queues without a majority of their nodes: {_START}"
    if isinstance(error, Unconfirmed) or (isinstance(error, OutOfTime) and error.unconfirmed):
        return (
            f"RabbitMQ at {url} confirms no messages: its queues have no majority of their nodes, or it is "
            f"overloaded. Then {_START}"
        )
    if isinstance(error, Silent) and error.queue:
        return (
            f'RabbitMQ at {url} has not answered about the queue "{error.queue}": it hangs, or the node of that queue '
            f"is down. Then {_START}"
        )
    found = _HOME_DOWN.search(str(error)) if isinstance(error, NotFound) else None
    if found is None:
        return ""
    return (
        f'The queue "{found["queue"]}" is on one node alone, {found["node"]}, which is down: start it, or make this a '
        "quorum queue (docs/how-to/cluster.md). Nothing is lost, and work resumes by itself."
    )


def mismatch(error: BaseException) -> str:
    """One sentence for a queue or exchange that exists with other arguments; empty for any other error."""
    if isinstance(error, ResourceLocked):
        return (
            f"A queue of Nightshift is used by one connection alone ({error.reply_text}): it was declared as "
            "exclusive; end that connection, and declare it as durable only."
        )
    found = _OTHER_ARGUMENT.search(str(error)) if isinstance(error, PreconditionFailed) else None
    if found is None:
        return ""
    kind, name = found["kind"], found["of"]
    cure = (
        "stop all workers, run `nightshift queues migrate --yes`, which keeps its messages, and start again."
        if kind == "queue"
        else f'delete it (rabbitmqadmin delete exchange name="{name}") and start again; Nightshift then declares it.'
    )
    return (
        f'The {kind} "{name}" exists with another {found["name"]} ({_value(found["theirs"])} instead of '
        f"{_value(found['ours'])}), and arguments cannot be changed: {cure}"
    )


def _another_name(error: BaseException) -> str:
    """One sentence for a message that names its sender, and another user publishes; empty for any other error."""
    found = _ANOTHER_NAME.search(str(error)) if isinstance(error, PreconditionFailed) else None
    if found is None:
        return ""
    return (
        f'the user "{found["user"]}" may not publish a message of the user "{found["sender"]}" again: give it the tag '
        "impersonator, run the same command again, and take the tag back (docs/how-to/upgrade.md)."
    )


def is_refusal(error: BaseException) -> bool:
    """Whether a user lacks a permission."""
    return bool(refusal(_cause(error)))


def refusal(error: BaseException) -> str:
    """One sentence for a permission that a user lacks: whose, which, and for what; empty for any other error."""
    text = str(getattr(error, "reply_text", "") or "")
    found = _REFUSED.search(text) if isinstance(error, AccessRefused) else None
    if found is None:
        return ""
    method, kind = str(getattr(error, "method_name", "")), found["what"].partition(" ")[0]
    right = found["right"].strip() or _RIGHTS.get((method, kind), "configure")
    what = found["what"].replace("'", '"')
    return (
        f'the user "{found["user"]}" has no {right} permission for {what} in the virtual host "{found["vhost"]}": use '
        "the user for this role in NIGHTSHIFT_BROKER_URL (docs/how-to/rights.md)."
    )


def _value(text: str) -> str:
    """A value in RabbitMQ's own words, without its type."""
    found = _VALUE.match(text.strip())
    return (found[1] if found else text.strip()).strip("'")


def _cause(error: BaseException) -> BaseException:
    """The protocol's error inside one of kombu's."""
    while error.__cause__ is not None and not isinstance(error, AMQPError):
        error = error.__cause__
    return error
