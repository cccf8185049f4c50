"""Spans by OpenTelemetry's SDK: names and attributes by its messaging conventions, ids and sampling by trace."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context as Nothing
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from pipeline.errors import PipelineError
from pipeline.telemetry.w3c import NONE, Context, is_trace_id
from pipeline.version import __version__

if TYPE_CHECKING:
    from pipeline.settings import Settings

FLUSH_SECONDS = 2.0
"""How long the end of a process waits for what is left to be sent."""
_LONGEST = 256  # characters of an attribute
_RANDOM = 2**56  # of the trace id, only its last seven bytes are random in any case (UUIDs mark others)

_draw = random.Random()  # noqa: S311 - of its own: two programs that seed `random` must not draw the same
_wanted: ContextVar[int] = ContextVar("wanted", default=0)


class _Ids(IdGenerator):
    """Random span ids; a trace that begins here has the id that is wanted for it, if any."""

    def generate_span_id(self) -> int:
        return _draw.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return _wanted.get() or RandomIdGenerator().generate_trace_id()


class Share(Sampler):
    """Samples this share of the traces: the same ones in every process."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def should_sample(
        self,
        parent_context: Any,  # noqa: ARG002 - the method's signature
        trace_id: int,
        name: str,  # noqa: ARG002
        kind: Any = None,  # noqa: ARG002
        attributes: Any = None,
        *_: Any,
        **__: Any,
    ) -> SamplingResult:
        """Decide by the trace id alone."""
        if trace_id % _RANDOM < self._ratio * _RANDOM:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        """Its name."""
        return f"Share{{{self._ratio}}}"


class Tracing:
    """The spans of one process; `processor` gets them when they end."""

    def __init__(self, processor: SpanProcessor, ratio: float = 1.0) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(Share(ratio)),
            resource=_resource(),
            id_generator=_Ids(),
            span_limits=SpanLimits(max_attribute_length=_LONGEST),
            shutdown_on_exit=False,  # it waits for half a minute
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("nightshift", __version__)
        self._stop, self._stopped = threading.Event(), threading.Event()
        # made now: at the end of a process no thread can be started any more
        threading.Thread(target=self._end, name="end-of-traces", daemon=True).start()

    @classmethod
    def exporting(cls, settings: Settings) -> Tracing:
        """Spans that are sent to a collector; raises `UsageError` for files of TLS that can't be used."""
        from pipeline.telemetry.export import processor

        return cls(processor(settings), settings.otlp_ratio)

    def _end(self) -> None:
        self._stop.wait()
        self._provider.shutdown()
        self._stopped.set()

    def stop(self) -> None:
        """Send what is left, for `FLUSH_SECONDS` at most."""
        self._stop.set()
        self._stopped.wait(FLUSH_SECONDS)

    def current(self) -> Context:
        """The span that is open now."""
        return _written(trace.get_current_span().get_span_context())

    @contextmanager
    def process(
        self,
        destination: str,
        parent: Context,
        trace_id: str,
        attributes: Mapping[str, Any],
        began: int | None = None,
    ) -> Iterator[None]:
        """The span of a message that is processed."""
        found = {**_messaging("process", destination), **attributes}
        with self._span(
            f"process {destination}", SpanKind.CONSUMER, found, parent, trace_id=trace_id, began=began
        ):
            yield

    @contextmanager
    def send(
        self, destination: str, parent: Context, trace_id: str, attributes: Mapping[str, Any], *, again: bool
    ) -> Iterator[Context]:
        """The span of a message that is sent; `again`: the work of `parent` had ended."""
        found = {**_messaging("send", destination), **attributes}
        links = [Link(_read(parent), {"nightshift.link": "earlier end"})] if again and parent else []
        with self._span(f"send {destination}", SpanKind.PRODUCER, found, parent, links, trace_id=trace_id):
            yield self.current()

    @contextmanager
    def post(self, name: str, parent: Context, attributes: Mapping[str, Any]) -> Iterator[Context]:
        """The span of an HTTP request."""
        with self._span(name, SpanKind.CLIENT, attributes, self.current() or parent):
            yield self.current()

    @contextmanager
    def inner(self, name: str, attributes: Mapping[str, Any]) -> Iterator[None]:
        """A part of the span that is open now."""
        with self._span(name, SpanKind.INTERNAL, attributes, self.current()):
            yield

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Add to the span that is open now."""
        trace.get_current_span().set_attributes(_clean(attributes))

    def failed(self, code: str) -> None:
        """Mark the span that is open now as failed."""
        span = trace.get_current_span()
        span.set_attribute("error.type", code)
        span.set_status(Status(StatusCode.ERROR))

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        parent: Context,
        links: Sequence[Link] = (),
        *,
        trace_id: str = "",
        began: int | None = None,
    ) -> Iterator[None]:
        """A span, open until the end; an error that leaves it is named by its code, without its text."""
        token = _wanted.set(int(trace_id, 16) if is_trace_id(trace_id) else 0)
        above = trace.set_span_in_context(NonRecordingSpan(_read(parent))) if parent else Nothing()
        try:
            with self._tracer.start_as_current_span(
                name,
                above,
                kind,
                _clean(attributes),
                links,
                began,
                record_exception=False,
                set_status_on_exception=False,
            ):
                try:
                    yield
                except BaseException as error:
                    self.failed(error.code if isinstance(error, PipelineError) else type(error).__name__)
                    raise
        finally:
            _wanted.reset(token)


def _resource() -> Resource:
    known: dict[str, str | int] = {
        "service.version": __version__,
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }
    if not os.environ.get("OTEL_SERVICE_NAME"):
        known["service.name"] = "nightshift"
    return Resource.create({**known})


def _messaging(operation: str, destination: str) -> dict[str, Any]:
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
    }


def _clean(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that are there, in valid Unicode: one that is not would cost the whole batch."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in attributes.items()
        if value
    }


def _read(context: Context) -> SpanContext:
    return SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(context.flags),
        trace_state=TraceState.from_header([context.state]) if context.state else None,
    )


def _written(span: SpanContext) -> Context:
    if not span.is_valid:
        return NONE
    parent = f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    return Context(parent, span.trace_state.to_header())
