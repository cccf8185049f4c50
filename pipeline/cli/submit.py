"""`nightshift submit`: documents into the store first, then into the broker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from pipeline.cli import options, screen
from pipeline.errors import BrokerUnavailable, ExitCode

if TYPE_CHECKING:
    from pipeline.documents.sources import Notes, Source
    from pipeline.submission.producer import Producer, Request, Submitted

_SHOWN = 20  # refused documents listed one by one


def submit(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SRC...", help="Files, folders (recursive), zip archives or s3:// prefixes."),
    ],
    priority: Annotated[
        int, typer.Option(min=0, max=9, help="0 to 9: 8 and 9 are urgent, 0 to 2 are processed last.")
    ] = 5,
    tenant: Annotated[str, typer.Option(help="Owner of the documents; kept in every result.")] = "",
    task_type: Annotated[
        str,
        typer.Option(help="document (OCR and entities), ocr, nlp (UTF-8 text files), or a type of your own."),
    ] = "document",
    callback_url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Receives a POST when a document has ended (NIGHTSHIFT_ALLOWED_CALLBACKS)."
        ),
    ] = "",
    not_before: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Start no earlier: 2026-11-24T00:00+08:00, or local 22:00."),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Should be done by then: 2026-11-24T04:00+08:00, or local 04:00."),
    ] = None,
    traceparent: Annotated[
        str,
        typer.Option(
            envvar="TRACEPARENT", help="W3C Trace Context: the span that the documents' traces continue."
        ),
    ] = "",
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Submit documents for overnight processing, at any time.

    Each is stored (in the store that the workers use) before it is published to RabbitMQ (NIGHTSHIFT_BROKER_URL), so
    that no accepted document can be lost. The same document submitted again is one task: after an interruption run
    the same command again.

    Exit codes: 0 all accepted, 1 store or broker unavailable, 2 usage error, 3 some documents were refused.

    Example: `nightshift submit scans/ more.zip --tenant archive --priority 2`
    """
    from pipeline import scratch
    from pipeline.cli.masked import mask_notes, masked
    from pipeline.documents.sources import Notes
    from pipeline.night.window import moment
    from pipeline.settings import Settings
    from pipeline.submission.producer import Request
    from tasks import client

    settings = Settings.from_env(store_url=store)
    scratch.start(settings.temp_dir)
    request = Request(
        task_type=task_type,
        priority=priority,
        tenant=tenant,
        callback_url=callback_url,
        not_before=moment(not_before, settings.timezone),
        deadline=moment(deadline, settings.timezone),
        traceparent=traceparent,
    )
    producer = client.producer(settings)
    notes = Notes()
    outcomes: list[Submitted] = []  # those that are shown: a night may have a million
    counts = Counter[str]()
    for one in _submit_all(sources, producer, request, notes):
        counts[one.status] += 1
        if as_json or one.status == "refused":
            outcomes.append(masked(one, settings.mask))
    mask_notes(notes, settings.mask)
    if as_json:
        figures: dict[str, Any] = {name: counts[name] for name in ("accepted", "known", "refused")}
        documents = msgspec.to_builtins(outcomes)
        figures |= notes.figures()
        typer.echo(
            json.dumps(figures | {"documents": documents, "store": producer.store.url}, ensure_ascii=False)
        )
    else:
        screen.say_store(producer.store)
        _print(outcomes, counts)
        for line in notes.lines():
            screen.say(line)
    if counts["refused"] or notes.unreachable:
        raise typer.Exit(ExitCode.INCOMPLETE)


def _submit_all(places: list[str], producer: Producer, request: Request, notes: Notes) -> Iterator[Submitted]:
    from pipeline.documents import sources
    from pipeline.threads import in_threads
    from tasks import client

    found = list(sources.find(places, producer.settings, notes))
    producer.check(request)
    client.reach(client.celery())

    def enter(source: Source) -> Submitted:
        return producer.submit_source(source, request)

    done = 0
    with screen.bar() as bar:
        row = bar.add_task("submitting", total=len(found))
        try:
            for outcome in in_threads(enter, found, threads=client.THREADS, batch=1):
                done += 1
                yield outcome
                bar.advance(row)
        except BrokerUnavailable as error:
            raise BrokerUnavailable(
                f"{error.message} {done} of {len(found)} documents are submitted; run the same "
                "command again for the rest."
            ) from error


def _print(outcomes: list[Submitted], counts: Counter[str]) -> None:
    refused = [o for o in outcomes if o.status == "refused"]
    for outcome in refused[:_SHOWN]:
        screen.say(f"refused  {outcome.source}: {outcome.message}")
    if len(refused) > _SHOWN:
        screen.say(f"refused  … and {len(refused) - _SHOWN} more (--json lists all)")
    screen.say(
        f"{counts['accepted']} accepted, {counts['known']} already known, {counts['refused']} refused."
    )
