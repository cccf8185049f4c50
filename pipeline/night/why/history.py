"""What happened to a task, in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.ledger.actions import Action
from pipeline.models import DocumentResult
from pipeline.night.why.facts import Facts
from pipeline.night.why.model import AtBroker, Event
from pipeline.plural import count
from pipeline.tables.masking import masked_sentence


def of(facts: Facts, broker: AtBroker, mask: str) -> tuple[Event, ...]:
    """The events that the store and the broker know of, oldest first; those without a time last."""
    found = [*_received(facts), *_ends(facts, mask), *_retries(facts, mask), *map(_action, facts.actions)]
    found += _callbacks(facts, mask)
    found += [Event(at=stone.at, what=f"forgotten by {stone.actor}") for stone in facts.tombstones]
    found += [
        Event(at=_iso(one.since), what=f"step {one.step} begun by {one.worker}") for one in broker.holders
    ]
    found += [Event(at="", what=f"dead letter: {letter}") for letter in broker.letters]
    return tuple(sorted(found, key=lambda event: (not event.at, event.at)))


def _iso(at: datetime | None) -> str:
    """A moment as records have it, so that texts sort by time."""
    return at.isoformat(timespec="milliseconds") if at else ""


def _received(facts: Facts) -> Iterator[Event]:
    known = facts.marker or facts.record
    if known is not None:
        submitted = facts.marker.submitted_at if facts.marker else facts.records[0].first_seen
        night = min(facts.claimed.dates, default="")
        yield Event(at=submitted, what="received" + (f" for the night of {night}" if night else ""))
        for day in facts.claimed.dates[1:]:
            yield Event(at=day, what="the id was claimed again")
    for task in facts.begun:
        settings = ", ".join(f"{name}={value}" for name, value in sorted(task.overrides.items()))
        how = "reprocessed" if task.reprocess else "accepted again" if task.receipt == "" else "redriven"
        yield Event(
            at=task.accepted_on or task.run_date,
            what=f"generation {task.generation}: {how}" + (f" with {settings}" if settings else ""),
        )
    marker = facts.marker
    if marker is None:
        return
    if marker.media_type and marker.sha256:
        yield Event(
            at="",
            what=f"ingested: {marker.media_type}, {count(marker.pages, 'page')}, {count(marker.size, 'byte')}",
        )
    if marker.pages and facts.pages_read:
        yield Event(at="", what=f"{facts.pages_read} of {marker.pages} pages read")
    if facts.attempts:
        yield Event(at="", what=f"{count(facts.attempts, 'attempt')} crashed or hung a worker")
    if marker.skipped:
        yield Event(at="", what=f"{count(marker.skipped, 'page')} skipped: reading crashed or hung a worker")
    if marker.restarts:
        yield Event(at="", what=f"{count(marker.restarts, 'return')} to the first step")


def _ends(facts: Facts, mask: str) -> Iterator[Event]:
    for record in facts.records:
        yield Event(at=record.done_at, what=_ended(record, mask))
    if again := facts.failed_again:
        code = again.error.code if again.error else "unknown"
        yield Event(at=again.done_at, what=f"could not be reprocessed ({code}): previous result kept")


def _ended(record: DocumentResult, mask: str) -> str:
    text = f"{record.status} in the night of {record.run_date}"
    if record.pages:
        read = sum(page.error is None for page in record.pages)
        text += f", {read} of {len(record.pages)} pages read"
    if record.error:
        why = masked_sentence(record.error.message, mask, source=record.source, sha256=record.sha256)
        text += f" ({record.error.code}): {why}"
    return text


def _retries(facts: Facts, mask: str) -> Iterator[Event]:
    for one in facts.retries:
        why = masked_sentence(one.message, mask)
        yield Event(at=_iso(one.at), what=f"step {one.step} failed ({one.code}): {why}")


def _callbacks(facts: Facts, mask: str) -> Iterator[Event]:
    if facts.due:
        yield Event(at=_iso(facts.due.since or facts.due.at), what="callback due")
    if facts.undelivered:
        why = masked_sentence(facts.undelivered.message, mask)
        yield Event(at="", what=f"callback abandoned ({facts.undelivered.code}): {why}")


def _action(action: Action) -> Event:
    detail = ", ".join(f"{name}={value}" for name, value in sorted(action.detail.items()))
    return Event(at=action.at, what=f"{action.action} by {action.actor}" + (f" ({detail})" if detail else ""))
