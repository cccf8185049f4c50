"""`nightshift failed`: look at what failed, try it again with other settings, or lay it aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import screen as output
from pipeline.errors import ExitCode, NotFound, PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.models import DocumentResult
    from pipeline.night.night import Night

_SHOWN = 20

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at what failed for good, try it again with other settings, or lay it aside.",
)

_Code = Annotated[str | None, typer.Option("--code", help="With this error code only, such as over_limit.")]
_Id = Annotated[str | None, typer.Option("--task-id", help="This one task.")]
_All = Annotated[bool, typer.Option("--all", help="Everything that failed and is not discarded.")]


def _night() -> Night:
    from pipeline.night.night import Night
    from pipeline.settings import Settings

    return Night.of(Settings.from_env())


def _find(
    night: Night, run_date: str | None, code: str | None, task_id: str | None
) -> Iterable[DocumentResult]:
    from pipeline.night import failures

    day = output.run_day(run_date) if run_date else None
    return failures.find(night.store, run_date=day, code=code, task_id=task_id)


def _chosen(
    night: Night, run_date: str | None, code: str | None, task_id: str | None, everything: bool
) -> list[DocumentResult]:
    """The failures that a filter names; discarded ones only by their code or id."""
    from pipeline.night import failures

    if not everything and not (run_date or code or task_id):
        raise UsageError("Say which failures: --code, --run-date, --task-id, or --all.")
    found = _find(night, run_date, code, task_id)
    asked = code == failures.DISCARDED or task_id
    return [r for r in found if asked or failures.code_of(r) != failures.DISCARDED]


@app.command(name="list")
def list_(run_date: output.Night = None, code: _Code = None, as_json: output.AsJson = False) -> None:
    """List failures by error code, most frequent first; with `--code` one by one.

    Exit code: 0, 1 when the store is away, 2 wrong usage.
    """
    from pipeline.night import failures

    records = list(_find(_night(), run_date, code, None))
    groups = failures.group(records)
    if as_json:
        listed = [_row(r) for r in records]
        output.as_json({"failed": len(records), "groups": groups, "documents": listed})
        return
    if not records:
        typer.echo("Nothing failed.")
    elif code:
        rows = output.table(f"{len(records)} failed with {code}", "run date", "task", "source", "why")
        for record in records[:_SHOWN]:
            output.row(rows, *list(_row(record).values())[:-1])
        output.show(rows)
        if len(records) > _SHOWN:
            typer.echo(f"… and {len(records) - _SHOWN} more: --json lists all.")
    else:
        rows = output.table(f"{len(records)} failed", "code", "#count", "for example", "task")
        for group in groups:
            output.row(rows, group.code, group.count, group.example, group.task_id)
        output.show(rows)
    if kept := sum(record.reprocess for record in records):
        typer.echo(f"{kept} of them were read anew in vain: their older results stand.")


def _row(record: DocumentResult) -> dict[str, Any]:
    return {
        "run_date": record.run_date,
        "task_id": record.task_id,
        "source": record.source,
        "message": record.error.message if record.error else "",
        "kept": record.reprocess,
    }


@app.command(no_args_is_help=True)
def show(
    task_id: Annotated[str, typer.Argument(metavar="TASK_ID")],
    run_date: output.Night = None,
    as_json: output.AsJson = False,
) -> None:
    """Show all that is recorded of a failed task.

    Exit code: 0, 1 when there is no such failure, 2 wrong usage.
    """
    from msgspec import structs

    records = list(_find(_night(), run_date, None, task_id))
    if not records:
        raise NotFound(f"No failure of {task_id} is recorded: `nightshift failed list --json` names all.")
    if as_json:
        output.as_json({"failures": records})
        return
    for record in records:
        rows = output.table(record.task_id, "field", "value")
        fields = structs.asdict(record) | {"code": record.error.code if record.error else ""}
        fields["error"] = record.error.message if record.error else ""
        for name, value in fields.items():
            if value not in (None, "", (), {}) and name not in ("task_id", "status", "schema_version"):
                output.row(rows, name, value)
        output.show(rows)


@app.command()
def redrive(
    run_date: output.Night = None,
    code: _Code = None,
    task_id: _Id = None,
    everything: _All = False,
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting for these tasks alone; may be repeated."),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Try failed tasks again, from their first step, with other settings if given.

    They become pending, with their attempts counted anew, and end in the results or failures of the night
    that reads them. Pages read before are used again where the settings are the same. After an
    interruption give the same command once more; the few that were under way then beat announces by itself.

    Exit code: 0, 3 some can't be tried again, 1 store or broker away, 2 wrong usage.

    Example: `nightshift failed redrive --code over_limit --set max_pages=5000`
    """
    from pipeline.night import failures
    from tasks import client

    night, settings = _night(), failures.overrides(changed or [])
    records = _chosen(night, run_date, code, task_id, everything)
    client.reach(client.celery())
    refused = [why for why in _redrive(night, records, settings) if why]
    _tell(as_json, {"redriven": len(records) - len(refused), "refused": refused})
    if refused:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _redrive(night: Night, records: list[DocumentResult], settings: dict[str, str]) -> Iterable[str]:
    """For each record, why it can't be tried again, or nothing."""
    from pipeline.messages import Message
    from pipeline.night import failures
    from pipeline.threads import in_threads
    from tasks import client

    def again(record: DocumentResult) -> str:
        try:
            task = failures.redrive(night.store, record, settings)
        except PermanentError as error:
            return error.message
        client.send(client.celery(), [Message.of("ingest", task)])
        return ""

    return in_threads(again, records, threads=client.THREADS, batch=1)


@app.command()
def discard(
    run_date: output.Night = None,
    code: _Code = None,
    task_id: _Id = None,
    everything: _All = False,
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")] = "",
    as_json: output.AsJson = False,
) -> None:
    """Lay failures aside: nobody needs them done.

    Nothing is deleted. The record stays among the failures of its night with the code `discarded`, and says
    what it had failed with, so that the audit still adds up. `redrive --code discarded` takes them up again.

    Exit code: 0, 1 when the store is away, 2 wrong usage.
    """
    from pipeline.night import failures

    night = _night()
    records = _chosen(night, run_date, code, task_id, everything)
    for record in records:
        failures.discard(night.store, record, reason)
    _tell(as_json, {"discarded": len(records)})


def _tell(as_json: bool, figures: dict[str, Any]) -> None:
    if as_json:
        output.as_json(figures)
        return
    for why in figures.get("refused", [])[:_SHOWN]:
        typer.echo(f"refused  {why}")
    counts = {name: len(n) if isinstance(n, list) else n for name, n in figures.items()}
    typer.echo(", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
