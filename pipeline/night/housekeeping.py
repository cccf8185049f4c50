"""What happens once a night or now and then: release what was delayed, repair, summarise.

`tick` is called every half minute by beat. It keeps no state but what lies in the store, so it does not
matter if it is called twice, late, or not for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain

import msgspec
from msgspec import structs

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import records as ledger
from pipeline.messages import Message, message
from pipeline.models import Task, from_json, to_json
from pipeline.night import callbacks
from pipeline.night.flow import Flow
from pipeline.storage import Store, keys
from pipeline.tables.summary import summarise
from pipeline.threads import in_threads

_NIGHTS = 3  # how many past nights may still get late results
_PATIENCE = timedelta(hours=1)  # between summaries, and between repairs, while work goes on
_LEASE = timedelta(minutes=30)  # longer than a tick may live
_UNDER_WAY = -1  # records of a night whose summary was begun: another tick does it, or it failed
_GLANCE = timedelta(minutes=5)  # between looks at nights that are over


class Summarised(msgspec.Struct, frozen=True):
    """What was seen when a night was last looked at: how many results and failures, and whether tasks were left."""

    records: int
    at: datetime
    left: bool = False


Publish = Callable[[list[Message]], None]


def tick(flow: Flow, ready: Callable[[], int], publish: Publish) -> None:
    """Do what is due. `ready()` counts the messages waiting in the broker.

    What is noted as published has been: a summary that fails costs no message.
    """
    now = datetime.now(UTC)
    release_delayed(flow, now, publish)
    ask_again(flow, now, publish)
    if flow.window.contains(now, flow.override()):
        repair(flow, now, ready, publish)
    summarise_due(flow, now)


class Checked(msgspec.Struct, frozen=True):
    """When something was last looked at that need not be looked at each time, or has begun to be."""

    at: datetime
    done: bool = True


def repair(flow: Flow, now: datetime, ready: Callable[[], int], publish: Publish) -> None:
    """Publish messages for tasks whose own are lost; a task that has one besides does nothing twice.

    At open most of them are missing when the broker has lost its disk; what workers have in hand is missing
    too, and no reason to publish a whole backlog again. Single ones show when the queues have run empty and
    tasks are left, which is looked at hourly.
    """
    key = keys.night(flow.run_date(), "opened")
    last = _checked(flow.store, key, now)
    if last and now - last < _PATIENCE:
        return
    with _by_one(flow.store, key, now):
        tasks = sum(1 for _ in flow.store.list(keys.PENDING)) - sum(1 for _ in flow.store.list(keys.DELAYED))
        waiting = ready() if tasks > 0 else 0
        lost = waiting == 0 if last else 2 * waiting < tasks
        if tasks > 0 and lost:
            for order in republish(flow):
                publish([order])


def ask_again(flow: Flow, now: datetime, publish: Publish) -> None:
    """Publish callbacks whose message was lost, with a worker that died or a broker that was away; hourly."""
    key = keys.control("callbacks")
    last = _checked(flow.store, key, now)
    if last and now - last < _PATIENCE:
        return
    with _by_one(flow.store, key, now):
        for order in callbacks.overdue(flow.store, now - _PATIENCE):
            publish([order])


@contextmanager
def _by_one(store: Store, key: str, now: datetime) -> Iterator[None]:
    """Note a check before it is made, so that the next tick makes it not too; one that breaks off is made anew."""
    store.put(key, to_json(Checked(now, done=False)))
    try:
        yield
    except Exception:
        store.delete(key)
        raise
    store.put(key, to_json(Checked(now)))


def _checked(store: Store, key: str, now: datetime) -> datetime | None:
    """When a check was made; one that was begun and not ended, as its process died, counts for a while only."""
    try:
        last = from_json(store.get(key), Checked)
    except (NotFound, msgspec.DecodeError):
        return None
    return last.at if last.done or now - last.at < _LEASE else None


def release_delayed(flow: Flow, now: datetime, publish: Publish) -> None:
    """Publish the first step of the tasks whose time has come; then each is released."""
    for key in list(flow.store.list(keys.DELAYED)):
        if keys.delayed_until(key) > now:
            break
        try:
            task = ledger.pending(flow.store, keys.task_id_of(key))
        except Damaged:  # the status tells of it; when it is whole again, so is its time
            continue
        if task is not None:
            publish([message("ingest", task)])
        flow.store.delete(key)


def republish(flow: Flow) -> Iterator[Message]:
    """Messages for every task under way, from the step it stands at; those that wait for their time wait on.

    A damaged marker is passed over: the status and the audit tell of it, a message would only run into it.
    """

    def of(key: str) -> list[Message]:
        with suppress(Damaged):
            if task := ledger.pending(flow.store, keys.task_id_of(key)):
                return restart(flow, task)
        return []

    return chain.from_iterable(in_threads(of, flow.store.list(keys.PENDING)))


def restart(flow: Flow, task: Task) -> list[Message]:
    """Messages that take a task up again; steps that are done are found in the store and passed over."""
    if task.media_type is None or task.sha256 is None or task.not_before:
        return [message("ingest", task)]
    return flow.begin(task)


def summarise_due(flow: Flow, now: datetime) -> list[str]:
    """Summarise the nights whose records changed since; returns their run dates.

    These are the last few, told by the number of their records, and any with records that were replaced, redriven
    or discarded, told by the notes that this left. A night is summarised when its window has closed or nothing
    is left to do, and hourly till then; counting a night's records is much work for a store, so that is done now
    and then. Raises `Damaged` for a night with a damaged record, when the others are done.
    """
    done, damaged, changed = [], [], replaced(flow.store)
    left = any(True for _ in flow.store.list(keys.PENDING))
    working = left and flow.window.contains(now, flow.override())
    for run_date in sorted({*nights(flow.store)[-_NIGHTS:], *changed}):
        last = _summarised(flow.store, run_date)
        if last and now - last.at < _pace(last, left, working, run_date in changed):
            if left and not last.left:  # so that their end is noticed
                _note_look(flow.store, run_date, structs.replace(last, left=True))
            continue
        count = records(flow.store, run_date)
        if not last or last.records != count or run_date in changed:
            try:
                _write(flow, run_date, now, left)
            except Damaged as error:  # of this night alone
                damaged.append(error)
                continue
            done.append(run_date)
        _note_look(flow.store, run_date, Summarised(count, now, left))
        for key in changed.get(run_date, ()):  # what was replaced meanwhile has left notes of its own
            flow.store.delete(key)
    if damaged:
        raise damaged[0]
    return done


def _pace(last: Summarised, left: bool, working: bool, changed: bool) -> timedelta:
    """How long after its last look a night is to be looked at again."""
    if last.records == _UNDER_WAY:
        return _LEASE
    if working:
        return _PATIENCE
    return timedelta(0) if changed or (last.left and not left) else _GLANCE


def _write(flow: Flow, run_date: str, now: datetime, left: bool) -> None:
    """Summarise a night, noted first so that the next tick does not begin it too; one that breaks off is made anew."""
    _note_look(flow.store, run_date, Summarised(_UNDER_WAY, max(now, datetime.now(UTC)), left))
    try:
        summarise(flow.store, run_date, masked=flow.settings.mask)
    except Damaged:  # would be damaged the next time, too
        raise
    except Exception:
        flow.store.delete(keys.night(run_date, "summarised"))
        raise


def replaced(store: Store) -> dict[str, list[str]]:
    """Notes of records that were replaced since the last summary, by run date."""
    found: dict[str, list[str]] = {}
    for key in store.list(keys.CHANGED):
        found.setdefault(keys.run_date_of(key), []).append(key)
    return found


def nights(store: Store) -> list[str]:
    """Run dates that have records, in order."""
    prefixes = (keys.NIGHTS, keys.RESULTS, keys.FAILED)
    return sorted({name.removeprefix("run_date=") for prefix in prefixes for name in store.folders(prefix)})


def records(store: Store, run_date: str) -> int:
    """Number of results and failures of a night."""
    return sum(1 for prefix in (keys.results(run_date), keys.failures(run_date)) for _ in store.list(prefix))


def _summarised(store: Store, run_date: str) -> Summarised | None:
    try:
        return from_json(store.get(keys.night(run_date, "summarised")), Summarised)
    except (NotFound, msgspec.DecodeError):
        return None


def _note_look(store: Store, run_date: str, what: Summarised) -> None:
    store.put(keys.night(run_date, "summarised"), to_json(what))


def note_release(store: Store, run_date: str, worker: str, seconds: float) -> None:
    """Note how long after close a worker held no model any more."""
    note = {"worker": worker, "seconds": round(seconds, 1), "at": datetime.now(UTC)}
    store.put(keys.night(run_date, f"released-{worker}"), msgspec.json.encode(note))
