"""Receipts of which lines were forgotten: rewritten under the same key, with a note that says so.

A line that is forgotten is replaced by one with a pseudonym. The note (`forgotten/receipts/...`) names the SHA-256 of
the object before and after each rewriting, so that the next receipt of the chain, which names the first of them, still
proves the receipt; anything else that changes it shows. The note is written first: a receipt that is not rewritten yet
is the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.models import from_json, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_MARK = b'"forgotten":"'


class Rewriting(msgspec.Struct, frozen=True, kw_only=True):
    """One rewriting: when (UTC), by whom, in which run of forgetting; SHA-256 before (`was`) and after (`became`)."""

    at: str
    actor: str
    run: str
    lines: int
    was: str
    became: str


class Note(msgspec.Struct, frozen=True):
    """All rewritings of one receipt, in order."""

    rewritings: tuple[Rewriting, ...]

    def original(self, sha256: str) -> str:
        """SHA-256 of the receipt as it was written, if `sha256` is what it became last; else empty.

        Also what the last one was to replace counts: the process that rewrote it may have died in between.
        """
        last = self.rewritings[-1]
        links = zip(self.rewritings, self.rewritings[1:], strict=False)
        whole = all(one.became == two.was for one, two in links)
        return self.rewritings[0].was if whole and sha256 in (last.became, last.was) else ""


class Line(msgspec.Struct, frozen=True):
    """What is read of a line: the task, or the pseudonym of one that was forgotten."""

    task_id: str = ""
    forgotten: str = ""


def pseudonym_in(line: bytes) -> str:
    """The pseudonym in a line that was forgotten, empty for any other."""
    if _MARK not in line:
        return ""
    try:
        found = from_json(line, Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return "" if found.task_id else found.forgotten


def pseudonyms_in(data: bytes) -> tuple[str, ...]:
    """The pseudonyms in the lines of a receipt."""
    if _MARK not in data:
        return ()
    return tuple(filter(None, map(pseudonym_in, data.splitlines())))


def is_rewritten(data: bytes) -> bool:
    """Whether lines of a receipt were forgotten."""
    return bool(pseudonyms_in(data))


def note_of(store: Store, receipt: str) -> Note | None:
    """The note about a receipt."""
    note = read_or_none(store, keys.rewritten(receipt), Note)
    return note if note and note.rewritings else None


def tasks_in(data: bytes) -> set[str]:
    """Ids of the tasks that a receipt names."""
    found = set()
    for line in data.splitlines():
        try:
            found.add(from_json(line, Line).task_id)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found - {""}


def names(store: Store, receipt: str, task_id: str) -> bool:
    """Whether a receipt still names a task, so that this was not forgotten; what cannot be read is the audit's."""
    try:
        return task_id in tasks_in(store.get(receipt))
    except (NotFound, Damaged):
        return True


def without(data: bytes, names: Mapping[str, str]) -> tuple[bytes, int]:
    """A receipt with the lines of some tasks (id -> pseudonym) forgotten, and how many these are."""
    lines, count = [], 0
    for line in data.splitlines():
        try:
            name = names.get(from_json(line, Line).task_id)
        except (msgspec.DecodeError, UnicodeDecodeError):
            name = None
        if name is not None:
            count += 1
        lines.append(line if name is None else _link_of(line) + _MARK + name.encode() + b'"}')
    return b"\n".join(lines) + b"\n", count


class _Linked(msgspec.Struct, frozen=True):
    link: msgspec.Raw = msgspec.Raw()


def _link_of(line: bytes) -> bytes:
    """The beginning of a forgotten line: the first one keeps its place in the chain."""
    link = bytes(from_json(line, _Linked).link)
    return b'{"link":' + link + b"," if link else b"{"


def rewrite(store: Store, receipt: str, names: Mapping[str, str], *, at: str, actor: str, run: str) -> int:
    """Forget the lines of some tasks in a receipt; returns how many. Repeating it changes nothing."""
    data = store.get(receipt)
    new, count = without(data, names)
    if not count:
        return 0
    was, became = hashlib.sha256(data).hexdigest(), hashlib.sha256(new).hexdigest()
    known = note_of(store, receipt)
    before = known.rewritings if known else ()
    if before and before[-1].was == was:  # the process that wrote this note has died
        before = before[:-1]
    this = Rewriting(at=at, actor=actor, run=run, lines=count, was=was, became=became)
    store.put(keys.rewritten(receipt), to_json(Note((*before, this))))
    store.put(receipt, new)
    return count
