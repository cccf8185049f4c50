"""Records that retention has removed from a night: its tables say how their documents ended.

The note is written before the first record is deleted. From then on the night's tables are not written again.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress

import msgspec

from pipeline.errors import Damaged
from pipeline.ledger import tabled
from pipeline.ledger.gaps import Gap
from pipeline.ledger.tabled import Row
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """When retention removed each kind of a night (`documents`, `checkpoints`, `results`, `failures`), UTC.

    `begun`: those of these of which some may be left, as the process died.
    """

    at: dict[str, str] = {}
    begun: tuple[str, ...] = ()

    @property
    def records(self) -> bool:
        """Whether records were removed."""
        return bool({"results", "failures"} & self.at.keys())


def of(store: Store, run_date: str) -> Removed:
    """What retention has removed from a night."""
    return read_or_none(store, keys.night(run_date, "removed"), Removed) or Removed()


def note(store: Store, run_date: str, kind: str, at: str, *, begun: bool = False) -> None:
    """Note that a kind is removed from a night, or that this is `begun`."""
    known = of(store, run_date)
    others = tuple(one for one in known.begun if one != kind)
    now = Removed(at=known.at | {kind: at}, begun=(*others, kind) if begun else others)
    put(store, run_date, now)


def put(store: Store, run_date: str, known: Removed) -> None:
    """Note what is removed from a night."""
    store.put(keys.night(run_date, "removed"), to_json(known))


def rows(store: Store, since: str, only: Container[str]) -> dict[str, Row]:
    """The rows of these tasks, by id, of the nights from a run date on from which records were removed."""
    found: dict[str, Row] = {}
    for night in keys.run_dates(store.folders(keys.NIGHTS)):
        if night >= since and of(store, night).records:
            with suppress(Damaged):  # then they are missing
                found |= tabled.rows(store, night, only)
    return found


def explained(gap: Gap, known: dict[str, Row]) -> bool:
    """Whether a discrepancy is only that retention has removed a record."""
    return gap.kind in ("missing", "record_missing") and gap.task_id in known
