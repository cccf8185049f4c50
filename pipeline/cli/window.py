"""`nightshift window`: show the window, or override its schedule by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer
from msgspec import structs

from pipeline import clock
from pipeline.cli import nights, options, screen

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pipeline.night.night import Night
    from pipeline.night.status import WindowState

_Until = Annotated[
    str,
    typer.Option("--until", metavar="TIME", help="Local 03:00 (the next one), or 2026-11-22T03:00."),
]

app = options.Commands(
    rich_markup_mode="markdown",
    help="Show the window, or open or close it by hand until a given time. Workers follow within seconds.",
)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show()


def opening(state: WindowState, zone: ZoneInfo) -> str:
    """Whether the window is open, by which schedule, and until when, in one line."""
    now, change = ("open", state.next_close) if state.open else ("closed", state.next_open)
    if change:
        verb = "closes" if state.open else "opens"
        return f"{now} ({state.spec}), {verb} {screen.local(change, zone)}"
    return f"{'open at all times' if state.open else 'closed until opened by hand'} ({state.spec})"


@app.command()
def show(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Show whether GPU work may run now, and when that changes (NIGHTSHIFT_WINDOW, NIGHTSHIFT_TIMEZONE).

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    _show(nights.open_night(store), as_json)


def _show(night: Night, as_json: bool) -> None:
    from pipeline.night.status import window

    state, zone = window(night.schedule), night.schedule.window.zone
    if as_json:
        screen.as_json(structs.asdict(state) | {"store": night.store.url})
        return
    screen.say(f"Store       {screen.name_of(night.store)}")
    screen.say(f"Window      {opening(state, zone)}")
    if state.next_open and state.next_close:
        screen.say(f"Next open   {screen.local(state.next_open, zone)}")
        screen.say(f"Next close  {screen.local(state.next_close, zone)}")
    elif state.next_open:
        screen.say("After that  open at all times")
    elif state.next_close:
        screen.say("After that  closed until opened by hand")
    screen.say(f"Time zone   {state.timezone}")
    if state.override:
        screen.say(f"By hand     {state.override}: nightshift window clear ends it")


@app.command(name="open")
def open_(until: _Until, store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Allow GPU work until TIME, regardless of the schedule.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.

    Example: `nightshift window open --until 03:00`
    """
    _override("open", until, store, as_json)


@app.command()
def close(until: _Until, store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Stop GPU work until TIME, regardless of the schedule: work in progress stops at its next page group.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.

    Example: `nightshift window close --until 22:00`
    """
    _override("closed", until, store, as_json)


@app.command()
def clear(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """End an override: the schedule decides again.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.ledger import actions

    night = nights.open_night(store)
    actions.record(night.store, "window.clear")
    night.schedule.clear_override()
    _show(night, as_json)


def _override(state: Literal["open", "closed"], text: str, store: str | None, as_json: bool) -> None:
    from pipeline.ledger import actions
    from pipeline.night.window import Override, until

    night = nights.open_night(store)
    end = until(text, clock.utc(), night.settings.timezone).astimezone(night.schedule.window.zone)
    actions.record(
        night.store, f"window.{'open' if state == 'open' else 'close'}", detail={"until": end.isoformat()}
    )
    night.schedule.set_override(Override(state, end.isoformat()))
    _show(night, as_json)
