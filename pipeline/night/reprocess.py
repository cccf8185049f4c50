"""Reprocessing: done documents that a newer model would read differently, found by table and queued as backfill.

A document that is reprocessed is done *and* pending. Its task keeps its id and run date, so that the new result
replaces the old one under the same key; until then the old one is read. Only what has changed is computed: pages and
entities are stored under the digest of the model that made them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import structs
from pyarrow import acero

from pipeline.environment import printable
from pipeline.errors import NotFound, RunError
from pipeline.ledger import counting, pending
from pipeline.limits import Limits
from pipeline.messages import TURNS
from pipeline.models import SCHEMA_VERSION, DocumentResult, ModelInfo, Task, from_json
from pipeline.night import failures
from pipeline.night.conditions import RUN_DATE, Condition, parse
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.steps import recognize
from pipeline.steps.engines import Engines, EnginesByTask
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.tables.schemas import SCHEMAS
from pipeline.threads import in_threads
from pipeline.version import __version__

PRIORITY = 0
_DOCUMENTS = SCHEMAS["documents"]
STEPS = tuple(
    name.removesuffix("_model")
    for name in _DOCUMENTS.names
    if name.endswith("_model") and name.replace("_model", "_digest") in _DOCUMENTS.names
)
"""The steps that use a model, in the order in which they run: each depends on those before it."""

State = Literal["stale", "gone", "pending", "up_to_date", "failed_before"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A done document from the table of its night, why it is stale, and the seconds its stale steps took last time."""

    run_date: str
    task_id: str
    source: str
    pages: int
    mean_confidence: float | None
    reason: str
    seconds: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A row and its state; with the task that would reprocess it if it is `stale`.

    `gone`: its original bytes or its result are not in the store. `pending`: already in progress. `up_to_date`: its
    result is newer than the table and was made with the current models and settings. `failed_before`: reprocessing it
    with the current models and settings has failed.
    """

    row: Row
    state: State
    task: Task | None = None


class Now:
    """The current models and settings; a model is described when first needed, never loaded."""

    def __init__(self, settings: Settings) -> None:
        self.engines = Engines(settings)

    def info(self, step: str) -> ModelInfo | None:
        """The model of a step, `None` for a step that is not configured."""
        found: ModelInfo | None = getattr(self.engines, f"{step}_info", None)
        return found

    def __call__(self, column: str) -> Mapping[str, str | None]:
        """What `current` means for a column: a value for each column to compare; a model is its name and its digest."""
        if column == "pipeline_version":
            return {column: __version__}
        if column == "settings_digest":
            return {column: self.engines.digest}
        step, _, what = column.rpartition("_")
        info = self.info(step)
        values = {f"{step}_digest": info.digest if info else None}
        return values if what == "digest" else {column: info.name if info else None} | values


def rows(store: Store, where: str, now: Now) -> Iterator[Row]:
    """Done documents that match a condition, by run date and task id; nights that can't match are not read.

    Raises `UsageError` for an invalid condition, `NotFound` if no night was summarised yet, `RunError` for a damaged
    table.
    """
    condition = parse(where, _DOCUMENTS, now)
    tables = [key for key in store.list(f"{keys.SUMMARY}documents/") if key.endswith(".parquet")]
    if not tables:
        raise NotFound(
            f"{keys.SUMMARY}documents/ not found in {store.url}: run `nightshift summarise RUN_DATE` first."
        )
    fitting = [key for key in tables if condition.may_hold(keys.run_date_of(key))]
    for table in in_threads(lambda key: _table(store, key, condition), fitting, threads=4, batch=1):
        for row in table.sort_by("task_id").to_pylist():
            yield _row(row, now)


def _table(store: Store, key: str, condition: Condition) -> pa.Table:
    """The matching rows of one night; columns that an older version did not write are null.

    It is read and filtered by this thread: Arrow's pool aborts a process that exits while it starts.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(store.get(key))) as file:
            read = file.read(use_threads=False)
        columns = [
            read[field.name].cast(field.type)
            if field.name in read.column_names
            else pa.nulls(len(read), field.type)
            for field in _DOCUMENTS
        ]
    except (pa.ArrowException, OSError) as error:  # the latter for a damaged footer
        reason = printable(str(error).partition("\n")[0])
        raise RunError(
            f"The table {key} is damaged ({reason}): run `nightshift summarise {keys.run_date_of(key)}` to rewrite it."
        ) from error
    day = pa.repeat(pa.scalar(keys.run_date_of(key)), len(read))
    whole = pa.table([*columns, day], names=[*_DOCUMENTS.names, RUN_DATE])
    wanted = condition.expression & pc.is_in(pc.field("status"), pa.array(["done", "partial"]))
    steps = [
        acero.Declaration("table_source", acero.TableSourceNodeOptions(whole)),
        acero.Declaration("filter", acero.FilterNodeOptions(wanted)),
    ]
    return acero.Declaration.from_sequence(steps).to_table(use_threads=False)


def _row(row: Mapping[str, Any], now: Now) -> Row:
    reasons, seconds = _staleness(row, now)
    return Row(
        run_date=row[RUN_DATE],
        task_id=row["task_id"],
        source=row["source"],
        pages=row["pages"],
        mean_confidence=row["mean_confidence"],
        reason=", ".join(reasons) or "none of these",
        seconds=seconds,
    )


def _staleness(row: Mapping[str, Any], now: Now) -> tuple[list[str], float]:
    """Why a document is stale, and the seconds of its steps from the first stale one on."""
    reasons, seconds = [], 0.0
    limits: dict[str, str] = json.loads(row["settings"] or "{}")
    wanted = now.engines.settings.deciding
    if any(limits.get(n, wanted[n]) != wanted[n] for n in Limits.__struct_fields__):
        reasons.append("settings")
    for step in STEPS:
        was, info = row[f"{step}_digest"], now.info(step)
        if was is not None and (info is None or was != info.digest):
            reasons.append(f"{step} model")
        if reasons:
            seconds += row.get(f"seconds_{step}") or 0.0
    if row["pipeline_version"] != __version__:
        reasons.append("pipeline version")
    return reasons, seconds


def examine(night: Night, found: Iterable[Row]) -> Iterator[Found]:
    """Look up each row in the store and determine its state; raises `RunError` for a damaged result."""
    engines = EnginesByTask(night.settings)
    failed = set(night.store.list(keys.FAILED_AGAIN))
    return in_threads(lambda row: _examine(night, engines, row, failed), found, batch=8)


def _examine(night: Night, engines: EnginesByTask, row: Row, failed: set[str]) -> Found:
    store = night.store
    try:
        record = from_json(store.get(keys.result(row.run_date, row.task_id)), DocumentResult)
    except NotFound:
        return Found(row=row, state="gone")
    except msgspec.DecodeError as error:
        raise RunError(
            f"The result of {row.task_id} of {row.run_date} is damaged ({error}): "
            f"`nightshift audit {row.run_date}` lists all damaged ones."
        ) from error
    if pending.follows(store, record):
        return Found(row=row, state="pending")
    if record.sha256 is None or not store.exists(keys.document(record.sha256)):
        return Found(row=row, state="gone")
    task = _task(record)
    digest = engines(task).digest
    made_by = (record.settings_digest, record.pipeline_version, record.schema_version)
    if made_by == (digest, __version__, SCHEMA_VERSION):
        return Found(row=row, state="up_to_date")
    if _failed_with(store, row, digest, failed):
        return Found(row=row, state="failed_before")
    return Found(row=row, state="stale", task=task)


def _failed_with(store: Store, row: Row, digest: str, failed: set[str]) -> bool:
    """Whether reprocessing it with the current models and settings has failed."""
    key = keys.failed_again(row.run_date, row.task_id)
    if key not in failed:
        return False
    record = read_or_none(store, key, DocumentResult)
    return record is not None and (record.settings_digest, record.pipeline_version) == (digest, __version__)


def _task(record: DocumentResult) -> Task:
    """The task that reprocesses a done document: under its old run date, with the limits it was given.

    It needs no ingest unless another version of Nightshift did that.
    """
    task = structs.replace(
        failures.task_of(record),
        priority=PRIORITY,
        run_date=record.run_date,
        overrides={n: v for n, v in record.overrides.items() if n in failures.OWN_LIMITS},
        generation=record.generation + 1,
        accepted_on=record.run_date,
        reprocess=True,
        turn=TURNS,
    )
    if record.pipeline_version != __version__ or not record.media_type:
        return task
    return structs.replace(task, media_type=record.media_type, pages=len(record.pages))


def mark_pending(store: Store, task: Task) -> None:
    """Mark a done task as pending; the caller publishes it next. Its result stays."""
    if task.sha256:
        recognize.forget_unread(store, task.sha256)
    failures.mark_again(store, task)


def withdraw(store: Store, task: Task) -> None:
    """Remove the marker again, as the message could not be published: the task is just done."""
    now = pending.get(store, task.task_id, task.generation)
    if now is not None and now.reprocess:
        store.delete(keys.pending(task.task_id, task.generation))
        counting.of(store).gone(task)
