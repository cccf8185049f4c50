"""What a night's table of documents says about its pace."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import Damaged
from pipeline.storage import Store, objects

_MOST = 200_000  # documents that are looked at
_SECONDS = ("seconds_ocr", "seconds_ner", "seconds_fields")
_COLUMNS = ["media_type", "pages", "first_seen", "done_at", *_SECONDS]
_DEADLINE = "deadline"  # which tables of older versions do not have


class Processed(NamedTuple):
    """One document that was processed."""

    media_type: str | None
    pages: int
    seconds: float
    seen: datetime | None
    done: datetime
    deadline: datetime | None


class Ended(NamedTuple):
    """How many documents of a night ended after a moment, of those accepted before it, and when the last did."""

    documents: int
    last: datetime | None


def processed(store: Store, run_date: str) -> Iterator[Processed]:
    """The documents of a night that were read at least in part, in the order in which they were done.

    Raises `NotFound` where the night has no table, and `Damaged`.
    """
    table = _read(store, run_date, _COLUMNS)
    table = table.filter(pc.and_(pc.is_valid(table["done_at"]), pc.is_valid(table["seconds_ocr"])))
    table = table.sort_by("done_at").slice(0, _MOST)
    columns = [table[name].to_pylist() for name in (*_COLUMNS, _DEADLINE)]
    for media_type, pages, seen, done, *seconds, deadline in zip(*columns, strict=True):
        yield Processed(media_type, pages or 0, sum(filter(None, seconds)), seen, done, deadline)


def ended_after(store: Store, run_date: str, moment: datetime) -> Ended:
    """Documents in the tables of a night that were accepted by a moment and ended after it; raises as `processed`."""
    table = _read(store, run_date, ["first_seen", "done_at"])
    at = pa.scalar(moment, table.schema.field("done_at").type)
    table = table.filter(pc.and_(pc.less_equal(table["first_seen"], at), pc.greater(table["done_at"], at)))
    return Ended(table.num_rows, pc.max(table["done_at"]).as_py())


def _read(store: Store, run_date: str, names: list[str]) -> pa.Table:
    return pa.concat_tables(
        [_part(store, key, names) for key in objects.parts(store, "documents", run_date)],
        promote_options="permissive",
    )


def _part(store: Store, key: str, names: list[str]) -> pa.Table:
    data = store.get(key)
    try:
        with pq.ParquetFile(io.BytesIO(data)) as file:
            table = file.read([*names, _DEADLINE], use_threads=False)
        if _DEADLINE not in table.column_names:
            table = table.append_column(_DEADLINE, pa.nulls(table.num_rows))
        return table.select([*names, _DEADLINE])
    except (pa.ArrowException, KeyError, OSError) as error:
        raise Damaged(
            f"The table {key} in {store.url} can't be read ({type(error).__name__}): run `nightshift summarise`."
        ) from error
