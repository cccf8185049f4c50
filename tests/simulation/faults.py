"""What goes wrong in one simulated run, drawn from its seed.

Each run has rates of its own, many of them zero: a run in which everything fails at once reaches less than many runs
that each exaggerate a few kinds of trouble (swarm testing).
"""

from __future__ import annotations

import math
import random
import zlib
from dataclasses import dataclass, field

DIE, PAUSE, ERROR = "death", "pause", "error"
KINDS = (DIE, PAUSE, ERROR)
NEVER = 1 << 60
PARTS = 24
"""Parts into which the call sites are divided, by a checksum of their names."""
FOCUS = 0.15
"""Probability of a fault at a call site of the part in focus."""


@dataclass(frozen=True)
class Rates:
    """How often things go wrong in one run; 0 is never."""

    call: float
    """Probability of a fault at one store call or publish."""
    focus: int | None
    """Where faults are frequent: at the call sites of this one of `PARTS`; `None`: nowhere in particular."""
    kinds: dict[str, int]
    """Weight of each kind of fault there."""
    long_pause: float
    """Share of pauses that last hours or nights; the others last seconds."""
    doubled: float
    """Share of messages that the broker delivers twice."""
    reordered: float
    """Probability that a message overtakes others."""
    connection: float
    """Probability, each round, that a worker's connection is lost and its message returns while it goes on."""
    outage: float
    """Probability, each round, that the store or the broker is unavailable for a while."""
    disk_lost: float
    """Probability, each round, that the broker loses its disk."""
    operator: float
    """Probability, each round, of a command of the operator."""
    restart: float
    """Probability, each round, that a worker is restarted, perhaps with other settings or another clock."""
    clock: float
    """Probability, each round, that a worker's clock jumps."""
    vanish: float
    """Probability, each round, that sources of documents that are done are removed."""
    skew: float
    """Largest error of a process's clock, in seconds."""

    @classmethod
    def draw(cls, rng: random.Random) -> Rates:
        """Rates of one run."""
        kinds = {kind: rng.choice((0, 1, 1, 4)) for kind in KINDS}
        if not any(kinds.values()):
            kinds = dict.fromkeys(KINDS, 1)
        return cls(
            call=rng.choice((0.0, 0.003, 0.01, 0.03, 0.06)),
            focus=rng.choice((None, None, rng.randrange(PARTS))),
            kinds=kinds,
            long_pause=rng.choice((0.1, 0.5, 0.9)),
            doubled=rng.choice((0.0, 0.0, 0.1, 0.3)),
            reordered=rng.choice((0.0, 0.2, 1.0)),
            connection=rng.choice((0.0, 0.02, 0.1)),
            outage=rng.choice((0.0, 0.0, 0.01)),
            disk_lost=rng.choice((0.0, 0.0, 0.003, 0.01)),
            operator=rng.choice((0.0, 0.02, 0.08)),
            restart=rng.choice((0.0, 0.0, 0.01, 0.03)),
            clock=rng.choice((0.0, 0.0, 0.02)),
            vanish=rng.choice((0.0, 0.05)),
            skew=rng.choice((0.0, 0.0, 2.0, 60.0, 900.0)),
        )

    def until_next(self, rng: random.Random) -> int:
        """Calls until the next fault: geometric, so each call is equally likely to be hit."""
        if not self.call:
            return NEVER
        return 1 + int(math.log(1.0 - rng.random()) / math.log(1.0 - self.call))

    def in_focus(self, name: str) -> bool:
        """Whether faults are frequent at the call site with this name."""
        return self.focus is not None and zlib.crc32(name.encode()) % PARTS == self.focus

    def kind(self, rng: random.Random) -> str:
        """What happens at a call that is hit."""
        return rng.choices(KINDS, [self.kinds[kind] for kind in KINDS])[0]


@dataclass(frozen=True)
class Point:
    """A kind of fault, before its call has taken effect or after it."""

    kind: str
    after: bool

    def __str__(self) -> str:
        return f"{self.kind}-{'after' if self.after else 'before'}"


POINTS = tuple(Point(kind, after) for kind in KINDS for after in (False, True))


@dataclass(frozen=True)
class Aim:
    """The fault that one run has at the first call of one site, in addition to those that are drawn."""

    site: str
    point: Point

    def __str__(self) -> str:
        return f"{self.site}={self.point}"

    @classmethod
    def parse(cls, text: str) -> Aim:
        """Of `night/flow.py:57=death-after`; raises `ValueError`."""
        site, _, name = text.partition("=")
        points = {str(point): point for point in POINTS}
        if name not in points:
            raise ValueError(f"expected SITE=FAULT with one of {', '.join(points)}")
        return cls(site, points[name])


@dataclass
class Coverage:
    """Which call sites were reached, and which of them were hit by which fault; adds up over runs.

    `open`: sites that were reached while a fault was possible.
    """

    reached: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    hit: set[tuple[str, Point]] = field(default_factory=set)

    def add(self, other: Coverage) -> None:
        self.reached |= other.reached
        self.open |= other.open
        self.hit |= other.hit

    def sites(self, kind: str) -> set[str]:
        """The sites that this kind of fault has hit."""
        return {site for site, point in self.hit if point.kind == kind}

    def whole(self) -> set[str]:
        """The sites that all faults have hit, before their calls and after them."""
        return {site for site in self.reached if all((site, point) in self.hit for point in POINTS)}
