"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "fault"]
"""`fault`: the night does not work, or not as it should. `warning`: look at it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a check looked at: one sentence, and the cure where it is not `ok`."""

    check: str
    level: Level
    sentence: str
    cure: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A group of findings about `name`, made within `seconds`; `needs`: the check that must have no fault before."""

    name: str
    make: Callable[[], Iterator[Finding]]
    seconds: float = 10.0
    needs: str = ""


def ok(check: str, sentence: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level="ok", sentence=sentence)


def warning(check: str, sentence: str, cure: str) -> Finding:
    """Something to look at."""
    return Finding(check=check, level="warning", sentence=sentence, cure=cure)


def fault(check: str, sentence: str, cure: str) -> Finding:
    """Something to fix."""
    return Finding(check=check, level="fault", sentence=sentence, cure=cure)


def of_message(check: str, message: str) -> Finding:
    """A fault from an error's sentence, whose part after the colon says what to do; with TLS, after the semicolon."""
    what, _, cure = message.partition("; " if message.startswith("TLS with ") else ": ")
    return fault(check, f"{what.rstrip('.')}.", cure or "see docs/how-to/doctor.md")
