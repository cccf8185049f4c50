"""What the probe takes for an answer of the broker."""

from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import InternalError, NotFound

from tasks.probe import Probe


def channel_that_raises(error: Exception) -> Any:
    def basic_get(*_: object, **__: object) -> None:
        raise error

    return SimpleNamespace(basic_get=basic_get)


def test_a_queue_that_nobody_has_declared_is_an_answer() -> None:
    Probe(None)._question(channel_that_raises(NotFound("no queue 'nightshift.probe'")), "mq:5672")


def test_a_minority_is_none() -> None:
    probe = Probe(None)
    with pytest.raises(InternalError):
        probe._question(channel_that_raises(InternalError("timeout")), "mq:5672")
    assert "without a majority" in probe.minority
