"""For how long an override counts that can't be read any more."""

from pipeline.night.window import Override
from tasks.override import TRUST, LastOverride


def test_until_the_first_reading_nothing_is_known_so_that_the_window_is_closed() -> None:
    assert not LastOverride().known(0)


def test_the_last_one_counts_for_a_while_when_the_store_is_unavailable() -> None:
    last, override = LastOverride(), Override("open", "2026-11-22T03:00+00:00")
    last.read(override, 1000)
    assert last.known(1000 + TRUST)
    assert last.value == override
    assert not last.known(1001 + TRUST)
    last.read(None, 2000)
    assert last.known(2000)
    assert last.value is None
