"""The forecast, the admission near close and deadlines on replayed nights: a virtual clock, the product's decisions.

    python benchmarks/forecast.py [--sites 100] [--nights 10] [--first 1000] [--processes 2]
    python benchmarks/forecast.py --fit --sites 60 --first 5000

Each site has its own pace, documents (1 to 200 pages, lognormal seconds), load, window in Europe/Berlin and beginning
in the year, and replays four nights that are only learned from, then those that count. It prints: the error of the
P50 thirty minutes after the window opened, |P50 - actual| / (actual - then); how often the P90 held; the share of
device seconds wasted at close (idle although work waits, or killed); deadlines missed, next to a clairvoyant. Each
site is replayed again without admission and without looking at deadlines. `--fit` prints instead the errors of these
nights as `pipeline.forecast.errors.PRIOR`: by other sites than those that are reported.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from pipeline.forecast.errors import PRIOR
from tests.support.replay import LOOK, Outcome, Site, clairvoyant

LEARNED, AFTER = 4, 2
"""Nights before those that count, and after them, in which what is left is done."""

_NEVER = 20.0  # error of a forecast of work that was not done in the nights that were replayed


class Figures(NamedTuple):
    """Of one site. `errors`: of the P50; `held`: of the P90; `missed`: deadlines; so of the clairvoyant.

    `widths`: of the P50, as `pipeline.forecast.errors` counts them.
    """

    errors: list[float]
    widths: list[float]
    held: list[bool]
    wasted: float
    late: float
    capacity: float
    missed: int
    clairvoyant: int
    with_deadline: int


def figures(seed: int, nights: int, *, admission: bool = True, hurry: bool = True) -> Figures:
    """Replay one site."""
    site = Site(seed, admission=admission, hurry=hurry)
    count = LEARNED + nights + AFTER
    counted = site.run(count)[LEARNED : LEARNED + nights]
    rated = [found for one in counted if (found := _rated(one)) is not None]
    last = site.intervals[count - 1][1]
    assert last is not None
    due = {one.number: one for one in site.documents if one.deadline and one.deadline <= last.timestamp()}
    late = {number for number, one in due.items() if one.done is None or one.done > (one.deadline or 0.0)}
    return Figures(
        errors=[error for error, _ in rated],
        widths=[_width(site, one) for one in counted if one.forecast and one.waiting],
        held=[held for _, held in rated],
        wasted=sum(one.wasted for one in counted),
        late=sum(one.late for one in counted),
        capacity=sum(one.capacity for one in counted),
        missed=len(late),
        clairvoyant=len(clairvoyant(site, count) & due.keys()),
        with_deadline=len(due),
    )


def _rated(one: Outcome) -> tuple[float, bool] | None:
    """Relative error of the P50, and whether the P90 held; `None` for a night that was over at the time."""
    if one.forecast is None or not one.waiting:
        return None
    then, actual, p50, p90 = one.opened + LOOK, one.actual, one.forecast.p50, one.forecast.p90
    if actual is None:  # not done two nights later
        return 1.0, p90 is None
    error = abs(p50.timestamp() - actual) / (actual - then) if p50 else 1.0
    return error, p90 is None or actual <= p90.timestamp()


def _width(site: Site, one: Outcome) -> float:
    found = site.error(one)
    return _NEVER if found is None else min(found, _NEVER)


def _both(arguments: tuple[int, int]) -> tuple[Figures, Figures]:
    seed, nights = arguments
    return figures(seed, nights), figures(seed, nights, admission=False, hurry=False)


def _figures(arguments: tuple[int, int]) -> Figures:
    return figures(*arguments)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first site")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fit", action="store_true", help="print the errors of these nights")
    given = parser.parse_args()
    seeds = [(given.first + number, given.nights) for number in range(given.sites)]
    found: list[tuple[Figures, Figures]] = []
    with ProcessPoolExecutor(given.processes) as pool:
        if given.fit:
            every = [error for one in pool.map(_figures, seeds) for error in one.widths]
            print(", ".join(f"{np.quantile(every, (n + 0.5) / len(PRIOR)):.2f}" for n in range(len(PRIOR))))
            return
        for one in pool.map(_both, seeds):
            found.append(one)
            if len(found) % 10 == 0:
                _print(found)
    _print(found)


def _print(found: list[tuple[Figures, Figures]]) -> None:
    real, plain = (list(part) for part in zip(*found, strict=True))
    errors = sorted(error for one in real for error in one.errors)
    held = [held for one in real for held in one.held]
    due = sum(one.with_deadline for one in real)
    print(
        f"{len(errors)} nights: error of P50 median {statistics.median(errors):.3f}, "
        f"nine of ten below {errors[int(0.9 * len(errors))]:.3f}; P90 held in {sum(held) / len(held):.3f}; "
        f"wasted at close {_share(real, 'wasted'):.5f}, held after close {_share(real, 'late'):.6f} "
        f"(without admission {_share(plain, 'wasted'):.5f} and {_share(plain, 'late'):.6f}); "
        f"{due} deadlines, missed {sum(one.missed for one in real) / due:.4f}, "
        f"clairvoyant {sum(one.clairvoyant for one in real) / due:.4f}, "
        f"not looked at {sum(one.missed for one in plain) / due:.4f}",
        flush=True,
    )


def _share(some: list[Figures], name: str) -> float:
    return float(sum(getattr(one, name) for one in some) / sum(one.capacity for one in some))


if __name__ == "__main__":
    main()
