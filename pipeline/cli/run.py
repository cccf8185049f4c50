"""`nightshift run`: process documents on this machine, without a broker."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import screen
from pipeline.cli.stopping import stoppable
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.documents.sources import Notes, Source
    from pipeline.run.batch import Batch
    from pipeline.run.outcome import Outcome
    from pipeline.settings import Settings
    from pipeline.storage import Store


def run(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SRC...", help="Files, folders (recursive), zip archives or s3:// prefixes."),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            "--store",
            metavar="URL",
            help="Where results go: a folder, file:///path or s3://bucket/prefix. Default: NIGHTSHIFT_STORE_URL.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-j", min=1, help="Worker processes. Default: NIGHTSHIFT_PROCESSES, all cores."
        ),
    ] = None,
    ocr_engine: Annotated[str | None, typer.Option(help="rapidocr, paddleocr or remote.")] = None,
    ner_engine: Annotated[
        str | None, typer.Option(help="lac (with patterns), patterns, or several: lac,crf=FOLDER.")
    ] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Maximum pages per document.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Maximum seconds per document or page group.")
    ] = None,
    run_date: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Run date of the results: YYYY-MM-DD, today, yesterday or last. Default: today.",
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry documents that failed on this run date.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be read or reused; write nothing.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="Number of entities to print.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Process documents on this machine, without a broker.

    Results that exist are reused: after a crash or Ctrl-C, or with more documents, run the same command
    again. Settings are environment variables NIGHTSHIFT_* (docs/reference/settings.md); options override them.

    Exit codes: 0 all done, 1 the run failed, 2 usage error, 3 some documents failed or are partial, 130
    stopped (Ctrl-C).

    Example: `nightshift run scans/ more.zip --out results`
    """
    from pipeline.cli import nights
    from pipeline.settings import Settings
    from pipeline.storage import open_store

    settings = Settings.from_env(
        store_url=out,
        ocr_engine=ocr_engine,
        ner_engine=ner_engine,
        max_pages=max_pages,
        time_limit=time_limit,
    )
    day = nights.run_date(run_date or "today", settings, open_store(settings.store_url, settings))
    count = workers or settings.process_count
    with stoppable():
        try:
            found, notes, batch = _prepare(sources, settings, day, count, retry_failed)
            complete = not dry_run or _dry_run(batch, found, as_json, settings.mask)
        except KeyboardInterrupt:
            _say_stopped("Stopped before any document was processed.")
            if as_json:
                typer.echo(json.dumps({"stopped": True, "documents": 0}))
            raise typer.Exit(ExitCode.STOPPED) from None
        if not dry_run:
            complete = _process(batch, found, notes, settings, show, as_json)
    if not complete:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _prepare(
    places: list[str], settings: Settings, run_date: str, workers: int, retry_failed: bool
) -> tuple[list[Source], Notes, Batch]:
    from pipeline.documents import sources
    from pipeline.run.batch import Batch

    notes = sources.Notes()
    found = list(sources.find(places, settings, notes))
    return found, notes, Batch(settings, run_date=run_date, workers=workers, retry_failed=retry_failed)


def _dry_run(batch: Batch, found: list[Source], as_json: bool, mask: str) -> bool:
    from pipeline.cli.dry_run import dry_run

    return dry_run(batch, found, as_json=as_json, mask=mask)


def _process(
    batch: Batch, found: list[Source], notes: Notes, settings: Settings, show: int, as_json: bool
) -> bool:
    """Process all documents and print the results; returns whether all are done.

    After Ctrl-C the tables of what is done are written and `typer.Exit` (130) is raised.
    """
    from pipeline import reader, scratch
    from pipeline.cli import figures as report
    from pipeline.cli.masked import mask_notes, masked
    from pipeline.ledger.actions import record_settings
    from pipeline.tables.summary import summarise

    scratch.start(settings.temp_dir)
    reader.check(settings)
    started, stopped = time.monotonic(), False
    outcomes: list[Outcome] = []
    try:
        batch.store.check()
        record_settings(batch.store, "run", settings)
        _work(batch, found, outcomes)
        rows = summarise(batch.store, batch.run_date, masked=settings.mask)
    except KeyboardInterrupt:
        stopped = True
        if sys.stderr.isatty():
            _say_stopped("Stopping: writing the tables (Ctrl-C again ends at once) …")
        outcomes += batch.finished_meanwhile()
        rows = summarise(batch.store, batch.run_date, masked=settings.mask)
    mask_notes(notes, settings.mask)
    outcomes = [masked(one, settings.mask) for one in sorted(outcomes, key=lambda one: one.source)]
    figures = report.totals(outcomes, time.monotonic() - started) | {"found": len(found), "stopped": stopped}
    figures |= _places(batch.store, batch.run_date, rows) | notes.figures()
    if stopped:
        _say_stopped(report.stopped_line(figures))
    if as_json:
        typer.echo(json.dumps(figures | report.as_json(outcomes), ensure_ascii=False, indent=2))
    else:
        _print(outcomes, figures, batch.store, settings, 0 if stopped else show)
        for line in notes.lines():
            screen.say(line)
    if stopped:
        raise typer.Exit(ExitCode.STOPPED)
    return not (figures["failed"] or figures["partial"] or notes.unreachable)


def _work(batch: Batch, found: list[Source], outcomes: list[Outcome]) -> None:
    from pipeline.cli import outcomes as tables

    with tables.progress() as bar, closing(batch.run(found)) as running:
        row = bar.add_task("", total=len(found), documents="")
        for outcome in running:
            if outcome is not None:
                outcomes.append(outcome)
            bar.update(
                row,
                completed=batch.pages_read,
                total=batch.pages_expected(len(found)),
                documents=f"{len(outcomes)}/{len(found)} documents",
            )


def _say_stopped(sentence: str) -> None:
    typer.echo(f"nightshift: {sentence}", err=True)


def _places(store: Store, run_date: str, rows: dict[str, int]) -> dict[str, Any]:
    from pipeline.cli import nights
    from pipeline.storage import keys

    return {
        "run_date": run_date,
        "store": store.url,
        "results": f"{store.url}/{keys.results(run_date)}",
        "summary": nights.tables(store, run_date),
        "rows": rows,
    }


def _print(
    outcomes: list[Outcome], figures: dict[str, Any], store: Store, settings: Settings, show: int
) -> None:
    from pipeline.cli import figures as report
    from pipeline.cli import outcomes as tables
    from pipeline.ledger.records import ended
    from pipeline.tables.masking.documents import masked_result

    console = tables.screen()
    if not figures["found"]:
        console.print("No documents found: the given folders contain no visible files.")
    tables.documents(console, outcomes)
    if show:
        done = [o for o in outcomes if o.status != "failed"][:show]
        records = [r for o in done if (r := ended(store, figures["run_date"], o.task_id))]
        records = [masked_result(record, settings.mask) for record in records]
        tables.entities(console, records, show)
        tables.fields(console, records)
    console.print(report.totals_line(figures), highlight=False)
    if reused := report.reused_line(outcomes):
        console.print(reused)
    console.print(f"Results  {figures['results']}", soft_wrap=True, highlight=False)
    for table, url in figures["summary"].items():
        console.print(f"Parquet  {url}  ({figures['rows'][table]} rows)", soft_wrap=True, highlight=False)
