"""The base of the counters: what all writers together had at one moment, so that their objects need not be kept.

Folding adds nothing and loses nothing: the new base says what each writer had, so only what it counts later is added to
it, also where a process that was paused for hours puts an object again that was deleted. An object is deleted only once
the base *before* has all of it, and its process has ended or been silent for hours; so of two processes that fold at
the same time, and one that was paused halfway, either base is right: the higher number counts,
and of two with the same number the one that read later.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from pipeline import clock
from pipeline.ledger.counters import Base, State, Sums, Written
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

MANY = 48
"""Objects of writers that have ended or are silent, from which on they are folded in without a recount."""

NIGHTS = 21
"""Run dates whose sums are kept."""

_SILENT = timedelta(hours=6)  # after which a writer's object is deleted; it may be put again
_KEPT = timedelta(days=7)
"""After which the base does not know a deleted object any more; were it put again, the next recount would put that
right."""


def fold(
    store: Store,
    state: State,
    now: datetime,
    *,
    counted: Sums | None = None,
    oldest: dict[str, str] | None = None,
) -> Base:
    """Write a new base from counters that were read `now`, then delete what it and the one before make superfluous.

    `counted`, `oldest`: what a recount found in the store; names of the same kind that it did not find are 0. Raises
    what the store raises.
    """
    base = new_base(state, now, counted=counted, oldest=oldest)
    store.put(keys.counter_base(base.number, now, uuid.uuid4().hex[:8]), to_json(base))
    for key in state.bases[1:]:  # a reader may have listed the latest
        store.delete(key)
    for key in superfluous(state, now):
        drop(store, key, state.written[key])
    return base


def new_base(
    state: State, now: datetime, *, counted: Sums | None = None, oldest: dict[str, str] | None = None
) -> Base:
    """The base after a state; raises nothing, writes nothing."""
    before, sums = state.base or Base(), state.sums
    if counted is not None:
        sums = {name: amount for name, amount in sums.items() if not _is_counted(name, counted)} | counted
    nights = sorted({name.split("|")[1] for name in sums if name.startswith("night|")})[-NIGHTS:]
    kept = {
        key: one
        for key, one in before.seen.items()
        if key not in state.written and not one.ended and _age(one, now) < _KEPT
    }
    return Base(
        number=before.number + 1,
        recounted=before.recounted if counted is None else now,
        sums={
            name: amount
            for name, amount in sums.items()
            if amount and (not name.startswith("night|") or name.split("|")[1] in nights)
        },
        oldest=before.oldest if oldest is None else oldest,
        seen=kept | state.written,
    )


def _is_counted(name: str, counted: Sums) -> bool:
    """Whether a recount says all about a name: the backlog, what is open, and outcomes of the nights that it listed."""
    if not name.startswith("night|"):
        return True
    _, run_date, what = name.split("|", 2)
    return what in ("done", "partial", "failed") and f"night|{run_date}|done" in counted


def superfluous(state: State, now: datetime) -> list[str]:
    """Keys of the objects that the base has, whose writers have ended or are silent."""
    seen = (state.base or Base()).seen
    return [
        key
        for key, one in state.written.items()
        if key in seen and seen[key].sums == one.sums and (one.ended or _age(one, now) > _SILENT)
    ]


def drop(store: Store, key: str, known: Written) -> None:
    """Delete a writer's object, unless it has been put again since it was read."""
    if known.ended or read_or_none(store, key, Written) == known:
        store.delete(key)


def is_due(state: State, now: datetime) -> bool:
    """Whether there are many objects of writers that will probably write no more."""
    quiet = sum(one.ended or _age(one, now) > _SILENT for one in state.written.values())
    return state.base is not None and quiet >= MANY


def _age(one: Written, now: datetime) -> timedelta:
    """How long ago a writer wrote; one whose clock was ahead counts as having written long ago."""
    age = clock.age(one.at, now)
    return _SILENT * 2 if age is None else age
