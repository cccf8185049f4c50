"""The simulation itself: fixed seeds pass, a seed replays exactly, and known defects are found."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import CodeType

import pytest

from pipeline.night.checks import CHECK_PERIOD
from pipeline.storage import keys
from tests.simulation import known_bad, patches, sites
from tests.simulation.course import Course, Planned
from tests.simulation.faults import POINTS, Aim
from tests.simulation.patches import running
from tests.simulation.run import Outcome, Run, simulate
from tests.simulation.trace import shortened, story
from tests.simulation.world import Site

SEEDS = range(20)
HALF = len(SEEDS) // 2
ENOUGH = 150
"""Runs within which each known defect is found, from the seed at which it was found last."""


@pytest.fixture(autouse=True)
def _patched() -> Iterator[None]:
    with patches.installed():
        yield


def found(kind: str, first: int) -> Outcome:
    """The first run from this seed on that is found wrong by a check of this kind."""
    for seed in range(first, first + ENOUGH):
        outcome = simulate(seed)
        if any(finding.kind == kind for finding in outcome.findings):
            return outcome
    pytest.fail(f"none of {ENOUGH} runs from {first} is wrong by {kind}")


@pytest.mark.parametrize("first", SEEDS[::HALF])
def test_each_document_ends_exactly_once(first: int) -> None:
    for seed in range(first, first + HALF):
        outcome = simulate(seed)
        assert not outcome.findings, "\n".join(
            [*story(shortened(outcome)), *map(str, outcome.findings), f"make simulate SEED={seed}"]
        )


def test_parquet_tables_agree_too() -> None:
    assert not simulate(1, parquet=True).findings


def test_a_seed_replays_exactly() -> None:
    first, second = simulate(0), simulate(0)
    assert first.world.trace == second.world.trace
    assert first.world.raw._objects == second.world.raw._objects
    assert first.world.trace != simulate(1).world.trace


def test_a_run_goes_on_until_the_dead_letters_of_what_was_forgotten_are_swept() -> None:
    run = Run(0)
    run.producers.waiting = []
    with running(run.world):
        run.forgetting.written("delete", "forgetting/20260327T120000-0.json")
        run.calm()
    late = timedelta(minutes=90)  # the longest time that a run passes at once
    assert run.world.now - run.forgetting.last > 2 * (CHECK_PERIOD + late).total_seconds()
    assert sum(event.what == f"put {keys.control('dead-unneeded')}" for event in run.world.trace) >= 2


def test_an_edit_above_a_function_leaves_its_faults_where_they_are() -> None:
    source = "def work(store):\n    pass\n    store.delete('x')\n"

    def site(above: int) -> Site:
        (code,) = (
            c for c in compile("\n" * above + source, "x", "exec").co_consts if isinstance(c, CodeType)
        )
        return Site.of("night/x.py", code, above + 3)

    assert (site(0).line, site(5).line) == ("night/x.py:3", "night/x.py:8")
    assert site(0).name == site(5).name == "night/x.py:work+2"


def test_the_faults_of_a_run_alone_give_the_same_run() -> None:
    whole = simulate(5)
    again = simulate(5, only=frozenset(whole.world.faults))
    assert again.world.trace == whole.world.trace


@pytest.mark.parametrize(
    ("defect", "kind", "first"),
    [
        ("failure-replaces-result", "ended twice", 2),
        ("marker-deleted-first", "lost", 18),
        ("marker-revived", "left over", 6),
        ("id-of-everyone", "good result replaced", 16),
        ("no-repair", "left over", 3),
        ("no-note-of-callbacks", "no callback", 0),
    ],
)
def test_a_known_defect_is_found(defect: str, kind: str, first: int) -> None:
    with known_bad.applied(defect):
        found(kind, first)


def test_a_failure_is_made_short_and_says_what_happened() -> None:
    with known_bad.applied("marker-deleted-first"):
        outcome = found("lost", 18)
        short = shortened(outcome, runs=8)
        lines = story(short)
    assert short.kind == outcome.kind
    assert len(short.world.faults) < len(outcome.world.faults)
    assert any("delete pending/" in line for line in lines)
    assert len(lines) < len(outcome.world.trace)


@pytest.mark.long
def test_an_aim_hits_its_call_and_changes_nothing_before() -> None:
    plain = simulate(3)
    site = sorted(plain.world.coverage.open & sites.found())[0]
    for point in POINTS:
        aimed = simulate(3, aims=[Aim(site, point)])
        assert (site, point) in aimed.world.coverage.hit
    again = simulate(3, aims=[Aim.parse(str(Aim(site, point)))])
    assert again.world.trace == aimed.world.trace


def test_a_directed_course_aims_at_each_call_once_with_each_fault() -> None:
    course = Course(0, directed=True, known=frozenset({"night/flow.py:1"}))
    first = course.batch()
    assert [run.seed for run in first] == list(range(len(first)))
    earlier = Aim("night/flow.py:9", POINTS[0])
    course.reached({"night/flow.py:1": Planned(7, (earlier,)), "elsewhere.py:2": Planned(8)})
    course.reached({"night/flow.py:1": Planned(9)})
    assert course.batch() == [Planned(7, (earlier, Aim("night/flow.py:1", point))) for point in POINTS]
    assert course.batch()[0] == Planned(len(first))


def test_what_is_left_out_of_the_call_sites_exists() -> None:
    assert len(sites.found()) > 150, "and no call is in a room that is not listed"
    pipeline = Path(sites.__file__).parents[2] / "pipeline"
    for name in sites.LEFT_OUT:
        path, _, function = name.partition(":")
        assert f"def {function}" in (pipeline / path).read_text()
    assert all((pipeline / room).is_dir() for room in (*sites.SIMULATED, *sites.OTHER_ROOMS))
