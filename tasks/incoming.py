"""Which messages of the step queues are ours: only what `tasks.publish` could have written is done.

Any program that may publish to the broker can put anything into these queues. Celery would obey a header that holds a
message back for a year or limits its time to a millisecond, would throw expired messages away, and ends the worker over
a body without a content type. What is not ours is dead-lettered; of what is, only the headers that we know are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pipeline.errors import PermanentError
from pipeline.messages import TURNS, Message
from pipeline.storage import keys
from tasks.routing import queue_for

TICK, HOUSEKEEPING = "nightshift.tick", "housekeeping"
_MAX_BYTES = 64 * 1024  # of a body; ours have a few hundred


class NotOurs(Exception):
    """The message was not written by `tasks.publish`; its text says why, without a piece of the message."""


_Id = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
_Seconds = Annotated[float, Meta(gt=0, le=3600)]  # the broker's consumer timeout is an hour at most
_Counter = Annotated[int, Meta(ge=0, le=2**31)]


class _Headers(msgspec.Struct):
    """Headers of a step's message. Those of Celery that change when and as what a task runs must not be set."""

    task: str
    id: _Id
    eta: None = None
    expires: str | None = None
    timelimit: tuple[_Seconds | None, _Seconds | None] | None = None
    shadow: None = None
    group: None = None
    root_id: _Id | None = None
    parent_id: _Id | None = None
    argsrepr: str = ""
    kwargsrepr: str = ""
    origin: str = ""
    trace_id: Annotated[str, Meta(max_length=200)] | None = None
    lane: Annotated[int, Meta(ge=0, le=9)] | None = None
    tries: _Counter | None = None
    outages: _Counter | None = None
    generation: _Counter | None = None
    pages: _Counter | None = None
    turn: Annotated[int, Meta(ge=1, le=TURNS)] | None = None


class _Work(msgspec.Struct, forbid_unknown_fields=True):
    """Keyword arguments of a step."""

    first: _Counter = 0
    last: _Counter = 0
    run_date: str = ""


class _Follow(msgspec.Struct, forbid_unknown_fields=True):
    """What Celery would publish after a task: nothing."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


_Body = tuple[list[str], _Work, _Follow]


def check(message: Any, queue: str, known: Collection[str]) -> None:
    """Leave of a message from a step's queue only what a step needs; `known` are the names of all tasks.

    Raises `NotOurs`.
    """
    try:
        if message.content_type != "application/json" or len(message.body) > _MAX_BYTES:
            raise NotOurs("its content type or size is not that of a step's message")
        headers = msgspec.convert(message.headers, _Headers)
        args, work, _ = msgspec.json.decode(message.body, type=_Body)
    except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as error:
        reason = str(error)[:200] or type(error).__name__
        raise NotOurs(f"its headers or body are not those of a step's message ({reason})") from None
    if headers.task not in known or not headers.task.startswith("nightshift."):
        raise NotOurs("it names a task that this worker does not have")
    if headers.task == TICK:
        if args or work != _Work() or queue != HOUSEKEEPING:
            raise NotOurs("it is not a tick of beat")
    else:
        _check_step(headers, args, work, queue)
    message.headers = msgspec.structs.asdict(headers) | {"lang": "py", "retries": 0}
    message.properties = {"correlation_id": headers.id, "reply_to": ""}
    message.content_encoding = "utf-8"
    message.delivery_info["routing_key"] = f"step.{queue}"  # by which the gate knows the queue
    message._decoded_cache = None


def _check_step(headers: _Headers, args: list[str], work: _Work, queue: str) -> None:
    if len(args) != 1:
        raise NotOurs("it names no document")
    _valid(keys.pending, args[0], "task id")
    if work.run_date:
        _valid(date.fromisoformat, work.run_date, "run date")
    lane = 5 if headers.lane is None else headers.lane
    step = headers.task.removeprefix("nightshift.")
    like = Message(step=step, task_id=args[0], priority=lane, turn=headers.turn or 1)
    if headers.expires or queue_for(like) != queue:
        raise NotOurs(f"a message like it does not belong into the queue {queue}")


def _valid(made: Callable[[str], object], text: str, what: str) -> None:
    try:
        made(text)
    except (PermanentError, ValueError):
        raise NotOurs(f"it has an invalid {what}") from None
