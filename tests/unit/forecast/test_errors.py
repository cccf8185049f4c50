"""What past errors say about the next forecast."""

from __future__ import annotations

import math
import random

import pytest

from pipeline.forecast import errors
from pipeline.forecast.errors import PRIOR, error, limits, width


def test_a_width_is_from_the_median_to_the_ninth_decile() -> None:
    assert width(100.0, 150.0) == pytest.approx(math.log(1.5))
    assert width(100.0, 100.0) == width(0.0, 10.0) == 0.0


def test_the_error_is_counted_in_widths() -> None:
    wide = width(1000.0, 1500.0)
    assert error(1000.0, 1500.0, wide) == pytest.approx(1.0)
    assert error(1000.0, 1000.0, wide) == 0.0
    assert error(1000.0, 1000.0 / 1.5, wide) == pytest.approx(-1.0)
    assert math.isfinite(error(0.0, 500.0, 0.0))


def test_before_the_first_night_the_replayed_ones_count() -> None:
    assert list(PRIOR) == sorted(PRIOR)
    likely, sure = limits(1000.0, 0.2, [])
    assert likely == 1000.0
    assert sure == pytest.approx(
        1000.0 * math.exp(0.2 * PRIOR[18])
    )  # the 19th of 20 that one more night joins


def test_own_nights_make_the_limit_wider_or_narrower_but_never_earlier_than_the_middle() -> None:
    _, usual = limits(1000.0, 0.2, [])
    _, hard = limits(1000.0, 0.2, [2.0] * 10)
    _, easy = limits(1000.0, 0.2, [0.0] * 30)
    assert 1000.0 <= easy < usual < hard == pytest.approx(1000.0 * math.exp(0.4))
    assert limits(1000.0, 0.2, [-9.0] * 300)[1] >= 1000.0


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_after_a_month_nine_of_ten_nights_are_within_the_limit_whatever_the_site_is_like(
    scale: float,
) -> None:
    draw = random.Random(1)
    held = 0
    for _ in range(1000):
        own = [draw.gauss(0.0, scale) for _ in range(errors.KEPT)]
        _, sure = limits(1000.0, 0.2, own)
        held += math.log(draw.lognormvariate(0.0, 0.2 * scale)) <= math.log(sure / 1000.0)
    assert 860 <= held <= 995
