"""The simulation itself: fixed seeds pass, a seed replays exactly, and known defects are found."""

from collections.abc import Iterator

import pytest

from tests.simulation import known_bad, patches
from tests.simulation.run import Outcome, simulate
from tests.simulation.trace import shortened, story

SEEDS = range(60)
ENOUGH = 150
"""Runs within which each known defect is found; most are found within ten."""


@pytest.fixture(autouse=True)
def _patched() -> Iterator[None]:
    with patches.installed():
        yield


def found(kind: str, seeds: range = range(ENOUGH)) -> Outcome:
    """The first run that is found wrong by a check of this kind."""
    for seed in seeds:
        outcome = simulate(seed)
        if any(finding.kind == kind for finding in outcome.findings):
            return outcome
    pytest.fail(f"no run of {seeds} is wrong by {kind}")


@pytest.mark.parametrize("first", SEEDS[::20])
def test_each_document_ends_exactly_once(first: int) -> None:
    for seed in range(first, first + 20):
        outcome = simulate(seed)
        assert not outcome.findings, "\n".join(
            [*story(shortened(outcome)), *map(str, outcome.findings), f"make simulate SEED={seed}"]
        )


def test_parquet_tables_agree_too() -> None:
    assert not simulate(1, parquet=True).findings


def test_a_seed_replays_exactly() -> None:
    for seed in range(3):
        first, second = simulate(seed), simulate(seed)
        assert first.world.trace == second.world.trace
        assert first.world.raw._objects == second.world.raw._objects
        assert first.world.trace != simulate(seed + 1).world.trace


def test_the_faults_of_a_run_alone_give_the_same_run() -> None:
    whole = simulate(5)
    again = simulate(5, only=frozenset(whole.world.faults))
    assert again.world.trace == whole.world.trace


@pytest.mark.parametrize(
    ("defect", "kind"),
    [
        ("failure-replaces-result", "ended twice"),
        ("marker-deleted-first", "lost"),
        ("marker-revived", "left over"),
        ("id-of-everyone", "good result replaced"),
        ("no-repair", "left over"),
        ("no-note-of-callbacks", "no callback"),
    ],
)
def test_a_known_defect_is_found(defect: str, kind: str) -> None:
    with known_bad.applied(defect):
        outcome = found(kind)
        assert simulate(outcome.seed).findings == outcome.findings


def test_a_failure_is_made_short_and_says_what_happened() -> None:
    with known_bad.applied("marker-deleted-first"):
        outcome = found("lost")
        short = shortened(outcome, runs=15)
        lines = story(short)
    assert short.kind == outcome.kind
    assert len(short.world.faults) < len(outcome.world.faults)
    assert any("delete pending/" in line for line in lines)
    assert len(lines) < len(outcome.world.trace)
