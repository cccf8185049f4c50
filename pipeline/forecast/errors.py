"""How wrong past forecasts were, and what follows from it for the next one (conformal prediction).

The error of a forecast is how far off its P50 was, in widths: 0 where the backlog was done then, 1 where it was done
when the model alone expects nine of ten to be. Errors of a site's own nights count next to those of nights that were
replayed, so that a site that is harder to predict gets wider limits with time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

PRIOR: tuple[float, ...] = (
    -1.33, -0.94, -0.73, -0.60, -0.50, -0.35, -0.28, -0.17, -0.07, 0.01,
    0.10, 0.17, 0.25, 0.38, 0.47, 0.59, 0.73, 0.96, 1.21, 2.72,
)  # fmt: skip
"""Errors on replayed nights, as twenty quantiles: `benchmarks/forecast.py --fit`. They count as so many nights."""

KEPT = 30
"""Errors of a site that count: of its last nights."""

_NINE_OF_TEN = 0.9
_LEAST = 0.02
"""Width below which errors are not counted in widths: that of a few minutes in a night."""


def width(median: float, ninth: float) -> float:
    """The width of a model's forecast: the logarithm of the ninth decile of the seconds by their median."""
    return math.log(ninth / median) if 0 < median < ninth else 0.0


def error(forecast: float, actual: float, wide: float) -> float:
    """The error of one forecast: open seconds that its model expected in the middle, and those that it took."""
    return math.log(max(actual, 1.0) / max(forecast, 1.0)) / max(wide, _LEAST)


def limits(median: float, wide: float, own: Sequence[float]) -> tuple[float, float]:
    """Open seconds within which the backlog is done in one of two, and in nine of ten nights."""
    import numpy as np

    known = [*PRIOR, *own]
    count = len(known)
    level = min(_NINE_OF_TEN * (count + 1) / count, 1.0)  # as one more night is to be within it
    return median, median * math.exp(wide * max(float(np.quantile(known, level, method="inverted_cdf")), 0.0))
