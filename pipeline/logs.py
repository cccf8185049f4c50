"""Which lines of libraries may be logged."""

from __future__ import annotations

import logging

_OWN = "nightshift"


def is_safe(record: logging.LogRecord) -> bool:
    """Whether a line may be shown: libraries' own debug lines hold bodies, texts and signatures, so none of them.

    A filter of handlers, as a logger's level would not hold for the loggers below it.
    """
    return record.levelno >= logging.INFO or record.name.partition(".")[0] == _OWN
