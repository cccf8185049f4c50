"""What a pending document waits for: the first reason that holds, in this order. Pure: no store, no broker."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import timedelta

import msgspec

from pipeline import clock
from pipeline.errors import PermanentError
from pipeline.messages import BACKFILL, TURNS, Message
from pipeline.models import Task
from pipeline.night.brake import Braked
from pipeline.night.dispatch import resume
from pipeline.night.why.facts import Facts
from pipeline.night.why.model import AtWork, Queue, State
from pipeline.night.why.moment import Moment
from pipeline.steps.task_types import after
from pipeline.tables.masking import masked_sentence

_IN_FLIGHT = timedelta(minutes=1)
"""How old a task must be before a message that is nowhere counts as lost: it may be published right now."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """The reason for which a task waits; the fields are those of `Why`."""

    state: State
    sentence: str
    following: str = ""
    command: str = ""
    since: str = ""
    until: object = None
    ahead: int | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A pending task, its next step, and the queue of the message that asks for it."""

    facts: Facts
    task: Task
    message: Message
    queue: Queue
    moment: Moment

    @property
    def step(self) -> str:
        """Its next step."""
        return self.message.step

    @property
    def pages(self) -> str:
        """`, 3 of 12 pages read` while pages are being read."""
        if self.step != "ocr" or not self.facts.pages_read:
            return ""
        return f", {self.facts.pages_read} of {self.task.pages} pages read"


def of(facts: Facts, task: Task, moment: Moment) -> Waiting:
    """Where a pending task is."""
    try:
        step = resume(task, moment.spread_pages)[0].step
    except PermanentError:  # of a task type that is not installed here
        step = "ingest"
    if step == "ocr" and task.pages and facts.pages_read >= task.pages:
        step = after(task.task_type, step)
    if step == "ner" and facts.entities:
        step = after(task.task_type, step)
    message = Message.of(step, task)
    return Waiting(facts=facts, task=task, message=message, queue=moment.place(message), moment=moment)


def reason(it: Waiting) -> Reason:
    """Why it waits."""
    found = (one for check in _CHECKS if (one := check(it)))
    return next(found, _queued(it))


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


def _unavailable(it: Waiting) -> Reason | None:
    if not it.moment.broker.trouble:
        return None
    return Reason(
        state="broker_unavailable",
        sentence=f"Waits for step {it.step}{it.pages}; its message cannot be looked for.",
        following=it.moment.broker.trouble,
        command="nightshift doctor",
        since=it.task.submitted_at,
    )


def _alarm(it: Waiting) -> Reason | None:
    if not it.moment.broker.alarm:
        return None
    return Reason(
        state="alarm",
        sentence=f"Waits for step {it.step}: RabbitMQ is in alarm ({it.moment.broker.alarm}), so workers take no work.",
        following="The night continues by itself once RabbitMQ has more memory or disk space.",
        command="rabbitmqctl status",
        since=it.task.submitted_at,
    )


def _lost(it: Waiting) -> Reason | None:
    broker = it.moment.broker
    places = (it.queue.name, *it.queue.elsewhere)
    submitted = clock.moment(it.task.submitted_at)
    age = clock.age(submitted, it.moment.now)
    if broker.holders or any(broker.messages.get(name) for name in places) or (age and age < _IN_FLIGHT):
        return None
    again = it.moment.next_repair(submitted)
    unless = ", unless a worker that could not be asked has it" if broker.workers is None else ""
    return Reason(
        state="lost_message",
        sentence=f"Its message is lost{unless}: no queue has it. Housekeeping publishes it again by "
        f"{it.moment.local(again)}.",
        following=f"It then continues with step {it.step}{it.pages}.",
        command="nightshift audit --repair",
        until=again,
        since=it.task.submitted_at,
    )


def _no_worker(it: Waiting) -> Reason | None:
    broker, name = it.moment.broker, it.queue.name
    if broker.consumers.get(name):
        return None
    if any(broker.consumers.get(one) and broker.messages.get(one) for one in it.queue.before):
        return None  # its workers serve these first
    answer = "no worker answers" if broker.workers == () else f"no worker consumes the queue {name}"
    return Reason(
        state="no_worker",
        sentence=f"Waits for step {it.step} in the queue {name}, but {answer}{it.pages}.",
        following="A worker of this queue takes it up as soon as it is started.",
        command=f"celery -A tasks worker -Q {name.partition('-')[0]}",
        since=it.task.submitted_at,
    )


def _reserved(it: Waiting) -> Reason | None:
    if not it.moment.broker.holders:
        return None
    one = it.moment.broker.holders[0]
    return Reason(
        state="reserved",
        sentence=f"Next at {one.worker} (step {one.step}), which finishes another document first{it.pages}.",
        since=it.task.submitted_at,
    )


def _queued(it: Waiting) -> Reason:
    counts, name = it.moment.broker.messages, it.queue.name
    ahead = sum(counts.get(one, 0) for one in it.queue.before) + max(counts.get(name, 0) - 1, 0)
    place = f"behind at most {ahead} messages" if ahead else "and is next"
    return Reason(
        state="queued",
        sentence=f"Waits for step {it.step} in the queue {name} {place}{it.pages}.",
        following=_turn(it),
        ahead=ahead,
        since=it.task.submitted_at,
    )


def _turn(it: Waiting) -> str:
    """Why others come first."""
    if not it.queue.gpu:
        return "Workers of this queue serve it at any time of day."
    if it.task.priority <= BACKFILL:
        return "It is backfill: served while nothing else waits."
    if it.task.turn == 1:
        return "Workers serve the queue in order."
    whose = f"of tenant {it.task.tenant}" if it.task.tenant else "of its tenant"
    return (
        f"It is in turn {it.task.turn} of {TURNS} {whose}: the first pages of each tenant are served before."
    )


_CHECKS: tuple[Callable[[Waiting], Reason | None], ...] = (
    _running,
    _delayed,
    _alias,
    _retry,
    _braked,
    _window,
    _unavailable,
    _alarm,
    _reserved,
    _lost,
    _no_worker,
)
