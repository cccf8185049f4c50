"""What the tables of a night say about its records, and whether these are still the same."""

from __future__ import annotations

import io
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import Damaged, NotFound
from pipeline.storage import Store, keys

if TYPE_CHECKING:
    import pyarrow as pa

_REQUIRED = ("task_id", "source", "sha256")
_COLUMNS = (*_REQUIRED, "receipt", "digest", "tenant", "status")
_NULLABLE = {*_COLUMNS} - {"task_id", "source"}
_ROWS = 16_384  # that are in memory at once


class Row(NamedTuple):
    """A document in the tables of its night. Tables of older versions have neither receipts nor digests."""

    source: str
    sha256: str | None
    receipt: str
    digest: str
    tenant: str = ""
    status: str = ""

    def is_of(self, key: str) -> bool:
        """Whether it says how the task of this record ended; not if it ended otherwise, or in an older version."""
        ends = ("failed",) if key.startswith(keys.FAILED) else ("done", "partial")
        return bool(self.digest) and not key.startswith(keys.PENDING) and self.status in ends


def rows(store: Store, run_date: str, only: Container[str] | None = None) -> Mapping[str, Row]:
    """The documents in the tables of a night, by task id; none before they are written. Raises `Damaged`.

    `only`: of these tasks.
    """
    found = each(store, run_date)
    return {task_id: row for task_id, row in found if only is None or task_id in only}


def each(store: Store, run_date: str) -> Iterator[tuple[str, Row]]:
    """Task ids and rows of the documents in the tables of a night, some at a time in memory. Raises `Damaged`."""
    for task_ids, source, sha256, *more in _read(store, run_date, _COLUMNS):
        yield from zip(task_ids, map(Row, source, sha256, *more), strict=True)


def receipts(store: Store, run_date: str) -> Iterator[tuple[str, str]]:
    """Task ids in the tables of a night with their receipts: much less work than `each`. Raises `Damaged`."""
    for columns in _read(store, run_date, ("task_id", "receipt")):
        yield from zip(*columns, strict=True)


def _read(store: Store, run_date: str, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
    """Some columns of the table of a night's documents, `_ROWS` rows at a time; none before it is written."""
    # imported here: with numpy, it takes a quarter of the start of each process
    import pyarrow as pa
    import pyarrow.parquet as pq

    for key in store.list(keys.summary_parts("documents", run_date)):
        try:
            with pq.ParquetFile(io.BytesIO(store.get(key))) as file:
                yield from _batches(file, columns)
        except NotFound:  # replaced since it was listed
            continue
        # KeyError: it is another table; ValueError: its values are not texts
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise Damaged(
                f"{key} is not readable ({type(error).__name__}): write it again with "
                f"`nightshift summarise {keys.run_date_of(key)}`."
            ) from error


def _batches(file: Any, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
    """The values of some columns. Texts of tables of older versions may be missing: they are empty then.

    Raises `KeyError` for another table, `ValueError` for values that no night has.
    """
    there = [name for name in columns if name in file.schema_arrow.names]
    if lacking := set(_REQUIRED) & set(columns) - set(there):
        raise KeyError(*lacking)
    # without threads: a pool that still starts at exit aborts the process
    for batch in file.iter_batches(_ROWS, columns=there, use_threads=False):
        yield [_values(batch, name) if name in there else [""] * batch.num_rows for name in columns]


def _values(batch: Any, name: str) -> list[Any]:
    column = batch[name]
    values: list[Any] = column.to_pylist()
    if not (_is_text(column.type) and (name in _NULLABLE or not column.null_count)):
        raise ValueError(name)
    if name in _REQUIRED:
        return values
    same: dict[str, str] = {}  # few different tenants and states
    return [same.setdefault(value or "", value or "") for value in values]


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_one(kind) for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_null))


def marked(store: Store, run_date: str) -> set[str]:
    """Task ids whose records were replaced since the tables of a night were written."""
    return {keys.changed_task(key) for key in store.list(keys.changes(run_date))}
