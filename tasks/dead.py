"""The dead-letter queue is read in one pass: each message is either removed or put back.

A pass gets the messages that were there when it began, one by one, and returns those that it keeps by closing its
channel. A broker may count how often a message was returned and drop it after 20 times (RabbitMQ 4 does so by default
for quorum queues), so one that was returned often is put back as a copy. Messages that another command is looking at
are not seen.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from celery import Celery
from msgspec import structs

from pipeline import clock
from pipeline.encryption.keyring import Keyring, keyring
from pipeline.environment import printable
from pipeline.night.dead import Letter
from pipeline.settings import Settings
from pipeline.submission.contract import MAX_BODY
from pipeline.telemetry import w3c
from tasks import confidential, incoming, sender, signing
from tasks.envelope import READING_ERRORS, Envelope
from tasks.routing import DEAD, DEAD_QUEUE, RAW, TOPIC, WORK_QUEUES
from tasks.topology import declare_dead
from tasks.wire import UNREADABLE

MOST, SECONDS = 10_000, 8.0
"""How many messages one pass reads at most, and for how long: less than a command waits for the broker."""

_OFTEN = 10  # returns after which a message is put back as a copy
_DEATHS = {
    "rejected": ("not_ours", "was sent to the queue {queue}, but not written by Nightshift"),
    "expired": ("expired", "expired in the queue {queue}, as its sender had asked for"),
    "delivery_limit": ("delivery_limit", "was returned to the queue {queue} too often"),
    "maxlen": ("queue_full", "was dropped from the queue {queue}, which was full"),
}


class Found(NamedTuple):
    """A dead letter as a pass meets it, with the message itself."""

    letter: Letter
    body: bytes
    headers: dict[str, Any]


class Swept(NamedTuple):
    """What a pass did: `complete` is false if it ended before it had seen all messages."""

    seen: int
    removed: int
    complete: bool


def sweep(
    app: Celery,
    remove: Callable[[Found], bool],
    *,
    most: int = MOST,
    seconds: float = SECONDS,
) -> Swept:
    """Show each dead letter to `remove`, and remove those for which it returns true; the others stay.

    Raises what `remove` and the broker raise; then the rest stays.
    """
    end, keys = time.monotonic() + seconds, keyring(Settings.from_env())
    with app.connection_for_write() as connection:
        declare_dead(connection)
        with connection.channel() as channel:
            waiting = int(channel.queue_declare(DEAD_QUEUE.name, passive=True).message_count)
            seen = removed = 0
            while seen < min(waiting, most) and time.monotonic() < end:
                message = channel.basic_get(DEAD_QUEUE.name)
                if message is None:
                    break
                seen += 1
                if remove(_found(message, keys)):
                    channel.basic_ack(message.delivery_tag)
                    removed += 1
                elif _returned(message) >= _OFTEN:
                    _copy(channel, message)
    return Swept(seen, removed, seen >= waiting)


def clear(app: Celery, task_ids: set[str], before: datetime, *, callbacks: bool) -> int:
    """Remove the notices of these tasks that were written before that moment; returns how many.

    Those from a clock that was ahead of now count as written before.

    `callbacks`: also those of callbacks that could not be delivered.
    """

    now = clock.utc()

    def is_theirs(found: Found) -> bool:
        letter = found.letter
        theirs = letter.ours and letter.task_id in task_ids and (callbacks or letter.step != "callback")
        at = letter.at
        return theirs and (at is None or at < before or clock.age(at, now) is None)

    return sweep(app, is_theirs).removed if task_ids else 0


def send_back(app: Celery, found: Found) -> bool:
    """Publish a message again to the queue that it came from, confirmed; false if that is not known."""
    queue = found.letter.queue
    if not queue:
        return False
    headers = incoming.of_sender(found.headers)
    plain = queue == RAW
    with app.producer_or_acquire() as producer:
        producer.publish(
            found.body,
            exchange=TOPIC.name,
            routing_key="task_type.any" if plain else f"step.{queue}",
            mandatory=True,
            retry=True,
            retry_policy=app.conf.task_publish_retry_policy,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            headers=sender.kept(headers) | _trace(headers) if plain else headers,
        )
    return True


def _trace(headers: dict[str, Any]) -> dict[str, str]:
    return w3c.context(headers.get("traceparent"), headers.get("tracestate")).headers


def _returned(message: Any) -> int:
    count = (message.headers or {}).get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0


def _copy(channel: Any, message: Any) -> None:
    """Put a copy of a message into the queue, confirmed, then remove the message itself."""
    headers = {n: v for n, v in (message.headers or {}).items() if n != "x-delivery-count"}
    message.properties["application_headers"] = headers
    message.properties.pop(
        "user_id", None
    )  # RabbitMQ refuses that of another user, and nothing reads it here
    try:
        message._serialize_properties()
    except Exception:  # headers of types that can be read but not written
        message.properties = {"application_headers": {UNREADABLE: True}, "delivery_mode": 2}
    channel.basic_publish_confirm(message, DEAD.name, DEAD_QUEUE.name, mandatory=True)
    channel.basic_ack(message.delivery_tag)


def _found(message: Any, keys: Keyring) -> Found:
    body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
    headers = message.headers if isinstance(message.headers, dict) else {}
    headers = {name: value for name, value in headers.items() if isinstance(name, str)}
    body, said, readable = confidential.open_(body, headers, keys)
    letter = _letter(body, headers, message, said)
    if not readable:  # nor can it be sent back
        letter = structs.replace(letter, queue="")
    return Found(letter, body[: MAX_BODY + 1], headers)


def _letter(body: bytes, headers: dict[str, Any], message: Any, said: str) -> Letter:
    """Describe a dead letter; `said` is the reason that Nightshift gave, decrypted."""
    code, reason, queue = _why(body, headers, str(message.delivery_info.get("routing_key", "")))
    ours = isinstance(headers.get("code"), str) and isinstance(headers.get("reason"), str)
    if ours:
        code, reason = printable(headers["code"]), printable(said)
    named = _Named.of(body) if ours else _Named()
    task_id = str(headers.get("task_id", "")) if ours else _task_of(code, queue, headers, body)
    identity = [code, reason, str(headers.get("task_id", "")), hashlib.sha256(body).hexdigest()]
    return Letter(
        id=hashlib.sha256("\0".join(identity).encode("utf-8", "replace")).hexdigest()[:12],
        code=code,
        reason=reason,
        ours=ours,
        task_id=printable(task_id),
        trace_id=printable(str(headers.get("trace_id", ""))) if ours else "",
        queue=queue or (RAW if ours and not named.step else ""),
        step=named.step,
        at=_moment(headers),
        size=len(body),
    )


def _task_of(code: str, queue: str, headers: dict[str, Any], body: bytes) -> str:
    """The task of a step's message that came back too often; empty for any other message."""
    if code != "delivery_limit" or queue == RAW:
        return ""
    try:
        return Envelope.read(headers, body).args[0]
    except (*READING_ERRORS, IndexError):
        return ""


class _Named(msgspec.Struct):
    """The body of a document's notice."""

    task_id: str = ""
    step: str = ""

    @classmethod
    def of(cls, body: bytes) -> _Named:
        try:
            return msgspec.json.decode(body, type=cls)
        except (msgspec.DecodeError, RecursionError):
            return cls()


def _lacks_signature(headers: dict[str, Any], body: bytes) -> bool:
    """Whether it has the form of a step's message; as a process with the workers' keys sees it."""
    try:
        return bool(signing.keys()) and not signing.is_valid(Envelope.read(headers, body))
    except READING_ERRORS:
        return False


def _why(body: bytes, headers: dict[str, Any], routing_key: str) -> tuple[str, str, str]:
    """Code, sentence and queue of a message that Nightshift did not write."""
    deaths = headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    queue, reason = str(death.get("queue", "")), str(death.get("reason", ""))
    if headers.get(UNREADABLE):
        return "unreadable", "The message has headers or properties that cannot be read.", ""
    if queue not in {RAW, *(known.name for known in WORK_QUEUES)}:
        return (
            "unroutable",
            f'The message was sent with the routing key "{printable(routing_key[:60])}", which leads to no queue.',
            "",
        )
    code, what = _DEATHS.get(reason, ("other", "left the queue {queue}"))
    if code == "not_ours" and queue != RAW and incoming.is_later(headers):
        code, what = (
            "newer_version",
            "in the queue {queue} is of a later version of Nightshift than the workers",
        )
    elif code == "not_ours" and queue != RAW and _lacks_signature(headers, body):
        code, what = "bad_signature", "was sent to the queue {queue} without a valid signature"
    return code, f"The message {what.format(queue=queue)}.", queue


def _moment(headers: dict[str, Any]) -> datetime | None:
    """When a message was written: by its own header, or when RabbitMQ dead-lettered it."""
    at = headers.get("at")
    if isinstance(at, str):
        try:
            return datetime.fromisoformat(at).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    deaths = headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    moment = death.get("time")
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None
