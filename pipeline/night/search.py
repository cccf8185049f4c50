"""The proof: every object of a store is searched for what was forgotten.

Objects are decoded as far as JSON and parquet go: each string in them, each line and each word of it is compared. An id
or a hash that is left anywhere is a hit. A line of text, a source, or an id that is a plain word is a hit only where it
is not another document's own: letters have the same heads. The bytes of other documents are not read: their keys are
their hashes.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import redaction
from pipeline.ledger.forgetting import Plan
from pipeline.ledger.track import Track, silent
from pipeline.night.fingerprints import SHORTEST, Fingerprints
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_TEXT = re.compile(rb'(?<=>)[^<>]+|(?<==")[^"]{1,2000}(?=")')
"""Texts of a page, and what its attributes say."""
_BETWEEN = re.compile(r"""[\s/"'(),;=]+""")
_TELLING = re.compile(r"(?=.*\d).{6,}", re.DOTALL)  # an id that is no word of a language
_FEW = 32  # names that are quicker looked for in a text than its words among them
_OWN = (
    keys.DOCUMENTS,
    "ocr/",
    "ner/",
    "spent/",
    keys.RESULTS,
    keys.PARTIAL,
    keys.FAILED,
    keys.FAILED_AGAIN,
    keys.PENDING,
    keys.UNDELIVERED,
    keys.CALLBACKS,
    keys.CLAIMS,
    "outputs/",
    "attempts/",
)
"""Prefixes of objects that belong to one document each, which their key names."""


class Found(msgspec.Struct, kw_only=True):
    """What was searched, and what was found.

    `by_key`: objects that were not read, as their key is the hash of their bytes. `hits`, `unread`: keys; the latter of
    damaged objects. `shared`: lines and sources that other documents have as well.
    """

    objects: int = 0
    bytes: int = 0
    by_key: int = 0
    hits: list[str] = []
    unread: list[str] = []
    shared: int = 0


class _Strings(NamedTuple):
    """What an object says: its strings, whether they are other documents' own, and the ids of tasks it is about."""

    strings: Iterable[str]
    of_others: bool = False
    task_ids: frozenset[str] | set[str] = frozenset()


class _Seen(NamedTuple):
    key: str
    size: int | None
    hit: bool = False
    shared: int = 0
    unread: bool = False


class Search:
    """What is searched for: ids, hashes, sources, and fingerprints of lines. `kept`: hashes that other tasks have."""

    def __init__(self, store: Store, plan: Plan, kept: Iterable[str] = ()) -> None:
        self._store, self._run = store, plan.run
        self._names = {target.task_id for target in plan.targets} | (plan.hashes - set(kept))
        self._telling = {name for name in self._names if _TELLING.fullmatch(name)}
        self._texts = (self._names - self._telling) | set(plan.sources)
        self._lines = set(plan.lines)
        self._fingerprints = Fingerprints(store)

    def run(self, track: Track = silent) -> Found:
        """Search all objects; those that are deleted meanwhile are left out."""
        found = Found(hits=[], unread=[])
        names = [key for key in self._store.list("") if key != keys.forgetting(self._run)]
        for seen in track(in_threads(self._look, names, batch=16), "objects", len(names)):
            found.objects += 1
            found.bytes += seen.size or 0
            found.by_key += seen.size is None
            found.shared += seen.shared
            if seen.hit:
                found.hits.append(seen.key)
            if seen.unread:
                found.unread.append(seen.key)
        return found

    def _look(self, key: str) -> _Seen:
        if self._is_named_by(key):
            return _Seen(key, 0, hit=True)
        if key.startswith(keys.DOCUMENTS):
            return _Seen(key, None)
        try:
            data = self._store.get(key)
        except NotFound:
            return _Seen(key, 0)
        except Damaged:
            return _Seen(key, 0, unread=True)
        said = _said(key, data)
        hit, shared = not self._names.isdisjoint(said.task_ids), 0
        for text in said.strings:
            hit = hit or self._names_in(text)
            if text in self._texts or (len(text) >= SHORTEST and self._has_line(text)):
                shared += said.of_others
                hit = hit or not said.of_others
        return _Seen(key, len(data), hit, shared)

    def _is_named_by(self, key: str) -> bool:
        rest, name = key.partition("/")[2], key.rsplit("/", 1)[-1]
        named = (keys.task_id_of(key), keys.claimed_task(f"{keys.CLAIMS}{rest}/"), keys.changed_task(name))
        return not self._names.isdisjoint((*key.split("/"), *named))

    def _names_in(self, text: str) -> bool:
        if text in self._telling:
            return True
        if len(self._telling) <= _FEW and not any(name in text for name in self._telling):
            return False
        return any(
            word in self._telling or word.strip(".:") in self._telling for word in _BETWEEN.split(text)
        )

    def _has_line(self, text: str) -> bool:
        return bool(self._lines) and any(
            self._fingerprints.of(line) in self._lines for line in self._fingerprints.lines([text])
        )


def _said(key: str, data: bytes) -> _Strings:
    if key.endswith(".parquet"):
        with suppress(pa.ArrowException, OSError):
            return _of_table(data)
    if key.startswith(keys.RECEIPTS):
        return _Strings(_strings(data), True, redaction.tasks_in(data))
    return _Strings(_strings(data), key.startswith(_OWN))


def _strings(data: bytes) -> Iterator[str]:
    """Each different string in JSON, or in lines of JSON; each text of a page; of anything else the whole text."""
    if data[:15].lower() == b"<!doctype html>":
        yield from {html.unescape(text.decode(errors="replace")) for text in _TEXT.findall(data)}
        return
    if data.lstrip()[:1] not in (b"{", b"[", b'"'):
        yield data.decode(errors="replace")
        return
    for raw in set(_STRING.findall(data)):
        if b"\\" in raw:
            with suppress(ValueError):
                yield json.loads(b'"' + raw + b'"')
                continue
        yield raw.decode(errors="replace")


def _of_table(data: bytes) -> _Strings:
    """Each different string in a table, whose rows are other documents' own.

    It is read by this thread: Arrow's pool aborts a process that exits while it starts.
    """
    found: set[str] = set()
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        task_ids = (
            set(file.read(["task_id"], use_threads=False)["task_id"].to_pylist())
            if "task_id" in file.schema.names
            else set()
        )
        for number in range(file.num_row_groups):
            for column in file.read_row_group(number, use_threads=False).itercolumns():
                found |= _cells(column.combine_chunks())
    return _Strings(found, True, task_ids)


def _cells(column: pa.Array) -> set[str]:
    if pa.types.is_list(column.type):
        return _cells(column.flatten())
    if not (pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)):
        return set()
    return {cell for cell in column.unique().to_pylist() if isinstance(cell, str)}
