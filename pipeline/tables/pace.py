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
from pipeline.storage import Store, keys

_MOST = 200_000  # documents that are looked at
_SECONDS = ("seconds_ocr", "seconds_ner", "seconds_fields")
_COLUMNS = ["media_type", "pages", "first_seen", "done_at", *_SECONDS]


class Processed(NamedTuple):
    """One document that was processed."""

    media_type: str | None
    pages: int
    seconds: float
    seen: datetime | None
    done: datetime


def processed(store: Store, run_date: str) -> Iterator[Processed]:
    """The documents of a night that were read at least in part, in the order in which they were done.

    Raises `NotFound` where the night has no table, and `Damaged`.
    """
    key = keys.summary("documents", run_date)
    data = store.get(key)
    try:
        table = pq.read_table(io.BytesIO(data), columns=_COLUMNS)
        table = table.filter(pc.and_(pc.is_valid(table["done_at"]), pc.is_valid(table["seconds_ocr"])))
        table = table.sort_by("done_at").slice(0, _MOST)
    except (pa.ArrowException, KeyError, OSError) as error:
        raise Damaged(
            f"The table {key} in {store.url} can't be read ({type(error).__name__}): run `nightshift summarise`."
        ) from error
    columns = [table[name].to_pylist() for name in _COLUMNS]
    for media_type, pages, seen, done, *seconds in zip(*columns, strict=True):
        yield Processed(media_type, pages or 0, sum(filter(None, seconds)), seen, done)
