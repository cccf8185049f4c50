"""Tables of nights so large that they have several parts."""

from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline import results
from pipeline.cli import nights
from pipeline.ledger import records, tabled
from pipeline.ledger.audit import audit
from pipeline.report import columns
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables import pace, parts, without
from pipeline.tables.summary import summarise
from tests.unit.tables.test_summary import DAY, result

NAMES = [f"d{n}" for n in range(7)]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """Seven documents, at most three rows in a part."""
    monkeypatch.setattr(parts, "ROWS", 3)
    monkeypatch.setattr(parts, "_GROUP_ROWS", 2)
    store = LocalStore(tmp_path)
    for name in NAMES:
        records.finish(store, result(name))
    summarise(store, DAY)
    return store


def in_parts(store: LocalStore, table: str = "documents") -> list[list[str]]:
    """The task ids of each part."""
    found = store.list(keys.summary_parts(table, DAY))
    return [pq.read_table(store.root / key, partitioning=None)["task_id"].to_pylist() for key in found]


def test_a_part_has_so_many_rows_at_most_and_groups_of_rows(store: LocalStore) -> None:
    for table, each in (("documents", 1), ("entities", 1), ("fields", 2)):
        found = in_parts(store, table)
        assert list(chain(*found)) == [name for name in NAMES for _ in range(each)]
        assert max(map(len, found)) <= parts.ROWS + parts._GROUP_ROWS
        assert len(found) > 1
    first = pq.ParquetFile(store.root / keys.summary("documents", DAY))
    assert first.num_row_groups > 1


def test_a_part_has_so_many_bytes_at_most(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROWS", 1000)
    monkeypatch.setattr(parts, "BYTES", 1)
    summarise(store, DAY)
    assert [len(part) for part in in_parts(store)] == [2, 2, 2, 1]


def test_every_reader_reads_all_parts(store: LocalStore) -> None:
    assert list(results.load(store.url, "documents")["task_id"]) == NAMES
    assert list(results.load(store.url, "documents", latest=True)["task_id"]) == ["d6"], "the same bytes"
    assert set(pd.read_parquet(store.root / "summary" / "documents")["task_id"]) == set(NAMES)
    assert list(tabled.rows(store, DAY)) == NAMES
    assert [task_id for task_id, _ in tabled.receipts(store, DAY)] == NAMES
    documents = columns.documents(store, DAY, ["task_id", "status"])
    assert documents is not None
    assert documents["task_id"].to_pylist() == NAMES
    assert sum(group.num_rows for group in columns.fields(store, DAY, ["field"])) == 14
    assert len(list(pace.processed(store, DAY))) == 7
    assert nights.tables(store, DAY)["documents"] == f"{store.url}/summary/documents/run_date={DAY}/"
    assert nights.tables(store, DAY)["items"] == f"{store.url}/{keys.summary('items', DAY)}"


def test_rows_are_removed_from_all_parts(store: LocalStore) -> None:
    assert without.remove_rows(store, DAY, ["d0", "d6"]) == {
        "documents": 2,
        "pages": 2,
        "entities": 2,
        "fields": 4,
        "items": 0,
    }
    assert list(chain(*in_parts(store))) == NAMES[1:-1]


def test_fewer_parts_the_next_time(store: LocalStore) -> None:
    for name in NAMES[1:]:
        store.delete(keys.result(DAY, name))
    summarise(store, DAY)
    assert in_parts(store) == [["d0"]]
    assert not list(store.list(keys.changes(DAY)))


@pytest.mark.parametrize("puts", range(4))
def test_who_dies_between_two_parts_leaves_no_row_twice_and_a_note(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    records.finish(store, result("a"))  # every part is another one
    put, left = store.put_file, [puts]

    def dying(key: str, path: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        put(key, path)

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_file", dying)
        with pytest.raises(KeyboardInterrupt):
            summarise(store, DAY)
    found = list(chain(*in_parts(store)))
    assert len(found) == len(set(found))
    assert list(store.list(keys.changes(DAY))), "which has housekeeping summarise again"
    assert not [gap for gap in audit(store, DAY).gaps if gap.kind == "record_changed"]
    summarise(store, DAY)
    assert list(chain(*in_parts(store))) == ["a", *NAMES]
    assert not list(store.list(keys.changes(DAY)))
