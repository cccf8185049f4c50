"""`nightshift keys`: make encryption keys, see which are in use, and encrypt everything with the first one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import clock
from pipeline.cli import acting, nights, options, screen
from pipeline.errors import ExitCode, RunError

if TYPE_CHECKING:
    from rich.progress import Progress

    from pipeline.night.rotation import Looked
    from pipeline.storage import EncryptedStore, Store

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make encryption keys, see which are in use, and encrypt everything with the first one.",
)

_SHOWN = 20  # problems listed one by one


@app.command()
def new(
    key_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="Name of the key. Default: the date and time (UTC).")
    ] = "",
    as_json: options.AsJson = False,
) -> None:
    """Print a fresh random key, as NIGHTSHIFT_ENCRYPTION_KEYS and its file have it. It is stored nowhere.

    Exit codes: 0 success, 2 usage error: an invalid id.

    Example: `(umask 077; nightshift keys new >> /run/secrets/nightshift-keys)`
    """
    from pipeline.encryption.keyring import new_line

    line = new_line(key_id or f"{clock.utc():k%Y%m%d-%H%M%S}")
    if as_json:
        screen.as_json({"key": line})
    else:
        typer.echo(line)


@app.command(name="list")
def list_(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Count the objects of the store by the key that they are encrypted with.

    The beginning of each object is read. A key under which nothing is left may be removed from
    NIGHTSHIFT_ENCRYPTION_KEYS.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.night import rotation

    source = nights.open_store(store)
    with screen.bar() as bar:
        row = bar.add_task("objects", total=None)
        for counts in rotation.count(source):
            bar.update(row, completed=counts.total())
    if as_json:
        known = [key.id for key in source.keyring]
        screen.as_json({"objects": counts, "keys": known, "store": source.url})
        return
    screen.say_store(source)
    rows = [(name, number, _meaning(source, name)) for name, number in sorted(counts.items())]
    rows += [(key.id, 0, _meaning(source, key.id)) for key in source.keyring if key.id not in counts]
    screen.listing("", ("key", "#objects", "meaning"), rows)


@app.command()
def rotate(store: options.Store = None, as_json: options.AsJson = False) -> None:
    """Encrypt with the first key every object that is not: those under older keys, and those not encrypted yet.

    Workers may run meanwhile. Objects of tasks that have not ended are left alone; run the command again when these
    have ended, and after an interruption. Don't delete documents from the store at the same time; while
    `nightshift forget` has not ended, this command refuses to start.

    Exit codes: 0 everything is under the first key, 1 store unavailable, or documents are being forgotten, 2 usage
    error, 3 some objects are not.
    """
    from pipeline.night import rotation

    source = nights.open_store(store)
    _refuse_while_forgetting(source)
    first = source.keyring.first
    acting.record(source, "keys.rotate", key=first.id if first else "")
    with screen.bar() as bar:
        rotated = rotation.summed(_tracked(bar, rotation.rotate(source)))
    if as_json:
        screen.as_json(
            {
                "counts": rotated.counts,
                "remaining": rotated.remaining,
                "problems": rotated.problems,
                "store": source.url,
            }
        )
    else:
        screen.say_store(source)
        for problem in rotated.problems[:_SHOWN]:
            screen.say(problem)
        if len(rotated.problems) > _SHOWN:
            screen.say(f"… and more: --json lists the first {len(rotated.problems)}.")
        screen.say(_sentence(rotated.counts))
    if rotated.remaining:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _refuse_while_forgetting(store: Store) -> None:
    from pipeline.storage import keys

    if any(store.list(keys.FORGETTING)):
        raise RunError(
            f"Documents are being forgotten in {store.url}, which rotation could undo: run `nightshift forget "
            "--resume`, then this again (after an hour where one of their tasks was in progress).",
            code="forgetting",
        )


def _tracked(bar: Progress, looked: Iterator[Looked]) -> Iterator[Looked]:
    row = bar.add_task("objects", total=None)
    for one in looked:
        bar.advance(row)
        yield one


def _sentence(counts: dict[str, int]) -> str:
    named = {
        "rewritten": "encrypted with the first key",
        "current": "were already",
        "in_progress": "of tasks that have not ended",
        "changed": "changed meanwhile",
        "locked": "without their key",
        "damaged": "damaged",
    }
    return ", ".join(f"{counts[kind]} {what}" for kind, what in named.items() if kind in counts) + "."


def _meaning(store: EncryptedStore, name: str) -> str:
    from pipeline.night.rotation import DAMAGED, EMPTY, PLAIN

    fixed = {PLAIN: "not encrypted", EMPTY: "empty: nothing to encrypt", DAMAGED: "not readable"}
    if name in fixed:
        return fixed[name]
    if name not in {key.id for key in store.keyring}:
        return "not in NIGHTSHIFT_ENCRYPTION_KEYS"
    return "encrypts" if store.keyring.first and name == store.keyring.first.id else "decrypts"
