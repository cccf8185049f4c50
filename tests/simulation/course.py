"""Which runs come next: one seed after the other, or runs that aim at calls, until each call was hit by each fault."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from tests.simulation.faults import POINTS, Aim

SIZE = 50
"""Runs of one batch."""


class Planned(NamedTuple):
    """One run to come."""

    seed: int
    aims: tuple[Aim, ...] = ()


class Course:
    """Batches of runs.

    `directed`: a run with one more aim is the same as without it until its call is reached, so each call that any run
    has reached can be hit: by six more runs, one for each fault.
    """

    def __init__(self, first: int, *, directed: bool, known: frozenset[str]) -> None:
        self._next, self._directed, self._known = first, directed, known
        self._aimed: set[str] = set()
        self._waiting: deque[Planned] = deque()

    def batch(self) -> list[Planned]:
        """The next runs: those with aims first."""
        if self._waiting:
            return [self._waiting.popleft() for _ in range(min(SIZE, len(self._waiting)))]
        self._next += SIZE
        return [Planned(seed) for seed in range(self._next - SIZE, self._next)]

    def reached(self, by_site: dict[str, Planned]) -> None:
        """Note the first runs that reached these sites."""
        if not self._directed:
            return
        for site, run in sorted(by_site.items()):
            if site in self._known and site not in self._aimed:
                self._aimed.add(site)
                self._waiting.extend(Planned(run.seed, (*run.aims, Aim(site, point))) for point in POINTS)
