"""Every log line names its trace and its task, and none has the text of a document or personal data."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any

from celery import current_task
from celery.exceptions import Reject
from celery.signals import (
    after_setup_logger,
    after_setup_task_logger,
    celeryd_after_setup,
    celeryd_init,
    worker_process_init,
)
from celery.utils.log import get_multiprocessing_logger

from pipeline import logs
from pipeline.errors import UsageError
from pipeline.logs import about, is_safe
from pipeline.mask_policy import IDS
from pipeline.settings import Settings
from pipeline.tables.masked_logs import JsonFormatter, MaskedFormatter

__all__ = ["about", "install"]

_CONSOLE = (
    "%(asctime)s %(levelname)s %(processName)s trace=%(trace_id)s task=%(document)s%(more)s %(message)s"
)
_worker = ""
_make_record = logging.getLogRecordFactory()


@cache
def _settings() -> Settings:
    try:
        return Settings.from_env()
    except UsageError:  # the command ends because of it, and says so
        return Settings(mask=IDS)


def _policy() -> str:
    return _settings().mask


@cache
def _formatter() -> logging.Formatter:
    if _settings().log_format == "json":
        return JsonFormatter(_fields, _policy)
    return MaskedFormatter(_CONSOLE, defaults={"trace_id": "-", "document": "-", "more": ""}, policy=_policy)


def _context() -> dict[str, str]:
    """What a line that is written now is about: the step, and its trace and task."""
    if known := logs.context():
        return known
    # Celery's own lines, such as "succeeded", come after the step has ended but belong to it.
    if current_task and current_task.request.get("trace_id"):
        request = current_task.request
        step = str(current_task.name).removeprefix("nightshift.")
        return {
            "trace_id": request.get("trace_id"),
            "task_id": next(iter(request.args or ()), ""),
            "run_date": (request.kwargs or {}).get("run_date", ""),
            "step": step,
        }
    return {}


def _record(*args: object, **kwargs: object) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    about_it = _context()
    more = "".join(f" {n}={about_it[n]}" for n in ("step", "run_date") if about_it.get(n))
    record.__dict__.update(
        context=about_it,
        trace_id=about_it.get("trace_id") or "-",
        document=about_it.get("task_id") or "-",
        more=more,
    )
    return record


def _fields(record: logging.LogRecord) -> dict[str, str]:
    return {**getattr(record, "context", {}), "worker": _worker}


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
    celeryd_init.connect(_name_worker)
    celeryd_after_setup.connect(_hush_starts)
    worker_process_init.connect(_name)


def _show(logger: logging.Logger, **_: Any) -> None:
    if level := _settings().log_level:  # else what Celery's --loglevel says
        logger.setLevel(level)
    for handler in [*logger.handlers, *get_multiprocessing_logger().handlers]:
        handler.setFormatter(_formatter())
        handler.addFilter(is_safe)


def _hush_starts(**_: Any) -> None:
    """Have processes that start write no line before they know its format (`billiard.spawn`)."""
    os.environ["_MP_FORK_LOGLEVEL_"] = str(logging.ERROR)


def _name(sender: Any = None, **_: Any) -> None:
    """Note the name of the worker that this process belongs to."""
    global _worker  # noqa: PLW0603 - of this process
    _worker = str(sender or "")


def _name_worker(sender: Any = None, instance: Any = None, **_: Any) -> None:
    """As `_name`, in the worker itself; its banner on standard output is no JSON."""
    _name(sender)
    if _settings().log_format == "json" and instance is not None:
        instance.quiet = True
