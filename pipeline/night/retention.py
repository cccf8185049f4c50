"""Retention: what is kept for how many days, by NIGHTSHIFT_KEEP_DAYS; the rest is deleted by housekeeping.

Only what has ended and is in the tables of its night is deleted, and only while the window is closed. One tick works
for a few seconds; the next one continues. Without the setting everything is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pipeline import clock
from pipeline.ledger import actions, removed, reported, tabled, timeline
from pipeline.night import forget, inventory, originals, selection
from pipeline.night.checks import CHECK_PERIOD, claimed, last_made
from pipeline.night.keep_days import parse
from pipeline.night.night import Night
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_SECONDS = 20.0  # of one tick
_MOST = 2000  # tasks that one tick forgets
_RECORDS: Mapping[str, tuple[str, ...]] = {
    "results": (keys.RESULTS, keys.PARTIAL),
    "failures": (keys.FAILED, keys.FAILED_AGAIN, keys.UNDELIVERED),
}


def retain(night: Night, now: datetime) -> None:
    """Delete what is kept no longer; hourly, while the window is closed, or at any time if it never closes.

    Raises `UsageError`, what the store raises, and `Damaged` for tables that can't be read.
    """
    days = parse(night.settings.keep_days)
    window = night.schedule.window
    never_closes = window.contains(now) and window.next_close(now) is None
    if not days or (window.contains(now, night.schedule.override()) and not never_closes):
        return
    key = keys.control("retention")
    last = last_made(night.store, key, now)
    if last and now - last < CHECK_PERIOD:
        return
    with claimed(night.store, key, now):
        finished = _work(night, days, time.monotonic() + _SECONDS)
    if not finished:
        night.store.delete(key)  # the next tick continues


def _work(night: Night, days: Mapping[str, int], end: float) -> bool:
    """Whether all was done in time."""
    today = datetime.fromisoformat(night.schedule.run_date()).date()
    for kind, kept in days.items():
        before = (today - timedelta(days=kept)).isoformat()
        if kind == "all":
            timeline.remove(night.store, before)
        for old in _due(night.store, kind, before):
            if time.monotonic() > end:
                return False
            if kind == "all":
                if not _forget(night, old):
                    return False
            elif kind in _RECORDS:
                _remove_records(night.store, kind, old)
            elif kind == "reports":
                _remove_reports(night.store, old)
                removed.note(night.store, old, kind, clock.now())
            else:
                _remove_bytes(night.store, kind, old, before)
    return True


def _due(store: Store, kind: str, before: str) -> Iterator[str]:
    """Nights older than that whose tables were written, and from which this kind was not removed yet."""
    for night in inventory.nights(store):
        tables = night < before and store.exists(keys.summary("documents", night))
        known = removed.of(store, night)
        if tables and (kind not in known.at or kind in known.begun):
            yield night


def _forget(night: Night, old: str) -> bool:
    """Forget documents of a night that its tables have; whether this night needs no more of this tick.

    Others, such as late ones, stay until a summary has them, and the night until none is left.
    """
    store = night.store
    chosen = selection.Selector(night=old)
    plan = selection.plan(store, chosen, actor=actions.actor(), reason="retention", most=_MOST)
    if plan is None:
        if next(inventory.of_night(store, old), None) is None:
            _remove_reports(store, old)
            removed.note(store, old, "all", clock.now())
        return True
    actions.record(store, "retention.forget", detail={"run": plan.run, "tasks": str(len(plan.targets))})
    forget.finish(store, plan, forget.carry_out(store, plan))
    return len(plan.targets) < _MOST


def _remove_records(store: Store, kind: str, old: str) -> None:
    """Delete the records of a night that its tables have; the others, such as late ones, are kept until they have."""
    rows, changed = tabled.rows(store, old), tabled.marked(store, old)
    there = {key for prefix in _RECORDS[kind] for key in store.list(f"{prefix}run_date={old}/")}
    listed = {key for key in there if keys.task_id_of(key) not in changed}
    known = {key for key in listed if keys.task_id_of(key) in rows}
    before = removed.of(store, old)
    if not before.records and (known != listed or changed):
        return  # a summary is due, which needs all records
    removed.note(store, old, kind, clock.now(), begun=True)
    if not before.records and "tables" in tabled.marked(store, old):
        removed.put(
            store, old, before
        )  # a summary has begun to replace the tables, and needs the records if it dies
        return
    held = _in_progress(store, known) if kind == "results" else set()
    actions.record(store, "retention", subject=f"{kind} of {old}", detail={"objects": str(len(known - held))})
    _delete(store, known - held)
    if not held:  # else once these have ended
        removed.note(store, old, kind, clock.now())


def _in_progress(store: Store, results: set[str]) -> set[str]:
    """Those of tasks that are being reprocessed: if that fails, it must find that they were done."""
    if not results:
        return set()
    pending = {keys.task_id_of(key) for key in store.list(keys.PENDING)}
    return {key for key in results if keys.task_id_of(key) in pending}


def _remove_reports(store: Store, old: str) -> None:
    """Delete the morning report of a night, and the samples of its course."""
    actions.record(store, "retention", subject=f"reports of {old}")
    reported.erase(store, old, notes=True)
    store.delete(keys.report_due(old))
    _delete(store, set(store.list(keys.timeline(old))))


def _remove_bytes(store: Store, kind: str, old: str, before: str) -> None:
    """Delete bytes, or what was computed from them, of the documents of a night that no task still needs."""
    hashes = {item.sha256 for item in inventory.of_night(store, old) if item.sha256}
    hashes -= {item.sha256 for item in inventory.items(store, since=before) if item.sha256}
    found: set[str] = set()
    if kind == "checkpoints":
        prefixes = [prefix for sha256 in sorted(hashes) for prefix in keys.caches_of(sha256)]
        found = {key for keys_ in in_threads(lambda p: list(store.list(p)), prefixes) for key in keys_}
    count = len(found) if kind == "checkpoints" else len(hashes)
    actions.record(store, "retention", subject=f"{kind} of {old}", detail={"objects": str(count)})
    if kind == "documents":
        originals.delete(store, hashes, since=before)
        reported.without_pictures(store, old)
    _delete(store, found)
    removed.note(store, old, kind, clock.now())


def _delete(store: Store, names: set[str]) -> None:
    for _ in in_threads(lambda key: originals.erase(store, key), sorted(names)):
        pass
