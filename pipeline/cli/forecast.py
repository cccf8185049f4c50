"""`nightshift forecast`: when the backlog will be done, and what more documents would change."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from pipeline import clock
from pipeline.cli import nights, options, screen
from pipeline.plural import count

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipeline.forecast.model import Forecast


def forecast(
    add: Annotated[
        int,
        typer.Option(
            "--add", metavar="N", min=0, max=100_000_000, help="As if N more documents were waiting."
        ),
    ] = 0,
    pages: Annotated[
        int,
        typer.Option(
            "--pages",
            metavar="P",
            min=0,
            max=100_000,
            help="Pages of each of them. Default: as measured before.",
        ),
    ] = 0,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Forecast when the backlog will be done.

    From the documents that wait, the seconds per page that the last seven nights and tonight have taken, and the
    windows to come. *Likely* is as often too early as too late; *nearly certainly* holds in nine of ten nights.
    Until something was measured, it assumes a pace, and says so. How it is made: docs/explanation/forecast.md.

    With --add, a second forecast counts more documents, of --pages pages each; without --pages, of as many as those
    that were measured.

    Exit codes: 0 success (whatever the forecast says), 1 store unavailable, 2 usage error.

    Example: `nightshift forecast --add 40000 --pages 3`
    """
    from pipeline.forecast.model import UNKNOWN, Work
    from pipeline.night import status
    from pipeline.night.outlook import outlook

    night, now = nights.open_night(store), clock.utc()
    _, backlog = status.read(night)
    found = outlook(night, now, backlog=backlog)
    more = None
    if add:
        kind = "ocr" if pages else UNKNOWN
        more = outlook(
            night,
            now,
            backlog=backlog,
            added=[Work(lane="normal", kind=kind, documents=add, pages=add * pages)],
        )
    if as_json:
        screen.as_json(
            structs.asdict(found)
            | {"added": more and structs.asdict(more) | {"add": add, "pages_each": pages or None}}
            | {"store": night.store.url}
        )
        return
    zone = night.schedule.window.zone
    screen.say(f"{'Store':<11}{screen.name_of(night.store)}")
    _print(found, zone)
    if more:
        screen.say()
        each = f" of {count(pages, 'page')}" if pages else ""
        screen.say(f"With {count(add, 'more document')}{each}:")
        _print(more, zone, pace=False)


def _print(found: Forecast, zone: ZoneInfo, *, pace: bool = True) -> None:
    unknown = "" if found.pages else " (pages not known yet)" if found.documents else ""
    pages = f", {count(found.pages, 'known page')}" if found.pages else unknown
    _line("Waiting", f"{count(found.documents, 'document')}{pages}")
    if not found.documents:
        _line("Done", "nothing is waiting")
    else:
        _line("Done", f"likely {_when(found.p50, zone)}")
        _line("", f"nearly certainly {_when(found.p90, zone)}")
        _line("At close", _left(found, zone))
        _line("Nights", _nights(found))
    if pace:
        _line("Pace", f"{found.pages_a_second:.2f} pages/s")
        _line("From", found.basis)


def _line(name: str, text: str) -> None:
    for line in textwrap.wrap(text, max(screen.console().width - 11, 30), break_long_words=False) or [""]:
        screen.say(f"{name:<11}{line}")
        name = ""


def _when(at: datetime | None, zone: ZoneInfo) -> str:
    return f"by {screen.local(at, zone)}" if at else "not within a year"


def _left(found: Forecast, zone: ZoneInfo) -> str:
    if found.close is None:
        return "the window does not close" if found.p50 else "the window does not open by its schedule"
    left = f"{found.left_p50:,} left"
    if found.left_p90 != found.left_p50:
        left += f", {found.left_p90:,} or more in one of ten nights"
    return f"{left} ({screen.local(found.close, zone)})"


def _nights(found: Forecast) -> str:
    inflow = f" with {count(round(found.inflow), 'new document')} a day, as before" if found.inflow else ""
    return f"{'never done' if found.nights is None else found.nights}{inflow}"
