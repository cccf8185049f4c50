"""`nightshift dead`: look at dead letters by reason, send them back, or discard them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from pipeline import clock
from pipeline.cli import acting, nights, options, screen
from pipeline.errors import ExitCode, NotFound, PermanentError, UsageError

if TYPE_CHECKING:
    from pipeline.models import DocumentResult
    from pipeline.night.dead import Letter
    from tasks.dead import Found

_SHOWN = 20

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at dead letters by reason, send them back, or discard them.",
)

_Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="This code only, such as not_ours.")
]
_Id = Annotated[str | None, typer.Option("--id", metavar="ID", help="The dead letter with this id only.")]
_All = Annotated[bool, typer.Option("--all", help="All dead letters.")]


@app.command(name="list")
def list_(code: _Code = None, task_id: options.TaskId = None, as_json: options.AsJson = False) -> None:
    """List dead letters by code, most frequent first; with `--code` or `--task-id`, one by one.

    A dead letter of a document is a notice: `nightshift failed list` shows what became of it. Those with the codes
    `not_ours`, `bad_signature`, `expired` and `unroutable` are messages that no task is known of; `delivery_limit` is a
    step's message that was returned too often.

    Exit codes: 0 success, 1 broker unavailable, 2 usage error.
    """
    from pipeline.cli.masked import masked
    from pipeline.night.dead import group
    from pipeline.settings import Settings

    mask = Settings.from_env().mask
    found, complete = _read(code, task_id)
    letters = [masked(one.letter, mask) for one in found]
    groups = group(letters)
    if as_json:
        screen.as_json({"count": len(letters), "complete": complete, "groups": groups, "letters": letters})
        return
    if not letters:
        screen.say("No dead letters.")
        return
    title = f"{len(letters)} dead letter{'s' if len(letters) > 1 else ''}"
    title += "" if complete else " (the queue holds more)"
    if code or task_id:
        rows = [(one.id, one.task_id, one.queue, one.reason) for one in letters[:_SHOWN]]
        screen.listing(title, ("id", "task", "queue", "reason"), rows)
        if len(letters) > _SHOWN:
            screen.say(f"… and {len(letters) - _SHOWN} more: --json lists all.")
    else:
        listed = [(one.code, one.count, one.id, one.example) for one in groups]
        screen.listing(title, ("code", "#count", "id", "example"), listed)
    screen.say("See also: nightshift dead show ID, dead redrive -h, failed list.")


@app.command(no_args_is_help=True)
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a dead letter, or a task id.")],
    body: Annotated[bool, typer.Option("--body", help="Print the message itself instead.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show a dead letter; with `--body`, the message as it was sent, which may contain what is confidential.

    Exit codes: 0 success, 1 broker unavailable or no such dead letter, 2 usage error.
    """
    from pipeline.cli.masked import masked
    from pipeline.settings import Settings

    found = [one for one in _read(bodies=body)[0] if name in (one.letter.id, one.letter.task_id)]
    if not found:
        raise NotFound(f'No dead letter has the id or task id "{name}": `nightshift dead list` lists them.')
    if body:
        sys.stdout.buffer.write(found[0].body)
        return
    letters = [masked(one.letter, Settings.from_env().mask) for one in found]
    if as_json:
        screen.as_json({"letters": letters})
        return
    for letter in letters:
        fields = structs.asdict(letter)
        hidden = ("id", "ours")
        shown = [(n, v) for n, v in fields.items() if v not in (None, "") and n not in hidden]
        screen.block(letter.id, shown)


@app.command()
def redrive(
    code: _Code = None,
    task_id: options.TaskId = None,
    letter_id: _Id = None,
    everything: _All = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Send dead letters back: a message to the queue that it came from, a failed document to its first step.

    A refused message is read again by the rules in force now. What is refused or fails again becomes a dead letter
    again.

    Exit codes: 0 success, 1 store or broker unavailable, 2 usage error, 3 some could not be sent back.
    """
    from tasks import client, dead

    _require_filter(code, task_id, letter_id, everything)
    night, broker = nights.open_night(store), client.celery()
    client.reach(broker)
    began = clock.utc()
    acting.record(night.store, "dead.redrive", task_id, code=code, id=letter_id, all=everything)
    documents: set[str] = set()
    kept: dict[str, str] = {}

    def again(found: Found) -> bool:
        letter = found.letter
        if not _is_chosen(letter, code, task_id, letter_id):
            return False
        if letter.step and letter.step != "callback" and letter.code != "damaged":
            documents.add(letter.task_id)
            return False
        if (why := _not_sendable(letter)) or not dead.send_back(broker, found):
            kept[letter.id] = f"{letter.id}: {why or 'the queue that it came from is not known'}"
            return False
        return True

    removed = client.sweep_dead(broker, again).removed
    redriven, not_redriven = _redrive_documents(night, documents)
    refused = [*kept.values(), *not_redriven]
    client.clear_dead(broker, redriven, began, callbacks=True)
    _report(as_json, {"redriven": removed + len(redriven), "refused": refused})
    if refused:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _not_sendable(letter: Letter) -> str:
    """Why a notice cannot be sent back, with what to do instead; empty for a message."""
    if letter.step == "callback":
        return f"a callback is sent again by `nightshift callbacks resend --task-id {letter.task_id}`"
    if letter.code == "damaged":
        return "restore the record that its reason names, then run `nightshift audit --repair`"
    return ""


def _redrive_documents(night: Any, task_ids: set[str]) -> tuple[set[str], list[str]]:
    """Redrive the failures of these tasks; returns the ids that were, and why others were not."""
    from pipeline.ledger.discarded import DISCARDED
    from pipeline.messages import Message
    from pipeline.night import failures
    from tasks import client

    if not task_ids:
        return set(), []
    newest: dict[str, DocumentResult] = {}
    for record in failures.find(night.store):
        if record.task_id in task_ids and failures.code_of(record) != DISCARDED:
            newest[record.task_id] = record
    done, refused = set(), []
    for name, record in newest.items():
        try:
            task = failures.redrive(night.store, record, {}, today=night.schedule.run_date())
        except PermanentError as error:
            refused.append(error.message)
            continue
        client.send(client.celery(), [Message.of("ingest", task)])
        done.add(name)
    return done, refused


@app.command()
def discard(
    code: _Code = None,
    task_id: options.TaskId = None,
    letter_id: _Id = None,
    everything: _All = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove dead letters from their queue.

    A message that no task is known of is gone then. The failure of a document stays in the store: `nightshift failed
    discard` ends it, and removes its dead letter, too.

    Exit codes: 0 success, 1 store or broker unavailable, 2 usage error.
    """
    from tasks import client

    _require_filter(code, task_id, letter_id, everything)
    night, broker = nights.open_night(store), client.celery()
    client.reach(broker, to_publish=False)
    acting.record(night.store, "dead.discard", task_id, code=code, id=letter_id, all=everything)
    swept = client.sweep_dead(broker, lambda found: _is_chosen(found.letter, code, task_id, letter_id))
    _report(as_json, {"discarded": swept.removed})


def _read(
    code: str | None = None, task_id: str | None = None, *, bodies: bool = False
) -> tuple[list[Found], bool]:
    """The dead letters that a filter names, and whether the whole queue was read."""
    from tasks import client

    found: list[Found] = []

    def look(one: Found) -> bool:
        if _is_chosen(one.letter, code, task_id, None):
            found.append(one if bodies else one._replace(body=b""))
        return False

    return found, client.look_at_dead(client.celery(), look)


def _is_chosen(letter: Letter, code: str | None, task_id: str | None, letter_id: str | None) -> bool:
    return (
        code in (None, letter.code) and task_id in (None, letter.task_id) and letter_id in (None, letter.id)
    )


def _require_filter(code: str | None, task_id: str | None, letter_id: str | None, everything: bool) -> None:
    if not (everything or code or task_id or letter_id):
        raise UsageError("Name the dead letters: --code, --task-id, --id, or --all.")


def _report(as_json: bool, figures: dict[str, Any]) -> None:
    if as_json:
        screen.as_json(figures)
        return
    refused = figures.get("refused", [])
    for why in refused[:_SHOWN]:
        screen.say(f"refused  {why}")
    if len(refused) > _SHOWN:
        screen.say(f"refused  … and {len(refused) - _SHOWN} more: --json lists all.")
    counts = {name: len(n) if isinstance(n, list) else n for name, n in figures.items()}
    screen.say(", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
