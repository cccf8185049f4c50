"""`nightshift summarise`: a night's records as parquet."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import screen as output
from pipeline.errors import NotFound


def summarise(
    run_date: Annotated[str, typer.Argument(metavar="RUN_DATE", help="The night, such as 2026-11-22.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Write a night's parquet tables (documents, pages, entities, fields) from its records, as often as you like.

    Beat does it by itself when the window closes; a later run replaces the tables with what is there now.

    Exit code: 0, 1 when the store is away or holds no record of that night, 2 wrong usage.
    """
    from pipeline.night import summaries
    from pipeline.settings import Settings
    from pipeline.storage import keys, open_store
    from pipeline.tables.summary import summarise as write

    settings = Settings.from_env()
    store = open_store(settings.store_url, settings)
    day = output.run_day(run_date)
    if not summaries.records(store, day):
        raise NotFound(f"{store.url} holds no results and no failures of {day}: check the run date.")
    rows = write(store, day, masked=settings.mask)
    paths = {name: f"{store.url}/{keys.summary(name, day)}" for name in rows}
    if as_json:
        output.as_json({"run_date": day, "rows": rows, "summary": paths})
        return
    for name, path in paths.items():
        typer.echo(f"{name:<10} {rows[name]:>9} rows  {path}")
