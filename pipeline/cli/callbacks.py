"""`nightshift callbacks`: callbacks that could not be delivered, and sending them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import nights, options, screen
from pipeline.errors import Damaged, ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.night.callbacks import Undelivered
    from pipeline.night.night import Night

_SHOWN = 40

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at callbacks that could not be delivered, and send them again.",
)


def _find(night: Night, run_date: str | None, task_id: str | None = None) -> Iterator[Undelivered]:
    from pipeline.night import callbacks

    return callbacks.undelivered(night.store, nights.run_date_or_none(run_date, night), task_id)


@app.command(name="list")
def list_(
    run_date: options.RunDate = None, store: options.Store = None, as_json: options.AsJson = False
) -> None:
    """List undelivered callbacks, with the reason.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.cli.masked import masked

    night = nights.open_night(store)
    found = [masked(one, night.settings.mask) for one in _find(night, run_date)]
    if as_json:
        screen.as_json({"undelivered": found, "store": night.store.url})
        return
    screen.say_store(night.store)
    if not found:
        screen.say("Every callback was delivered or is in progress.")
        return
    screen.listing(
        f"{len(found)} undelivered",
        ("task", "run date", "code", "reason"),
        [(one.task_id, one.run_date, one.code, one.message) for one in found[:_SHOWN]],
    )
    if len(found) > _SHOWN:
        screen.say(f"… and {len(found) - _SHOWN} more: --json lists all.")
    screen.say("Send them again: nightshift callbacks resend -h.")


@app.command()
def resend(
    run_date: options.RunDate = None,
    task_id: options.TaskId = None,
    everything: Annotated[bool, typer.Option("--all", help="All undelivered callbacks.")] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Send undelivered callbacks again, for example when their receiver is available again.

    They stay in the list until they are delivered. After an interruption run the same command again.

    Exit codes: 0 success, 1 store or broker unavailable, 2 usage error, 3 some have no readable record: those without
    a record leave the list, those with a damaged one stay.

    Example: `nightshift callbacks resend --run-date yesterday`
    """
    from pipeline.night import callbacks
    from pipeline.threads import in_threads
    from tasks import client

    if not everything and not (run_date or task_id):
        raise UsageError("Name the callbacks: --run-date, --task-id, or --all.")
    night, app = nights.open_night(store), client.celery()
    found = list(_find(night, run_date, task_id))
    client.reach(app)

    def send(one: Undelivered) -> bool:
        try:
            message = callbacks.resend(night.store, one)
        except Damaged as error:
            typer.echo(error.message, err=True)
            return False
        if message is not None:
            client.send(app, [message])
        return message is not None

    sent = sum(in_threads(send, found, threads=client.THREADS, batch=1))
    lost = len(found) - sent
    if as_json:
        screen.as_json({"sent": sent, "without_record": lost, "store": night.store.url})
    else:
        screen.say_store(night.store)
        rest = f", {lost} have no readable record" if lost else ""
        screen.say(f"{sent} queued for sending{rest}.")
    if lost:
        raise typer.Exit(ExitCode.INCOMPLETE)
