"""What a pending document waits for: the first reason that holds, in this order. Pure: no store, no broker."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from pipeline import clock
from pipeline.night.brake import Braked
from pipeline.night.why import at_broker
from pipeline.night.why.model import AtWork
from pipeline.night.why.waiting import Reason, Waiting
from pipeline.tables.masking import masked_sentence


def reason(it: Waiting) -> Reason:
    """Why it waits."""
    found = (one for check in _CHECKS if (one := check(it)))
    return next(found, at_broker.queued(it))


def _running(it: Waiting) -> Reason | None:
    active = [one for one in it.moment.broker.holders if one.since]
    if not active:
        return None
    one = active[0]
    others = f" and {len(active) - 1} more" if len(active) > 1 else ""
    return Reason(
        state="running",
        sentence=f"Being worked on by {one.worker}{others} (step {one.step}) since "
        f"{it.moment.local(one.since)}{it.pages}.",
        following=_after_step(it, one),
        since=one.since.isoformat() if one.since else "",
    )


def _after_step(it: Waiting, one: AtWork) -> str:
    closes = it.moment.window.next_close if it.queue.gpu and it.moment.window.open else None
    if one.step == "ocr" and closes:
        return f"At window close ({it.moment.local(closes)}) it stops at the next page group; pages read are kept."
    return "The next step is published when this one ends."


def _delayed(it: Waiting) -> Reason | None:
    start = clock.moment(it.task.not_before)
    if start is None or start <= it.moment.now:
        return None
    return Reason(
        state="delayed",
        sentence=f"Waits until {it.moment.local(start)}, as its producer asked (not_before).",
        following="Housekeeping then publishes its first step.",
        until=start,
        since=it.task.submitted_at,
    )


def _alias(it: Waiting) -> Reason | None:
    if not (it.task.alias_of and it.facts.first_pending):
        return None
    again = next((one for one in it.facts.retries if one.due > it.moment.now), None)
    when = f" It is tried again at {it.moment.local(again.due)}." if again else ""
    return Reason(
        state="alias",
        sentence=f"Came with the id {it.task.alias_of}, which another document has: waits until that one is ingested, "
        "to compare their bytes.",
        following=f"The same bytes are one task; other bytes are refused (id_conflict).{when}",
        command=f"nightshift why {shlex.quote(it.task.alias_of)}",
        until=again.due if again else None,
        since=it.task.submitted_at,
    )


def _retry(it: Waiting) -> Reason | None:
    due = [one for one in it.facts.retries if one.step == it.step and one.due > it.moment.now]
    if not due:
        return None
    one = due[0]
    counted = f"retry {one.count} of step {one.step}" if one.count else f"step {one.step} to be tried again"
    why = masked_sentence(one.message, it.moment.mask, source=it.task.source, sha256=it.task.sha256)
    return Reason(
        state="retry",
        sentence=f"Waits for {counted}, due {it.moment.local(one.due)} ({one.code}).",
        following=f"The last attempt ended with: {why}",
        until=one.due,
        since=one.at.isoformat(),
    )


def _braked(it: Waiting) -> Reason | None:
    note = next((one for one in it.moment.brakes if _holds(one, it)), None)
    if note is None:
        return None
    example = masked_sentence(note.example, it.moment.mask)
    return Reason(
        state="braked",
        sentence=f"Waits because step {note.step} is paused: documents in a row fail ({note.code}).",
        following=f"For example: {example} The step goes on once a document succeeds.",
        command="nightshift brake show",
        since=note.since.isoformat(),
    )


def _holds(note: Braked, it: Waiting) -> bool:
    return note.step == it.step and note.pauses(it.moment.now)


def _window(it: Waiting) -> Reason | None:
    if not it.queue.gpu or it.moment.may_use_gpu(it.task.priority):
        return None
    state = it.moment.window
    opens = f"opens {it.moment.local(state.next_open)}" if state.next_open else "only opens by hand"
    closed = ", which is closed by hand and" if state.override.startswith("closed") else ", which"
    return Reason(
        state="window_closed",
        sentence=f"Waits for the window{closed} {opens}{it.pages}.",
        following=f"Then step {it.step} is done by the workers of the queue {it.queue.name}.",
        command="nightshift window clear" if "by hand" in closed else "nightshift window open --until 03:00",
        until=state.next_open,
        since=it.task.submitted_at,
    )


_CHECKS: tuple[Callable[[Waiting], Reason | None], ...] = (
    _running,
    _delayed,
    _alias,
    _retry,
    _braked,
    _window,
    at_broker.unavailable,
    at_broker.alarm,
    at_broker.reserved,
    at_broker.lost,
    at_broker.no_worker,
)
