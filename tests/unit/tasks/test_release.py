"""What happens after the window closes, by plain values: seconds, queues, requests, processes."""

import pytest

from tasks.release import Action, Busy, Release, Released

GRACE = 25.0
NIGHT = "2026-11-21"
NORMAL, URGENT = Busy("n", "ocr"), Busy("u", "urgent")
NOTHING = Action()


@pytest.fixture
def release() -> Release:
    """A worker that had work in a night's window."""
    it = Release(GRACE)
    it.work_started(0, NIGHT)
    it.opened()
    return it


def stop(*requests: Busy) -> Action:
    return Action(stop=frozenset(request.id for request in requests))


def replace(*processes: int) -> Action:
    return Action(replace=frozenset(processes))


def test_it_is_in_use_from_the_first_work_until_the_release() -> None:
    it = Release(GRACE)
    states = [it.in_use]
    it.work_started(0, NIGHT)
    states.append(it.in_use)
    assert it.closed(100, [], [], []).released
    assert [*states, it.in_use] == [False, True, False]


def test_idle_processes_are_replaced_at_once_and_the_release_belongs_to_the_night_that_ended(
    release: Release,
) -> None:
    assert release.closed(100, [], [], [1, 2]) == replace(1, 2)
    assert release.closed(101, [], [], [2, 3]) == replace(2), "3 is new: it never held a model"
    assert release.closed(102.5, [], [], [3, 4]) == Action(released=Released(NIGHT, 2.5))


def test_work_may_stop_by_itself_within_the_grace_period(release: Release) -> None:
    assert release.closed(100, [], [NORMAL], [1]) == NOTHING
    assert release.closed(125, [], [NORMAL], [1]) == NOTHING
    assert release.closed(125.5, [], [], [1]) == replace(1)


def test_work_that_does_not_stop_is_stopped_after_it(release: Release) -> None:
    release.closed(100, [], [NORMAL], [1])
    assert release.closed(126, [], [NORMAL], [1]) == stop(NORMAL)
    assert release.closed(127, [], [], [2]) == Action(released=Released(NIGHT, 27))


def test_a_window_that_opens_again_keeps_the_models(release: Release) -> None:
    release.closed(100, [], [NORMAL], [1])
    release.opened()
    assert release.in_use
    assert release.closed(200, [], [NORMAL], [1]) == NOTHING, "a new grace period"
    assert release.closed(226, [], [NORMAL], [1]) == stop(NORMAL)


def test_urgent_work_that_may_run_by_day_is_waited_for_while_normal_work_is_stopped(release: Release) -> None:
    day = ["urgent"]
    assert release.closed(100, day, [NORMAL, URGENT], [1, 2]) == NOTHING
    assert release.closed(126, day, [NORMAL, URGENT], [1, 2]) == stop(NORMAL)
    # the pool has replaced the killed process 1 by 3, and urgent work has it load a model
    assert release.closed(200, day, [URGENT], [2, 3]) == NOTHING
    assert release.closed(224, day, [], [2, 3]) == NOTHING, "models are kept for the next urgent document"
    assert release.closed(226, day, [], [2, 3]) == replace(2, 3)
    assert release.closed(227, day, [], [4, 5]) == Action(released=Released(NIGHT, 127))


def test_urgent_work_by_day_alone_ends_no_night() -> None:
    it = Release(GRACE)
    it.work_started(1000, None)
    assert it.closed(1010, ["urgent"], [URGENT], [3]) == NOTHING
    assert it.closed(1034, ["urgent"], [], [3]) == NOTHING
    assert it.closed(1036, ["urgent"], [], [3]) == replace(3)
    action = it.closed(1037, ["urgent"], [], [4])
    assert action.released == Released("", 27)


def test_after_a_release_the_night_is_not_reported_again(release: Release) -> None:
    assert release.closed(100, [], [], []).released == Released(NIGHT, 0)
    release.work_started(1000, None)
    release.closed(1000, ["urgent"], [], [])
    assert release.closed(1026, ["urgent"], [], []).released == Released("", 26)


def test_urgent_work_that_the_operator_ends_has_its_grace_period_from_then_on() -> None:
    it = Release(GRACE)
    it.work_started(0, None)
    for second in range(100):
        assert it.closed(second, ["urgent"], [URGENT], [1]) == NOTHING
    assert it.closed(100, [], [URGENT], [1]) == NOTHING
    assert it.closed(123, [], [URGENT], [1]) == NOTHING
    assert it.closed(126, [], [URGENT], [1]) == stop(URGENT)


def test_without_an_event_loop_all_that_may_hold_a_model_is_killed_after_the_grace_period(
    release: Release,
) -> None:
    assert release.unattended(100, [1, 2]) == NOTHING
    assert release.unattended(125, [1, 2]) == NOTHING
    killed = release.unattended(125.5, [1, 2])
    assert killed == Action(kill=frozenset({1, 2}), released=Released(NIGHT, 25.5))
    assert release.unattended(126, [1, 2]) == NOTHING
    assert not release.in_use


def test_it_goes_on_where_the_event_loop_stopped_and_spares_new_processes(release: Release) -> None:
    release.closed(100, [], [NORMAL], [1, 2])
    assert release.unattended(126, [2, 3]).kill == {2}


def test_without_an_event_loop_urgent_work_by_day_is_given_the_grace_period_too(release: Release) -> None:
    release.closed(100, ["urgent"], [URGENT], [1])
    assert release.unattended(120, [1, 2]) == NOTHING
    assert release.unattended(126, [1, 2]).kill == {1, 2}, "2 may have been started for urgent work"


def test_where_no_gpu_work_was_done_nothing_is_killed() -> None:
    assert Release(GRACE).unattended(1000, [1]) == NOTHING


def test_a_worker_that_is_slow_to_release_its_models_gets_some_seconds_more(release: Release) -> None:
    release.closed(100, [], [NORMAL], [1])
    assert release.unattended(128, [1], patience=3.5) == NOTHING
    assert release.unattended(129, [1], patience=3.5).kill == {1}


def _idle(grace: float = 60.0) -> Release:
    it = Release(GRACE, grace)
    it.work_started(0, NIGHT)
    it.opened()
    return it


def test_models_without_work_are_released_inside_the_window() -> None:
    it = _idle()
    assert it.idle(5, [NORMAL], [1, 2]) == NOTHING
    assert it.idle(10, [], [1, 2]) == NOTHING
    assert it.idle(70, [], [1, 2]) == NOTHING, "the grace period has not passed"
    assert it.idle(71, [], [1, 2]) == replace(1, 2)
    assert it.idle(72, [], [2, 3]) == replace(2), "3 is new: it never held a model"
    assert it.idle(73, [], [3, 4]) == Action(released=Released(NIGHT, 63, early=True))
    assert not it.in_use


def test_new_work_begins_the_grace_period_again() -> None:
    it = _idle()
    assert it.idle(10, [], [1]) == NOTHING
    it.work_started(60, NIGHT)
    assert it.idle(80, [], [1]) == NOTHING, "no work was seen at 60, and yet there was some"
    assert it.idle(141, [], [1]) == replace(1)
    it.work_started(142, NIGHT)
    assert it.idle(142, [URGENT], [2]) == NOTHING
    assert it.closed(150, [], [], [2]) == replace(2)
    assert it.closed(151, [], [], [3]).released == Released(NIGHT, 1), "after close, as ever"


def test_without_a_grace_period_models_are_kept_until_close() -> None:
    it = _idle(0.0)
    assert [it.idle(now, [], [1]) for now in (1, 1000, 9000)] == [NOTHING] * 3
    assert it.closed(9001, [], [], [1]) == replace(1)
