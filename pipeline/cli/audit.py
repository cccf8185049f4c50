"""`nightshift audit`: the proof that nothing was lost, and the repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from pipeline.cli import screen as output
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.ledger.audit import Audit
    from pipeline.night.night import Night

_SHOWN = 40  # gaps listed one by one


def audit(
    run_date: Annotated[str, typer.Argument(metavar="RUN_DATE", help="The night, such as 2026-11-22.")],
    repair: Annotated[
        bool, typer.Option("--repair", help="Announce all pending tasks again; take up missing ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Prove that what was received on RUN_DATE is done, failed or pending, by task id and by content hash.

    It reads the receipts that acceptance left behind and looks each task up among the records of that night
    and later ones. It may run at any time. A gap is a task that is *missing*, that ended *twice*, whose
    record is about *other bytes* than were received, or is *damaged*; or *two sources* were received under
    its id, of which only one can be there.

    With `--repair`, missing tasks are marked pending again if the store has their bytes, and every pending
    task gets a message, as after the loss of RabbitMQ's disk. A task that has a message already is not
    done twice: its second message finds it ended.

    Exit code: 0 it adds up, 4 there is a gap, 1 store or broker away, 2 wrong usage.
    """
    from pipeline.ledger import audit as ledger_audit
    from pipeline.night.night import Night
    from pipeline.settings import Settings

    night = Night.of(Settings.from_env())
    day = output.run_day(run_date)
    report = ledger_audit.audit(night.store, day)
    done: dict[str, Any] = {}
    if repair:
        done = _repair(night, report)
        report = ledger_audit.audit(night.store, day)
    if as_json:
        output.as_json(structs.asdict(report) | {"adds_up": report.adds_up} | done)
    else:
        _print(report, done)
    if not report.adds_up:
        raise typer.Exit(ExitCode.DISCREPANCY)


def _repair(night: Night, report: Audit) -> dict[str, Any]:
    """Returns how many tasks were restored, and how many messages published."""
    from pipeline.ledger import audit as ledger_audit
    from pipeline.night.dispatch import resume_all
    from tasks import client

    app = client.celery()
    client.reach(app)
    restored = ledger_audit.restore(night.store, report)
    return {"restored": len(restored), "published": client.send_all(app, resume_all(night))}


def _print(report: Audit, done: dict[str, Any]) -> None:
    if done:
        typer.echo(f"Repaired: {done['restored']} taken up again, {done['published']} messages published.")
    missing = sum(gap.kind == "missing" for gap in report.gaps)
    typer.echo(
        f"{report.run_date}: received {report.received} = {report.done} done + {report.failed} failed "
        f"+ {report.pending} pending" + (f" + {missing} missing" if missing else "")
    )
    if report.gaps:
        gaps = output.table(f"{len(report.gaps)} gaps", "gap", "task", "source", "what is wrong")
        for gap in report.gaps[:_SHOWN]:
            output.row(gaps, gap.kind, gap.task_id, gap.source, gap.detail)
        output.show(gaps)
        if len(report.gaps) > _SHOWN:
            typer.echo(f"… and {len(report.gaps) - _SHOWN} more: --json lists all.")
    elif report.received:
        typer.echo(f"It adds up; the content of {report.hashes} was compared by hash.")
    else:
        typer.echo("Nothing was received on that date.")
