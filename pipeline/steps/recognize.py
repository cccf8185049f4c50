"""From a document to its pages, each stored as soon as it is read: a page in the store is not read again.

A page that can't be read is stored as such, with the reason: it costs itself, not the document.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from pipeline import guard, telemetry
from pipeline.documents.base import Document
from pipeline.errors import NotRead, PermanentError
from pipeline.models import Failure, Page, Task, to_json
from pipeline.steps.ahead import ahead
from pipeline.steps.budget import ABANDONED, Budget
from pipeline.steps.engines import Engines
from pipeline.steps.pages import read_page
from pipeline.steps.verdict import verdict
from pipeline.storage import Store, keys, recent
from pipeline.storage.objects import read_or_none

log = logging.getLogger("nightshift")

AHEAD = 4
"""Pages of a document in progress where a device computes: some are decoded or put together while it works."""


def recognize(
    document: Document,
    sha256: str,
    numbers: Sequence[int],
    *,
    store: Store,
    engines: Engines,
    budget: Budget | None = None,
    on_page: Callable[[bool], None] = lambda _: None,
    tenant: str = "",
    alone: bool = False,
    look: bool = True,
) -> tuple[Page, ...]:
    """Read pages `numbers` (from 1), each stored as soon as it is read; a page that can't be read has an `error`.

    `budget`: the time that these pages may take, with others that this process reads. Calls `on_page` after each, with
    whether it was read just now rather than found in the store. Raises `StoreUnavailable`, `DeviceUnavailable` or
    `RunError` where the store or the device fails or a model is missing. `tenant`: for whom the pages are counted.
    `alone`: read one page at a time although a device could take more, as a page of them may have ended a process.
    `look`: without, no page can be in the store.
    """
    budget = budget or Budget(document, sha256, len(numbers), store=store, engines=engines)
    reading = _Reading(document, sha256, budget, store=store, engines=engines, tenant=tenant, look=look)
    pages = []
    for page, fresh in ahead(reading.read, numbers, AHEAD if engines.shared and not alone else 1):
        if fresh:  # in order: the first page without a checkpoint is the one that was in progress
            store_page(page, sha256, store=store, engines=engines, tenant=tenant)
        pages.append(page)
        on_page(fresh)
    return tuple(pages)


class _Reading:
    """Pages of one document, read by one thread or more."""

    def __init__(
        self,
        document: Document,
        sha256: str,
        budget: Budget,
        *,
        store: Store,
        engines: Engines,
        tenant: str,
        look: bool,
    ) -> None:
        self._document, self._sha256, self._budget = document, sha256, budget
        self._store, self._engines, self._tenant = store, engines, tenant
        self._look, self._spending = look, threading.Lock()
        self._spent = document.decoding

    def read(self, number: int) -> tuple[Page, bool]:
        """A page, and whether it was read just now rather than found in the store."""
        if self._look and (
            page := stored_page(self._sha256, number, store=self._store, engines=self._engines)
        ):
            return page, False
        page = self._guarded(number)
        with self._spending:
            decoding = self._document.decoding  # once: another thread may be decoding
            spent, self._spent = decoding - self._spent, decoding
            self._budget.add(spent)
        return page, True

    def _guarded(self, number: int) -> Page:
        """Read a page; one that takes too much memory or time is stored as unreadable before this process ends."""
        budget = self._budget
        self._engines.wait_until(budget.wait_until())

        def give_up(reason: PermanentError) -> None:
            page = unread_page(number, reason)
            store_page(page, self._sha256, store=self._store, engines=self._engines, tenant=self._tenant)
            budget.add(ABANDONED + budget.page_seconds * (reason.code == "over_time"))

        with guard.page(budget.page_seconds, budget.page_longest, give_up):
            return _read(self._document, number, budget, self._engines)


def _read(document: Document, number: int, budget: Budget, engines: Engines) -> Page:
    try:
        budget.check()
        return read_page(document, number, engines)
    except Exception as error:
        ends = verdict(error)
        if ends.action != "fail":
            raise  # the store or the models: not this page's fault
        if ends.unexpected:
            log.error("unexpected error on page %d", number, exc_info=error)
        return unread_page(number, ends.reason)


def unread_page(number: int, reason: PermanentError) -> Page:
    """What is kept of a page that can't be read."""
    return Page(number=number, width=0, height=0, error=Failure(code=reason.code, message=reason.message))


def store_page(page: Page, sha256: str, *, store: Store, engines: Engines, tenant: str = "") -> None:
    """Write the checkpoint of a page, and count it."""
    key, data = keys.page(sha256, engines.reading_digest, page.number), to_json(page)
    recent.drop(store, key)
    store.put(key, data)
    if not page.error:  # such a one may be read again
        recent.keep(store, key, data)
    outcome, source = ("unread", "none") if page.error else ("read", page.text_from)
    telemetry.count("nightshift_pages_total", outcome, source, tenant)


def stored_page(sha256: str, number: int, *, store: Store, engines: Engines) -> Page | None:
    """The checkpoint of a page, `None` where there is none or it can't be decoded."""
    return read_or_none(store, keys.page(sha256, engines.reading_digest, number), Page)


def all_pages(task: Task, *, store: Store, engines: Engines) -> tuple[Page, ...]:
    """The checkpoints of all pages of a task.

    Raises `NotRead` when one is missing under these settings, and what `check_any_read` raises.
    """
    assert task.sha256 is not None
    numbers = range(1, task.pages + 1)
    found = [_kept_page(task.sha256, n, store=store, engines=engines) for n in numbers]
    if any(page is None for page in found):
        raise NotRead(f"The store lacks pages of {task.task_id} under these settings.")
    pages = tuple(page for page in found if page is not None)
    check_any_read(pages)
    return pages


def _kept_page(sha256: str, number: int, *, store: Store, engines: Engines) -> Page | None:
    """The checkpoint of a page, as a process of this host has just stored it, or as it is in the store."""
    key = keys.page(sha256, engines.reading_digest, number)
    return recent.read(store, key, Page) or read_or_none(store, key, Page)


def check_any_read(pages: Sequence[Page]) -> None:
    """Raise `PermanentError`, with the reason of the first page, when no page of a document could be read."""
    if pages and all(page.error for page in pages):
        first = pages[0].error
        assert first is not None
        more = f" None of its {len(pages)} pages could be read." if len(pages) > 1 else ""
        raise PermanentError(first.message + more, code=first.code)


def stored_numbers(sha256: str, *, store: Store, engines: Engines) -> set[int]:
    """The numbers of the pages that have a checkpoint."""
    return {keys.page_number(key) for key in store.list(keys.pages(sha256, engines.reading_digest))}


def missing_page(sha256: str, first: int, last: int, *, store: Store, engines: Engines) -> int | None:
    """The first of these pages without a checkpoint: pages are read in order, so it is the one in progress."""
    stored = stored_numbers(sha256, store=store, engines=engines)
    return next((n for n in range(first, last + 1) if n not in stored), None)


def forget_unread(store: Store, sha256: str) -> None:
    """Delete the checkpoints of pages that could not be read, by whatever model, so that they are tried again."""
    for key in [*_unread(store, sha256), *store.list(keys.spent_of(sha256))]:
        store.delete(key)


def has_unread(store: Store, sha256: str) -> bool:
    """Whether there are checkpoints of pages that could not be read."""
    return any(True for _ in _unread(store, sha256))


def _unread(store: Store, sha256: str) -> Iterator[str]:
    for key in store.list(keys.readings(sha256)):
        page = read_or_none(store, key, Page)
        if page is not None and page.error:
            yield key
