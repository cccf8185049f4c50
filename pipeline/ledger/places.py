"""Where the tasks of a run date are found: their records, or their pending markers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from pipeline import clock
from pipeline.ledger import receipts
from pipeline.ledger.gaps import Gap
from pipeline.ledger.receipts import Accepted
from pipeline.ledger.sheets import Sheets
from pipeline.models import Task
from pipeline.storage import Store, keys

_AHEAD = timedelta(days=7)  # a weekly window opens within a week, so no run date is later than that


class Places(NamedTuple):
    """Keys by task id, of what was `received` on a run date; and keys of others: records of that date, and markers.

    `marked`: all tasks that have a marker, by id, each with one of its keys.
    """

    received: MutableMapping[str, list[str]]
    others: Mapping[str, str]
    markers: Iterable[str]
    marked: Mapping[str, str]


def nights(store: Store, run_date: str) -> list[str]:
    """Run dates on which something received on `run_date` may have ended; later ones of a clock that was ahead, too."""
    first = date.fromisoformat(run_date)
    last = max(first, clock.utc().date() + _AHEAD)
    usual = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    there = keys.run_dates(folder for name in (keys.RESULTS, keys.FAILED) for folder in store.folders(name))
    return [*usual, *(night for night in there if night > usual[-1])]


def following(run_date: str) -> list[str]:
    """The next run dates, of a week."""
    first = date.fromisoformat(run_date) + timedelta(days=1)
    return [(first + timedelta(days=n)).isoformat() for n in range(_AHEAD.days)]


def find(store: Store, received: Container[str], dates: list[str]) -> Places:
    """Look for received tasks on the given run dates: records before the marker; those found nowhere are omitted.

    Markers are listed first: a task that ends meanwhile is then found among the records.
    """
    sheets = Sheets()
    found, others, marked, markers = (
        sheets.new(list[str]),
        sheets.new(str),
        sheets.new(str),
        sheets.new(str),
    )
    for key in store.list(keys.PENDING):
        markers[key] = keys.task_id_of(key)
    for key in chain.from_iterable(
        store.list(prefix) for night in dates for prefix in (keys.results(night), keys.failures(night))
    ):
        if (task_id := keys.task_id_of(key)) in received:
            found[task_id] = [*found.get(task_id, ()), key]
        elif keys.run_date_of(key) == dates[0]:
            others.setdefault(task_id, key)
    # A marker next to a record means that the last step will be repeated, or that the document is reprocessed: it is
    # done in either case.
    for key, task_id in markers.items():
        marked[task_id] = key
        if task_id in received:
            found.setdefault(task_id, [key])
            del markers[key]
    return Places(found, others, markers, marked)


def missing(
    store: Store, received: Mapping[str, Sequence[Accepted | Task]], places: MutableMapping[str, list[str]]
) -> Iterator[Gap]:
    """Tasks found nowhere; one that was redriven during the listing has a marker now."""
    lost = [task_id for task_id in received if task_id not in places]
    listed = ((keys.task_id_of(key), key) for key in (store.list(keys.PENDING) if lost else ()))
    wanted = set(lost)
    marked = {task_id: key for task_id, key in listed if task_id in wanted}
    for task_id in lost:
        if task_id in marked:
            places[task_id] = [marked[task_id]]
            continue
        yield Gap(
            kind="missing",
            task_id=task_id,
            source=received[task_id][0].source,
            detail="is neither done nor failed nor pending: `--repair` resumes it if its bytes are in the store or at "
            "its source, else submit it again under another id",
        )


def twice(
    store: Store,
    received: Mapping[str, Sequence[Accepted]],
    places: Mapping[str, list[str]],
    dates: list[str],
) -> Iterator[Gap]:
    """Tasks with more records than receipts; `nightshift run` may be given a document for two dates."""
    several = {
        t: still for t, found in places.items() if len(found) > 1 and (still := _still(store, found))[1:]
    }
    counts = dict.fromkeys(several, 1)
    for night in dates[1:] if several else ():
        named = (task.task_id for one in receipts.of_date(store, night, Accepted) for task in one.tasks)
        for task_id in {task_id for task_id in named if task_id in several}:
            counts[task_id] += 1
    for task_id, found in several.items():
        if len(found) > counts[task_id] or len({key.rsplit("/", 2)[1] for key in found}) < len(found):
            yield Gap(
                kind="twice",
                task_id=task_id,
                source=received[task_id][0].source,
                detail=f"has {len(found)} records: {', '.join(found)}",
            )


def _still(store: Store, found: list[str]) -> list[str]:
    return [key for key in found if store.exists(key)]
