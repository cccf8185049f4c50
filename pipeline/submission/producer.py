"""What a producer does for each document: accept it into the store, then publish its first step."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from pipeline import clock, mask_policy
from pipeline.documents import sources
from pipeline.documents.sources import Source
from pipeline.errors import Damaged, PermanentError, Unreadable, UsageError
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.remote.policy import callback_policy
from pipeline.settings import Settings
from pipeline.steps.task_types import task_type
from pipeline.storage import Store
from pipeline.submission.contract import DEFAULT_PRIORITY, Submission
from pipeline.submission.reception import Reception
from pipeline.telemetry import spans, w3c


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for apart from the document itself; the same for all documents of one command.

    `traceparent`, `tracestate`: the span that the traces of the documents continue; what is invalid is ignored.
    """

    task_id: str = ""
    task_type: str = "document"
    priority: int = DEFAULT_PRIORITY
    tenant: str = ""
    trace_id: str = ""
    traceparent: str = ""
    tracestate: str = ""
    callback_url: str = ""
    not_before: datetime | None = None
    deadline: datetime | None = None
    metadata: dict[str, str] = {}


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document: `known` ones were accepted earlier and keep their one end."""

    source: str
    task_id: str | None
    status: Literal["accepted", "known", "refused"]
    code: str = ""
    message: str = ""


class Producer:
    """Submits documents to one night. Threads may share it.

    `run_date`: the night that a moment's receipts belong to. `publish`: sends messages and returns when the broker has
    confirmed them.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        run_date: Callable[[], str],
        publish: Callable[[list[Message]], None],
    ) -> None:
        self.settings, self.store, self.publish = settings, store, publish
        self.reception = Reception(store, settings, run_date)
        self._named = not mask_policy.policy(settings.mask).hides_names

    def check(self, request: Request) -> None:
        """Raise before the first document what would be wrong with every one of them.

        Raises `UsageError` for the request, `RunError` or `StoreUnavailable` for the store.
        """
        try:
            task_type(request.task_type)
            if request.callback_url:
                callback_policy(self.settings).check(request.callback_url)
        except PermanentError as error:
            raise UsageError(error.message) from None
        if not 0 <= request.priority <= 9:
            raise UsageError(f"Invalid priority {request.priority}: must be 0 to 9.")
        self.store.check()

    def submit(self, source: str, data: bytes | None, request: Request) -> Submitted:
        """Accept one document and publish it; without `data` workers fetch it from `source`, a URL.

        Raises `PermanentError` for this document, `RunError` or `StoreUnavailable` when it can't continue.
        """
        sha256 = hashlib.sha256(data).hexdigest() if data is not None else None
        task_id = request.task_id or pending.task_id_for(source, sha256, named=self._named)
        text, trace = "", w3c.context(request.traceparent, request.tracestate)
        if data is not None and "ocr" not in task_type(request.task_type).names:
            text = _decode(source, data)
        submission = Submission(
            task_id=task_id,
            task_type=request.task_type,
            url=source,
            text=text,
            trace_id=request.trace_id or trace.trace_id or uuid.uuid4().hex,
            priority=request.priority,
            callback_url=request.callback_url,
            tenant=request.tenant,
            metadata=request.metadata,
            submitted_at=clock.utc(),
            not_before=request.not_before,
            trace=trace,
            deadline=request.deadline,
        )
        with spans.submission(task_id, trace, submission.trace_id):
            # A known task that is pending is published again: its first message may never have left.
            accepted = self.reception.accept_or_refuse(submission, data)
            self.publish(accepted.messages)
        return Submitted(source=source, task_id=task_id, status="known" if accepted.known else "accepted")

    def submit_document(self, document: str | Path | bytes, request: Request) -> Submitted:
        """Submit one document: its bytes, a path, an `s3://` URL, or an `https://` URL that a worker fetches.

        Raises `UsageError` where there is not exactly one, and what `submit` raises.
        """
        if isinstance(document, bytes):
            return self.submit("bytes", document, request)
        if urlsplit(str(document)).scheme in ("http", "https"):
            return self.submit(str(document), None, request)
        found = list(sources.find([str(document)], self.settings))
        if len(found) != 1:
            raise UsageError(
                f"{document} contains {len(found)} documents: give one, or use `nightshift submit`."
            )
        return self.submit(found[0].url, found[0].read(), request)

    def submit_source(self, source: Source, request: Request) -> Submitted:
        """Read and submit one source; one that can't be had is reported as refused, not raised."""
        try:
            return self.submit(source.url, source.read(), request)
        except (PermanentError, Damaged) as error:
            return Submitted(
                source=source.url, task_id=None, status="refused", code=error.code, message=error.message
            )


def _decode(source: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{Path(source).name} is not UTF-8 at byte {error.start}: convert it.") from None
    if not text:
        raise Unreadable(f"{Path(source).name} is empty.")
    return text
