"""`nightshift window`: the operator's word against the schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli import screen as output

if TYPE_CHECKING:
    from pipeline.night.night import Night

_Until = Annotated[
    str,
    typer.Option("--until", metavar="TIME", help="Local 03:00 (the next one), or 2026-11-22T03:00."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Show the window, or open or close it by hand until a given time. Workers follow within seconds.",
)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show(as_json=False)


def _night() -> Night:
    from pipeline.night.night import Night
    from pipeline.settings import Settings

    return Night.of(Settings.from_env())


@app.command()
def show(as_json: _Json = False) -> None:
    """Show whether GPU work may run now, and when that changes (NIGHTSHIFT_WINDOW, NIGHTSHIFT_TIMEZONE)."""
    from pipeline.night.status import window

    night = _night()
    state, zone = window(night.schedule), night.schedule.window.zone
    if as_json:
        output.as_json(state)
        return
    typer.echo(
        f"The window is {'open' if state.open else 'closed'} (schedule: {state.spec}, {state.timezone})."
    )
    typer.echo(f"Next open   {output.local(state.next_open, zone)}")
    typer.echo(f"Next close  {output.local(state.next_close, zone)}")
    if state.override:
        typer.echo(f"By hand: {state.override}; `nightshift window clear` ends that.")


@app.command(name="open")
def open_(until: _Until, as_json: _Json = False) -> None:
    """Let GPU work run until TIME, whatever the schedule says.

    Example: `nightshift window open --until 03:00`
    """
    _override("open", until, as_json)


@app.command()
def close(until: _Until, as_json: _Json = False) -> None:
    """Stop GPU work until TIME, whatever the schedule says: work in hand stops at its next page group.

    Example: `nightshift window close --until 22:00`
    """
    _override("closed", until, as_json)


@app.command()
def clear(as_json: _Json = False) -> None:
    """End an override: the schedule decides again."""

    _night().schedule.clear_override()
    show(as_json)


def _override(state: Literal["open", "closed"], text: str, as_json: bool) -> None:
    from pipeline.night.window import Override, until

    night = _night()
    end = until(text, datetime.now(UTC), night.settings.timezone).astimezone(night.schedule.window.zone)
    night.schedule.set_override(Override(state, end.isoformat()))
    show(as_json)
