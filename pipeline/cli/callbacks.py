"""`nightshift callbacks`: who could not be told of a document's end, and telling them after all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import screen as output
from pipeline.errors import Damaged, ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.night.callbacks import Undelivered
    from pipeline.storage import Store

_SHOWN = 40

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at callbacks that were given up, and send them once more.",
)


def _store() -> Store:
    from pipeline.settings import Settings
    from pipeline.storage import open_store

    settings = Settings.from_env()
    return open_store(settings.store_url, settings)


def _find(store: Store, run_date: str | None, task_id: str | None = None) -> Iterator[Undelivered]:
    from pipeline.night import callbacks

    return callbacks.undelivered(store, output.run_day(run_date) if run_date else None, task_id)


@app.command(name="list")
def list_(run_date: output.Night = None, as_json: output.AsJson = False) -> None:
    """List callbacks that were given up, with the reason.

    Exit code: 0, 1 when the store is away, 2 wrong usage.
    """
    found = list(_find(_store(), run_date))
    if as_json:
        output.as_json({"undelivered": found})
        return
    if not found:
        typer.echo("Every callback was delivered, or is under way.")
        return
    rows = output.table(f"{len(found)} not delivered", "run date", "task", "code", "why")
    for one in found[:_SHOWN]:
        output.row(rows, one.run_date, one.task_id, one.code, one.message)
    output.show(rows)
    if len(found) > _SHOWN:
        typer.echo(f"… and {len(found) - _SHOWN} more: --json lists all.")


@app.command()
def resend(
    run_date: output.Night = None,
    task_id: Annotated[str | None, typer.Option("--task-id", help="Of this one task.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    as_json: output.AsJson = False,
) -> None:
    """Send callbacks that were given up once more, such as when their receiver is back.

    They stay in the list until they are delivered. After an interruption give the same command once more.

    Exit code: 0, 3 some have no record to tell of (any more, then they leave the list; or a damaged one), 1 store or
    broker away, 2 wrong usage.

    Example: `nightshift callbacks resend --run-date 2026-11-22`
    """
    from pipeline.night import callbacks
    from pipeline.threads import in_threads
    from tasks import client

    if not everything and not (run_date or task_id):
        raise UsageError("Say which callbacks: --run-date, --task-id, or --all.")
    store, app = _store(), client.celery()
    found = list(_find(store, run_date, task_id))
    client.reach(app)

    def send(one: Undelivered) -> bool:
        try:
            message = callbacks.resend(store, one)
        except Damaged as error:
            typer.echo(error.message, err=True)
            return False
        if message is not None:
            client.send(app, [message])
        return message is not None

    sent = sum(in_threads(send, found, threads=client.THREADS, batch=1))
    lost = len(found) - sent
    if as_json:
        output.as_json({"sent": sent, "without_record": lost})
    else:
        rest = f", {lost} have no record that could be read" if lost else ""
        typer.echo(f"{sent} on their way{rest}.")
    if lost:
        raise typer.Exit(ExitCode.INCOMPLETE)
