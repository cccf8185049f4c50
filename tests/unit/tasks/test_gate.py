"""What the gate reads from a message; the gate itself is tested with real workers, in tests/acceptance."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.night.night import Night
from pipeline.night.window import Override
from pipeline.settings import Settings
from tasks.closing import queue_of
from tasks.lanes import GPU_QUEUES, allowed


@pytest.mark.parametrize(
    ("delivery_info", "queue"),
    [({"routing_key": "step.ocr"}, "ocr"), ({"routing_key": "ocr"}, ""), ({}, ""), (None, "")],
)
def test_a_raw_message_is_no_gpu_work_whatever_its_routing_key(delivery_info: Any, queue: str) -> None:
    assert queue_of(SimpleNamespace(delivery_info=delivery_info)) == queue


def test_an_operator_who_closes_the_window_stops_urgent_work_too(tmp_path: Any) -> None:
    env = {"STORE_URL": str(tmp_path), "WINDOW": "never", "URGENT_BY_DAY": "true"}
    night = Night.of(Settings.from_env({f"NIGHTSHIFT_{name}": value for name, value in env.items()}))

    def served() -> tuple[list[str], bool, bool]:
        """What the worker consumes, and what a step may do: both must agree."""
        schedule, override = night.schedule, night.schedule.override()
        by_day = schedule.urgent_by_day(override)
        found = allowed(GPU_QUEUES, window_open=schedule.is_open(override), urgent_by_day=by_day)
        return found, schedule.seconds_left(9) != 0, schedule.seconds_left(5) != 0

    assert served() == (["urgent", "urgent-2", "urgent-3"], True, False)
    tomorrow = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    night.schedule.set_override(Override("closed", tomorrow))
    assert served() == ([], False, False)
