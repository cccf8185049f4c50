"""Nights of an older schema and of today's, read together by the libraries that analysts use."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline import results
from pipeline.ledger import records
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.summary import summarise
from tests.unit.tables.test_summary import BOX, DAY, result

OLD = "2026-11-20"
NEW_COLUMNS = ("amount", "date", "other", "x0", "y0", "x1", "y1", "polygons")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A night of today, and the same before schema 4, which had boxes for coordinates and no amounts."""
    store = LocalStore(tmp_path)
    records.finish(store, result("one"))
    summarise(store, DAY)
    table = pq.read_table(tmp_path / keys.summary("entities", DAY), partitioning=None).drop_columns(
        list(NEW_COLUMNS)
    )
    box = pa.list_(pa.list_(pa.float32()))
    corners = [list(point) for point in BOX]
    table = table.append_column("box", pa.array([corners], box))
    table = table.append_column("boxes", pa.array([[corners]], pa.list_(box)))
    old = tmp_path / keys.summary("entities", OLD)
    old.parent.mkdir()
    pq.write_table(table, old)
    return store


def files(store: LocalStore) -> str:
    return str(store.root / "summary" / "entities")


def test_our_own_loader(store: LocalStore) -> None:
    frame = results.load(store.url, "entities")
    assert list(frame["run_date"]) == [OLD, DAY]
    assert list(frame["x1"]) == [9.0, 9.0], "from the boxes of old"
    assert not {"box", "boxes"} & set(frame.columns)
    assert list(frame["amount"].isna()) == [True, True]


def test_pyarrow_and_pandas_with_the_schema_of_today(store: LocalStore) -> None:
    schema = SCHEMAS["entities"].append(pa.field("run_date", pa.string()))
    table = ds.dataset(files(store), schema=schema, partitioning="hive").to_table()
    assert table["x0"].to_pylist() == [None, 1.0]
    frame = pd.read_parquet(files(store), schema=schema)
    assert list(frame["run_date"]) == [OLD, DAY]
    assert np.isnan(frame["x0"][0])


def test_polars(store: LocalStore) -> None:
    nights = sorted(Path(files(store)).rglob("*.parquet"), reverse=True)
    frame = pl.scan_parquet(
        nights, hive_partitioning=True, missing_columns="insert", extra_columns="ignore"
    ).collect()
    assert frame["x0"].to_list() == [1.0, None]
    assert [str(day) for day in frame["run_date"]] == [DAY, OLD]


def test_duckdb(store: LocalStore) -> None:
    query = "select x0, amount, run_date from read_parquet(?, hive_partitioning = true, union_by_name = true)"
    rows: list[Any] = duckdb.execute(query + " order by run_date", [f"{files(store)}/*/*.parquet"]).fetchall()
    assert [(row[0], str(row[2])) for row in rows] == [(None, OLD), (1.0, DAY)]
