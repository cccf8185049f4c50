"""What is replaced while a simulation runs: reading, fetching, posting, threads, random ids and the time.

All of the night's own code stays: flow, delivery, ledger, reception, housekeeping, schedule, failures, reprocessing,
and how `tasks` turns messages into headers and back.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pipeline.cli.failed
import pipeline.ledger.actions
import pipeline.ledger.forgotten
import pipeline.ledger.pseudonyms
import pipeline.ledger.reported
import pipeline.ledger.sheets
import pipeline.ner.base
import pipeline.ner.locale
import pipeline.night.admission
import pipeline.night.brake
import pipeline.night.callbacks
import pipeline.night.failures
import pipeline.night.flow
import pipeline.night.housekeeping
import pipeline.night.recount
import pipeline.night.reprocess
import pipeline.night.retention
import pipeline.night.selection
import pipeline.night.status
import pipeline.night.summaries
import pipeline.steps.conclude
import pipeline.steps.extract
import pipeline.steps.recognize
import pipeline.submission.reception
import pipeline.submission.shares
import pipeline.tables.amended
import pipeline.tables.parts
import pipeline.tables.rows
import pipeline.tables.summary
import pipeline.tables.without
import tasks.base
import tasks.publish
from pipeline import clock, fields, ner, ocr, threads
from pipeline.night.window import OffPeakWindow
from pipeline.steps import task_types
from pipeline.storage import keys
from pipeline.tables.names import TABLES
from tests.simulation import documents
from tests.simulation.tables import ThinTable, rows_of

if TYPE_CHECKING:
    from tests.simulation.world import World

_real_threads = threads.in_threads
_real_parts = pipeline.tables.parts.Parts
_real_rows_of = pipeline.tables.rows.rows_of
_current: list[World] = []


def world() -> World:
    """The world of the run in progress."""
    return _current[-1]


def one_by_one(work: Callable[[Any], Any], items: Iterable[Any], **_: Any) -> Iterator[Any]:
    """In place of `in_threads`: the same, in one thread and so in one order."""
    for item in items:
        yield work(item)


def _read_page(document: Any, number: int, engines: Any) -> Any:
    if "slow" in document.text:
        document.decoding += documents.SLOW
    settings = engines.settings
    cured, newer = settings.render_dpi == 300, settings.ocr_max_side > documents.FIRST_SIDE
    return world().read_page(document, number, cured=cured, newer=newer)


def _extract(_: Any, texts: list[str], *__: Any) -> list[list[Any]]:
    world().compute("ner")
    return [[] for _ in texts]


def _uniform(low: float, high: float) -> float:
    return world().rng.uniform(low, high)


_real_run_date = OffPeakWindow.run_date
_run_date_of_minute = lru_cache(maxsize=65536)(_real_run_date)


def _run_date(window: OffPeakWindow, now: datetime) -> date:
    return _run_date_of_minute(window, now.replace(second=0, microsecond=0))


def _parts(folder: Path, table: str, schema: Any) -> Any:
    return (_real_parts if world().parquet else ThinTable)(folder, table, schema)


def _rows_of(results: Any, masked: str | bool) -> Any:
    return _real_rows_of(results, masked) if world().parquet else rows_of(results, masked)


class _Tables:
    """In place of the names of all tables: only that of the documents is written."""

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES if world().parquet else ("documents",))


class _Secrets:
    """In place of `secrets`."""

    @staticmethod
    def token_bytes(size: int) -> bytes:
        return world().rng.randbytes(size)

    @staticmethod
    def token_hex(size: int) -> str:
        return world().rng.randbytes(size).hex()


class _Sequential:
    """In place of a `ThreadPoolExecutor`."""

    def __init__(self, *_: Any) -> None:
        self.map = map

    def __enter__(self) -> _Sequential:
        return self

    def __exit__(self, *_: Any) -> None:
        """No threads to wait for."""


@contextmanager
def installed() -> Iterator[None]:
    """Replace everything listed above; runs then take their worlds by `running`."""
    with ExitStack() as stack:
        put = stack.enter_context

        def change(target: Any, name: str, value: Any) -> None:
            put(mock.patch.object(target, name, value))

        for module in list(sys.modules.values()):
            if getattr(module, "in_threads", None) is _real_threads:
                change(module, "in_threads", one_by_one)
        for module in (pipeline.night.flow, pipeline.submission.reception):
            change(module, "open_document", documents.open_document)
        change(pipeline.steps.recognize, "read_page", _read_page)
        change(pipeline.ner.base, "extract_in", _extract)
        change(pipeline.ner.locale, "read_all", lambda texts: texts)
        change(pipeline.steps.extract, "time", SimpleNamespace(perf_counter=lambda: world().now))
        change(pipeline.ner.locale, "localised", lambda pages: pages)
        change(pipeline.steps.conclude, "fill", lambda *_, **__: (None, 0.0))
        change(pipeline.steps.conclude, "language_of", lambda _: None)
        change(pipeline.submission.reception, "fetch", lambda url, *_: world().fetch(url))
        change(pipeline.night.callbacks, "post", lambda url, body, *_: world().post(url, body))
        change(pipeline.night.brake, "LIMIT", 3)  # a simulated night has few documents
        change(pipeline.night.brake, "time", SimpleNamespace(monotonic=lambda: world().now))
        change(pipeline.night.brake, "random", SimpleNamespace(uniform=_uniform))
        change(
            pipeline.night.admission,
            "time",
            SimpleNamespace(monotonic=lambda: world().now, sleep=lambda seconds: world().sleep(seconds)),
        )
        change(clock, "_steady", lambda: world().now)
        change(
            pipeline.night.recount,
            "time",
            SimpleNamespace(monotonic=lambda: world().now, sleep=lambda seconds: world().sleep(seconds)),
        )
        for timed in (pipeline.ledger.forgotten, pipeline.submission.shares, pipeline.night.retention):
            change(timed, "time", SimpleNamespace(monotonic=lambda: world().now))
        ledger = pipeline.ledger
        for secret in (ledger.actions, ledger.pseudonyms, ledger.reported, pipeline.night.selection):
            change(secret, "secrets", _Secrets)
        change(pipeline.ledger.sheets, "_opened", lambda: sqlite3.connect(":memory:", isolation_level=None))
        change(pipeline.ledger.actions, "actor", lambda: "operator")
        change(pipeline.ledger.actions, "_user", lambda: "operator")
        change(pipeline.tables.without, "TABLES", _Tables())
        change(pipeline.tables.amended, "TABLES", _Tables())
        for tables in (pipeline.tables.amended, pipeline.tables.summary):
            change(tables, "Parts", _parts)
            change(tables, "rows_of", _rows_of)
        change(pipeline.tables.summary, "ThreadPoolExecutor", _Sequential)
        change(task_types, "registered", lambda: documents.TASK_TYPES)
        change(ocr, "describe", lambda s: documents.model("ocr", str(s.ocr_max_side)))
        change(ner, "describe", lambda s: documents.model("ner", "1"))
        change(ner, "load", lambda s: None)
        change(fields, "describe", lambda s: documents.model("fields", "1"))
        change(OffPeakWindow, "run_date", _run_date)
        change(keys, "_name", lru_cache(maxsize=4096)(keys._name))
        change(OffPeakWindow, "parse", staticmethod(lru_cache(OffPeakWindow.parse)))
        change(tasks.base, "delivery", lambda app: world().running.tools)
        change(tasks.base, "time", SimpleNamespace(sleep=lambda seconds: world().sleep(seconds)))
        change(tasks.publish, "declare_dead", lambda _: None)
        change(uuid, "uuid4", lambda: uuid.UUID(int=world().rng.getrandbits(128)))
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        stack.callback(clock.take_from, None)
        yield


@contextmanager
def running(one: World) -> Iterator[None]:
    """Make `one` the world whose time it is."""
    _current.append(one)
    clock.take_from(one.clock)
    try:
        yield
    finally:
        _current.pop()
        clock.take_from(_current[-1].clock if _current else None)
