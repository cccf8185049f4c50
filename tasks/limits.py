"""How long a message may take, by the pages it is about, and the memory of the pool's processes.

Decided here, by the worker's own settings, whatever limits a message names: clients may have other settings.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from pipeline import guard, reader, scratch
from pipeline.settings import Settings
from tasks.ended import Request

LONGEST = 1500.0
"""Seconds, below RabbitMQ's consumer timeout of 30 minutes."""
STARTING = 10.0
"""Seconds in addition: a new process imports libraries and loads models first."""


def time_limit(pages: int, settings: Settings) -> float:
    """Seconds for a message about so many pages: NIGHTSHIFT_TIME_LIMIT for each page group, and `STARTING`."""
    groups = max(math.ceil(pages / settings.page_group), 1)
    return min(settings.time_limit * groups + STARTING, LONGEST)


def longest(settings: Settings) -> float:
    """Seconds for a message that does not say how many pages it is about, such as one about a document to fetch."""
    return time_limit(settings.spread_pages, settings)


def pages_of(value: Any) -> int:
    """The number of pages in a message's headers; 0 where it is missing or makes no sense."""
    return value if isinstance(value, int) and value > 0 else 0


class StepRequest(Request):
    """A step in progress, with the time limit of its own pages."""

    @property
    def time_limits(self) -> tuple[float | None, None]:
        """Seconds until it is killed; the limits that a message names are not looked at."""
        pages = pages_of(self._request_dict.get("pages"))
        return (time_limit(pages, _settings()) if pages else None), None

    @time_limits.setter
    def time_limits(self, _: Any) -> None:
        pass


@cache
def _settings() -> Settings:
    return Settings.from_env()


def guard_process(**_: Any) -> None:
    """Limit what this pool process may use; its documents are parsed by another one."""
    settings = _settings()
    guard.start(settings.memory_limit, settings.page_seconds)
    scratch.start(settings.temp_dir)
    reader.start(settings)
