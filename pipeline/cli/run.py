"""`nightshift run`: documents on this machine, without a broker."""

from __future__ import annotations

import json
import os
import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from pipeline.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pipeline.documents.sources import Source
    from pipeline.run.batch import Batch
    from pipeline.run.worker import Outcome
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
            "--out", "-o", metavar="STORE", help="Where results go: a folder or s3://bucket/prefix."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-j", min=1, help="Worker processes, one model each. Default: all cores."),
    ] = None,
    ocr_engine: Annotated[str | None, typer.Option(help="rapidocr or paddleocr.")] = None,
    ner_engine: Annotated[
        str | None, typer.Option(help="lac (with patterns), patterns, or several: lac,crf=FOLDER.")
    ] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Most pages a document may have.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds a document or page group may take.")
    ] = None,
    run_date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Date the results are filed under. Default: today."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed on this run date.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="How many entities to print at the end.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Read documents on this machine, without a broker.

    What is done already is not computed again: after a crash, or with more documents, give the same
    command once more. Settings come from NIGHTSHIFT_* (docs/settings.md); options win.

    Exit code: 0 all done, 3 some documents failed, 1 the run failed, 2 wrong usage.

    Example: `nightshift run scans/ more.zip --out results`
    """
    from pipeline.settings import Settings

    settings = Settings.from_env(
        store_url=out,
        ocr_engine=ocr_engine,
        ner_engine=ner_engine,
        max_pages=max_pages,
        time_limit=time_limit,
    )
    day = _day(run_date, settings.timezone)
    count = workers or len(os.sched_getaffinity(0))
    figures = _run(sources, settings, day, count, retry_failed, show, as_json)
    if figures["failed"] or figures["unreachable"]:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _day(text: str | None, timezone: str) -> str:
    if text is None:
        return datetime.now(ZoneInfo(timezone)).date().isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"--run-date {text} is no date; write it as 2026-11-22.") from None


def _run(
    places: list[str],
    settings: Settings,
    run_date: str,
    workers: int,
    retry_failed: bool,
    show: int,
    as_json: bool,
) -> dict[str, Any]:
    from pipeline.cli import outcomes as tables
    from pipeline.documents import sources
    from pipeline.run.batch import Batch
    from pipeline.tables.summary import summarise

    started = time.monotonic()
    notes = sources.Notes()
    found = list(sources.find(places, settings, notes))
    batch = Batch(settings, run_date=run_date, workers=workers, retry_failed=retry_failed)
    batch.store.check()
    outcomes = _work(batch, found)
    rows = summarise(batch.store, run_date, masked=settings.mask)
    figures = tables.totals(outcomes, time.monotonic() - started) | _places(batch.store, run_date, rows)
    figures |= notes.figures()
    if as_json:
        typer.echo(json.dumps(figures | tables.as_json(outcomes), ensure_ascii=False, indent=2))
    else:
        _print(outcomes, figures, batch.store, settings, show)
        for line in notes.lines():
            tables.screen().print(line, markup=False, highlight=False, soft_wrap=True)
    return figures


def _work(batch: Batch, found: list[Source]) -> list[Outcome]:
    from pipeline.cli import outcomes as tables

    outcomes: list[Outcome] = []
    with tables.progress(Console(stderr=True)) as bar:
        row = bar.add_task("", total=len(found), documents="")
        for outcome in batch.run(found):
            if outcome is not None:
                outcomes.append(outcome)
            bar.update(
                row,
                completed=batch.pages_read,
                total=batch.pages_expected(len(found)),
                documents=f"{len(outcomes)}/{len(found)} documents",
            )
    return outcomes


def _places(store: Store, run_date: str, rows: dict[str, int]) -> dict[str, Any]:
    from pipeline.storage import keys

    return {
        "run_date": run_date,
        "store": store.url,
        "results": f"{store.url}/{keys.results(run_date)}",
        "summary": {table: f"{store.url}/{keys.summary(table, run_date)}" for table in rows},
        "rows": rows,
    }


def _print(
    outcomes: list[Outcome], figures: dict[str, Any], store: Store, settings: Settings, show: int
) -> None:
    from pipeline.cli import outcomes as tables
    from pipeline.ledger.records import ended

    console = tables.screen()
    if not outcomes:
        console.print("There were no documents: the folders given hold no visible file.")
    else:
        console.print(tables.documents(outcomes))
    if show:
        done = [o for o in sorted(outcomes, key=lambda o: o.source) if o.status == "done"][:show]
        records = [r for o in done if (r := ended(store, figures["run_date"], o.task_id))]
        console.print(tables.entities(records, show, masked=settings.mask))
        console.print(tables.fields(records, masked=settings.mask))
    console.print(tables.totals_line(figures), highlight=False)
    if outcomes and all(o.reused for o in outcomes):
        console.print("Nothing was computed: every document had its result already.")
    console.print(f"Results  {figures['results']}", soft_wrap=True, highlight=False)
    for table, url in figures["summary"].items():
        console.print(f"Parquet  {url}  ({figures['rows'][table]} rows)", soft_wrap=True, highlight=False)
