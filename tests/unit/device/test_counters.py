"""What a device process has done, as its parent reads it."""

from pathlib import Path

import pytest

from pipeline.device.counters import Counters, Written, read


def test_batches_and_their_seconds_are_seen_while_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0.counters"
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    assert read(path) == Counters()
    written = Written(path)
    written.began()
    now = 102.0
    assert read(path).in_progress() == 2
    written.computed(3, 8)
    assert read(path) == Counters(busy_seconds=2.0, batches=1, items=3, slots=8)
    written.began()
    now = 107.0
    written.failed()
    assert read(path) == Counters(busy_seconds=7.0, batches=1, items=3, slots=8)
    assert read(path).in_progress() == 0
