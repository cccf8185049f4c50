"""`nightshift reprocess`: process done documents again whose models or settings have changed, as backfill."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from pipeline.cli import nights, options, screen
from pipeline.errors import BrokerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.night.night import Night
    from pipeline.night.reprocess import Found, Row

_EXAMPLES = 5
_OTHERS = {
    "pending": "already in progress",
    "up_to_date": "up to date (the night's table is older than their results)",
    "failed_before": "could not be processed with these models before (nightshift failed redrive)",
    "gone": "their original bytes or results are no longer in the store",
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
        str,
        typer.Option("--where", metavar="CONDITION", help="Which done documents (docs/how-to/reprocess.md)."),
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of documents to queue.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how many, how long and which; queue nothing.")
    ] = False,
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Reprocess done documents whose models or settings have changed, when no other work is waiting.

    They get priority 0 and run as backfill inside the window. Only the steps that changed run again. Each result
    stays until the new one replaces it; a document that cannot be reprocessed keeps its previous result. No callbacks
    are sent. Documents are chosen from the nights' parquet tables.

    Exit codes: 0 success, 1 store or broker unavailable or no night summarised, 2 usage error.

    Example: `nightshift reprocess --where "ocr_model != current and mean_confidence < 0.9" --dry-run`
    """
    from pipeline.cli.masked import masked
    from pipeline.night import reprocess as again
    from tasks import client

    if not where.strip():
        raise UsageError('Name the documents: --where "ocr_model != current" (docs/how-to/reprocess.md).')
    night = nights.open_night(store)
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
    figures["examples"] = [masked(row, night.settings.mask) for row in figures["examples"]]
    if as_json:
        screen.as_json(figures | {"store": night.store.url})
    else:
        screen.say_store(night.store)
        _print(figures, dry_run)


def _stale(found: Iterable[Found], counts: Counter[str]) -> Iterable[Found]:
    """The stale ones, each task once even where it is done in two nights; the others are counted."""
    chosen: set[str] = set()
    for one in found:
        state = "pending" if one.row.task_id in chosen else one.state
        if state == "stale":
            chosen.add(one.row.task_id)
            yield one
        else:
            counts[state] += 1


def _queue(night: Night, chosen: list[Found]) -> None:
    """Mark and publish each; one whose message is not confirmed does not stay pending."""
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

    with screen.bar() as bar:
        row = bar.add_task("queueing", total=len(chosen))
        try:
            for _ in in_threads(enter, chosen, threads=client.THREADS, batch=1):
                queued += 1
                bar.advance(row)
        except BrokerUnavailable as error:
            raise BrokerUnavailable(
                f"{error.message} {queued} of {len(chosen)} documents are queued; run the same command again."
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
        screen.listing(
            "",
            ("run date", "#documents", "#pages", "#seconds", "what changed"),
            [(p.run_date, p.documents, p.pages, f"{p.seconds:.0f}", p.reason) for p in figures["nights"]],
        )
    if dry_run and figures["examples"]:
        screen.listing(
            "Examples",
            ("task", "run date", "#pages", "#confidence", "source"),
            map(_row, figures["examples"]),
        )
    for name, meaning in _OTHERS.items():
        if figures[name]:
            screen.say(f"{figures[name]} skipped: {meaning}.")
    what = f"{figures['stale']} documents, {figures['pages']} pages"
    if dry_run:
        screen.say(f"{what} would be queued; the steps to repeat took {_hours(figures['seconds'])} before.")
    else:
        screen.say(f"{what} queued as backfill.")


def _row(row: Row) -> tuple[object, ...]:
    confidence = "" if row.mean_confidence is None else f"{row.mean_confidence:.2f}"
    return row.task_id, row.run_date, row.pages, confidence, row.source


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
