"""Reports of invented nights: good, with much left, stopped, running, empty, of an older version, small, large."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.report.facts import Report
from tests.support.example_reports.course import CLOSED, FIVE, OPENED
from tests.support.example_reports.nights import good, left, running, stopped
from tests.support.example_reports.sizes import empty, large, largest, old, small

NIGHTS: dict[str, Callable[[], Report]] = {
    "good": good,
    "left": left,
    "stopped": stopped,
    "running": running,
    "empty": empty,
    "old": old,
    "small": small,
    "large": large,
}

__all__ = [
    "CLOSED",
    "FIVE",
    "NIGHTS",
    "OPENED",
    "empty",
    "good",
    "large",
    "largest",
    "left",
    "old",
    "running",
    "small",
    "stopped",
]
