"""Replayed nights: the decisions of the product, and how they turn out. `benchmarks/forecast.py` has the figures."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.forecast import Figures, figures


@pytest.fixture(scope="module")
def sites() -> list[Figures]:
    """Six small sites of three nights each, always the same."""
    return [figures(seed, 3) for seed in (23, 25, 28, 1, 7, 21)]


def test_the_forecast_is_near_and_its_limits_hold(sites: list[Figures]) -> None:
    errors = [error for one in sites for error in one.errors]
    held = [held for one in sites for held in one.held]
    assert len(errors) == 18
    assert statistics.median(errors) < 0.2
    assert sum(held) >= 13


def test_little_is_wasted_at_close(sites: list[Figures]) -> None:
    capacity = sum(one.capacity for one in sites)
    assert sum(one.wasted for one in sites) < 0.005 * capacity


def test_deadlines_are_met_as_by_one_who_knows_everything(sites: list[Figures]) -> None:
    due = sum(one.with_deadline for one in sites)
    assert due > 500
    assert sum(one.missed - one.clairvoyant for one in sites) < 0.03 * due


@pytest.mark.long
def test_without_looking_at_deadlines_many_are_missed() -> None:
    plain, real = figures(28, 3, hurry=False), figures(28, 3)
    assert plain.missed > 2 * real.missed
