"""What the watchdog does, by a clock of plain numbers; tests/acceptance/test_night_network.py sees it at work."""

import signal

import pytest

from tasks import pulse
from tasks.pulse import Stillness
from tasks.release import Action, Released
from tasks.watchdog import QUIET, STUCK, Watchdog

POOL = {7, 8}
CLOSE = Action(kill=frozenset(POOL), released=Released("2026-11-21", 5.0))


class Ended(BaseException):
    """The process would have ended."""


class World:
    """A worker as the watchdog sees it; `events` is what it did."""

    def __init__(self) -> None:
        self.ticks = 0
        self.events: list[object] = []
        self.dog = Watchdog(
            ticks=lambda: self.ticks,
            processes=lambda: POOL,
            kill=lambda ids: self.events.extend((pid, signal.SIGKILL) for pid in ids),
            close=lambda patience: Action() if patience else CLOSE,
            note=self.events.append,
            stuck=lambda: STUCK,
        )

    def pass_seconds(self, start: float, seconds: float) -> None:
        for n in range(int(seconds * 2)):
            self.dog.look(start + n / 2)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    it = World()

    def end(code: int) -> None:
        it.events.append(f"exit {code}")
        raise Ended

    monkeypatch.setattr("os._exit", end)
    return it


def test_it_does_nothing_while_the_gate_ticks(world: World) -> None:
    for second in range(200):
        world.ticks += 1
        pulse.beat()
        world.pass_seconds(second, 1)
    assert world.events == []


def test_it_keeps_the_window_once_the_gate_does_not_tick(world: World) -> None:
    world.pass_seconds(0, QUIET + 0.5)
    assert world.events == []
    world.dog.look(QUIET + 0.5)
    assert set(world.events[:2]) == {(pid, signal.SIGKILL) for pid in POOL}
    assert world.events[2:] == [CLOSE.released]


def test_it_ends_a_worker_that_is_stuck_its_children_first(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.dog._close = lambda _: Action()
    with pytest.raises(Ended):
        world.pass_seconds(0, STUCK + 2)
    assert set(world.events[:2]) == {(pid, signal.SIGKILL) for pid in POOL}
    assert world.events[2:] == ["exit 1"]
    assert "stuck for 60 s" in caplog.text
    assert "test_watchdog.py" in caplog.text, "where it was"


def test_a_worker_without_a_broker_is_not_stuck(world: World) -> None:
    world.dog._close = lambda _: Action()
    for second in range(200):
        if second % 40 == 0:
            pulse.beat()  # as at each attempt to connect
        world.pass_seconds(second, 1)
    assert world.events == []


def test_a_process_that_was_paused_was_not_stuck() -> None:
    still = Stillness()
    still.look(1, 0)
    assert still.look(1, 1) == 1
    assert still.look(1, 3601) == 2, "an hour on SIGSTOP"
    assert still.look(2, 3602) == 0
