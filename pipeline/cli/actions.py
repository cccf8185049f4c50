"""`nightshift actions`: who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from pipeline.cli import nights, options, screen
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.ledger.actions import Action

_SHOWN = 100  # the latest; --json has all


def actions(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="DATE", help="From this date (UTC) on: YYYY-MM-DD, today, yesterday."
        ),
    ] = None,
    task_id: options.TaskId = None,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """List what people did, and which settings processes started with: who, when, what.

    An entry that was deleted or changed since is reported, unless it was the last. Tasks are named by pseudonyms;
    `--task-id` finds the entries of a task whose id is known.

    Exit codes: 0 success, 1 store unavailable, 2 usage error, 4 an entry is missing, changed or damaged.

    Example: `nightshift actions --since yesterday`
    """
    from pipeline.ledger import actions as log

    night = nights.open_night(store)
    first = nights.run_date(since, night.settings, night.store) if since else ""
    found = log.entries(night.store, first)
    problems = list(log.problems(night.store, found))
    subject = log.of_task(night.store, task_id) if task_id else None
    listed = [entry.action for entry in found if entry.action and subject in (None, entry.action.subject)]
    if as_json:
        rows = [structs.asdict(action) for action in listed]
        screen.as_json({"actions": rows, "problems": problems, "store": night.store.url})
    else:
        screen.say_store(night.store)
        _print(listed, problems)
    if problems:
        raise typer.Exit(ExitCode.DISCREPANCY)


def _print(listed: list[Action], problems: list[str]) -> None:
    if listed:
        rows = [(action.at[:19], action.actor, action.action, _about(action)) for action in listed[-_SHOWN:]]
        screen.listing("", ("at (UTC)", "actor", "action", "about"), rows)
        if len(listed) > _SHOWN:
            screen.say(f"{len(listed) - _SHOWN} older ones are not shown: --json lists all.")
    else:
        screen.say("No actions are recorded.")
    for problem in problems:
        screen.say(problem)


def _about(action: Action) -> str:
    return " ".join([action.subject, *(f"{name}={value}" for name, value in action.detail.items())]).strip()
