"""Which morning reports are to be written, and what becomes of those that show something that must go.

A mark says that something changed which the report of a night shows. It is removed only by the process that has
written that report, and only if nobody has set it again meanwhile.
"""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator

from pipeline import clock
from pipeline.errors import NotFound
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_PICTURE = re.compile(rb'(data:image/png;base64,|"picture":")[A-Za-z0-9+/=]+')


def mark(store: Store, run_date: str) -> None:
    """Note that the report of a night is to be written."""
    store.put(keys.report_due(run_date), f"{clock.now()} {secrets.token_hex(4)}".encode())


def marks(store: Store) -> dict[str, bytes]:
    """The nights whose reports are to be written, and what their marks say."""
    found = {}
    for key in list(store.list(keys.REPORTS_DUE)):
        if run_date := keys.due_report(key):
            found[run_date] = read(store, key)
    return found


def read(store: Store, key: str) -> bytes:
    """What is under a key, empty where there is nothing."""
    try:
        return store.get(key)
    except NotFound:
        return b""


def unmark(store: Store, run_date: str, seen: bytes) -> None:
    """Remove a mark, unless it was set again since it was `seen`."""
    if read(store, keys.report_due(run_date)) == seen:
        store.delete(keys.report_due(run_date))


PAGE, FACTS, WRITTEN, SENT = "index.html", "report.json", "written.json", "sent.json"


def erase(store: Store, run_date: str, *, notes: bool = False) -> int:
    """Delete the report of a night with its earlier versions; returns how many of these are locked.

    `notes`: also what is noted about it: that it was written, and sent.
    """
    locked = 0
    for name in (PAGE, FACTS, *((WRITTEN, SENT) if notes else ())):
        key = keys.report(run_date, name)
        store.delete(key)
        locked += store.purge(key)
    return locked


def without_pictures(store: Store, run_date: str) -> None:
    """Remove the pictures from the report of a night: the documents that they show are no longer kept."""
    for key in (keys.report(run_date, name) for name in (PAGE, FACTS)):
        data = read(store, key)
        bare = _PICTURE.sub(rb"\1", data)
        if bare != data:
            store.put(key, bare)
            store.purge(key)


def showing(store: Store, names: Collection[str]) -> Iterator[str]:
    """Run dates of the reports in which one of these names occurs, as part of whatever."""
    said = tuple({form for name in names if name for form in _forms(name)})
    listed = [key for key in store.list(keys.REPORTS) if said]
    found = set()
    for key, hit in in_threads(lambda key: (key, _has(read(store, key), said)), listed, threads=4, batch=1):
        run_date = keys.run_date_of(key)
        if hit and run_date not in found:
            found.add(run_date)
            yield run_date


def _forms(name: str) -> Iterable[bytes]:
    """A name as JSON and HTML have it."""
    yield name.encode(errors="replace")
    yield html.escape(name).encode(errors="replace")
    yield json.dumps(name)[1:-1].encode()
    yield json.dumps(name, ensure_ascii=False)[1:-1].encode(errors="replace")


def _has(data: bytes, said: tuple[bytes, ...]) -> bool:
    return any(one in data for one in said)
