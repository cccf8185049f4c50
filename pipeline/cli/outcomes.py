"""What `nightshift run` shows in the terminal: a progress bar, tables, and the reasons of failures."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from pipeline.cli.figures import status_of
from pipeline.cli.screen import terminal
from pipeline.models import DocumentResult, Entity, Failure, Field
from pipeline.run.outcome import Outcome

_ROWS = 40  # documents listed one by one; a night has thousands
_WIDEST = 110  # columns: beyond, a row is hard to follow
_WARNINGS = 5  # sentences about the pages of a document
_OTHER_COLUMNS = 50  # columns that the documents table needs apart from the file names
_STYLE = {"done": "green", "reused": "cyan", "partial": "yellow", "failed": "red"}


class _Rate(ProgressColumn):
    """Pages per second, and the time that the remaining pages will take."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        if not rate or task.total is None:
            return Text("loading models …", style="dim")
        left = int(max(task.total - task.completed, 0) / rate)
        return Text(
            f"{rate:.1f} pages/s, {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left", style="magenta"
        )


def screen() -> Console:
    """Standard output: as wide as the terminal, or 120 columns in a file or pipe; silent with `--quiet`."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return Console(width=width, quiet=terminal.quiet)


def progress() -> Progress:
    """A bar over documents and pages: on standard error, in a terminal only, not with `--no-progress` or `--quiet`."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[documents]}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} pages"),
        _Rate(),
        console=Console(stderr=True),
        transient=True,
        disable=not terminal.progress or terminal.quiet or not sys.stderr.isatty(),
    )


def short(source: str) -> str:
    """The file name of a source; of a document in an archive, the archive's file name and the member's path."""
    archive, bang, member = source.partition("!")
    return PurePosixPath(archive).name + bang + member


def documents(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print each document when they are few, then the reason of each failure in full.

    A table with one row per document, or a heading and a line where the table would cut file names.
    """
    listed = sorted(outcomes, key=lambda o: o.source) if len(outcomes) <= _ROWS else []
    widest = max((cell_len(short(o.source)) for o in listed), default=0)
    if listed and widest + _OTHER_COLUMNS <= console.width:
        console.print(_documents_table(listed))
    elif listed:
        console.print(Text("Documents", style="italic"))
        for outcome in listed:
            console.print(indented(2, short(outcome.source)))
            figures = f"{outcome.pages} pages, {outcome.seconds:.1f} s, entities "
            console.print(indented(4, f"{status_of(outcome)}, {figures}{_count_by_type(outcome.entities)}"))
        console.print()
    partial = [o for o in outcomes if o.status == "partial"]
    reasons(console, "Partially read documents", ((o.source, o.error) for o in partial), style="yellow")
    failed = [o for o in outcomes if o.status == "failed"]
    reasons(console, "Failed documents", ((o.source, o.error) for o in failed))


def _documents_table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="Documents", box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("document", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("pages", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("entities", overflow="fold")
    for outcome in outcomes:
        status = status_of(outcome)
        table.add_row(
            Text(short(outcome.source)),
            Text(status, style=_STYLE[status]),
            str(outcome.pages),
            f"{outcome.seconds:.1f}",
            _count_by_type(outcome.entities),
        )
    return table


def _count_by_type(entities: dict[str, int]) -> str:
    kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(entities.items()))
    return f"{sum(entities.values())}: {kinds}" if kinds else "0"


def reasons(
    console: Console, title: str, failed: Iterable[tuple[str, Failure | None]], style: str = "red"
) -> None:
    """Print sources in full, each with the reason below it; the first `_ROWS` of them."""
    listed = sorted((source, error.message if error else "") for source, error in failed)
    if not listed:
        return
    console.print(Text(title, style="italic"))
    for source, message in listed[:_ROWS]:
        console.print(indented(2, source, style))
        console.print(indented(4, message))
    if len(listed) > _ROWS:
        console.print(indented(2, f"… and {len(listed) - _ROWS} more: --json lists all of them.", "dim"))
    console.print()


def indented(by: int, text: str, style: str = "") -> RenderableType:
    """Text with so many columns before each of its lines."""
    return Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, by), expand=False)


def entities(console: Console, results: Sequence[DocumentResult], limit: int) -> None:
    """Print about `limit` entities below their documents, every type once before any twice."""
    each = max(limit // max(len(results), 1), 1)
    chosen = [(result, entity) for result in results for entity in _varied(result, each)][:limit]
    if not chosen:
        return
    wide = max(cell_len(entity.type) for _, entity in chosen)
    console.print(Text("Entities", style="italic"))
    console.print(
        _entity_rows(console, wide, [("page", "type", "text", "value", "confidence")], style="bold")
    )
    for result, of in groupby(chosen, key=lambda pair: pair[0]):
        console.print(indented(2, short(result.source)))
        rows = [
            (
                str(entity.page),
                entity.type,
                entity.text.replace("\n", " "),
                " ".join(v for v in (entity.value, entity.currency) if v),
                f"{entity.confidence:.2f}",
            )
            for _, entity in of
        ]
        console.print(_entity_rows(console, wide, rows))
    total = sum(len(result.entities) for result in results)
    if total > len(chosen):
        console.print(indented(2, f"{len(chosen)} of {total}; the parquet tables hold all of them.", "dim"))
    console.print()


def _entity_rows(
    console: Console, wide: int, rows: Iterable[Sequence[str]], style: str = ""
) -> RenderableType:
    """Rows of the same column widths in every call; text and value fold."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.width = min(console.width, _WIDEST) - 4
    table.add_column(width=4, justify="right")
    table.add_column(width=wide)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(width=10, justify="right")
    for row in rows:
        table.add_row(*(Text(cell, style=style) for cell in row))
    return Padding(table, (0, 0, 0, 4), expand=False)


def fields(console: Console, results: Sequence[DocumentResult]) -> None:
    """Print each document's type, fields, rows and warnings; `?` marks what needs review."""
    extracted = [(result, result.extraction) for result in results if result.extraction]
    if not extracted:
        return
    console.print(Text("Fields", style="italic"))
    for result, extraction in extracted:
        kind = f"{extraction.document_type}, confidence {extraction.confidence:.2f}"
        console.print(indented(2, f"{short(result.source)}: {kind}"))
        for field in extraction.fields:
            if field.value is not None:
                console.print(indented(4, _field(field)))
        if missing := [field.name for field in extraction.fields if field.value is None]:
            console.print(indented(4, f"not found: {', '.join(missing)}"))
        if extraction.items:
            console.print(indented(4, f"items: {len(extraction.items)} rows"))
        for warning in (*extraction.warnings, *_of_pages(result)):
            console.print(indented(4, f"? {warning}"))
    console.print()


def _of_pages(result: DocumentResult) -> list[str]:
    """What was left out of the pages, or is in doubt there: the first sentences."""
    found = [f"Page {page.number}: {warning}" for page in result.pages for warning in page.warnings]
    more = [f"{len(found) - _WARNINGS} more warnings about pages are in the results."]
    return found if len(found) <= _WARNINGS else found[:_WARNINGS] + more


def _field(field: Field) -> str:
    value = " ".join(v for v in (field.value, field.currency) if v)
    notes = [f"or {field.other}"] if field.other else []
    notes += [check.replace("_", " ") for check in field.checks]
    doubt = " ?" if field.needs_review else ""
    return f"{field.name}: {value}{doubt}" + (f" ({', '.join(notes)})" if notes else "")


def _varied(result: DocumentResult, limit: int) -> list[Entity]:
    """The first entity of each type, then the second of each …, at most `limit`, in the order of the page."""
    seen: Counter[str] = Counter()
    ranked = []
    for index, entity in enumerate(result.entities):
        ranked.append((seen[entity.type], index))
        seen[entity.type] += 1
    return [result.entities[index] for index in sorted(index for _, index in sorted(ranked)[:limit])]
