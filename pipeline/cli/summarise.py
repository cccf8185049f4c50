"""`nightshift summarise`: a night's records as parquet."""

from __future__ import annotations

from pipeline.cli import nights, options, screen
from pipeline.errors import NotFound


def summarise(
    run_date: options.RunDateArgument = "last",
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a night's parquet tables (documents, pages, entities, fields) from its records.

    Beat does this when the window closes. Run it again at any time: it replaces the tables with the current records.

    Exit codes: 0 success, 1 store unavailable or no records of that night, 2 usage error.
    """
    from pipeline import scratch
    from pipeline.ledger import reported
    from pipeline.night import summaries
    from pipeline.tables.summary import summarise as write

    night = nights.open_night(store)
    day = nights.run_date(run_date, night.settings, night.store)
    if not summaries.records(night.store, day):
        raise NotFound(f"{night.store.url} has no results and no failures of {day}: check the run date.")
    scratch.start(night.settings.temp_dir)
    rows = write(night.store, day, masked=night.settings.mask)
    reported.mark(night.store, day)
    paths = nights.tables(night.store, day)
    if as_json:
        screen.as_json({"run_date": day, "rows": rows, "summary": paths, "store": night.store.url})
        return
    screen.say_store(night.store)
    screen.say(f"Night  {day}")
    for name, path in paths.items():
        screen.say(f"{name:<10} {rows[name]:>9} rows  {path}")
