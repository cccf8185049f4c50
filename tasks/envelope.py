"""The form of a step's message: what `tasks.publish` writes, and all that a worker reads of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pipeline.messages import TURNS, VERSION
from pipeline.telemetry import w3c

TICKS = ("nightshift.tick", "nightshift.report")
"""What beat publishes: tasks without arguments."""

READING_ERRORS = (msgspec.MsgspecError, RecursionError, TypeError, ValueError)
"""What `Envelope.read` raises."""

_Id = Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9-]+\Z")]  # it becomes a part of a key
_Seconds = Annotated[float, Meta(gt=0, le=3600)]  # the broker's consumer timeout is an hour at most
_Counter = Annotated[int, Meta(ge=0, le=2**31)]


class Headers(msgspec.Struct):
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
    trace_id: Annotated[str, Meta(max_length=200, pattern=r"^[!-~]*\Z")] | None = None  # it is logged
    lane: Annotated[int, Meta(ge=0, le=9)] | None = None
    tries: _Counter | None = None
    outages: _Counter | None = None
    generation: _Counter | None = None
    pages: _Counter | None = None
    turn: Annotated[int, Meta(ge=1, le=TURNS)] | None = None
    fresh: bool | None = None
    schema: Annotated[int, Meta(ge=1, le=VERSION)] | None = None
    traceparent: Any = None
    tracestate: Any = None
    signature: Annotated[str, Meta(max_length=64, pattern=r"^[0-9a-f]*\Z")] | None = None

    def __post_init__(self) -> None:
        """Keep of a trace what is valid: libraries add such headers, so an invalid one must not cost a message."""
        trace = w3c.context(self.traceparent, self.tracestate)
        self.traceparent, self.tracestate = trace.parent or None, trace.state or None


class Work(msgspec.Struct, forbid_unknown_fields=True):
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


class Envelope(msgspec.Struct):
    """A step's message, taken apart."""

    headers: Headers
    args: list[str]
    work: Work

    @classmethod
    def of(cls, headers: Any, body: Any) -> Envelope:
        """Take a message apart; `body` as Celery has it before it is encoded. Raises `msgspec.ValidationError`."""
        args, work, _ = msgspec.convert(body, tuple[list[str], Work, _Follow])
        return cls(msgspec.convert(headers, Headers), args, work)

    @classmethod
    def read(cls, headers: Any, body: bytes | str) -> Envelope:
        """Take a message apart as it arrives. Raises `READING_ERRORS`."""
        args, work, _ = msgspec.json.decode(body, type=tuple[list[str], Work, _Follow])
        return cls(msgspec.convert(headers, Headers), args, work)

    @property
    def signed(self) -> bytes:
        """What a signature is about: the task, its arguments, and the headers that decide how it is done.

        Those of a trace, and `fresh`, only where there are any: messages without are signed as they always were.
        """
        it = self.headers
        deciding = (it.trace_id, it.lane, it.tries, it.outages, it.generation, it.pages, it.turn)
        trace = [it.traceparent, it.tracestate] if it.traceparent else []
        fresh = ["fresh"] if it.fresh else []
        return msgspec.json.encode(
            ["nightshift-step-1", it.task, it.id, self.args, self.work, deciding, *fresh, *trace]
        )
