"""From an exception to how its document ends: one mapping for `nightshift run` and the night."""

from __future__ import annotations

from typing import Literal

import msgspec

from pipeline import guard
from pipeline.errors import (
    Damaged,
    DeviceUnavailable,
    PermanentError,
    PipelineError,
    SourceUnavailable,
    StoreUnavailable,
    TransientError,
    is_of_machine,
)

_OUTAGES = (StoreUnavailable, SourceUnavailable, DeviceUnavailable)
"""What is no document's fault."""


class Verdict(msgspec.Struct, frozen=True):
    """What follows from an exception in a step.

    `fail`: the document is recorded as failed with `reason`. `retry`: the step is retried later, a limited number of
    times (`pipeline.ledger.attempts`). `wait`: the document is not at fault, and the step waits without a limit.
    `set_aside`: an object in the store that the step needs is damaged; a person must act. `unexpected`: not one of
    Nightshift's own errors, so its traceback belongs in the log.
    """

    action: Literal["fail", "retry", "wait", "set_aside"]
    reason: PermanentError
    unexpected: bool = False


def verdict(error: Exception) -> Verdict:
    """What happens to a document whose step raised `error`."""
    if isinstance(error, PermanentError):
        return Verdict("fail", error)
    if not isinstance(error, PipelineError):
        return _of_others(error)
    reason = PermanentError(error.message, code=error.code)
    if isinstance(error, Damaged):
        return Verdict("set_aside", reason)
    if isinstance(error, TransientError) and not isinstance(error, _OUTAGES):
        return Verdict("retry", reason)
    return Verdict("wait", reason)


def _of_others(error: Exception) -> Verdict:
    """What happens after an error that is not one of Nightshift's own."""
    if isinstance(error, MemoryError):
        return Verdict(
            "fail",
            guard.out_of_memory(),
        )
    if isinstance(error, OSError) and is_of_machine(error):
        return Verdict("wait", PermanentError(f"This machine: {error.strerror}.", code="machine"))
    reason = PermanentError(
        f"Nightshift could not process this document ({type(error).__name__}). "
        "This is a defect: please report it with the log.",
        code="internal",
    )
    return Verdict("fail", reason, unexpected=True)
