"""`nightshift submit`: documents into the store first, then into the broker."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from pipeline.cli import screen as output
from pipeline.errors import BrokerUnavailable, ExitCode

if TYPE_CHECKING:
    from pipeline.documents.sources import Source
    from pipeline.settings import Settings
    from pipeline.submission.producer import Request, Submitted

_SHOWN = 20  # refused documents listed one by one


def submit(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SRC...", help="Files, folders (recursive), zip archives or s3:// prefixes."),
    ],
    priority: Annotated[
        int, typer.Option(min=0, max=9, help="8 and 9 are read first, 0 to 2 when nothing else is left.")
    ] = 5,
    tenant: Annotated[str, typer.Option(help="Whose documents these are; kept in every result.")] = "",
    task_type: Annotated[
        str, typer.Option(help="document (OCR and entities), ocr, nlp (UTF-8 text files), or an own one.")
    ] = "document",
    callback_url: Annotated[
        str,
        typer.Option(metavar="URL", help="Told when a document has ended (NIGHTSHIFT_ALLOWED_CALLBACKS)."),
    ] = "",
    not_before: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Start no earlier: 2026-11-24T00:00+08:00, or local 22:00."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Hand documents in for the night, any time of day.

    Each is stored (NIGHTSHIFT_STORE_URL) before it is announced to RabbitMQ (NIGHTSHIFT_BROKER_URL), so
    none that counts as accepted can get lost. The same document again is one task: after an interruption
    give the same command once more.

    Exit code: 0 all accepted, 3 some could not be read, 1 store or broker away, 2 wrong usage.

    Example: `nightshift submit scans/ more.zip --tenant archive --priority 2`
    """
    from pipeline.night.window import moment
    from pipeline.settings import Settings
    from pipeline.submission.producer import Request

    settings = Settings.from_env()
    request = Request(
        task_type=task_type,
        priority=priority,
        tenant=tenant,
        callback_url=callback_url,
        not_before=moment(not_before, settings.timezone),
    )
    outcomes = _submit_all(sources, settings, request)
    counts: Counter[str] = Counter(o.status for o in outcomes)
    if as_json:
        figures: dict[str, Any] = {name: counts[name] for name in ("accepted", "known", "refused")}
        typer.echo(json.dumps(figures | {"documents": msgspec.to_builtins(outcomes)}, ensure_ascii=False))
    else:
        _print(outcomes, counts)
    if counts["refused"]:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _submit_all(places: list[str], settings: Settings, request: Request) -> list[Submitted]:
    from pipeline.documents import sources
    from pipeline.threads import in_threads
    from tasks import client

    found = list(sources.find(places, settings))
    producer = client.producer(settings)
    producer.check(request)
    client.reach(client.celery())

    def enter(source: Source) -> Submitted:
        return producer.submit_source(source, request)

    outcomes: list[Submitted] = []
    with output.bar() as bar:
        row = bar.add_task("submitting", total=len(found))
        try:
            for outcome in in_threads(enter, found, threads=client.THREADS, batch=1):
                outcomes.append(outcome)
                bar.advance(row)
        except BrokerUnavailable as error:
            raise BrokerUnavailable(
                f"{error.message} {len(outcomes)} of {len(found)} documents are through, and what is stored "
                "stays; give the same command again."
            ) from error
    return outcomes


def _print(outcomes: list[Submitted], counts: Counter[str]) -> None:
    refused = [o for o in outcomes if o.status == "refused"]
    for outcome in refused[:_SHOWN]:
        typer.echo(f"refused  {outcome.source}: {outcome.message}")
    if len(refused) > _SHOWN:
        typer.echo(f"refused  … and {len(refused) - _SHOWN} more (--json lists all)")
    typer.echo(
        f"{counts['accepted']} accepted, {counts['known']} already known, {counts['refused']} refused."
    )
