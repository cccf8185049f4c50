"""Which messages of the step queues are ours: only what `tasks.publish` could have written is done.

Any program that may publish to the broker can put anything into these queues. Celery would obey a header that holds a
message back for a year or limits its time to a millisecond, would throw expired messages away, and ends the worker over
a body without a content type. What is not ours is dead-lettered; of what is, only the headers that we know are kept.
What a later version of Nightshift wrote is handed back unread, so that workers can be upgraded one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from datetime import date
from typing import Any

import msgspec

from pipeline.errors import PermanentError
from pipeline.messages import VERSION, Message
from pipeline.storage import keys
from tasks import signing
from tasks.envelope import READING_ERRORS, TICKS, Envelope, Work
from tasks.routing import queue_for

HOUSEKEEPING = "housekeeping"
_MAX_BYTES = 64 * 1024  # of a body; ours have a few hundred
SCHEMA, HANDED_BACK = "schema", "x-handed-back"
"""Headers: the version of a message (none: 1), and how often it was handed back."""

MOST = 1440
"""A message is handed back so often, each time for a minute: for a day."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NotOurs(Exception):
    """The message was not written by `tasks.publish`; its text says why, without a piece of the message."""


class Later(Exception):
    """A later version of Nightshift wrote the message; its text says so, in a sentence."""


def check(message: Any, queue: str, known: Collection[str]) -> None:
    """Leave of a message from a step's queue only what a step needs; `known` are the names of all tasks.

    Raises `NotOurs`, and `Later` for a message that is to be handed back as it is.
    """
    _refuse_later(message)
    try:
        if message.content_type != "application/json" or len(message.body) > _MAX_BYTES:
            raise NotOurs("its content type or size is not that of a step's message")
        found = Envelope.read(message.headers, message.body)
    except READING_ERRORS as error:
        reason = str(error)[:200] or type(error).__name__
        raise NotOurs(f"its headers or body are not those of a step's message ({reason})") from None
    headers = found.headers
    if signing.keys() and not signing.is_valid(found):
        raise NotOurs("bad_signature: it is not signed with a key of this worker (NIGHTSHIFT_SIGNING_KEY)")
    if headers.task not in known or not headers.task.startswith("nightshift."):
        raise NotOurs("it names a task that this worker does not have")
    if headers.task in TICKS:
        if found.args or found.work != Work() or queue != HOUSEKEEPING:
            raise NotOurs("it is not a tick of beat")
    else:
        _check_step(found, queue)
    message.headers = msgspec.structs.asdict(headers) | {"lang": "py", "retries": 0}
    message.properties = {"correlation_id": headers.id, "reply_to": ""}
    message.content_encoding = "utf-8"
    message.delivery_info["routing_key"] = f"step.{queue}"  # by which the gate knows the queue
    message._decoded_cache = None


def is_later(headers: Any) -> bool:
    """Whether a message says that it is of a later version."""
    version = headers.get(SCHEMA) if isinstance(headers, dict) else None
    return isinstance(version, int) and version > VERSION


def of_sender(headers: dict[str, Any]) -> dict[str, Any]:
    """The headers that its sender gave a message, without those of the broker."""
    return {name: value for name, value in headers.items() if not name.startswith("x-")}


def _refuse_later(message: Any) -> None:
    """Raise `Later`; `NotOurs` for what could not be handed back, and what was handed back for a day."""
    if not is_later(message.headers):
        return
    version, times = message.headers[SCHEMA], message.headers.get(HANDED_BACK, 0)
    try:
        json.dumps(of_sender(message.headers))
    except (TypeError, ValueError, RecursionError):
        raise NotOurs("its headers are not those of a step's message") from None
    if (
        len(message.body) > _MAX_BYTES or type(times) is not int or times < 0
    ):  # any sender may write that header
        raise NotOurs("its content type or size is not that of a step's message")
    if times >= MOST:
        raise NotOurs(f"it is of version {version}, and for a day no worker came that reads it")
    raise Later(f"it is of version {version}, and this worker reads up to {VERSION}: upgrade this worker")


def _check_step(found: Envelope, queue: str) -> None:
    """Raise `NotOurs` for arguments that no step is published with."""
    headers, work = found.headers, found.work
    if len(found.args) != 1:
        raise NotOurs("it names no document")
    (task_id,) = found.args
    _valid(keys.pending, task_id, "task id")
    step = headers.task.removeprefix("nightshift.")
    if (step == "callback" and not work.run_date) or (step == "ingest" and work.run_date):
        raise NotOurs("a callback needs a run date, and an ingest message has none")
    if work.run_date:
        _valid(_day, work.run_date, "run date")
    if work.first > work.last or (work.last and not work.first):
        raise NotOurs("it has an invalid range of pages")
    if (headers.outages or 0) > (headers.tries or 0):
        raise NotOurs("it counts more outages than tries")
    lane = 5 if headers.lane is None else headers.lane
    like = Message(step=step, task_id=task_id, priority=lane, turn=headers.turn or 1)
    if headers.expires or queue_for(like) != queue:
        raise NotOurs(f"a message like it does not belong into the queue {queue}")


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):  # Python reads other forms of a date, too
        raise ValueError(text)
    return date.fromisoformat(text)


def _valid(made: Callable[[str], object], text: str, what: str) -> None:
    try:
        made(text)
    except (PermanentError, ValueError):
        raise NotOurs(f"it has an invalid {what}") from None
