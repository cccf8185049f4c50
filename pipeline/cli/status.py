"""`nightshift status`: what is waiting, what is running, what ended tonight."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import typer
from msgspec import structs

from pipeline.cli import nights, options, screen
from pipeline.cli.brake import sentence
from pipeline.cli.window import opening
from pipeline.errors import BrokerRefused, BrokerUnavailable, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.night.night import Night
    from pipeline.night.status import Status
    from tasks.dead import Found

T = TypeVar("T")

_SECONDS = 1.0  # for workers to answer
_LOOKED_AT, _LOOKED_FOR = 1000, 2.0  # dead letters, and seconds


class Running(msgspec.Struct, frozen=True):
    """A step that a worker is running, for `seconds` so far."""

    task_id: str
    step: str
    seconds: float


def status(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Show the state of the night: window, backlog by queue and age, workers, documents done and failed.

    *Pending* counts documents in the store, *queues* counts messages in RabbitMQ. Pending documents without a
    message (the broker lost its disk) are published again within an hour, or now with
    `nightshift audit --repair`. Workers and dead letters are left out if the RabbitMQ user may not ask for them.

    Exit codes: 0 success, 1 store or broker unavailable (without a broker, the state of the store is still shown),
    2 usage error.
    """
    from pipeline.night import status as of_store
    from tasks import client

    night = nights.open_night(store)
    found = of_store.status(night)
    app = client.celery()
    queues: dict[str, int] = {}
    workers: dict[str, list[Running]] | None = {}
    unavailable: str = ""
    unknown: int | None = 0
    try:
        with client.errors(app):  # as a whole bounded
            queues = _queues(app)
            unknown = _if_permitted(_unknown_letters, app) if queues.get("dead") else 0
            workers = _if_permitted(_workers, app)
    except BrokerUnavailable as error:
        unavailable = error.message
    if as_json:
        screen.as_json(
            structs.asdict(found)
            | {"pending": found.pending, "oldest": found.oldest}
            | {"queues": queues, "workers": workers, "broker": unavailable or "up", "store": night.store.url}
            | {"unknown_dead_letters": None if unavailable else unknown}
        )
        if unavailable:
            raise typer.Exit(ExitCode.ERROR)
        return
    _print_store(night, found)
    if queues:
        _print_queues(queues, unknown)
    if unavailable:
        raise BrokerUnavailable(unavailable)
    _print_workers(workers)


def _if_permitted(ask: Callable[[Any], T], app: Any) -> T | None:
    """What `ask` finds; `None` where this user's rights at the broker do not reach, as a monitor's do not."""
    try:
        return ask(app)
    except BrokerRefused:
        return None


def _queues(app: Any) -> dict[str, int]:
    from tasks import client
    from tasks.topology import depths

    client.reach(app, to_publish=False)
    with client.errors(app):
        return depths(app)


def _unknown_letters(app: Any) -> int:
    """Dead letters that were not written by Nightshift, among the first thousand; each needs a person."""
    from tasks import client

    found: list[str] = []

    def look(one: Found) -> bool:
        if not one.letter.ours:
            found.append(one.letter.id)
        return False

    client.look_at_dead(app, look, most=_LOOKED_AT, seconds=_LOOKED_FOR)
    return len(found)


def _workers(app: Any) -> dict[str, list[Running]]:
    """What each worker that answers is running."""
    import time

    from tasks import client

    with client.errors(app):
        answers = app.control.inspect(timeout=_SECONDS).active() or {}
    return {
        name: [
            Running(
                task_id=str(task["args"][0]) if task.get("args") else "",
                step=task["name"].removeprefix("nightshift."),
                seconds=max(0.0, round(time.time() - (task.get("time_start") or time.time()), 1)),
            )
            for task in tasks
            if task["name"] != "nightshift.accept"  # its argument is a whole message
        ]
        for name, tasks in sorted(answers.items())
    }


def _line(name: str, text: str) -> None:
    screen.say(f"{name:<11}{text}")


def _print_store(night: Night, found: Status) -> None:
    _line("Store", screen.name_of(night.store))
    _line("Window", opening(found.window, night.schedule.window.zone))
    if found.window.override:
        _line("", f"by hand: {found.window.override}")
    for note in found.brakes:
        _line("Paused", sentence(note))
        _line("", f"{note.example} (nightshift brake -h)")
    failed = (f"{found.partial} partial, " if found.partial else "") + f"{found.failed} failed"
    if found.failed or found.partial:
        failed += f": nightshift failed list --run-date {found.run_date}"
    _line("Night", f"{found.run_date}: {found.done} done, {failed}")
    oldest = f", oldest {screen.age(found.oldest)}" if found.oldest else ""
    delayed = f"; {found.delayed} delayed until a set time" if found.delayed else ""
    _line("Pending", f"{found.pending} documents{oldest}{delayed}")
    if found.reprocessing:
        _line("Reprocess", f"{found.reprocessing} done documents queued as backfill")
    if found.failed_again:
        _line(
            "",
            f"{found.failed_again} could not be reprocessed, previous results kept: nightshift failed list",
        )
    if needed := _attention(found):
        _line("Attention", needed)
    if found.undelivered:
        _line("Callbacks", f"{found.undelivered} undelivered: nightshift callbacks list")
    if found.backlog:
        rows = ((kind.task_type, kind.count, screen.age(kind.oldest)) for kind in found.backlog)
        screen.listing("", ("task type", "#documents", "oldest"), rows)


def _attention(found: Status) -> str:
    """What a person must decide, of all nights."""
    parts = []
    if found.open_failures:
        parts.append(f"{found.open_failures} failed documents of all nights: nightshift failed list")
    if found.set_aside:
        parts.append(f"{found.set_aside} set aside with a damaged record: nightshift dead list")
    return "; ".join(parts)


def _print_queues(queues: dict[str, int], unknown: int | None) -> None:
    from tasks.lanes import first_turn

    counts: Counter[str] = Counter()
    for name, n in queues.items():
        counts[first_turn(name)] += n
    waiting = ", ".join(f"{name} {n}" for name, n in counts.items() if n)
    _line("Queues", waiting or "empty")
    if unknown is None:
        _line("Dead", f"{queues['dead']} messages; this RabbitMQ user may not read them")
    elif unknown:
        _line("Dead", f"{unknown} messages that belong to no document: nightshift dead list")


def _print_workers(workers: dict[str, list[Running]] | None) -> None:
    if workers is None:
        _line("Workers", "not shown: this RabbitMQ user may not ask them")
        return
    running = sum(map(len, workers.values()))
    _line("Workers", f"{len(workers)} online, {running} steps running")
    rows = [
        (name, one.step, one.seconds or "", one.task_id)
        for name, steps in workers.items()
        for one in steps or [Running("", "idle", 0.0)]
    ]
    if rows:
        screen.listing("", ("worker", "step", "#seconds", "task"), rows)
