"""Which lines of libraries may be logged, and which document the lines of this process are about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OWN = "nightshift"
_context: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


def is_safe(record: logging.LogRecord) -> bool:
    """Whether a line may be shown: libraries' own debug lines hold bodies, texts and signatures, so none of them.

    A filter of handlers, as a logger's level would not hold for the loggers below it.
    """
    return record.levelno >= logging.INFO or record.name.partition(".")[0] == _OWN


@contextmanager
def about(trace_id: str, task_id: str, *, run_date: str = "", step: str = "") -> Iterator[None]:
    """Attribute log lines inside to this task."""
    token = _context.set({"trace_id": trace_id, "task_id": task_id, "run_date": run_date, "step": step})
    try:
        yield
    finally:
        _context.reset(token)


def note(**fields: str) -> None:
    """Add what has become known meanwhile, such as the run date, to the lines until the end of `about`."""
    known = _context.get()
    if known is not None:
        known.update(fields)


def context() -> dict[str, str]:
    """What lines are about now; empty if it is no task."""
    return _context.get() or {}
