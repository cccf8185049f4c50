"""`nightshift queues`: declare queues again whose arguments have changed, and keep their messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import acting, nights, options, screen
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from tasks.migration import Changed

_NO_LIMIT = math.inf  # seconds for all messages together; each reply of the broker has its own

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Declare queues again whose arguments have changed, and keep their messages.",
)


@app.command()
def migrate(
    yes: Annotated[
        bool, typer.Option("--yes", help="Migrate them. Without: only show what differs.")
    ] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the queues that are not as this version declares them; with `--yes`, declare them again.

    RabbitMQ cannot change the arguments of a queue. So its messages move to another queue, the queue is deleted once
    it is empty, declared again, and the messages move back. Each message is acknowledged only once RabbitMQ has
    confirmed it in its new place; a run that was interrupted is continued by the next one. Stop all workers and wait
    until they have ended; documents may be submitted meanwhile. The queue of raw messages, `inference_tasks`, belongs
    to its producers and is left as it is.

    Exit codes: 0 nothing differs, or all were migrated; 1 broker unavailable, in use by workers, or a right is missing;
    4 queues differ, and `--yes` was not given.

    Example: `nightshift queues migrate --yes`
    """
    from tasks import client, migration

    night, broker = nights.open_night(store), client.celery()
    with client.errors(broker, _NO_LIMIT), broker.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        changed = migration.find(connection)
        moved = {}
        if yes and changed:
            with migration.alone(connection):
                acting.record(night.store, "queues.migrate", queues=",".join(q.queue.name for q in changed))
                for one in changed:
                    moved[one.queue.name] = migration.migrate(connection, one)
    _report(changed, moved, yes=yes, as_json=as_json)
    if changed and not yes:
        raise typer.Exit(ExitCode.DISCREPANCY)


def _report(changed: list[Changed], moved: dict[str, int], *, yes: bool, as_json: bool) -> None:
    if as_json:
        found = [{"queue": q.queue.name, "difference": q.difference, "messages": q.messages} for q in changed]
        screen.as_json({"changed": found, "moved": moved})
    elif not changed:
        screen.say("All queues are as this version declares them.")
    elif yes:
        for name, count in moved.items():
            screen.say(f'The queue "{name}" was declared again; {count} message{"s" * (count != 1)} moved.')
    else:
        rows = [(q.queue.name, q.difference, q.messages) for q in changed]
        screen.listing("Queues that differ", ("queue", "difference", "#messages"), rows)
        screen.say("Stop all workers, then: nightshift queues migrate --yes")
