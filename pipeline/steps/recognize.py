"""From a document to its pages, each stored as soon as it is read: a page in the store is not read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pipeline.documents.base import Document
from pipeline.documents.layout import assemble
from pipeline.errors import NotRead
from pipeline.models import Page, Task, to_json
from pipeline.steps.engines import Engines
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


def recognize(
    document: Document,
    sha256: str,
    numbers: Iterable[int],
    *,
    store: Store,
    engines: Engines,
    on_page: Callable[[bool], None] = lambda _: None,
) -> tuple[Page, ...]:
    """Read pages `numbers` (from 1), each stored as soon as it is read.

    Calls `on_page` after each, with whether it was read just now rather than found in the store. Raises
    `PermanentError` for a page that can't be read, `StoreUnavailable` or `RunError` where the store fails.
    """
    pages = []
    for number in numbers:
        page = stored_page(sha256, number, store=store, engines=engines)
        fresh = page is None
        if page is None:
            page = _read(document, number, engines)
            store.put(keys.page(sha256, engines.reading_digest, number), to_json(page))
        pages.append(page)
        on_page(fresh)
    return tuple(pages)


def stored_page(sha256: str, number: int, *, store: Store, engines: Engines) -> Page | None:
    """The checkpoint of a page, `None` where there is none or it can't be decoded."""
    return read_or_none(store, keys.page(sha256, engines.reading_digest, number), Page)


def all_pages(task: Task, *, store: Store, engines: Engines) -> tuple[Page, ...]:
    """The checkpoints of all pages of a task; raises `NotRead` when one is missing under these settings."""
    assert task.sha256 is not None
    numbers = range(1, task.pages + 1)
    found = [stored_page(task.sha256, n, store=store, engines=engines) for n in numbers]
    if any(page is None for page in found):
        raise NotRead(f"The store lacks pages of {task.task_id} under these settings.")
    return tuple(page for page in found if page is not None)


def has_page(sha256: str, number: int, *, store: Store, engines: Engines) -> bool:
    """Whether a page has a checkpoint."""
    return store.exists(keys.page(sha256, engines.reading_digest, number))


def _read(document: Document, number: int, engines: Engines) -> Page:
    started = time.perf_counter()
    source = document.page(number)
    if source.lines is not None:
        rotation, width, height, raw = 0, source.width, source.height, source.lines
    else:
        assert source.image is not None
        loading = time.perf_counter()
        engine = engines.ocr
        started += time.perf_counter() - loading  # done once per process, not part of the page's time
        seen = engine.read(source.image)
        rotation, width, height, raw = seen.rotation, seen.width, seen.height, seen.lines
    text, lines = assemble(raw, width, height)
    return Page(
        number=number,
        width=width,
        height=height,
        rotation=rotation,  # type: ignore[arg-type]
        source="ocr" if source.lines is None else "text_layer",
        text=text,
        lines=lines,
        seconds=round(time.perf_counter() - started, 4),
    )
