"""The nights before: from their reports where these were written, else from their tables."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from pipeline.errors import Damaged
from pipeline.ledger import reported
from pipeline.night import inventory
from pipeline.report import figures
from pipeline.report.facts import REPORT_VERSION, Confidence, Nightly, Share
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

NIGHTS = 7


class Before(msgspec.Struct, kw_only=True):
    """One night before; a number is `None` where it is not known, as of a night without a report."""

    numbers: dict[str, int | None] = {}
    kinds: dict[str, int] = {}
    tenants: dict[str, int] = {}
    media: dict[str, int] = {}
    confidence: tuple[int, ...] = ()


class _Reported(msgspec.Struct):
    """What is read of a report."""

    numbers: tuple[Nightly, ...]
    kinds: tuple[Share, ...]
    tenants: tuple[Share, ...]
    media: tuple[Share, ...]
    confidence: Confidence
    report_version: int


def nights(store: Store, run_date: str) -> list[Before]:
    """Up to `NIGHTS` nights before this one, oldest first; those whose tables can't be read know nothing."""
    known_by = keys.run_dates(store.folders(keys.REPORTS))
    names = sorted(name for name in {*inventory.nights(store), *known_by} if name < run_date)
    return [_night(store, name, known=name in known_by) for name in names[-NIGHTS:]]


def _night(store: Store, run_date: str, *, known: bool) -> Before:
    found = read_or_none(store, keys.report(run_date, reported.FACTS), _Reported) if known else None
    if found and found.report_version == REPORT_VERSION:
        return Before(
            numbers={one.name: one.value for one in found.numbers},
            kinds=_counts(found.kinds),
            tenants=_counts(found.tenants),
            media=_counts(found.media),
            confidence=found.confidence.tonight,
        )
    with suppress(Damaged):
        if it := figures.of_night(store, run_date):
            return Before(
                numbers={"done": it.done, "unwell": it.partial + it.failed, "review": it.review},
                kinds=it.kinds,
                tenants=it.tenants,
                media=it.media,
                confidence=it.confidence,
            )
    return Before()


def _counts(shares: tuple[Share, ...]) -> dict[str, int]:
    return {one.name: one.value for one in shares if one.name != OTHERS}


SHOWN = 12
"""Values of a dimension that are shown; the rest together is `OTHERS`."""
OTHERS = "…"


def shares(tonight: dict[str, int], before: list[dict[str, int]]) -> tuple[Share, ...]:
    """What came tonight by value, most frequent first, with the mean of the nights of which something is known."""
    known = [one for one in before if one]
    means = {
        name: sum(one.get(name, 0) for one in known) / len(known)
        for name in {n for one in known for n in one}
    }
    names = sorted({*tonight, *means}, key=lambda n: (-tonight.get(n, 0), -means.get(n, 0.0), n))
    found = [
        Share(name=n, value=tonight.get(n, 0), before=round(means.get(n, 0.0), 2) if known else None)
        for n in names
    ]
    rest = found[SHOWN:]
    if not rest:
        return tuple(found)
    value, mean = sum(one.value for one in rest), sum(one.before or 0.0 for one in rest)
    return (*found[:SHOWN], Share(name=OTHERS, value=value, before=round(mean, 2) if known else None))
