"""What commands print: text, tables that fold, JSON and progress bars."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import typer

from pipeline import clock, logs
from pipeline.errors import UsageError
from pipeline.logs import is_safe
from pipeline.tables.masked_logs import JsonFormatter, MaskedFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    from pipeline.ledger.track import Track
    from pipeline.storage import Store

T = TypeVar("T")

_WIDTH = 120  # of files and pipes
_FOLDED = 30  # columns below which folded text is hard to read


@dataclass
class Terminal:
    """What the global options ask for."""

    quiet: bool = False
    progress: bool = True


terminal = Terminal()
"""Set once, when the command line is parsed."""


def colour(when: Literal["auto", "always", "never"]) -> None:
    """Apply `--color` by the variables that rich and other tools follow; `auto` leaves them as they are."""
    if when == "auto":
        return
    wanted, other = ("FORCE_COLOR", "NO_COLOR") if when == "always" else ("NO_COLOR", "FORCE_COLOR")
    os.environ[wanted] = "1"
    os.environ.pop(other, None)


def log(level: int) -> None:
    """Write log messages of this level and above to standard error; of libraries' debug messages none."""
    handler = logging.StreamHandler()
    handler.addFilter(is_safe)
    handler.setFormatter(_formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _formatter() -> logging.Formatter:
    from pipeline.settings import Settings

    try:
        form = Settings.from_env().log_format
    except UsageError:  # the command ends because of it, and says so
        form = "console"
    if form == "json":
        return JsonFormatter(lambda _: logs.context(), _policy)
    return MaskedFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", policy=_policy)


def _policy() -> str:
    from pipeline.settings import Settings

    return Settings.from_env().mask


def console(*, stderr: bool = False) -> Console:
    """Standard output (or error): as wide as the terminal, or 120 columns in a file or pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH
    return Console(stderr=stderr, width=width, highlight=False)


def say(text: str = "") -> None:
    """Print a line of the result; not with `--quiet`."""
    if not terminal.quiet:
        typer.echo(text)


def say_store(store: Store) -> None:
    """Print which store was looked at."""
    if not terminal.quiet:
        typer.echo(f"Store  {name_of(store)}")


def name_of(store: Store) -> str:
    """The store's URL, and whether nothing was ever stored there."""
    return store.url if any(store.folders("")) else f"{store.url} (empty)"


def as_json(value: Any) -> None:
    """Print one JSON object, with `--quiet` as well."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def listing(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table, or as a block per row where the terminal is too narrow for a table.

    Columns whose name begins with `#` hold numbers. Nothing is cut: in a table only the last column folds, and a
    block begins with the first column on a line of its own. Cells are shown as they are, brackets included.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    if terminal.quiet:
        return
    cells, out = [[str(cell) for cell in row] for row in rows], console()
    names = [name.lstrip("#") for name in columns]
    *fixed, folding = (max(map(cell_len, column)) + 2 for column in zip(names, *cells, strict=True))
    if sum(fixed) + min(folding, _FOLDED) > out.width:
        if title:
            typer.echo(title)
        for row in cells:
            typer.echo()
            _block(out, row[0], list(zip(names[1:], row[1:], strict=True)))
        typer.echo()
        return
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in columns:
        last = name == columns[-1]
        table.add_column(
            name.lstrip("#"),
            justify="right" if name.startswith("#") else "left",
            no_wrap=not last,
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(Text, row))
    out.print(table)


def block(heading: str, pairs: Sequence[tuple[str, object]]) -> None:
    """Print a heading and, below it, a line per name and value; long text is wrapped, never cut."""
    if not terminal.quiet:
        _block(console(), heading, [(name, str(value)) for name, value in pairs])


def _block(out: Console, heading: str, pairs: Sequence[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    out.print(Text(heading, style="bold"), soft_wrap=True)
    wide = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        if " " in value:
            line = Table.grid(padding=(0, 2, 0, 0))
            line.add_column(min_width=wide + 2, no_wrap=True)
            line.add_column(overflow="fold")
            line.add_row(Text(f"  {name}"), Text(value))
            out.print(line)
        else:  # an id, a URL or a number: the terminal wraps it, so that it is copied as one word
            out.print(Text(f"  {name:<{wide}}  {value}"), soft_wrap=True)


def progress(*columns: ProgressColumn) -> Progress:
    """A progress display on standard error; shown only in a terminal, and not with `--quiet` or `--no-progress`."""
    from rich.progress import Progress

    shown = terminal.progress and not terminal.quiet and sys.stderr.isatty()
    return Progress(*columns, console=console(stderr=True), transient=True, disable=not shown)


def bar() -> Progress:
    """A progress bar that counts documents."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    return progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )


def track(bar: Progress) -> Track:
    """Show on a bar how far a search or an audit has come."""

    def tracked(items: Iterable[T], what: str, total: int) -> Iterator[T]:
        yield from bar.track(items, total=total, description=what)

    return tracked


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment as the operator's clock shows it."""
    return at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z")


def age(since: str) -> str:
    """How long ago an ISO moment was, such as `3 h 20 min`; empty for none, and for one that a wrong clock has left."""
    passed = clock.age(clock.moment(since), clock.utc())
    if passed is None:
        return ""
    minutes = int(passed.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"


def size(count: int) -> str:
    """A number of bytes, such as `1.5 MiB`."""
    if count < 1024:
        return f"{count} B"
    if count < 1024**2:
        return f"{count / 1024:.1f} KiB"
    return f"{count / 1024**2:.1f} MiB" if count < 1024**3 else f"{count / 1024**3:.1f} GiB"
