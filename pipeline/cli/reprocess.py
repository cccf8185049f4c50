"""`nightshift reprocess`: what a better model would read otherwise, read anew in the night's spare minutes."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from pipeline.cli import screen as output
from pipeline.errors import BrokerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.night.night import Night
    from pipeline.night.reprocess import Found

_EXAMPLES = 5
_OTHERS = {
    "pending": "under way already",
    "up_to_date": "up to date (the night's table is older than their results)",
    "failed_before": "could not be read with these models before (nightshift failed redrive)",
    "gone": "gone: their original bytes or results are no longer in the store",
}


class Part(msgspec.Struct):
    """Documents of one night that are stale for one reason; `seconds` is what their stale steps took before."""

    run_date: str
    reason: str
    documents: int = 0
    pages: int = 0
    seconds: float = 0.0


def reprocess(
    where: Annotated[
        str, typer.Option("--where", metavar="CONDITION", help="Which done documents (docs/reprocess.md).")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Queue so many documents at most.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many, how long and which; queue nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Queue done documents whose models or settings have changed, to be read anew when nothing else waits.

    They get priority 0: the filler lane of the window. Only the steps that changed run again. Each result
    stays as it is until the new one takes its place; one that can't be read anew keeps it for good. Nobody is
    called back. Documents are chosen from the nights' parquet tables.

    Exit code: 0, 1 store or broker away or no night summarised, 2 wrong usage.

    Example: `nightshift reprocess --where "ocr_model != current and mean_confidence < 0.9" --dry-run`
    """
    from pipeline.night import reprocess as again
    from pipeline.night.night import Night
    from pipeline.settings import Settings
    from tasks import client

    if not where.strip():
        raise UsageError('Say which documents: --where "ocr_model != current" (docs/reprocess.md).')
    night = Night.of(Settings.from_env())
    if not dry_run:
        client.reach(client.celery())
    counts: Counter[str] = Counter()
    stale = islice(
        _stale(again.examine(night, again.rows(night.store, where, again.Now(night.settings))), counts), limit
    )
    chosen = list(stale)
    if not dry_run:
        _queue(night, chosen)
    figures = _figures(chosen, counts, queued=0 if dry_run else len(chosen))
    if as_json:
        output.as_json(figures)
    else:
        _print(figures, dry_run)


def _stale(found: Iterable[Found], counts: Counter[str]) -> Iterable[Found]:
    """The stale ones, a task that is done in two nights in one of them only; the others are counted."""
    chosen: set[str] = set()
    for one in found:
        state = "pending" if one.row.task_id in chosen else one.state
        if state == "stale":
            chosen.add(one.row.task_id)
            yield one
        else:
            counts[state] += 1


def _queue(night: Night, chosen: list[Found]) -> None:
    """Mark and publish each; one whose message does not get through is not pending either."""
    from pipeline.night import reprocess as again
    from pipeline.night.dispatch import resume
    from pipeline.threads import in_threads
    from tasks import client

    app, queued = client.celery(), 0

    def enter(found: Found) -> None:
        assert found.task is not None
        again.mark_pending(night.store, found.task)
        try:
            client.send(app, resume(found.task, night.settings.spread_pages))
        except BaseException:
            again.withdraw(night.store, found.task)
            raise

    with output.bar() as bar:
        row = bar.add_task("queueing", total=len(chosen))
        try:
            for _ in in_threads(enter, chosen, threads=client.THREADS, batch=1):
                queued += 1
                bar.advance(row)
        except BrokerUnavailable as error:
            raise BrokerUnavailable(
                f"{error.message} {queued} of {len(chosen)} documents are queued; give the same command again."
            ) from error


def _figures(chosen: list[Found], counts: Counter[str], queued: int) -> dict[str, Any]:
    parts: dict[tuple[str, str], Part] = {}
    for found in chosen:
        row = found.row
        part = parts.setdefault((row.run_date, row.reason), Part(row.run_date, row.reason))
        part.documents += 1
        part.pages += row.pages
        part.seconds = round(part.seconds + row.seconds, 3)
    return {
        "stale": len(chosen),
        "queued": queued,
        "pages": sum(part.pages for part in parts.values()),
        "seconds": round(sum(part.seconds for part in parts.values()), 1),
        **{name: counts[name] for name in _OTHERS},
        "nights": [parts[key] for key in sorted(parts)],
        "examples": [found.row for found in chosen[:_EXAMPLES]],
    }


def _print(figures: dict[str, Any], dry_run: bool) -> None:
    if figures["nights"]:
        table = output.table("", "run date", "what changed", "#documents", "#pages", "#seconds")
        for part in figures["nights"]:
            output.row(table, part.run_date, part.reason, part.documents, part.pages, f"{part.seconds:.0f}")
        output.show(table)
    if dry_run and figures["examples"]:
        table = output.table("For example", "run date", "task", "source", "#pages", "#sure")
        for row in figures["examples"]:
            sure = "" if row.mean_confidence is None else f"{row.mean_confidence:.2f}"
            output.row(table, row.run_date, row.task_id, row.source, row.pages, sure)
        output.show(table)
    for name, meaning in _OTHERS.items():
        if figures[name]:
            typer.echo(f"{figures[name]} left alone: {meaning}.")
    what = f"{figures['stale']} documents, {figures['pages']} pages"
    if dry_run:
        typer.echo(f"{what} would be queued; the steps to repeat took {_hours(figures['seconds'])} before.")
    else:
        typer.echo(f"{what} queued as filler.")


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
