"""`nightshift failed`: look at failures, retry them with other settings, or discard them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import clock
from pipeline.cli import acting, nights, options, screen
from pipeline.errors import BrokerUnavailable, ExitCode, NotFound, PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.models import DocumentResult
    from pipeline.night.failures import Group
    from pipeline.night.night import Night

_SHOWN = 20

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Look at failed documents, retry them with other settings, or discard them.",
)

_Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="This error code only, such as over_limit.")
]
_All = Annotated[bool, typer.Option("--all", help="All failures that are not discarded.")]


def _find(
    night: Night, run_date: str | None, code: str | None, task_id: str | None
) -> Iterable[DocumentResult]:
    from pipeline.night import failures

    day = nights.run_date_or_none(run_date, night)
    return failures.find(night.store, run_date=day, code=code, task_id=task_id)


def _chosen(
    night: Night, run_date: str | None, code: str | None, task_id: str | None
) -> list[DocumentResult]:
    """The failures that a filter names; discarded ones only by their code or id."""
    from pipeline.ledger.discarded import DISCARDED
    from pipeline.night import failures

    found = _find(night, run_date, code, task_id)
    asked = code == DISCARDED or task_id
    return [r for r in found if asked or failures.code_of(r) != DISCARDED]


def _require_filter(run_date: str | None, code: str | None, task_id: str | None, everything: bool) -> None:
    if not everything and not (run_date or code or task_id):
        raise UsageError("Name the failures: --code, --run-date, --task-id, or --all.")


@app.command(name="list")
def list_(
    run_date: options.RunDate = None,
    code: _Code = None,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """List failed and partial documents by error code, most frequent first; with `--code`, one by one.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.night import failures
    from pipeline.tables.masking.documents import masked_result

    night = nights.open_night(store)
    records = [masked_result(one, night.settings.mask) for one in _find(night, run_date, code, None)]
    groups = failures.group(records)
    partial = sum(record.status == "partial" for record in records)
    if as_json:
        listed = [_row(r) for r in records]
        screen.as_json(
            {
                "failed": len(records) - partial,
                "partial": partial,
                "groups": groups,
                "documents": listed,
                "store": night.store.url,
            }
        )
        return
    screen.say_store(night.store)
    if not records:
        screen.say("Nothing failed.")
        return
    if code:
        _print_records(records, code)
    else:
        _print_groups(records, groups)
    if kept := sum(record.reprocess for record in records):
        screen.say(f"{kept} of them could not be reprocessed; previous results kept.")
    screen.say("See also: nightshift failed show TASK_ID, failed redrive -h, status.")


def _print_records(records: list[DocumentResult], code: str) -> None:
    rows = [_row(record) for record in records[:_SHOWN]]
    screen.listing(
        f"{_counted(records)} with {code}",
        ("task", "run date", "source", "reason"),
        [(row["task_id"], row["run_date"], row["source"], row["message"]) for row in rows],
    )
    if len(records) > _SHOWN:
        screen.say(f"… and {len(records) - _SHOWN} more: --json lists all.")


def _print_groups(records: list[DocumentResult], groups: list[Group]) -> None:
    screen.listing(
        _counted(records),
        ("code", "#count", "task", "example"),
        [(group.code, group.count, group.task_id, group.example) for group in groups],
    )


def _counted(records: list[DocumentResult]) -> str:
    partial = sum(record.status == "partial" for record in records)
    return f"{len(records) - partial} failed" + (f", {partial} partial" if partial else "")


def _row(record: DocumentResult) -> dict[str, Any]:
    return {
        "run_date": record.run_date,
        "task_id": record.task_id,
        "source": record.source,
        "status": record.status,
        "message": record.error.message if record.error else "",
        "kept": record.reprocess,
    }


@app.command(no_args_is_help=True)
def show(
    task_id: Annotated[
        str, typer.Argument(metavar="TASK_ID", help="A task id, or the beginning of one that no other has.")
    ],
    run_date: options.RunDate = None,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Show everything recorded about a failed task.

    Exit codes: 0 success, 1 store unavailable or no such failure, 2 usage error or several tasks match.
    """
    from msgspec import structs

    from pipeline.tables.masking.documents import masked_result

    night = nights.open_night(store)
    whole = _whole_id(night, run_date, task_id)
    records = [masked_result(one, night.settings.mask) for one in _find(night, run_date, None, whole)]
    if not records:
        raise NotFound(
            f"No failure of {whole} in {night.store.url}: `nightshift failed list --json` lists all."
        )
    if as_json:
        screen.as_json({"failures": records, "store": night.store.url})
        return
    screen.say_store(night.store)
    for record in records:
        fields = structs.asdict(record) | {"code": record.error.code if record.error else ""}
        fields["error"] = record.error.message if record.error else ""
        hidden = ("task_id", "status", "schema_version")
        shown = [(n, v) for n, v in fields.items() if v not in (None, "", (), {}) and n not in hidden]
        screen.say()
        screen.block(record.task_id, shown)


def _whole_id(night: Night, run_date: str | None, prefix: str) -> str:
    """The id of the one failed task that `prefix` is or begins; itself where there is none.

    Raises `UsageError` with the candidates where there are several.
    """
    from pipeline.storage import keys

    day = nights.run_date_or_none(run_date, night)
    prefixes = (
        (keys.failures(day), keys.partials(day), keys.failures_again(day))
        if day
        else (keys.FAILED, keys.PARTIAL, keys.FAILED_AGAIN)
    )
    ids = {keys.task_id_of(key) for places in prefixes for key in night.store.list(places)}
    fitting = sorted(task_id for task_id in ids if task_id.startswith(prefix))
    if prefix in ids or not fitting:
        return prefix
    if len(fitting) > 1:
        more = f" and {len(fitting) - _SHOWN} more" if len(fitting) > _SHOWN else ""
        raise UsageError(
            f"{len(fitting)} failed tasks begin with {prefix}: {', '.join(fitting[:_SHOWN])}{more}; "
            "type more of the id."
        )
    return fitting[0]


@app.command()
def redrive(
    run_date: options.RunDate = None,
    code: _Code = None,
    task_id: options.TaskId = None,
    everything: _All = False,
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting for these tasks only; may be repeated."),
    ] = None,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Retry failed tasks from their first step, with other settings if given.

    They become pending again, their attempts are counted from zero, and they end in the results or failures of the
    night that processes them. Pages already read are reused where the settings are the same. After an interruption
    run the same command again; beat publishes the few that were in progress.

    Exit codes: 0 success, 1 store or broker unavailable, 2 usage error, 3 some tasks cannot be retried.

    Example: `nightshift failed redrive --code over_limit --set max_pages=5000`
    """
    from pipeline.night import failures
    from tasks import client

    _require_filter(run_date, code, task_id, everything)
    night, settings = nights.open_night(store), failures.overrides(changed or [])
    records = _chosen(night, run_date, code, task_id)
    client.reach(client.celery())
    began = clock.utc()
    acting.record(
        night.store,
        "failed.redrive",
        task_id,
        run_date=run_date,
        code=code,
        all=everything,
        failures=len(records),
        settings=",".join(sorted(settings)),
    )
    reasons = list(_redrive(night, records, settings))
    refused = [why for why in reasons if why]
    redriven = [record.task_id for record, why in zip(records, reasons, strict=True) if not why]
    client.clear_dead(client.celery(), redriven, began, callbacks=True)
    _report(night, as_json, {"redriven": len(redriven), "refused": refused})
    if refused:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _redrive(night: Night, records: list[DocumentResult], settings: dict[str, str]) -> Iterable[str]:
    """For each record, why it cannot be retried, or an empty string."""
    from pipeline.messages import Message
    from pipeline.night import failures
    from pipeline.threads import in_threads
    from tasks import client

    def again(record: DocumentResult) -> str:
        try:
            task = failures.redrive(night.store, record, settings, today=night.schedule.run_date())
        except PermanentError as error:
            return error.message
        client.send(client.celery(), [Message.of("ingest", task)])
        return ""

    return in_threads(again, records, threads=client.THREADS, batch=1)


@app.command()
def discard(
    run_date: options.RunDate = None,
    code: _Code = None,
    task_id: options.TaskId = None,
    everything: _All = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the record.")] = "",
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Discard failures: nobody needs these documents.

    Nothing is deleted. The record stays among the failures of its night with the code `discarded` and its previous
    error, so that the audit still passes. `redrive --code discarded` retries them. Their dead letters are removed.

    Exit codes: 0 success, 1 store unavailable, 2 usage error.
    """
    from pipeline.night import failures
    from tasks import client

    _require_filter(run_date, code, task_id, everything)
    night, began = nights.open_night(store), clock.utc()
    records = _chosen(night, run_date, code, task_id)
    acting.record(
        night.store,
        "failed.discard",
        task_id,
        run_date=run_date,
        code=code,
        all=everything,
        failures=len(records),
    )
    for record in records:
        failures.discard(night.store, record, reason)
    with suppress(BrokerUnavailable):  # housekeeping removes them, or there is no broker at all
        client.clear_dead(client.celery(), [record.task_id for record in records], began)
    _report(night, as_json, {"discarded": len(records)})


def _report(night: Night, as_json: bool, figures: dict[str, Any]) -> None:
    if as_json:
        screen.as_json(figures | {"store": night.store.url})
        return
    screen.say_store(night.store)
    refused = figures.get("refused", [])
    for why in refused[:_SHOWN]:
        screen.say(f"refused  {why}")
    if len(refused) > _SHOWN:
        screen.say(f"refused  … and {len(refused) - _SHOWN} more: --json lists all.")
    counts = {name: len(n) if isinstance(n, list) else n for name, n in figures.items()}
    screen.say(", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
