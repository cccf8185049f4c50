"""Spans of the processes that do the work: from their start to their end, which waits for what is left to be sent."""

from __future__ import annotations

from typing import Any

from pipeline.settings import Settings
from pipeline.telemetry import spans


def start(**_: Any) -> None:
    """Begin, in a new pool process."""
    spans.start(Settings.from_env())


def stop(**_: Any) -> None:
    """End, before a pool process ends."""
    spans.stop()
