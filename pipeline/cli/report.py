"""`nightshift report`: what a night did, what is left, and what to do now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli import nights, options, screen
from pipeline.errors import NotFound, UsageError

if TYPE_CHECKING:
    from pipeline.night.night import Night
    from pipeline.report.facts import Report


def report(
    run_date: Annotated[
        str,
        typer.Argument(
            metavar="RUN_DATE",
            help="The night: YYYY-MM-DD, today, yesterday or last (the latest night with results or failures, or, "
            "once its window has closed, with nothing).",
        ),
    ] = "last",
    language: Annotated[
        Literal["en", "zh"] | None,
        typer.Option("--language", help="Language of the report. Default: NIGHTSHIFT_REPORT_LANGUAGE."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the page to this file.")
    ] = None,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the report of a night, and print its verdict, its numbers and what to do now.

    The page is `reports/run_date=…/index.html` in the store: one file, masked by NIGHTSHIFT_MASK, which needs nothing
    from the network. Beat writes it after each close. Run it again at any time: it replaces the report. A night whose
    records retention has removed keeps the report that it has.

    Exit codes: 0 success, 1 store unavailable, 2 usage error, such as a night that has not begun, or before the first.
    """
    from pipeline import reader, scratch

    night = nights.open_night(store)
    day = _last(night) if run_date.strip().lower() == "last" else _named(night, run_date)
    scratch.start(night.settings.temp_dir)
    reader.start(night.settings)
    words = language or night.settings.report_language
    found = _made(night, day, words)
    page = _saved(found, words, out, browse=browse)
    if as_json:
        screen.as_json(found)
        return
    _print(night, found, words, page)


def _last(night: Night) -> str:
    """The latest night, be it an empty one: of such a one, housekeeping has left samples, and its window has closed."""
    from pipeline import clock
    from pipeline.ledger import timeline
    from pipeline.report import due

    closed = due.last_closed(night, clock.utc())
    if closed not in timeline.dates(night.store):
        return nights.last(night.store)
    try:
        return max(closed, nights.last(night.store))
    except NotFound:
        return closed


def _named(night: Night, text: str) -> str:
    """The run date that was typed; raises `UsageError` for a night that has not begun, or before the first one."""
    day = nights.run_date(text, night.settings, night.store)
    known = nights.known(night.store)
    if day in known:
        return day
    if day > max([*known[-1:], night.schedule.run_date()]):
        raise UsageError(f"The night of {day} has not begun: there is nothing to report yet.")
    if not known or day < known[0]:
        first = f"the first is {known[0]}" if known else "there is none yet"
        raise UsageError(f"{night.store.url} has no night of {day}: {first}.")
    return day


def _made(night: Night, day: str, language: str) -> Report:
    """The report of a night, made and written now; of one without its records as it is, or made and not written."""
    from pipeline import clock
    from pipeline.ledger import audit, removed
    from pipeline.report import gather, written

    now = clock.utc()
    if removed.of(night.store, day).records:
        return written.read(night.store, day) or gather.gather(night, day, now)
    with screen.bar() as bar:
        audited = audit.audit(night.store, day, by_tables=True, track=screen.track(bar))
    return written.write(night, day, now, language, audit=audited)


def _saved(found: Report, language: str, out: Path | None, *, browse: bool) -> Path | None:
    """Write the page to a file where one is wanted; returns its name."""
    if out is None and not browse:
        return None
    from pipeline.report import written

    path = out or Path(f"nightshift-{found.run_date}.html")
    try:
        path.write_text(written.as_html(found, language), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}): give another --out.") from error
    if browse:
        typer.launch(path.absolute().as_uri())
    return path


def _print(night: Night, found: Report, language: str, page: Path | None) -> None:
    from pipeline.ledger import reported
    from pipeline.report import text
    from pipeline.storage import keys

    screen.say_store(night.store)
    for line in text.lines(found, language):
        screen.say(line)
    screen.say()
    screen.say(f"Page  {page or f'{night.store.url}/{keys.report(found.run_date, reported.PAGE)}'}")
    if page is None and night.settings.encryption_keys:
        screen.say("It is encrypted there: --out FILE writes it readable, nightshift cat KEY prints it.")
