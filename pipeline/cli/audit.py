"""`nightshift audit`: the proof that nothing was lost, and the repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from pipeline.cli import acting, nights, options, screen
from pipeline.errors import ExitCode
from pipeline.plural import count

if TYPE_CHECKING:
    from pipeline.ledger.audit import Audit
    from pipeline.night.night import Night


_SHOWN = 40  # discrepancies listed one by one


def audit(
    run_date: options.RunDateArgument = "last",
    repair: Annotated[
        bool, typer.Option("--repair", help="Publish all pending tasks again; restore missing ones.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not read the documents' bytes, nor list all claims.")
    ] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Prove that every document received on RUN_DATE is done, failed or pending, by task id and by content hash.

    It reads the receipts that acceptance wrote and looks each task up in the records of that night and later ones.
    It may run at any time. A discrepancy is a task that is *missing*, that ended *twice*, whose record is about
    *other bytes* than were received, or is *damaged*; or *two sources* were received under its id, of which only
    one can be there.

    It also notices what was deleted or changed since it was written: a receipt (*receipt_missing*,
    *receipt_changed*), a record (*record_missing*, *record_changed*), or a document (*document_missing*,
    *document_changed*). For the documents it reads all bytes of that date, unless `--quick` is given.

    With `--repair`, missing tasks become pending again if the store has their bytes, and every pending task gets a
    message, as after the loss of RabbitMQ's disk. A task that already has a message is not processed twice: the
    second message finds that it has ended.

    Exit codes: 0 audit passed, 1 store or broker unavailable, 2 usage error, 4 discrepancies found.
    """
    from pipeline import scratch
    from pipeline.cli.masked import masked
    from pipeline.ledger import audit as ledger_audit

    night = nights.open_night(store)
    scratch.start(night.settings.temp_dir)
    day = nights.run_date(run_date, night.settings, night.store)
    with screen.bar() as bar:
        report = ledger_audit.audit(night.store, day, quick=quick or repair, track=screen.track(bar))
        done: dict[str, Any] = {}
        if repair:
            done = _repair(night, report)
            report = ledger_audit.audit(night.store, day, quick=quick, track=screen.track(bar))
    gaps = tuple(masked(gap, night.settings.mask) for gap in report.gaps)
    report = structs.replace(report, gaps=gaps)
    if as_json:
        screen.as_json(structs.asdict(report) | {"adds_up": report.adds_up, "store": night.store.url} | done)
    else:
        screen.say_store(night.store)
        _print(report, done)
    if not report.adds_up:
        raise typer.Exit(ExitCode.DISCREPANCY)


def _repair(night: Night, report: Audit) -> dict[str, Any]:
    """Returns how many tasks were restored, and how many messages published."""
    from pipeline.ledger import audit as ledger_audit
    from pipeline.night import remnants
    from pipeline.night.dispatch import resume_all
    from tasks import client

    app = client.celery()
    client.reach(app)
    acting.record(night.store, "audit.repair", run_date=report.run_date)
    restored = ledger_audit.restore(night.store, report, lambda end: remnants.notify_again(night.store, end))
    return {"restored": len(restored), "published": client.send_all(app, resume_all(night))}


def _print(report: Audit, done: dict[str, Any]) -> None:
    if done:
        screen.say(
            f"Repaired: {count(done['restored'], 'task')} restored, {count(done['published'], 'message')} published."
        )
    missing = sum(gap.kind == "missing" for gap in report.gaps)
    screen.say(
        f"{report.run_date}: received {report.received} = {report.done} done + {report.partial} partial + "
        f"{report.failed} failed "
        f"+ {report.pending} pending"
        + (f" + {report.forgotten} forgotten" if report.forgotten else "")
        + (f" + {missing} missing" if missing else "")
    )
    if report.gaps:
        found = count(len(report.gaps), "discrepancy", "discrepancies")
        rows = [(gap.task_id or "-", gap.kind, gap.source, gap.detail) for gap in report.gaps[:_SHOWN]]
        screen.listing(found, ("task", "kind", "source", "detail"), rows)
        if len(report.gaps) > _SHOWN:
            screen.say(f"… and {len(report.gaps) - _SHOWN} more: --json lists all.")
    elif report.received:
        screen.say(f"Audit passed; content hashes of {count(report.hashes, 'document')} compared.")
    if report.documents or report.not_kept:
        screen.say(
            f"Bytes of {count(report.documents, 'document')} read ({screen.size(report.bytes)}): as they were received"
            + (
                f"; not kept any more: those of {count(report.not_kept, 'ended one')}."
                if report.not_kept
                else "."
            )
        )
    if report.rewritten:
        screen.say(
            f"{count(report.rewritten, 'receipt')} rewritten by `nightshift forget`, as their notes prove."
        )
    if report.unchained:
        screen.say(
            f"Written by an older version, so not protected against deletion: {report.unchained} of "
            f"{count(report.receipts, 'receipt')}."
        )
    if not (report.gaps or report.received):
        screen.say("No documents were received on that date.")
