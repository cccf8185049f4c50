"""From what runs used to the figures of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass

from .accuracy import characters, score, tokens
from .pages.page_set import PageSet
from .rounds import Measured, Row


@dataclass(frozen=True)
class Figures:
    """A row's figures, `None` where there are none.

    Speeds are those of the pages after the first: a run on the first page alone, so the start of the program and the
    loading of models, is subtracted from the median of the rounds. `ratio`: pages per CPU second of the
    first row, divided by those of this one. `servers_cpu_s`: per page, of broker and S3 server.
    """

    pages_per_cpu_s: float | None = None
    pages_per_s: float | None = None
    character_f1: float | None = None
    token_f1: float | None = None
    peak_mib: float | None = None
    start_cpu_s: float | None = None
    servers_cpu_s: float | None = None
    ratio: float | None = None

    def rounded(self) -> dict[str, float | None]:
        """For the record."""
        return {name: None if value is None else round(value, 4) for name, value in asdict(self).items()}


def figures(rows: list[Row], pages: PageSet) -> list[Figures]:
    """The figures of all rows."""
    found = [_of(row, pages) for row in rows]
    first = found[0].pages_per_cpu_s if found else None
    return [
        Figures(**(asdict(one) | {"ratio": first / one.pages_per_cpu_s}))
        if first and one.pages_per_cpu_s
        else one
        for one in found
    ]


def _of(row: Row, pages: PageSet) -> Figures:
    if row.start is None or not row.rounds:
        return Figures()
    printed = [page.lines for page in pages.pages]
    return Figures(
        pages_per_cpu_s=_rate(row, lambda run: run.cpu_s),
        pages_per_s=_rate(row, lambda run: run.wall_s),
        character_f1=score(characters, row.lines, printed),
        token_f1=score(tokens, row.lines, printed),
        peak_mib=max(run.peak_mib for run in row.rounds),
        start_cpu_s=row.start.cpu_s,
        servers_cpu_s=_more(row, lambda run: run.servers_cpu_s) if row.contender.uses_servers else None,
    )


def _more(row: Row, seconds: Callable[[Measured], float]) -> float | None:
    """Seconds per page, of the pages after the first; `None` where there are no more."""
    assert row.start is not None
    pages = row.rounds[0].pages - row.start.pages
    if not pages:
        return None
    return (statistics.median(map(seconds, row.rounds)) - seconds(row.start)) / pages


def _rate(row: Row, seconds: Callable[[Measured], float]) -> float | None:
    """Pages per second; `None` where the pages took no longer than the start alone, within the noise."""
    per_page = _more(row, seconds)
    return 1 / per_page if per_page and per_page > 0 else None
