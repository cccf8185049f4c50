"""Write the report of a night to the store, and read it back."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from pipeline.errors import TransientError
from pipeline.ledger import forgotten, reported
from pipeline.models import to_json
from pipeline.night.night import Night
from pipeline.report.facts import REPORT_VERSION, Report
from pipeline.report.gather import gather
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_ATTEMPTS = 5


def as_html(report: Report, language: str) -> str:
    """The report as one HTML page."""
    from pipeline.report.render import render  # plots: megabytes that reading a report need not have

    return render(report, language)


def write(night: Night, run_date: str, now: datetime, language: str = "", **known: object) -> Report:
    """Make the report of a night and write it to the store; returns it. `known`: as `gather` takes it.

    Repeating it replaces it. It is made again where documents are forgotten meanwhile; raises `TransientError` where
    that goes on, and what the store raises.
    """
    for _ in range(_ATTEMPTS):
        before = forgotten.last_stamp(night.store)
        report = gather(night, run_date, now, **known)  # type: ignore[arg-type]
        put(night.store, report, language or night.settings.report_language)
        if forgotten.last_stamp(night.store) == before:
            return report
        known.pop("audit", None)
    raise TransientError(
        f"The report of {run_date} was not completed, as documents are being forgotten.", code="forgetting"
    )


def put(store: Store, report: Report, language: str) -> None:
    """Write a report; the page first, so that where there are facts there is a page."""
    store.put(keys.report(report.run_date, reported.PAGE), as_html(report, language).encode())
    store.put(keys.report(report.run_date, reported.FACTS), to_json(report))


def read(store: Store, run_date: str) -> Report | None:
    """The report in the store; `None` for none, and for one of another version."""
    found = read_or_none(store, keys.report(run_date, reported.FACTS), Report)
    return found if found and found.report_version == REPORT_VERSION else None


def bare(report: Report) -> Report:
    """A report without its pictures."""
    return structs.replace(
        report,
        looks=tuple(structs.replace(one, picture="") for one in report.looks),
        documents=tuple(structs.replace(one, picture="") for one in report.documents),
    )
