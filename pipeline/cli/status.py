"""`nightshift status`: what waits, what runs, what ended tonight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import structs

from pipeline.cli import screen as output
from pipeline.errors import BrokerUnavailable

if TYPE_CHECKING:
    from pipeline.night.night import Night
    from pipeline.night.status import Status

_SECONDS = 1.0  # for workers to answer


class Running(msgspec.Struct, frozen=True):
    """What a worker has in hand."""

    task_id: str
    step: str
    seconds: float


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Show the night as it stands: window, backlog by queue and age, workers, done and failed tonight.

    *pending* counts documents in the store, *queues* counts messages in RabbitMQ. Pending documents
    without a message (the broker lost its disk) are announced again when the window opens, or at once by
    `nightshift audit RUN_DATE --repair`.

    Exit code: 0, or 1 when the broker is away (what the store knows is shown all the same).
    """
    from pipeline.night import status as of_store
    from pipeline.night.night import Night
    from pipeline.settings import Settings
    from tasks import client

    night = Night.of(Settings.from_env())
    found = of_store.status(night)
    app = client.celery()
    queues: dict[str, int] = {}
    workers: dict[str, list[Running]] = {}
    away = ""
    try:
        queues, workers = _queues(app), _workers(app)
    except BrokerUnavailable as error:
        away = error.message
    if as_json:
        output.as_json(
            structs.asdict(found)
            | {"pending": found.pending, "oldest": found.oldest}
            | {"queues": queues, "workers": workers, "broker": away or "up"}
        )
    else:
        _print(night, found, queues, workers, away)
    if away:
        if as_json:
            raise typer.Exit(1)
        raise BrokerUnavailable(away)


def _queues(app: Any) -> dict[str, int]:
    from tasks import client
    from tasks.topology import depths

    client.reach(app)
    with client.errors(app):
        return depths(app)


def _workers(app: Any) -> dict[str, list[Running]]:
    """What each worker that answers has in hand."""
    import time

    from tasks import client

    with client.errors(app):
        answers = app.control.inspect(timeout=_SECONDS).active() or {}
    return {
        name: [
            Running(
                task_id=str(task["args"][0]) if task.get("args") else "",
                step=task["name"].removeprefix("nightshift."),
                seconds=round(time.time() - (task.get("time_start") or time.time()), 1),
            )
            for task in tasks
            if task["name"] != "nightshift.accept"  # its argument is a whole message
        ]
        for name, tasks in sorted(answers.items())
    }


def _print(
    night: Night, found: Status, queues: dict[str, int], workers: dict[str, list[Running]], away: str
) -> None:
    window, zone = found.window, night.schedule.window.zone
    state = "open" if window.open else "closed"
    change = window.next_close if window.open else window.next_open
    verb = "closes" if window.open else "opens"
    typer.echo(f"Window   {state} ({window.spec}), {verb} {output.local(change, zone)}")
    if window.override:
        typer.echo(f"         by hand: {window.override}")
    typer.echo(f"Night    {found.run_date}: {found.done} done, {found.failed} failed")
    oldest = f", the oldest for {output.age(found.oldest)}" if found.oldest else ""
    typer.echo(f"Pending  {found.pending} documents{oldest}; {found.delayed} wait for a time of their own")
    if found.reprocessing:
        typer.echo(f"Anew     {found.reprocessing} done documents wait to be read anew in spare minutes")
    if found.failed_again:
        typer.echo(
            f"         {found.failed_again} could not be read anew, their older results stand: "
            "nightshift failed list"
        )
    if found.undelivered:
        typer.echo(
            f"Told     {found.undelivered} callbacks could not be delivered: nightshift callbacks list"
        )
    if found.backlog:
        kinds = output.table("", "task type", "#documents", "oldest")
        for kind in found.backlog:
            output.row(kinds, kind.task_type, kind.count, output.age(kind.oldest))
        output.show(kinds)
    if away:
        return
    waiting = {name: n for name, n in queues.items() if n}
    listed = ", ".join(f"{name} {n}" for name, n in waiting.items()) or "empty"
    typer.echo(f"Queues   {listed}")
    running = sum(map(len, workers.values()))
    typer.echo(f"Workers  {len(workers)} answer, {running} steps running")
    if workers:
        rows = output.table("", "worker", "step", "task", "#seconds")
        for name, tasks in workers.items():
            for task in tasks or [Running("", "idle", 0.0)]:
                output.row(rows, name, task.step, task.task_id, task.seconds or "")
        output.show(rows)
