"""`nightshift status`: what is waiting, what is running, what ended tonight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from pipeline.cli import lines, nights, options, screen
from pipeline.cli.brake import sentence
from pipeline.cli.window import opening
from pipeline.errors import BrokerUnavailable, ExitCode, UsageError
from pipeline.plural import count

if TYPE_CHECKING:
    from pipeline.cli.seen import Running, Seen
    from pipeline.night.night import Night
    from pipeline.night.status import Status

WORDS = {
    ExitCode.OK: "ok",
    ExitCode.ERROR: "unavailable",
    ExitCode.NO_WORKER: "no_worker",
    ExitCode.PAUSED: "paused",
    ExitCode.ATTENTION: "attention",
}
"""What `--json` calls each exit code, as `state`."""


def status(
    store: options.Store = None,
    as_json: options.AsJson = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it until Ctrl-C, with progress and pages per second.")
    ] = False,
    recount: Annotated[
        bool,
        typer.Option("--recount", help="Count all documents in the store first, which may take minutes."),
    ] = False,
) -> None:
    """Show the state of the night: window, backlog by queue and age, workers, documents done and failed.

    *Pending* counts documents in the store, *queues* counts messages in RabbitMQ. Pending documents without a
    message (the broker lost its disk) are published again within an hour, or now with
    `nightshift audit --repair`. Workers and dead letters are left out if the RabbitMQ user may not ask for them.

    Documents are counted by the processes that accept and end them, and are a few seconds old; beat counts what is in
    the store every hour. *Counted* says when.

    Exit codes: 0 all well, 1 store or broker unavailable (without a broker, the state of the store is still shown),
    2 usage error, 5 the window is open and documents wait but no worker answers, 6 a step is paused, 7 something needs
    a person (failed documents, undelivered callbacks, documents that wait past their deadlines, damaged records,
    unknown dead letters). The first that applies is returned.
    """
    from pipeline.cli import seen
    from pipeline.night import recount as counting
    from tasks import client

    if watch and as_json:
        raise UsageError("--watch shows text: use it without --json.")
    night, app = nights.open_night(store), client.celery()
    if recount:
        counting.recount(night)
    if watch:
        from pipeline.cli.watch import watch as show

        show(lambda: seen.look(night, app), night)
        return
    found = seen.look(night, app)
    if as_json:
        _print_json(night, found)
    else:
        _print(night, found)
    if found.unavailable and not as_json:
        raise BrokerUnavailable(found.unavailable)
    if found.code != ExitCode.OK:
        raise typer.Exit(found.code)


def _print_json(night: Night, found: Seen) -> None:
    state = found.store
    screen.as_json(
        structs.asdict(state)
        | {"pending": state.pending, "oldest": state.oldest}
        | {"queues": found.queues, "workers": found.workers, "broker": found.unavailable or "up"}
        | {"store": night.store.url, "forecast": found.forecast, "state": WORDS[found.code]}
        | {"unknown_dead_letters": None if found.unavailable else found.unknown}
    )


def _line(name: str, text: str) -> None:
    screen.say(f"{name:<11}{text}")


def _print(night: Night, found: Seen) -> None:
    _print_store(night, found.store)
    if found.forecast:
        _line("Forecast", lines.outlook(found.forecast, night.schedule.window.zone))
        if found.forecast.documents and (found.unavailable or found.code == ExitCode.NO_WORKER):
            _line("", "once RabbitMQ answers" if found.unavailable else "once a worker runs")
    if found.queues:
        _print_queues(found.queues, found.unknown)
    if found.unavailable:
        return
    if found.code == ExitCode.NO_WORKER:
        _line("Attention", "the window is open, documents wait, and no worker answers")
    _print_workers(found.workers)


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
    _line("Pending", f"{count(found.pending, 'document')}{oldest}{delayed}")
    if found.reprocessing:
        _line("Reprocess", f"{count(found.reprocessing, 'done document')} queued as backfill")
    if found.failed_again:
        _line(
            "",
            f"{found.failed_again} could not be reprocessed, previous results kept: nightshift failed list",
        )
    if needed := _attention(found):
        _line("Attention", needed)
    if found.undelivered:
        _line("Callbacks", f"{found.undelivered} undelivered: nightshift callbacks list")
    if found.overdue or found.late:
        _line("Deadlines", lines.deadlines(found))
    _line("Counted", lines.counted(found))
    if found.backlog:
        rows = ((kind.task_type, kind.count, screen.age(kind.oldest)) for kind in found.backlog)
        screen.listing("", ("task type", "#documents", "oldest"), rows)


def _attention(found: Status) -> str:
    """What a person must decide, of all nights."""
    parts = []
    if found.open_failures:
        parts.append(f"{count(found.open_failures, 'failed document')} of all nights: nightshift failed list")
    if found.set_aside:
        parts.append(f"{found.set_aside} set aside with a damaged record: nightshift dead list")
    return "; ".join(parts)


def _print_queues(queues: dict[str, int], unknown: int | None) -> None:
    _line("Queues", lines.waiting_in(queues))
    if unknown is None:
        _line("Dead", f"{count(queues['dead'], 'message')}; this RabbitMQ user may not read them")
    elif unknown:
        _line("Dead", f"{count(unknown, 'message')} without a document: nightshift dead list")


def _print_workers(workers: dict[str, list[Running]] | None) -> None:
    from pipeline.cli.seen import Running

    if workers is None:
        _line("Workers", "not shown: this RabbitMQ user may not ask them")
        return
    running = sum(map(len, workers.values()))
    _line("Workers", f"{len(workers)} online, {count(running, 'step')} running")
    rows = [
        (name, one.step, one.seconds or "", one.task_id)
        for name, steps in workers.items()
        for one in steps or [Running("", "idle", 0.0)]
    ]
    if rows:
        screen.listing("", ("worker", "step", "#seconds", "task"), rows)
