"""Log lines without personal data: the messages of errors name files and values."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


class MaskedFormatter(logging.Formatter):
    """A formatter whose messages and tracebacks are masked; what the format itself adds, such as ids, is not.

    Times are in UTC. `policy`: asked for when the first line is written, since settings may not be readable before.
    """

    converter = staticmethod(time.gmtime)
    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def __init__(self, *args: Any, policy: Callable[[], str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._policy = policy

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the method that it extends
        """The line, with its message masked."""
        record.message = self._masked(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        """The traceback, masked."""
        return self._masked(super().formatException(ei))

    def _masked(self, text: str) -> str:
        from pipeline.tables.masking import masked_sentence

        return masked_sentence(text, self._policy())


class JsonFormatter(MaskedFormatter):
    """One JSON object per line, whatever the message holds: plain ASCII, of a bounded length.

    `context`: further fields, of the task that the line is about; empty ones are left out.
    """

    LONGEST = 8_000
    """Characters of an event or an exception: a longer line would be cut in two by what collects the lines."""

    def __init__(
        self, context: Callable[[logging.LogRecord], dict[str, str]], policy: Callable[[], str]
    ) -> None:
        from structlog.processors import JSONRenderer

        super().__init__(policy=policy)
        self._context, self._render = context, JSONRenderer(ensure_ascii=True, default=str)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._short(self._masked(_message(record))),
            **{name: value for name, value in self._context(record).items() if value},
            "process": record.processName or "",
            "pid": record.process or 0,
        }
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = self._short(self.formatException(record.exc_info))
        if record.stack_info:
            fields["stack"] = self._short(self._masked(record.stack_info))
        return str(self._render(None, "", {name: _valid(value) for name, value in fields.items()}))

    def _short(self, text: str) -> str:
        """The text without its middle, if it is too long."""
        half = self.LONGEST // 2
        return text if len(text) <= self.LONGEST else f"{text[:half]} … {text[-half:]}"


def _message(record: logging.LogRecord) -> str:
    """The message; without its arguments where they do not fit, which is no reason to lose the line."""
    try:
        return record.getMessage()
    except Exception:  # as of an argument's own `__str__`
        return str(record.msg)


def _valid(value: Any) -> Any:
    """Text in valid Unicode: half a surrogate pair is no JSON to a strict reader."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
