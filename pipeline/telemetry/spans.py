"""Spans of this process, exported where NIGHTSHIFT_OTLP_ENDPOINT is set; without it nothing of OpenTelemetry is loaded.

The only way to spans: the rest of the program names what it does, and never fails because of them.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from pipeline.errors import PipelineError
from pipeline.messages import Message
from pipeline.telemetry.w3c import NONE, Context

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.telemetry.tracing import Tracing

Value = str | int | float | bool

log = logging.getLogger("nightshift.traces")

_tracing: Tracing | None = None


def start(settings: Settings) -> None:
    """Export the spans of this process from now on, if the settings say where to; once per process."""
    global _tracing  # noqa: PLW0603 - one per process
    if not settings.otlp_endpoint or _tracing is not None:
        return
    try:
        from pipeline.telemetry.tracing import Tracing

        _tracing = Tracing.exporting(settings)
    except PipelineError as error:
        log.error("no traces are sent: %s", error.message)
    else:
        atexit.register(stop)


def stop() -> None:
    """Send what is left; takes two seconds at most. Spans that begin later are not sent."""
    global _tracing
    tracing, _tracing = _tracing, None
    if tracing is not None:
        tracing.stop()


def of(message: Message) -> Context:
    """Where the trace of a message continues."""
    return Context(message.traceparent, message.tracestate)


def current(otherwise: Context = NONE) -> Context:
    """The span that is open now, as messages name it."""
    return (_tracing.current() if _tracing else NONE) or otherwise


def step(message: Message, queue: str) -> AbstractContextManager[None]:
    """The span of a step that a message asks for: its parent is the one that has sent the message."""
    if _tracing is None:
        return nullcontext()
    attributes = {
        "messaging.message.id": message.id,
        "nightshift.task_id": message.task_id,
        "nightshift.step": message.step,
        "nightshift.generation": message.generation,
        "nightshift.retries": message.retries,
        "nightshift.redelivered": message.redelivered,
    }
    name = _destination("nightshift", f"step.{queue}", queue)
    return _tracing.process(name, of(message), message.trace_id, attributes)


def acceptance(
    queue: str, parent: Context, trace_id: str, task_id: str, began: int | None
) -> AbstractContextManager[None]:
    """The span of a raw message; `began`: when it came, in nanoseconds since 1970."""
    if _tracing is None:
        return nullcontext()
    return _tracing.process(queue, parent, trace_id, {"nightshift.task_id": task_id}, began)


def submission(task_id: str, parent: Context, trace_id: str) -> AbstractContextManager[Context]:
    """The span of what a producer does for one document: accept it into the store, and publish it."""
    if _tracing is None:
        return nullcontext(parent)
    return _send("ingest", parent or current(), trace_id, {"nightshift.task_id": task_id})


def sending(message: Message, queue: str) -> AbstractContextManager[Context]:
    """Publishing a message; gives what its headers say, its own context as it is if there are no spans.

    That is the span that is open now: a span of its own would say nothing more. Without one, such as in a redrive, a
    new span continues the trace of the document; where that had ended, it also has a link to its end.
    """
    if _tracing is None:
        return nullcontext(of(message))
    if now := current():
        return nullcontext(now)
    attributes: dict[str, Value] = {
        "nightshift.task_id": message.task_id,
        "nightshift.generation": message.generation,
    }
    return _send(queue, of(message), message.trace_id, attributes, again=message.generation > 0)


def _send(
    queue: str, parent: Context, trace_id: str, attributes: dict[str, Value], *, again: bool = False
) -> AbstractContextManager[Context]:
    assert _tracing is not None
    key = f"step.{queue}"
    attributes["messaging.rabbitmq.destination.routing_key"] = key
    return _tracing.send(_destination("nightshift", key), parent, trace_id, attributes, again=again)


def posting(url: SplitResult, otherwise: Context) -> AbstractContextManager[Context]:
    """The span of a callback, without its path and query; gives what its headers say."""
    if _tracing is None:
        return nullcontext(otherwise)
    attributes: dict[str, Value] = {"http.request.method": "POST", "server.address": url.hostname or ""}
    with suppress(ValueError):
        attributes["server.port"] = url.port or (443 if url.scheme == "https" else 80)
    return _tracing.post("POST", otherwise, attributes)


def inner(name: str, attributes: Mapping[str, Value], wanted: bool = True) -> AbstractContextManager[None]:
    """A part of the span that is open now; `wanted`: false where it is the only part, and would say nothing more."""
    if _tracing is None or not wanted or not _tracing.current():
        return nullcontext()
    return _tracing.inner(name, attributes)


def note(attributes: Mapping[str, Value]) -> None:
    """Add to the span that is open now."""
    if _tracing is not None:
        _tracing.note(attributes)


def failed(code: str) -> None:
    """Mark the span that is open now as failed, with the code of the error; its sentence may hold personal data."""
    if _tracing is not None:
        _tracing.failed(code)


def _destination(*parts: str) -> str:
    """The name of a destination by the conventions for RabbitMQ: exchange, routing key and queue."""
    return ":".join(filter(None, parts))
