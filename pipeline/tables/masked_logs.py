"""Log lines without personal data: the messages of errors name files and values."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any


class MaskedFormatter(logging.Formatter):
    """A formatter whose messages and tracebacks are masked; what the format itself adds, such as ids, is not.

    `policy`: asked for when the first line is written, since settings may not be readable before.
    """

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
