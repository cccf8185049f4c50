"""`nightshift submit`, and `pipeline.submit` for one document: the store first, then the client."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
import typer

from pipeline.cli import screen as output
from pipeline.errors import BrokerUnavailable, Damaged, ExitCode, PermanentError, Unreadable, UsageError

if TYPE_CHECKING:
    from pipeline.documents.sources import Source
    from pipeline.settings import Settings

_SHOWN = 20  # refused documents listed one by one


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for besides the document itself; the same for all documents of one command."""

    task_id: str = ""
    task_type: str = "document"
    priority: int = 5
    tenant: str = ""
    trace_id: str = ""
    callback_url: str = ""
    not_before: datetime | None = None
    metadata: dict[str, str] = {}


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document: `known` ones were accepted earlier and keep their one end."""

    source: str
    task_id: str | None
    status: Literal["accepted", "known", "refused"]
    code: str = ""
    message: str = ""


class Producer:
    """Accepts documents into the store and publishes their first step. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        from pipeline.night.flow import Flow
        from tasks import client

        self.flow = Flow(settings)
        self.app = client.celery()

    def check(self, request: Request) -> None:
        """Raise before the first document what would be wrong with every one of them."""
        from pipeline.remote.policy import callback_policy
        from pipeline.steps.task_types import task_type
        from tasks import client

        try:
            task_type(request.task_type)
            if request.callback_url:
                callback_policy(self.flow.settings).check(request.callback_url)
        except PermanentError as error:
            raise UsageError(error.message) from None
        if not 0 <= request.priority <= 9:
            raise UsageError(
                f"A priority of {request.priority} makes no sense: give a whole number from 0 to 9."
            )
        self.flow.store.check()
        client.reach(self.app)

    def submit(self, source: str, data: bytes | None, request: Request) -> Submitted:
        """Accept one document and publish it; without `data` workers fetch it from `source`, a URL.

        Raises `PermanentError` for this document, `RunError` or `StoreUnavailable` when it can't go on.
        """
        from pipeline.ledger import claims, pending
        from pipeline.steps.task_types import task_type
        from pipeline.submission.contract import Submission
        from tasks import client

        sha256 = hashlib.sha256(data).hexdigest() if data is not None else None
        task_id = request.task_id or pending.task_id_for(source, sha256)
        text = ""
        if data is not None and "ocr" not in task_type(request.task_type).names:
            text = _decode(source, data)
        known = claims.origins(self.flow.store, task_id)
        contents = claims.contents(self.flow.store, task_id) if known and sha256 else set()
        if known and data is None:
            self._check_failed(task_id, claims.origin_of(source, None))
        if contents and sha256 not in contents:
            raise PermanentError(
                f"The task id {task_id} was used before for other bytes: give this document an id of its own.",
                code="id_conflict",
            )
        submission = Submission(
            task_id=task_id,
            task_type=request.task_type,
            url=source,
            text=text,
            trace_id=request.trace_id or uuid.uuid4().hex,
            priority=request.priority,
            callback_url=request.callback_url,
            tenant=request.tenant,
            metadata=request.metadata,
            submitted_at=datetime.now(UTC),
            not_before=request.not_before,
        )
        # A known task under way is published once more: its first message may never have left.
        client.send(self.app, self.flow.reception.accept(submission, data))
        return Submitted(source=source, task_id=task_id, status="known" if known else "accepted")

    def _check_failed(self, task_id: str, origin: str) -> None:
        """Raise for a URL that could not be taken in before; the same bytes would only fail again."""
        from pipeline.ledger import claims, pending

        failed = claims.get(self.flow.store, task_id, origin).failed
        if failed and pending.get(self.flow.store, task_id) is None:
            raise PermanentError(
                f"The task {task_id} failed in the night of {failed}: `nightshift failed redrive --task-id "
                f"{task_id}` tries it anew.",
                code="failed_before",
            )

    def submit_source(self, source: Source, request: Request) -> Submitted:
        """Read and submit one source; one that can't be had is told, not raised."""
        try:
            return self.submit(source.url, source.read(), request)
        except (PermanentError, Damaged) as error:
            return Submitted(
                source=source.url, task_id=None, status="refused", code=error.code, message=error.message
            )


def _decode(source: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{Path(source).name} is not UTF-8 at byte {error.start}: convert it.") from None
    if not text:
        raise Unreadable(f"{Path(source).name} is empty.")
    return text


def moment(text: str | datetime | None, timezone: str) -> datetime | None:
    """When a task may start, in UTC: a later local time or an ISO date-time; raises `UsageError`."""
    from pipeline.night.window import until

    if text is None or isinstance(text, datetime):
        return text
    return until(text, datetime.now(UTC), timezone)


@cache
def _producer(settings: Settings) -> Producer:
    return Producer(settings)


def submit_one(document: str | Path | bytes, not_before: str | datetime | None, **fields: Any) -> str:
    """See `pipeline.submit`."""
    from pipeline.documents import sources
    from pipeline.settings import Settings

    settings = Settings.from_env()
    producer = _producer(settings)
    request = Request(not_before=moment(not_before, settings.timezone), **fields)
    producer.check(request)
    if isinstance(document, bytes):
        done = producer.submit("bytes", document, request)
    elif urlsplit(str(document)).scheme in ("http", "https"):
        done = producer.submit(str(document), None, request)
    else:
        found = list(sources.find([str(document)], settings))
        if len(found) != 1:
            raise UsageError(
                f"{document} holds {len(found)} documents: give one, or use `nightshift submit`."
            )
        done = producer.submit(found[0].url, found[0].read(), request)
    assert done.task_id is not None
    return done.task_id


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
    from pipeline.settings import Settings

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
    producer = Producer(settings)
    producer.check(request)

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
