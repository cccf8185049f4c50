"""`nightshift brake`: steps that are paused because nearly everything failed in them for one reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import nights, options, screen
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.night.brake import Braked

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at steps that are paused because one document after the other failed, and release them.",
)


@app.command()
def show(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """List paused steps, with the reason.

    A pause ends by itself once a document succeeds; workers try one every few seconds.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.night import brake

    night = nights.open_night(store)
    found = list(brake.notes(night.store))
    if as_json:
        screen.as_json({"paused": found, "store": night.store.url})
        return
    screen.say_store(night.store)
    if not found:
        screen.say("No step is paused.")
    for note in found:
        screen.say(sentence(note))
        screen.say(f"  for example: {note.example}")


@app.command()
def release(
    step: Annotated[str, typer.Argument(help="The step, as `nightshift brake show` names it.")],
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Let documents of a paused step fail as usual, for a day: the failures are the documents' own.

    Exit codes: 0 success, 1 store unavailable, 2 usage error: the step is not paused.

    Example: `nightshift brake release ingest`
    """
    from pipeline.ledger import actions
    from pipeline.night import brake

    night = nights.open_night(store)
    if any(note.step == step and not note.released for note in brake.notes(night.store)):
        actions.record(night.store, "brake.release", subject=f"step {step}")
    note = brake.release(night.store, step)
    if note is None:
        raise UsageError(f"Step {step} is not paused: see nightshift brake show.")
    if as_json:
        screen.as_json({"released": note, "store": night.store.url})
        return
    screen.say_store(night.store)
    until = screen.local(note.until, night.schedule.window.zone)
    screen.say(
        f"Step {step} is released: documents that fail with {note.code} are recorded as failed until {until}."
    )


def sentence(note: Braked) -> str:
    """What a note says, in one line."""
    if note.released:
        return f"{note.step}: released by hand, {note.code} is recorded as failed"
    return f"{note.step}: paused for {screen.age(note.since.isoformat())}, as documents in a row fail ({note.code})"
