"""What is done with the process of a device, by a clock of plain numbers."""

import errno

import pytest

from pipeline.device.counters import Counters
from pipeline.device.held import ENDING, PAUSE, STARTING, STARTS, Held


class Fake:
    """A process that does what the test says."""

    def __init__(self, pid: int) -> None:
        self.pid, self.how, self.why, self.ready = pid, "", "", False
        self.figures, self.killed, self.asked_to_end = Counters(pid), False, False

    def ended(self) -> str | None:
        return self.how or None

    def is_ready(self) -> bool:
        return self.ready

    def hopeless(self) -> str:
        return self.why

    def end(self) -> None:
        self.asked_to_end = True

    def kill(self) -> None:
        self.killed, self.how = True, "was ended by SIGKILL"


class World:
    """A device whose processes are fakes."""

    def __init__(self) -> None:
        self.made: list[Fake] = []
        self.fails = False
        self.held = Held("gpu:0", self.launch, longest=60)

    def launch(self) -> Fake:
        if self.fails:
            raise OSError(errno.ENOENT, "No such file or directory")
        self.made.append(Fake(len(self.made)))
        return self.made[-1]

    def ready(self, now: float, batches: int = 0) -> Fake:
        """Have the youngest process load its models, and compute."""
        one = self.made[-1]
        one.ready, one.figures = True, Counters(one.pid, batches=batches)
        self.held.look(now)
        return one


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_started_before_there_is_work(world: World) -> None:
    world.held.look(0)
    assert (world.made, world.held.is_held) == ([], False)
    world.held.want()
    assert world.held.is_held, "it will be in a moment, and a window that closes now must wait for it"
    world.held.look(1)
    assert len(world.made) == 1


def test_a_process_that_dies_is_started_again_at_once(world: World) -> None:
    world.held.want()
    world.held.look(0)
    for second in range(1, 20):
        world.ready(second).how = "was ended by SIGSEGV"
        world.held.look(second + 0.5)
    assert len(world.made) == 20
    assert not world.held.lost, "it computes blank images, so the device is well"


def test_a_process_that_dies_before_it_was_seen_ready_was_a_good_start(world: World) -> None:
    world.held.want()
    for second in range(20):
        world.held.look(second)
        world.made[-1].ready, world.made[-1].how = True, "was ended by SIGSEGV"
    assert not world.held.lost


def test_what_is_ended_on_purpose_is_not_started_again(world: World) -> None:
    world.held.want()
    world.held.look(0)
    one = world.ready(1)
    world.held.end(2)
    world.held.end(2.5)
    assert (one.asked_to_end, world.held.is_held) == (True, True)
    one.how = "ended with exit code 0"
    world.held.look(3)
    assert (world.held.is_held, len(world.made)) == (False, 1)
    world.held.want()
    world.held.look(4)
    assert len(world.made) == 2
    assert not one.killed


def test_what_does_not_end_is_killed(world: World) -> None:
    world.held.want()
    world.held.look(0)
    world.ready(1)
    world.held.end(2)
    world.held.look(2 + ENDING)
    assert [it.killed for it in world.made] == [False]
    world.held.end(2.5 + ENDING)
    world.held.look(2.5 + ENDING)
    assert [it.killed for it in world.made] == [True]
    world.held.look(5)
    assert not world.held.is_held


def test_work_that_comes_while_it_ends_gets_a_new_one(world: World) -> None:
    world.held.want()
    world.held.look(0)
    one = world.ready(1)
    world.held.end(2)
    world.held.want()
    world.held.look(3)
    assert len(world.made) == 1, "the device is still in use"
    one.how = "ended with exit code 0"
    world.held.look(4)
    assert (len(world.made), world.held.lost) == (2, "")


def test_a_process_that_dies_at_close_is_not_started_again(world: World) -> None:
    world.held.want()
    world.held.look(0)
    world.held.wanted = False
    world.made[0].how = "was ended by SIGSEGV"
    world.held.look(5)
    assert (len(world.made), world.held.lost, world.held.process) == (1, "", None)


def test_starts_that_fail_in_a_row_lose_the_device(world: World) -> None:
    world.held.want()
    now = 0.0
    for number in range(STARTS):
        world.held.look(now)
        assert len(world.made) == number + 1
        world.made[-1].how = "ended with exit code 1"
        world.held.look(now)
        world.held.look(now + PAUSE * (number + 1) - 0.1)
        assert len(world.made) == number + 1, "not at once"
        now += PAUSE * (number + 1)
    assert world.held.lost.startswith(
        "The device gpu:0 is lost, as its process ended with exit code 1, 3 times in a row:"
    )
    world.held.want()
    world.held.look(now + 1000)
    assert (len(world.made), world.held.is_held) == (STARTS, False)


def test_starts_that_the_system_refuses_count_too(world: World) -> None:
    world.fails = True
    world.held.want()
    for second in range(20):
        world.held.look(second)
    assert "does not start (No such file or directory)" in world.held.lost
    assert world.held.starts == STARTS


def test_a_process_that_gets_ready_ends_the_row_of_failed_starts(world: World) -> None:
    world.held.want()
    for number in range(4 * STARTS):
        world.held.look(10 * number)
        assert len(world.made) == number + 1
        world.made[-1].ready, world.made[-1].how = number % STARTS == STARTS - 1, "found the device gone"
        world.held.look(10 * number + 1)
    assert not world.held.lost


def test_models_that_no_process_can_load_lose_the_device_at_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.held.want()
    world.held.look(0)
    world.made[0].why, world.made[0].how = "A package is not installed.", "could not load its models"
    world.held.look(1)
    world.held.look(100)
    assert world.held.lost == "A package is not installed."
    assert (len(world.made), world.held.is_held) == (1, False)
    assert not [record for record in caplog.records if record.levelname != "INFO"], "who started it says so"


def test_models_that_never_load_are_a_failed_start(world: World) -> None:
    world.held.want()
    world.held.look(0)
    world.held.look(STARTING)
    assert [one.killed for one in world.made] == [False]
    world.held.look(STARTING + 1)
    assert [one.killed for one in world.made] == [True]
    world.held.look(STARTING + 2)
    world.held.look(STARTING + 2 + PAUSE)
    assert len(world.made) == 2


def test_a_batch_that_hangs_ends_its_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.held.want()
    world.held.look(0)
    one = world.ready(1)
    monkeypatch.setattr("time.monotonic", lambda: 159.0)
    one.figures = Counters(one.pid, since=100)
    world.held.look(159)
    assert [it.killed for it in world.made] == [False]
    monkeypatch.setattr("time.monotonic", lambda: 161.0)
    world.held.look(161)
    assert [it.killed for it in world.made] == [True]
    world.held.look(162)
    assert len(world.made) == 2, "another one goes on"
