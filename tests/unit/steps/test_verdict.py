"""From an exception to how its document ends."""

import errno

import pytest

from pipeline.errors import (
    BrokerUnavailable,
    Damaged,
    ModelMissing,
    NotFound,
    NotRead,
    OverLimit,
    PermanentError,
    RunError,
    SourceUnavailable,
    StoreUnavailable,
    TransientError,
    UsageError,
)
from pipeline.steps.verdict import verdict


@pytest.mark.parametrize(
    ("error", "action", "code"),
    [
        (OverLimit("x"), "fail", "over_limit"),
        (NotFound("x"), "fail", "not_found"),
        (PermanentError("x", code="id_conflict"), "fail", "id_conflict"),
        (MemoryError(), "fail", "out_of_memory"),
        (ValueError("x"), "fail", "internal"),
        (TransientError("x", code="source_unavailable"), "retry", "source_unavailable"),
        (NotRead("x"), "retry", "not_read"),
        (StoreUnavailable("x"), "wait", "store_unavailable"),
        (SourceUnavailable("x"), "wait", "source_unavailable"),
        (OSError(errno.ENOSPC, "No space left on device"), "wait", "machine"),
        (RunError("x"), "wait", "run_failed"),
        (ModelMissing("x"), "wait", "model_missing"),
        (BrokerUnavailable("x"), "wait", "broker_unavailable"),
        (UsageError("x"), "wait", "usage"),
        (Damaged("x"), "set_aside", "damaged"),
    ],
)
def test_each_error_has_one_end(error: Exception, action: str, code: str) -> None:
    ends = verdict(error)
    assert (ends.action, ends.reason.code) == (action, code)
    assert ends.unexpected == isinstance(error, ValueError)


def test_an_unexpected_error_shows_its_kind_but_not_its_text() -> None:
    assert verdict(KeyError("a name in the document")).reason.message == (
        "Nightshift could not process this document (KeyError). "
        "This is a defect: please report it with the log."
    )
