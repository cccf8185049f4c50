"""Forgetting in a bucket that keeps earlier versions: no table that there ever was still has a row of the document."""

import io
from itertools import chain
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline.errors import RunError, Unreadable
from pipeline.ledger import pending, receipts, records
from pipeline.models import Task
from pipeline.night import forget, selection
from pipeline.night.selection import Selector
from pipeline.storage import keys
from pipeline.tables import parts, summary, without
from pipeline.tables.names import TABLES
from pipeline.tables.summary import summarise
from tests.support.flows import Died
from tests.support.versioned import VersionedStore
from tests.unit.tables.test_summary import DAY, result

LATER = "2026-11-24"


@pytest.fixture
def store() -> VersionedStore:
    return VersionedStore("versioned")


def received(store: VersionedStore, name: str) -> Task:
    task = Task(
        task_id=name, sha256=pending.store_document(store, name.encode()), source=f"file:///{name}.pdf"
    )
    return structs.replace(task, receipt=receipts.write(store, DAY, [task]))


def forgotten(store: VersionedStore, name: str) -> None:
    plan = selection.plan(store, Selector(task_id=name), actor="alice")
    assert plan is not None
    forget.finish(store, plan, forget.carry_out(store, plan))


def named(store: VersionedStore, table: str) -> set[str]:
    """All task ids that any version of a table has."""
    below = f"{keys.SUMMARY}{table}/"
    versions = chain.from_iterable(found for key, found in store.earlier.items() if key.startswith(below))
    found = [*versions, *map(store.get, store.list(below))]
    return set(chain(*(pq.read_table(io.BytesIO(data))["task_id"].to_pylist() for data in found)))


def test_parts_that_a_summary_has_removed(store: VersionedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"d{n}" for n in range(7)}
    for name in names:
        received(store, name)
        records.finish(store, result(name))
    monkeypatch.setattr(parts, "ROWS", 3)
    monkeypatch.setattr(parts, "_GROUP_ROWS", 2)
    summarise(store, DAY)
    monkeypatch.setattr(parts, "ROWS", 1000)
    summarise(store, DAY)
    last = keys.summary("documents", DAY, 1)
    assert not store.exists(last)
    (data,) = store.earlier[last]
    (*_, name) = pq.read_table(io.BytesIO(data))["task_id"].to_pylist()
    forgotten(store, name)
    for table in TABLES:
        assert named(store, table) == (names - {name} if table != "items" else set())


def test_the_tables_of_the_night_in_which_it_had_failed(store: VersionedStore) -> None:
    task = received(store, "x")
    error = Unreadable("It is damaged.", code="unreadable")
    records.fail(store, task, error, run_date=DAY, settings_digest="")
    summarise(store, DAY)
    store.delete(keys.failed(DAY, "x"))  # redriven
    received(store, "y")
    records.finish(store, result("y"))
    summarise(store, DAY)
    done = structs.replace(result("x"), run_date=LATER, sha256=task.sha256, receipt=task.receipt)
    records.finish(store, done)
    summarise(store, LATER)
    assert named(store, "documents") == {"x", "y"}
    forgotten(store, "x")
    assert named(store, "documents") == {"y"}


@pytest.mark.parametrize("refused", [False, True])
def test_a_summary_that_had_read_the_record_before(
    store: VersionedStore, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    for name in ("x", "y"):
        received(store, name)
        records.finish(store, result(name))
    replace, left = summary._replace, ["x"]

    def refuse(_: str) -> int:
        raise RunError("This user may not list versions.")

    def paused(*args: Any) -> list[str]:
        if left:
            forgotten(store, left.pop())
            if refused:
                monkeypatch.setattr(store, "purge_below", refuse)
        return replace(*args)

    monkeypatch.setattr(summary, "_replace", paused)
    assert summarise(store, DAY)["documents"] == 1
    assert named(store, "documents") == ({"x", "y"} if refused else {"y"})


def test_tables_that_a_process_has_replaced_that_died_are_written_again(
    store: VersionedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may have been newer; of an old night, nothing else says so."""
    for name, night in {"x": DAY, "y": DAY, "u": "2026-11-23", "v": LATER, "w": "2026-11-25"}.items():
        received(store, name)
        records.finish(store, structs.replace(result(name), run_date=night))
        summarise(store, night)
    replace = without.remove_rows

    def dies(*args: Any) -> None:
        replace(*args)
        raise Died

    monkeypatch.setattr(without, "remove_rows", dies)
    with pytest.raises(Died):
        forgotten(store, "x")
    monkeypatch.setattr(without, "remove_rows", replace)
    assert not list(store.list(keys.CHANGED))
    forget.resume(store, at_once=True)
    assert list(store.list(keys.changes(DAY)))
