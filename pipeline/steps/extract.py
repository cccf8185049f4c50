"""From pages to entities, which are stored once per document."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from pipeline.errors import NotRead
from pipeline.models import Entity, Page, Task, to_json
from pipeline.steps.engines import Engines
from pipeline.steps.entities import entities_of
from pipeline.storage import Store, keys, recent
from pipeline.storage.objects import read_or_none


class Entities(msgspec.Struct, frozen=True):
    """Entities of a document as stored under `ner/`; `unread`: numbers of the pages that could not be read then."""

    entities: tuple[Entity, ...]
    seconds: float
    unread: tuple[int, ...] = ()


def stored_entities(pages: Sequence[Page], sha256: str, *, store: Store, engines: Engines) -> Entities | None:
    """The stored entities of these pages, `None` where there are none, or of when other pages could be read."""
    key = keys.entities(sha256, engines.entities_digest)
    kept = recent.read(store, key, Entities)
    found = kept if kept and kept.unread == _unread(pages) else read_or_none(store, key, Entities)
    return found if found is not None and found.unread == _unread(pages) else None


def _unread(pages: Sequence[Page]) -> tuple[int, ...]:
    return tuple(page.number for page in pages if page.error)


def all_entities(task: Task, pages: Sequence[Page], *, store: Store, engines: Engines) -> Entities:
    """The stored entities of a task and its pages; raises `NotRead` when there are none under these settings."""
    assert task.sha256 is not None
    found = stored_entities(pages, task.sha256, store=store, engines=engines)
    if found is None:
        raise NotRead(f"The store has no entities of {task.task_id} under these settings.")
    return found


def extract(
    pages: tuple[Page, ...],
    sha256: str,
    *,
    store: Store,
    engines: Engines,
    on_entities: Callable[[bool], None] = lambda _: None,
    look: bool = True,
    keep: bool = True,
) -> Entities:
    """Find the entities of all pages, and store them once per document.

    `look`: without, there can be none in the store. `keep`: without, they are not stored.
    Calls `on_entities` at the end, with whether they were found just now rather than taken from the store.
    """
    if look and (before := stored_entities(pages, sha256, store=store, engines=engines)):
        on_entities(False)
        return before
    started = time.perf_counter()
    texts = [page.text for page in pages]
    model = engines.ner
    with engines.computing("ner"):
        from pipeline.ner import locale
        from pipeline.ner.base import extract_in

        mentions = extract_in(model, texts, locale.read_all(texts))
    entities = tuple(e for page, of in zip(pages, mentions, strict=True) for e in entities_of(page, of))
    found = Entities(entities, round(time.perf_counter() - started, 4), _unread(pages))
    if keep:
        key, data = keys.entities(sha256, engines.entities_digest), to_json(found)
        store.put(key, data)
        recent.keep(store, key, data)
    on_entities(True)
    return found
