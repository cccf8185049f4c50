"""What a pending document waits for at the broker: a worker, or its turn. Pure: no broker is asked."""

from __future__ import annotations

from datetime import timedelta

from pipeline import clock
from pipeline.messages import BACKFILL, TURNS
from pipeline.night.why.waiting import Reason, Waiting
from pipeline.plural import count

_IN_FLIGHT = timedelta(minutes=1)
"""How old a task must be before a message that is nowhere counts as lost: it may be published right now."""


def unavailable(it: Waiting) -> Reason | None:
    """The broker cannot be asked."""
    if not it.moment.broker.trouble:
        return None
    return Reason(
        state="broker_unavailable",
        sentence=f"Waits for step {it.step}{it.pages}; its message cannot be looked for.",
        following=it.moment.broker.trouble,
        command="nightshift doctor",
        since=it.task.submitted_at,
    )


def alarm(it: Waiting) -> Reason | None:
    """The broker takes no messages."""
    if not it.moment.broker.alarm:
        return None
    return Reason(
        state="alarm",
        sentence=f"Waits for step {it.step}: RabbitMQ is in alarm ({it.moment.broker.alarm}), so workers take no work.",
        following="The night continues by itself once RabbitMQ has more memory or disk space.",
        command="rabbitmqctl status",
        since=it.task.submitted_at,
    )


def lost(it: Waiting) -> Reason | None:
    """No queue and no worker has its message."""
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


def no_worker(it: Waiting) -> Reason | None:
    """Nobody serves its queue."""
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


def reserved(it: Waiting) -> Reason | None:
    """A worker has its message, and does something else first."""
    if not it.moment.broker.holders:
        return None
    one = it.moment.broker.holders[0]
    return Reason(
        state="reserved",
        sentence=f"Next at {one.worker} (step {one.step}), which finishes another document first{it.pages}.",
        since=it.task.submitted_at,
    )


def queued(it: Waiting) -> Reason:
    """It waits for its turn."""
    counts, name = it.moment.broker.messages, it.queue.name
    ahead = sum(counts.get(one, 0) for one in it.queue.before) + max(counts.get(name, 0) - 1, 0)
    place = f"behind at most {count(ahead, 'message')}" if ahead else "and is next"
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
