"""What a run would do with each document, found out without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from pipeline.documents.sources import Source
from pipeline.documents.sources.apart import Opener
from pipeline.errors import PermanentError
from pipeline.models import Failure
from pipeline.run.acceptance import Acceptance, identify
from pipeline.steps import recognize
from pipeline.steps.engines import Engines
from pipeline.storage import keys

State = Literal["new", "partly_stored", "stored", "duplicate", "done", "partial", "failed", "unreadable"]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do with one document.

    `state`: `new` would be read; `partly_stored` too, apart from pages that are in the store; `stored` would compute
    nothing, as its pages and entities are in the store; `duplicate` has the bytes of a document before it; `done`,
    `partial` and `failed` have their result on this run date, `error` being what is missing; `unreadable` can't be read
    for the reason in `error`. `size` is in bytes, `media_type` is empty for what can't be read.
    """

    source: str
    state: State
    size: int = 0
    media_type: str = ""
    error: Failure | None = None


def plan(sources: Iterable[Source], acceptance: Acceptance, engines: Engines) -> Iterator[Planned]:
    """Yield what a run would do with each source: its bytes are read and hashed, no document is opened.

    A defect that only shows when a document is opened, such as a password, is not found.
    """
    seen: set[str] = set()
    opener = Opener(engines.settings)
    for source in sources:
        yield _planned(source, opener, acceptance, engines, seen)


def _planned(
    source: Source, opener: Opener, acceptance: Acceptance, engines: Engines, seen: set[str]
) -> Planned:
    size = 0
    try:
        found = identify(source, named=acceptance.named)
        size = len(found.data)
        media_type = opener.sniff(found.data, source.url)
    except PermanentError as error:
        reason = Failure(code=error.code, message=error.message)
        return Planned(source=source.url, state="unreadable", size=size, error=reason)
    if record := acceptance.earlier_result(found.task_id):
        return Planned(
            source=source.url, state=record.status, size=size, media_type=media_type, error=record.error
        )
    state: State = "duplicate" if found.sha256 in seen else _stored(found.sha256, acceptance, engines)
    seen.add(found.sha256)
    return Planned(source=source.url, state=state, size=size, media_type=media_type)


def _stored(sha256: str, acceptance: Acceptance, engines: Engines) -> State:
    store = acceptance.store
    if acceptance.retry_failed and recognize.has_unread(store, sha256):
        return "partly_stored"
    if store.exists(keys.entities(sha256, engines.entities_digest)):
        return "stored"
    pages = store.list(keys.pages(sha256, engines.reading_digest))
    return "partly_stored" if next(pages, None) else "new"
