"""What the commands have in common: dates in, tables and JSON out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.progress import Progress


Night = Annotated[
    str | None, typer.Option("--run-date", metavar="YYYY-MM-DD", help="Of this night only. Default: of all.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def run_day(text: str) -> str:
    """A run date as keys spell it; raises `UsageError`."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{text} is no run date; write it as 2026-11-22.") from None


def as_json(value: Any) -> None:
    """Print one JSON object."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(title: str, *columns: str) -> Table:
    """A plain table; columns whose name begins with `#` hold numbers."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for name in columns:
        made.add_column(
            name.lstrip("#"), justify="right" if name.startswith("#") else "left", overflow="fold"
        )
    return made


def row(to: Table, *cells: object) -> None:
    """Add a row; cells are shown as they are, whatever brackets a file name holds."""
    to.add_row(*(Text(str(cell)) for cell in cells))


def show(what: Table) -> None:
    """Print a table."""
    Console().print(what)


def bar() -> Progress:
    """A progress bar that counts documents, on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def local(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment as the operator's clock shows it."""
    return at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z") if at else "never"


def age(since: str) -> str:
    """How long ago an ISO moment was, such as `3 h 20 min`."""
    if not since:
        return ""
    minutes = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
