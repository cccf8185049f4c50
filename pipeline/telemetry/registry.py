"""Counting in this process. Each function costs microseconds, never raises, and does nothing until `start`.

Values are kept in files of one folder, by `prometheus_client`'s multiprocess mode, for the parent of the pool to
expose (`pipeline.telemetry.shared`). Only workers start it: commands count nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.telemetry.labels import Bounded
from pipeline.telemetry.metrics import METRICS, Metric
from pipeline.telemetry.room import Room

log = logging.getLogger("nightshift")

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which the processes of a pool find the folder, and `prometheus_client` does."""

_CACHED = 2000  # combinations of labels that are found without being looked at again

_made: dict[str, Any] = {}  # by name, with the declared labels; empty until `start`
_declared: dict[str, Metric] = {metric.name: metric for metric in METRICS}
_children: dict[tuple[str, tuple[str, ...]], Any] = {}
_bounded = Bounded()
_rooms: dict[str, Room] = {}
gauges: dict[tuple[str, tuple[str, ...]], float] = {}
"""What `gauge` has set: only a parent does, which also exposes it."""


def start(folder: Path, tenants: Collection[str] = ()) -> None:
    """Count from now on, into files of this folder; `tenants` are those with a label value of their own.

    Raises `OSError` where the folder has no room for them.
    """
    global _bounded  # noqa: PLW0603 - one per process is the point
    for kind in ("counter", "histogram"):
        _rooms[kind] = Room(folder / f"{kind}_{os.getpid()}.db")
    os.environ[FOLDER] = str(folder)
    import prometheus_client

    values: Any = prometheus_client.values
    # Chosen here, since the library may have been imported before, by Flower on Celery's command line.
    values.ValueClass = values.MultiProcessValue()
    _bounded = Bounded(tenants)
    _children.clear()
    for metric in METRICS:
        if metric.by == "worker" and metric.kind == "counter":
            _made[metric.name] = prometheus_client.Counter(
                metric.name, metric.help, metric.labels, registry=None
            )
        elif metric.by == "worker" and metric.kind == "histogram":
            _made[metric.name] = prometheus_client.Histogram(
                metric.name, metric.help, metric.labels, registry=None, buckets=metric.buckets
            )


def stop() -> None:
    """Count nothing any more, and close the files."""
    if _made:
        from prometheus_client import values

        library: Any = values
        library.close_all_multiprocess_files()
    _made.clear()
    _children.clear()
    gauges.clear()
    os.environ.pop(FOLDER, None)


def count(name: str, *labels: str, by: float = 1.0) -> None:
    """Add to a counter."""
    if not _made:
        return
    try:
        (_children.get((name, labels)) or _child(name, labels)).inc(by)
    except Exception as error:  # whatever it is, no document may suffer
        _failed(name, error)


def observe(name: str, seconds: float, *labels: str) -> None:
    """Add a duration to a histogram."""
    if not _made:
        return
    try:
        (_children.get((name, labels)) or _child(name, labels)).observe(seconds)
    except Exception as error:
        _failed(name, error)


def gauge(name: str, value: float, *labels: str) -> None:
    """Set what the parent of the pool exposes as it is now."""
    if _made:
        gauges[name, labels] = value


def _child(name: str, labels: tuple[str, ...]) -> Any:
    """The series of these labels."""
    names, made = _declared[name].labels, _made[name]
    values = [_bounded.value(label, value) for label, value in zip(names, labels, strict=True)]
    _rooms[_declared[name].kind].take(_declared[name], values)
    child = made.labels(*values) if names else made
    if len(_children) < _CACHED:
        _children[name, labels] = child
    return child


def _failed(name: str, error: Exception) -> None:
    log.debug("%s could not be counted: %s: %s", name, type(error).__name__, error)
