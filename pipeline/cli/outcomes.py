"""The output of `nightshift run`: progress bar, tables, and the same figures as JSON."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from pipeline.cli import screen as common
from pipeline.models import DocumentResult, Entity, Failure
from pipeline.run.outcome import Outcome
from pipeline.tables.masking import masked_entity, masked_field, sensitive_spans

_ROWS = 40  # documents listed one by one; a night has thousands
_STYLE = {"done": "green", "reused": "cyan", "failed": "red"}


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
    return Console(width=width, quiet=_asked("quiet", False))


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
        disable=not _asked("progress", True) or _asked("quiet", False) or not sys.stderr.isatty(),
    )


def _asked(option: str, default: bool) -> bool:
    """What the global options say: `screen.terminal` holds it, where there are such options."""
    return bool(getattr(getattr(common, "terminal", None), option, default))


def status_of(outcome: Outcome) -> str:
    """`done`, `reused` (neither OCR nor NER ran) or `failed`."""
    return "reused" if outcome.nothing_computed and outcome.status == "done" else outcome.status


def short(source: str) -> str:
    """The file name of a source; of a document in an archive, the archive's file name and the member's path."""
    archive, bang, member = source.partition("!")
    return PurePosixPath(archive).name + bang + member


def _table(title: str, *columns: str) -> Table:
    """A table that folds long text; columns whose name begins with `#` hold numbers or states and stay whole."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in columns:
        if name.startswith("#"):
            made.add_column(name[1:], justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold", no_wrap=name in _STATES)
    return made


_STATES = ("status",)


def documents(outcomes: Sequence[Outcome]) -> Iterator[RenderableType]:
    """A table with one row per document when they are few, then the reason of each failure in full."""
    if len(outcomes) <= _ROWS:
        table = _table("Documents", "document", "status", "#pages", "#seconds", "entities")
        for outcome in sorted(outcomes, key=lambda o: o.source):
            status = status_of(outcome)
            table.add_row(
                Text(short(outcome.source)),
                Text(status, style=_STYLE[status]),
                str(outcome.pages),
                f"{outcome.seconds:.1f}",
                _count_by_type(outcome.entities),
            )
        yield table
    yield from reasons("Failed documents", ((o.source, o.error) for o in outcomes if o.error))


def _count_by_type(entities: dict[str, int]) -> str:
    kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(entities.items()))
    return f"{sum(entities.values())}: {kinds}" if kinds else "0"


def reasons(title: str, failed: Iterable[tuple[str, Failure | None]]) -> Iterator[RenderableType]:
    """Sources in full, each with the reason why it failed below it; the first `_ROWS` of them."""
    listed = sorted((source, error.message if error else "") for source, error in failed)
    if not listed:
        return
    lines: list[RenderableType] = [Text(title, style="italic")]
    for source, message in listed[:_ROWS]:
        lines += [
            Padding(Text(source, style="red", overflow="fold"), (0, 0, 0, 2)),
            Padding(Text(message, overflow="fold"), (0, 0, 0, 4)),
        ]
    if len(listed) > _ROWS:
        lines.append(Text(f"  … and {len(listed) - _ROWS} more: --json lists all of them.", style="dim"))
    yield Group(*lines, "")


def entities(results: Sequence[DocumentResult], limit: int, *, masked: bool) -> Table:
    """About `limit` entities of all results, every type once before any type twice; sensitive ones masked."""
    table = _table("Entities", "document", "#page", "type", "text", "value", "#confidence")
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
        table.caption = f"{len(rows)} of {total}; the parquet tables hold all of them"
    return table


def _masked(result: DocumentResult, entity: Entity) -> Entity:
    text = next(page.text for page in result.pages if page.number == entity.page)
    spans = sensitive_spans(text, (e for e in result.entities if e.page == entity.page))
    return masked_entity(entity, spans)


def fields(results: Sequence[DocumentResult], *, masked: bool) -> Table:
    """One row per document: type and fields, sensitive ones masked; `?` marks a confidence below 0.5."""
    table = _table("Fields", "document", "type", "#confidence", "fields")
    for result in results:
        if result.extraction is None:
            continue
        shown_fields = []
        for field in result.extraction.fields:
            shown = masked_field(result, field) if masked else field
            value = " ".join(v for v in (shown.value, shown.currency) if v) or "-"
            doubtful = " ?" if shown.value and field.confidence < 0.5 else ""
            shown_fields.append(f"{field.name}: {value}{doubtful}")
        table.add_row(
            Text(short(result.source)),
            result.extraction.document_type,
            f"{result.extraction.confidence:.2f}",
            Text("\n".join(shown_fields)),
        )
    return table


def _varied(result: DocumentResult, limit: int) -> list[Entity]:
    """The first entity of each type, then the second of each …, at most `limit`, in the order of the page."""
    seen: Counter[str] = Counter()
    ranked = []
    for index, entity in enumerate(result.entities):
        ranked.append((seen[entity.type], index))
        seen[entity.type] += 1
    return [result.entities[index] for index in sorted(index for _, index in sorted(ranked)[:limit])]


def totals(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """The figures of the run; `reused`: documents for which neither OCR nor NER ran, `pages_reused`: NER alone ran."""
    states = Counter(map(status_of, outcomes))
    kinds: Counter[str] = Counter()
    for outcome in outcomes:
        kinds.update(outcome.entities)
    return {
        "documents": len(outcomes),
        "done": states["done"],
        "reused": states["reused"],
        "pages_reused": sum(o.reused == "pages" for o in outcomes),
        "failed": states["failed"],
        "pages": sum(o.pages for o in outcomes),
        "entities": dict(sorted(kinds.items())),
        "seconds": round(seconds, 2),
        "peak_worker_mib": max((o.peak_mib for o in outcomes if not o.nothing_computed), default=0),
    }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """One object per document; `reused`: neither OCR nor NER ran for it."""
    return {
        "outcomes": [
            {
                "task_id": o.task_id,
                "source": o.source,
                "status": status_of(o),
                "pages": o.pages,
                "reused": o.nothing_computed,
            }
            | ({"error": {"code": o.error.code, "message": o.error.message}} if o.error else {})
            for o in outcomes
        ]
    }


def totals_line(figures: dict[str, Any]) -> str:
    """The figures of the run as sentences."""
    found = ", ".join(f"{kind} {n}" for kind, n in figures["entities"].items()) or "none"
    return (
        f"{figures['documents']} documents: {figures['done']} done, {figures['reused']} reused, "
        f"{figures['failed']} failed; {figures['pages']} pages in {figures['seconds']} s.\n"
        f"Entities: {found}."
    )


def stopped_line(figures: dict[str, Any]) -> str:
    """What is done of a run that was stopped."""
    failed = f", {figures['failed']} failed" if figures["failed"] else ""
    done = figures["done"] + figures["reused"]
    return (
        f"Stopped: {done} of {figures['found']} documents are done{failed}; "
        "run the same command again to continue."
    )


def reused_line(outcomes: Sequence[Outcome]) -> str:
    """What of the results was in the store before, as one sentence; empty where nothing was."""
    if outcomes and all(o.reused == "result" for o in outcomes):
        return "Nothing was computed: every document already had its result."
    if outcomes and all(o.nothing_computed for o in outcomes):
        return "Nothing was computed: all pages and entities were already in the store."
    if count := sum(o.reused == "pages" for o in outcomes):
        return f"OCR did not run for {count} of them: their pages were already in the store."
    return ""
