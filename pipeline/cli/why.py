"""`nightshift why`: where a document is, since when, what it waits for, and what happens next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from msgspec import structs

from pipeline import clock
from pipeline.cli import nights, options, screen
from pipeline.errors import NotFound, PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.progress import Progress

    from pipeline.ledger.actions import Action
    from pipeline.ledger.track import Track
    from pipeline.night.night import Night
    from pipeline.night.why.facts import Facts
    from pipeline.night.why.model import AtBroker, Event, Match, Why
    from pipeline.night.why.moment import Moment

T = TypeVar("T")

_DAYS = 14
_SHOWN = 40  # of the history, the latest


def why(
    wanted: Annotated[
        str,
        typer.Argument(metavar="TASK", help="A task id or its beginning, a file name or path, or a SHA-256."),
    ],
    days: Annotated[
        int,
        typer.Option("--days", min=1, max=10_000, help="How many nights back documents are looked for."),
    ] = _DAYS,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Show where a document is, what it waits for, its history, and what happens next.

    A whole task id is found at once. Its beginning, a file name or a hash is looked for in the latest nights
    (`--days`); where several documents match, they are listed. Without a broker, what the store knows is still shown.

    Exit codes: 0 found, 1 not found, or store unavailable, 2 usage error, or several documents match.

    Example: `nightshift why invoice-0423`
    """
    from pipeline.night.why.answer import answer

    if not wanted.strip():
        raise UsageError("TASK is empty: give a task id or its beginning, a file name or path, or a SHA-256.")
    night = nights.open_night(store)
    facts = _found(night, wanted, days)
    if isinstance(facts, list):
        _choose(facts, wanted, as_json)
        raise UsageError(f'{len(facts)} documents match "{wanted}": give the id of one of them.')
    moment = _moment(night, facts)
    facts.actions = _actions(night, facts, days)
    found = answer(facts, moment)
    if found is None:
        raise _not_found(night, wanted, days, moment.broker)
    if as_json:
        screen.as_json(
            structs.asdict(found) | {"broker": moment.broker.trouble or "up", "store": night.store.url}
        )
        return
    screen.say_store(night.store)
    _print(found, moment)


def _found(night: Night, wanted: str, days: int) -> Facts | list[Match]:
    """The facts of the one task that is meant, or the tasks that may be; raises `NotFound`."""
    from pipeline.night.why import facts, find

    try:
        exact = facts.of(night, wanted, days)
    except PermanentError:  # no task can have such an id
        exact = None
    if exact and exact.known and not (exact.is_only_forgotten and find.is_hash(wanted)):
        return exact
    matches = find.by_beginning(night, wanted, days)
    if not matches:
        with screen.bar() as bar:
            matches = find.by_document(night, wanted, days, _track(bar))
    if len(matches) == 1:
        return facts.of(night, matches[0].task_id, max(days, 1))
    if matches:
        return matches
    if exact is not None:
        return exact
    raise NotFound(f'"{wanted[:80]}" is not the id, file or hash of a document in {night.store.url}.')


def _track(bar: Progress) -> Track:
    def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
        yield from bar.track(items, total=total, description=what)

    return track


def _moment(night: Night, facts: Facts) -> Moment:
    from pipeline.night.why.moment import Moment
    from tasks import client, seen

    letters = bool(facts.damaged) or not facts.known
    broker = seen.seen(client.celery(), facts.task_id, letters=letters)
    return Moment.of(night, broker, seen.place)


def _actions(night: Night, facts: Facts, days: int) -> list[Action]:
    """What people did to this task, since it was received."""
    from pipeline.ledger import actions
    from pipeline.storage import keys

    if not facts.known or not night.store.exists(keys.control("pseudonyms")):
        return []
    first = (clock.utc() - timedelta(days=days)).date().isoformat()
    subject = actions.of_task(night.store, facts.task_id)
    entries = actions.entries(night.store, first)
    return [entry.action for entry in entries if entry.action and entry.action.subject == subject]


def _not_found(night: Night, wanted: str, days: int, broker: AtBroker) -> NotFound:
    from pipeline.night.why import find
    from tasks import seen

    sentence = f'"{wanted[:80]}" was never received here, or not in the last {days} days (--days).'
    if broker.letters:
        sentence += f" A dead letter names it: {broker.letters[0]}"
    if waiting := seen.raw(broker):
        sentence += f" {waiting} raw messages are not accepted yet: it may be among them."
    if broker.trouble:
        sentence += " RabbitMQ could not be asked for messages that are not accepted yet."
    if close := find.similar(night, wanted, days):
        sentence += f" Similar ids: {', '.join(close)}."
    return NotFound(sentence)


def _choose(matches: list[Match], wanted: str, as_json: bool) -> None:
    if as_json:
        screen.as_json({"matches": matches})
        return
    columns = ("task", "run date", "source") if any(one.source for one in matches) else ("task", "run date")
    rows = [(one.task_id, one.run_date, one.source)[: len(columns)] for one in matches]
    screen.listing(f'Documents that match "{wanted}"', columns, rows)


def _print(found: Why, moment: Moment) -> None:
    from pipeline.cli.wrapped import paragraph

    paragraph("Task", found.task_id)
    paragraph("", found.sentence)
    if found.following:
        paragraph("Then", found.following)
    if found.command:
        paragraph("Command", found.command)
    for note in found.notes:
        paragraph("Note", note)
    if moment.broker.trouble and moment.broker.trouble != found.following and found.step:
        paragraph("Broker", moment.broker.trouble)
    for name, value in _details(found, moment):
        paragraph(name, value)
    _print_history(found.history, moment)


def _details(found: Why, moment: Moment) -> list[tuple[str, str]]:
    pages = f"{found.pages_read} of {found.pages} read" if found.pages else ""
    lane = ", ".join(
        part
        for part in (
            found.task_type,
            f"priority {found.priority}" if found.priority is not None else "",
            f"tenant {found.tenant}" if found.tenant else "",
        )
        if part
    )
    since = moment.local(found.since) or found.since
    pairs = [
        ("Since", f"{since} ({screen.age(found.since)})" if screen.age(found.since) else since),
        ("Deadline", found.deadline_sentence),
        ("Source", found.source),
        ("SHA-256", found.sha256 or ""),
        ("Kind", lane),
        ("Night", found.run_date),
        ("Pages", pages),
    ]
    return [(name, value) for name, value in pairs if value]


def _print_history(history: tuple[Event, ...], moment: Moment) -> None:
    from pipeline.cli.wrapped import paragraph

    if not history:
        return
    screen.say("History")
    if len(history) > _SHOWN:
        screen.say(f"  {len(history) - _SHOWN} older entries: --json lists all.")
    for event in history[-_SHOWN:]:
        paragraph(f"  {moment.local(event.at) or event.at or '-'}", event.what, width=27)
