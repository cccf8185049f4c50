"""Every log line names its trace and its task, and no personal data."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from celery import current_task
from celery.exceptions import Reject
from celery.signals import after_setup_logger, after_setup_task_logger

from pipeline.errors import UsageError
from pipeline.mask_policy import IDS
from pipeline.settings import Settings
from pipeline.tables.masked_logs import MaskedFormatter


@cache
def _policy() -> str:
    try:
        return Settings.from_env().mask
    except UsageError:  # the command ends because of it, and says so
        return IDS


_FORMAT = MaskedFormatter(
    "%(asctime)s %(levelname)s %(processName)s trace=%(trace_id)s task=%(document)s %(message)s",
    defaults={"trace_id": "-", "document": "-"},
    policy=_policy,
)
_trace: ContextVar[str] = ContextVar("trace", default="-")
_document: ContextVar[str] = ContextVar("document", default="-")
_make_record = logging.getLogRecordFactory()


def _record(*args: object, **kwargs: object) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    trace_id, document = _trace.get(), _document.get()
    # Celery's own lines, such as "succeeded", come after the step has ended but belong to it.
    if trace_id == "-" and current_task and current_task.request.get("trace_id"):
        trace_id, document = current_task.request.get("trace_id"), next(iter(current_task.request.args), "-")
    record.__dict__.update(trace_id=trace_id, document=document)
    return record


def _without_traceback(record: logging.LogRecord) -> bool:
    """Take the traceback from Celery's line about a message that is requeued: `tasks.base.kept` has said why."""
    if record.exc_info and isinstance(record.exc_info[1], Reject):
        record.exc_info = None
    return True


def install() -> None:
    """Add `trace_id` and `document` to all log records of this process, and show them.

    The format is set here, not in Celery's settings: a spawned process applies those before it imports this module.
    """
    logging.setLogRecordFactory(_record)
    logging.getLogger("celery.app.trace").addFilter(_without_traceback)
    after_setup_logger.connect(_show)
    after_setup_task_logger.connect(_show)


def _show(logger: logging.Logger, **_: Any) -> None:
    for handler in logger.handlers:
        handler.setFormatter(_FORMAT)


@contextmanager
def about(trace_id: str, task_id: str) -> Iterator[None]:
    """Attribute log lines inside to this task."""
    tokens = _trace.set(trace_id or "-"), _document.set(task_id or "-")
    try:
        yield
    finally:
        _trace.reset(tokens[0])
        _document.reset(tokens[1])
