"""Every log line says which trace and which task it is about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_trace: ContextVar[str] = ContextVar("trace", default="-")
_document: ContextVar[str] = ContextVar("document", default="-")
_make_record = logging.getLogRecordFactory()


def _record(*args: object, **kwargs: object) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    record.trace_id, record.document = _trace.get(), _document.get()
    return record


def install() -> None:
    """Give all records of this process the attributes `trace_id` and `document`."""
    logging.setLogRecordFactory(_record)


@contextmanager
def about(trace_id: str, task_id: str) -> Iterator[None]:
    """Log lines inside belong to this task."""
    tokens = _trace.set(trace_id or "-"), _document.set(task_id or "-")
    try:
        yield
    finally:
        _trace.reset(tokens[0])
        _document.reset(tokens[1])
