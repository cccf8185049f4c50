"""The table, at 80 columns."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .figures import Figures
from .rounds import Row

WIDTH = 80
COLUMNS = (
    "pages/\nCPU s",
    "pages\n/s",
    "char\nF1",
    "token\nF1",
    "peak\nMiB",
    "start\nCPU s",
    "first/\nthis",
)


def show(rows: list[Row], found: list[Figures], console: Console) -> None:
    """Print the rows, and below them why some have no figures."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("program", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for row, one in zip(rows, found, strict=True):
        if row.status != "done":
            table.add_row(row.contender.label, row.status)
            continue
        table.add_row(
            row.contender.label,
            _number(one.pages_per_cpu_s, 2),
            _number(one.pages_per_s, 2),
            _number(one.character_f1, 4),
            _number(one.token_f1, 4),
            _number(one.peak_mib, 0),
            _number(one.start_cpu_s, 1),
            _number(one.ratio, 2),
        )
    console.print(table)
    for row in rows:
        if row.reason:
            console.print(f"{row.contender.label}: {row.reason}", markup=False, highlight=False)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
