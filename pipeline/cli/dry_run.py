"""`nightshift run --dry-run`: what a run would do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.table import Table

from pipeline.cli import outcomes as tables
from pipeline.cli import screen
from pipeline.cli.masked import masked
from pipeline.documents.sniff import NAMES
from pipeline.run.plan import Planned, State, plan

if TYPE_CHECKING:
    from pipeline.documents.sources import Source
    from pipeline.run.batch import Batch

_SENTENCES: dict[State, str] = {
    "new": "to be read",
    "partly_stored": "to be read, some of its pages already in the store",
    "stored": "with all pages and entities already in the store (nothing to compute)",
    "duplicate": "with the same bytes as another one (nothing to compute)",
    "done": "already done, to be reused",
    "partial": "already partially read, to stay so without --retry-failed",
    "failed": "already failed, to stay so without --retry-failed",
    "unreadable": "unsupported or unreadable",
}


def dry_run(batch: Batch, found: Sequence[Source], *, as_json: bool, mask: str) -> bool:
    """Print what `batch` would do with the documents found; returns whether each of them would be or is done."""
    planned: list[Planned] = []
    with tables.progress() as bar:
        row = bar.add_task("", total=len(found), documents="looking at documents")
        for each in plan(found, batch.acceptance, batch.engines):
            planned.append(masked(each, mask))
            bar.update(row, completed=len(planned))
    if as_json:
        typer.echo(json.dumps(_figures(batch, planned), ensure_ascii=False, indent=2))
    else:
        _print(batch, planned)
    return not any(p.state in ("unreadable", "partial", "failed") for p in planned)


def _figures(batch: Batch, planned: Sequence[Planned]) -> dict[str, Any]:
    states = Counter(p.state for p in planned)
    return {
        "dry_run": True,
        "run_date": batch.run_date,
        "store": batch.store.url,
        "documents": len(planned),
        "bytes": sum(p.size for p in planned),
        "states": {state: states[state] for state in _SENTENCES},
        "types": {kind: {"documents": n, "bytes": size} for kind, n, size in _by_type(planned)},
        "planned": [
            {"source": p.source, "state": p.state, "bytes": p.size, "media_type": p.media_type or None}
            | ({"error": {"code": p.error.code, "message": p.error.message}} if p.error else {})
            for p in planned
        ],
    }


def _by_type(planned: Sequence[Planned]) -> list[tuple[str, int, int]]:
    """Type in words, documents, bytes; the most frequent first."""
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for each in planned:
        name = NAMES[each.media_type] if each.media_type else "unsupported or unreadable"
        count[name] += 1
        size[name] += each.size
    return [(name, n, size[name]) for name, n in count.most_common()]


def _print(batch: Batch, planned: Sequence[Planned]) -> None:
    console = tables.screen()
    if planned:
        table = Table(
            title="Documents found", box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
        )
        table.add_column("type", overflow="fold")
        table.add_column("documents", justify="right")
        table.add_column("size", justify="right")
        for name, count, size in _by_type(planned):
            table.add_row(name, str(count), screen.size(size))
        console.print(table)
    for title, state in (("Unsupported or unreadable", "unreadable"), ("Failed before", "failed")):
        tables.reasons(console, title, ((p.source, p.error) for p in planned if p.state == state))
    console.print(f"{len(planned)} documents, {screen.size(sum(p.size for p in planned))}:", highlight=False)
    states = Counter(p.state for p in planned)
    for state, sentence in _SENTENCES.items():
        if states[state]:
            console.print(tables.indented(2, f"{states[state]} {sentence}"))
    console.print(
        f"Dry run for {batch.run_date} in {batch.store.url}: no page was read, nothing was written.",
        soft_wrap=True,
        highlight=False,
    )
