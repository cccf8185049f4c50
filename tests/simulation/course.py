"""Which runs come next: one seed after the other, or runs with an aim, until each call was hit by each fault."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from tests.simulation.faults import POINTS, Aim

SIZE = 50
"""Runs of one batch."""


class Planned(NamedTuple):
    """One run to come."""

    seed: int
    aim: Aim | None = None


class Course:
    """Batches of runs.

    `directed`: a run with an aim is the same as one without until its call is reached, so each call that any run has
    reached can be hit: by six more runs with the same seed, one for each fault.
    """

    def __init__(self, first: int, *, directed: bool, known: frozenset[str]) -> None:
        self._next, self._directed, self._known = first, directed, known
        self._aimed: set[str] = set()
        self._waiting: deque[Planned] = deque()

    def batch(self) -> list[Planned]:
        """The next runs: those with an aim first."""
        if self._waiting:
            return [self._waiting.popleft() for _ in range(min(SIZE, len(self._waiting)))]
        self._next += SIZE
        return [Planned(seed) for seed in range(self._next - SIZE, self._next)]

    def reached(self, by_seed: dict[str, int]) -> None:
        """Note the seeds of the first runs without an aim that reached these sites."""
        if not self._directed:
            return
        for site, seed in sorted(by_seed.items()):
            if site in self._known and site not in self._aimed:
                self._aimed.add(site)
                self._waiting.extend(Planned(seed, Aim(site, point)) for point in POINTS)
