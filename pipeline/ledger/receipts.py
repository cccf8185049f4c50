"""Receipts: the immutable proof of what was accepted.

A receipt has one JSON line per task. Its key holds the hash of these lines, and its place in a chain: the receipts of
one writer are numbered, and each names the one before it with its SHA-256 (`Link`, in the first line), so that one
that was deleted or changed shows (`pipeline.ledger.chains`). The only change that is allowed is that lines are
forgotten (`pipeline.ledger.redaction`). A writer is one process, or as many as it has receipts in progress at the same
moment: a number is used again by nobody, whatever happens during a write.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections import deque
from collections.abc import Container, Iterator, MutableMapping, Sequence
from contextlib import suppress
from typing import Generic, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from msgspec import structs

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import pseudonyms, redaction
from pipeline.models import Task, from_json
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_RECEIPT = (
    "task_id",
    "sha256",
    "size",
    "task_type",
    "media_type",
    "priority",
    "tenant",
    "callback_url",
    "metadata",
)


class Link(msgspec.Struct, frozen=True):
    """The place of a receipt among those of its writer: `number` from 1; key and SHA-256 of the object before it."""

    writer: str
    number: int
    previous: str = ""
    sha256: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """What is read of a line to compare it: a night may have a hundred thousand."""

    task_id: str
    source: str
    sha256: str | None = None
    refused: str = ""


class _Named(Protocol):
    @property
    def task_id(self) -> str: ...
    @property
    def refused(self) -> str: ...


T = TypeVar("T", bound=_Named)


class Receipt(NamedTuple, Generic[T]):
    """A receipt as it is in the store; `problem`: why it is not what was written. `tasks`: as what they were read.

    `sha256`: of the whole object as it was written. `forgotten`: pseudonyms of tasks whose lines were forgotten since.
    """

    key: str
    tasks: list[T]
    link: Link | None
    sha256: str
    problem: str = ""
    forgotten: tuple[str, ...] = ()


class _Linked(msgspec.Struct, frozen=True):
    """The only field that is read of a first line to find its link."""

    link: Link | None = None


_idle: WeakKeyDictionary[Store, deque[Link]] = WeakKeyDictionary()
"""By store: for each writer that is not writing, the next link. One whose write fails is never used again."""
os.register_at_fork(after_in_child=_idle.clear)


def write(store: Store, run_date: str, tasks: Sequence[Task], *, new: bool = False) -> str:
    """Store the immutable proof of what was accepted; returns its key, empty without tasks.

    A line decodes to the `Task`, so that a lost one can be restored. The same batch is the same object. `new`: nobody
    can have written it before, as the ids were not claimed: it is not looked for.
    """
    if not tasks:
        return ""
    lines = b"\n".join(
        msgspec.json.encode(
            {"source": public_source(t.source)}
            | {n: getattr(t, n) for n in _RECEIPT}
            | ({"refused": t.refused} if t.refused else {})
        )
        for t in sorted(tasks, key=lambda t: t.task_id)
    )
    content = _content(lines)
    for known in store.list(keys.receipts_of(run_date, content)) if not new else ():
        if not store.exists(keys.rewritten(known)) and not _was_forgotten(store, tasks):
            return known  # else it no longer says so, or soon will not
    idle = _idle.setdefault(store, deque())
    link = Link(uuid.uuid4().hex[:16], 1)
    with suppress(IndexError):
        link = idle.pop()
    key = keys.receipt(run_date, content, link.writer, link.number)
    data = _prefix(link) + lines[1:] + b"\n"
    store.put(key, data)
    idle.append(Link(link.writer, link.number + 1, key, hashlib.sha256(data).hexdigest()))
    return key


def _was_forgotten(store: Store, tasks: Sequence[Task]) -> bool:
    """Whether an earlier task under one of these ids was forgotten: its receipt may be about to be rewritten."""
    if not store.exists(keys.control("forgotten")):
        return False
    names = (pseudonyms.of(store, task.task_id) for task in tasks)
    return any(True for name in names for _ in store.list(keys.tombstones_of(name)))


def _content(lines: bytes) -> str:
    return hashlib.sha256(lines).hexdigest()[:32]


def _prefix(link: Link) -> bytes:
    """How the first line begins, in place of its brace: readers of its task ignore the link."""
    return b'{"link":' + msgspec.json.encode(link) + b","


def read(store: Store, key: str, kind: type[T]) -> Receipt[T]:
    """A receipt, with those of its tasks that can be decoded as this kind; raises `NotFound`."""
    try:
        data = store.get(key)
    except Damaged:
        return Receipt(key, [], None, "unreadable", "does not hold what was encrypted there")
    sha256, name = hashlib.sha256(data).hexdigest(), keys.receipt_name(key)
    link, tasks, problem = None, [], ""
    with suppress(msgspec.DecodeError):
        link = from_json(data.split(b"\n", 1)[0], _Linked).link
    lines = data.removesuffix(b"\n")
    gone = redaction.pseudonyms_in(lines)
    note = redaction.note_of(store, key) if gone else None
    original = note.original(sha256) if note else ""
    if link and lines.startswith(_prefix(link)):
        lines = b"{" + lines.removeprefix(_prefix(link))
    if name is None or not (original or name.content == _content(lines)):
        problem = "does not hold the lines that it was written with"
    elif (name.writer, name.number) != ((link.writer, link.number) if link else ("", 0)):
        problem = "does not hold the link that it was written with"
    for line in lines.splitlines():
        with suppress(msgspec.DecodeError):
            tasks.append(from_json(line, kind))
    return Receipt(key, tasks, link, original or sha256, problem, gone)


def of_date(store: Store, run_date: str, kind: type[T]) -> Iterator[Receipt[T]]:
    """All receipts of a run date, one after the other."""
    return in_threads(lambda key: _read(store, key, kind), store.list(keys.receipts(run_date)))


def _read(store: Store, key: str, kind: type[T]) -> Receipt[T]:
    try:
        return read(store, key, kind)
    except NotFound:  # nothing but tampering deletes a receipt
        return Receipt(key, [], None, "", "was deleted during the audit")


def add_to(received: MutableMapping[str, list[T]], receipt: Receipt[T]) -> None:
    """Add what a receipt has to what was received, by task id: one line per receipt.

    A task that was refused is not among those under an id of which another one was accepted: it has taken its place.
    """
    for task in receipt.tasks:
        tasks = [*received.get(task.task_id, ()), task]
        received[task.task_id] = [one for one in tasks if not one.refused] or tasks


def received(store: Store, run_date: str, only: Container[str] | None = None) -> dict[str, list[Task]]:
    """What was received on a run date, by task id: one `Task` per receipt. `only`: of these ids."""
    found: dict[str, list[Task]] = {}
    for one in of_date(store, run_date, Task):
        tasks = [task for task in one.tasks if only is None or task.task_id in only]
        add_to(found, one._replace(tasks=[structs.replace(task, receipt=one.key) for task in tasks]))
    return found
