"""What people see in the terminal: the progress bar and the table at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from pipeline.models import DocumentResult, Entity
from pipeline.run.worker import Outcome
from pipeline.tables.masking import masked_entity, masked_field, sensitive_spans

_ROWS = 40  # documents listed one by one; a night has thousands
_STYLE = {"done": "green", "reused": "cyan", "failed": "red"}


class _Rate(ProgressColumn):
    """Pages a second and the time that what is known of the rest will take."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        if not rate or task.total is None:
            return Text("loading models …", style="dim")
        left = int(max(task.total - task.completed, 0) / rate)
        return Text(
            f"{rate:.1f} pages/s, {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left", style="magenta"
        )


def screen() -> Console:
    """Standard output: as wide as the terminal, or 120 columns in a file or pipe."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return Console(width=wide)


def progress(console: Console) -> Progress:
    """A bar over documents and pages."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[documents]}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} pages"),
        _Rate(),
        console=console,
        transient=True,
    )


def status_of(outcome: Outcome) -> str:
    """`done`, `reused` or `failed`."""
    return "reused" if outcome.reused and outcome.status == "done" else outcome.status


def short(source: str) -> str:
    """The part of a source that people know it by."""
    archive, bang, member = source.partition("!")
    return PurePosixPath(archive).name + bang + member


def documents(outcomes: Sequence[Outcome]) -> Table:
    """A row a document: all when few, else those that failed."""
    many = len(outcomes) > _ROWS
    shown = [o for o in outcomes if o.status == "failed" or not many][:_ROWS]
    title = "Documents" if not many else f"Failed documents (first {_ROWS} at most)"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("document", overflow="fold", min_width=24)
    table.add_column("status")
    for name in ("pages", "entities", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("entities by type, or why it failed", overflow="fold")
    for outcome in sorted(shown, key=lambda o: o.source):
        status = status_of(outcome)
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(outcome.entities.items()))
        table.add_row(
            Text(short(outcome.source)),
            Text(status, style=_STYLE[status]),
            str(outcome.pages),
            str(sum(outcome.entities.values())),
            f"{outcome.seconds:.1f}",
            Text(outcome.error.message if outcome.error else kinds),
        )
    return table


def entities(results: Sequence[DocumentResult], limit: int, *, masked: bool) -> Table:
    """Some entities of each result, of every type one before a second, about `limit` in all; sensitive ones masked."""
    table = Table(title="Entities", box=box.SIMPLE_HEAD, title_justify="left")
    for name in ("document", "page", "type", "text", "value", "sure"):
        right = name in ("page", "sure")
        width = 24 if name == "document" else None
        table.add_column(name, justify="right" if right else "left", overflow="fold", min_width=width)
    each = max(limit // max(len(results), 1), 1)
    rows = [(result, entity) for result in results for entity in _varied(result, each)][:limit]
    for result, entity in rows:
        shown = _masked(result, entity) if masked else entity
        value = " ".join(v for v in (shown.value, shown.currency) if v)
        table.add_row(
            Text(short(result.source)),
            str(entity.page),
            entity.type,
            Text(shown.text.replace("\n", " ")),
            Text(value),
            f"{entity.confidence:.2f}",
        )
    total = sum(len(result.entities) for result in results)
    if total > len(rows):
        table.caption = f"{len(rows)} of {total}: the rest is in the parquet"
    return table


def _masked(result: DocumentResult, entity: Entity) -> Entity:
    text = next(page.text for page in result.pages if page.number == entity.page)
    spans = sensitive_spans(text, (e for e in result.entities if e.page == entity.page))
    return masked_entity(entity, spans)


def fields(results: Sequence[DocumentResult], *, masked: bool) -> Table:
    """A row a document: its type and fields, sensitive ones masked; `?` marks those less than half sure."""
    table = Table(title="Fields", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("document", overflow="fold", min_width=24)
    for name in ("type", "sure", "fields"):
        table.add_column(name, justify="right" if name == "sure" else "left", overflow="fold")
    for result in results:
        if result.extraction is None:
            continue
        told = []
        for field in result.extraction.fields:
            shown = masked_field(result, field) if masked else field
            value = " ".join(v for v in (shown.value, shown.currency) if v) or "-"
            told.append(f"{field.name}: {value}{' ?' if shown.value and field.confidence < 0.5 else ''}")
        table.add_row(
            Text(short(result.source)),
            result.extraction.document_type,
            f"{result.extraction.confidence:.2f}",
            Text("\n".join(told)),
        )
    return table


def _varied(result: DocumentResult, limit: int) -> list[Entity]:
    """The first entity of each type, then the second of each …, `limit` in all, in the order of the page."""
    seen: Counter[str] = Counter()
    ranked = []
    for place, entity in enumerate(result.entities):
        ranked.append((seen[entity.type], place))
        seen[entity.type] += 1
    return [result.entities[place] for place in sorted(place for _, place in sorted(ranked)[:limit])]


def totals(outcomes: Sequence[Outcome], seconds: float) -> dict[str, object]:
    """The run in figures, for people and for `--json`."""
    states = Counter(map(status_of, outcomes))
    kinds: Counter[str] = Counter()
    for outcome in outcomes:
        kinds.update(outcome.entities)
    return {
        "documents": len(outcomes),
        "done": states["done"],
        "reused": states["reused"],
        "failed": states["failed"],
        "pages": sum(o.pages for o in outcomes),
        "entities": dict(sorted(kinds.items())),
        "seconds": round(seconds, 2),
        "peak_worker_mib": max((o.peak_mib for o in outcomes if not o.reused), default=0),
    }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """A row a document, for machines."""
    return {
        "outcomes": [
            {"task_id": o.task_id, "source": o.source, "status": status_of(o), "pages": o.pages}
            | ({"error": {"code": o.error.code, "message": o.error.message}} if o.error else {})
            for o in outcomes
        ]
    }


def totals_line(figures: dict[str, object]) -> str:
    """The same in one sentence."""
    kinds: dict[str, int] = figures["entities"]  # type: ignore[assignment]
    found = ", ".join(f"{kind} {n}" for kind, n in kinds.items()) or "none"
    return (
        f"{figures['documents']} documents: {figures['done']} done, {figures['reused']} reused, "
        f"{figures['failed']} failed; {figures['pages']} pages in {figures['seconds']} s.\n"
        f"Entities: {found}."
    )
