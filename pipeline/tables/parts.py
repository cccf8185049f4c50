"""A table as parquet files of bounded size: rows are added, parts come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

ROWS = 1_048_576
"""Rows of a part ..."""
BYTES = 64 << 20
"""... or fewer, once it has this size on disk; what reads a part has it in memory."""
_GROUP_ROWS = (
    131_072  # rows of a row group, so that a reader can skip groups, and is not slowed down by many ...
)
_GROUP_BYTES = 16 << 20  # ... or fewer where this size is reached: a group of each table is held in memory


class Parts:
    """Writes a table in files `<table>-<number>.parquet` of a folder; there is at least one, be it without rows."""

    def __init__(self, folder: Path, table: str, schema: pa.Schema) -> None:
        self._folder, self._table, self._schema = folder, table, schema
        self._waiting: list[pa.Table] = []
        self._paths: list[Path] = []
        self._begin()

    def _begin(self) -> None:
        self._paths.append(self._folder / f"{self._table}-{len(self._paths)}.parquet")
        self._rows = 0
        self._writer = pq.ParquetWriter(self._paths[-1], self._schema, compression="zstd")

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Add rows; they are written once there are enough of them for a row group."""
        for first in range(0, len(rows), _GROUP_ROWS):
            self._waiting.append(_arrow(rows[first : first + _GROUP_ROWS], self._schema))
            if (
                sum(t.num_rows for t in self._waiting) >= _GROUP_ROWS
                or sum(t.nbytes for t in self._waiting) >= _GROUP_BYTES
            ):
                self._write()

    def close(self) -> list[Path]:
        """Write what is left; returns the parts in order."""
        self._write()
        self._writer.close()
        return self._paths

    def _write(self) -> None:
        if not self._waiting:
            return
        if self._rows and (self._rows >= ROWS or self._paths[-1].stat().st_size >= BYTES):
            self._writer.close()
            self._begin()
        group = pa.concat_tables(self._waiting)
        self._writer.write_table(group, row_group_size=2 * _GROUP_ROWS)
        self._rows += group.num_rows
        self._waiting = []


def _arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, via JSON lines: faster than `from_pylist`, which also imports pandas."""
    data = b"\n".join(map(msgspec.json.encode, rows))
    # a reader of JSON knows dates as numbers only
    read_as = pa.schema([(f.name, pa.string() if f.type == pa.date32() else f.type) for f in schema])
    table = pj.read_json(
        pa.BufferReader(data),
        pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pj.ParseOptions(explicit_schema=read_as, unexpected_field_behavior="ignore"),
    )
    return table.cast(schema)
