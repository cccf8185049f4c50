"""The three audits of one night: they count the same, and each finds what it can see of what was planted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from pipeline.ledger import claims, digests, pending, receipts, records
from pipeline.ledger.audit import Audit, audit
from pipeline.models import DocumentResult, Failure, Task, from_json, to_json
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise

DAY, NEXT = "2026-11-22", "2026-11-23"
ORIGIN = "0" * 12
Plant = Callable[[MemoryStore], None]


def accept(store: MemoryStore, name: str) -> Task:
    """Take a document in: bytes, claim, receipt, marker."""
    sha256 = pending.store_document(store, name.encode())
    task = Task(task_id=name, sha256=sha256, source=f"file:///in/{name}.png")
    claims.claim(store, name, ORIGIN, DAY)
    claims.note(store, name, ORIGIN, claims.Claim(sha256=sha256))
    task = structs.replace(task, receipt=receipts.write(store, DAY, [task]))
    pending.mark(store, task)
    return task


def ended(store: MemoryStore, task: Task, status: str = "done") -> None:
    error = Failure(code="unreadable", message="No.") if status != "done" else None
    record = DocumentResult.of(
        task,
        source=task.source,
        status=status,  # type: ignore[arg-type]
        run_date=DAY,
        error=error,
        done_at="2026-11-23T01:00:00.000+00:00",
    )
    records.finish(store, record)


def a_night() -> MemoryStore:
    """Three done, one partial, one failed, one pending; the tables are written."""
    store = MemoryStore("depths")
    for name in ("d0", "d1", "d2"):
        ended(store, accept(store, name))
    ended(store, accept(store, "part"), "partial")
    ended(store, accept(store, "bad"), "failed")
    accept(store, "waits")
    summarise(store, DAY)
    return store


def rewrite(store: MemoryStore, key: str, **changes: object) -> None:
    """A record of other contents, with the digest of these."""
    record = structs.replace(from_json(store.get(key), DocumentResult), **changes)
    store.put(key, digests.encode(record))


def three(store: MemoryStore) -> dict[str, Audit]:
    return {
        "tables": audit(store, DAY, by_tables=True),
        "quick": audit(store, DAY, quick=True),
        "full": audit(store, DAY),
    }


def counts(one: Audit) -> tuple[int, ...]:
    return one.received, one.done, one.partial, one.failed, one.pending, one.forgotten, one.receipts


def delete_receipt(store: MemoryStore) -> None:
    store.delete(from_json(store.get(keys.result(DAY, "d0")), DocumentResult).receipt)


def change_receipt(store: MemoryStore) -> None:
    key = from_json(store.get(keys.result(DAY, "d0")), DocumentResult).receipt
    store.put(key, store.get(key).replace(b"/in/d0", b"/in/dx"))


def two_sources(store: MemoryStore) -> None:
    receipts.write(store, DAY, [Task(task_id="d0", sha256=None, source="file:///in/other.png")])


def other_bytes_before_the_tables(store: MemoryStore) -> None:
    rewrite(store, keys.result(DAY, "d0"), sha256="cd" * 32)
    summarise(store, DAY)


def other_bytes_since(store: MemoryStore) -> None:
    rewrite(store, keys.result(DAY, "d0"), sha256="cd" * 32)


def edit(store: MemoryStore) -> None:
    key = keys.result(DAY, "d0")
    store.put(key, store.get(key).replace(b"/in/d0", b"/in/dx"))


def edit_of_a_changed_one(store: MemoryStore) -> None:
    store.put(keys.changed(DAY, "d0", "2026-11-23T02:00:00.000+00:00"), b"")
    edit(store)


def twice(store: MemoryStore) -> None:
    store.put(keys.result(NEXT, "d0"), store.get(keys.result(DAY, "d0")))


def other_status(store: MemoryStore) -> None:
    """A failure under the name of a result: its row says otherwise, so it is read."""
    store.put(keys.result(DAY, "bad"), store.get(keys.failed(DAY, "bad")))
    store.delete(keys.failed(DAY, "bad"))


def record_without_its_receipt(store: MemoryStore) -> None:
    delete_receipt(store)
    store.delete(keys.result(DAY, "d0"))


def bytes_of(name: str, change: Callable[[MemoryStore, str], None]) -> Plant:
    def plant(store: MemoryStore) -> None:
        change(store, next(key for key in store.list(keys.DOCUMENTS) if store.get(key) == name.encode()))

    return plant


def everywhere(kinds: set[str]) -> tuple[set[str], set[str], set[str]]:
    return kinds, kinds, kinds


PLANTED: dict[str, tuple[Plant, set[str], set[str], set[str]]] = {
    "nothing": (lambda store: None, set(), set(), set()),
    "missing": (lambda store: store.delete(keys.pending("waits")), {"missing"}, {"missing"}, {"missing"}),
    "lost record": (
        lambda store: store.delete(keys.result(DAY, "d0")),
        {"missing"},
        {"missing"},
        {"missing"},
    ),
    "record and receipt": (
        record_without_its_receipt,
        *everywhere({"receipt_missing", "record_missing"}),
    ),
    "twice": (twice, {"twice"}, {"twice"}, {"twice"}),
    "two sources": (two_sources, {"two_sources"}, {"two_sources"}, {"two_sources"}),
    "other bytes, in the tables": (other_bytes_before_the_tables, *everywhere({"other_bytes"})),
    "other bytes, since": (other_bytes_since, set(), {"other_bytes"}, {"other_bytes"}),
    "damaged record": (
        lambda store: store.put(keys.result(DAY, "d0"), b"{"),
        set(),
        {"damaged"},
        {"damaged"},
    ),
    "damaged marker": (
        lambda store: store.put(keys.pending("waits"), b"{"),
        *everywhere({"damaged"}),
    ),
    "damaged tables": (
        lambda store: store.put(keys.summary("documents", DAY), b"PAR1"),
        *everywhere({"damaged"}),
    ),
    "receipt missing": (delete_receipt, *everywhere({"receipt_missing"})),
    "receipt changed": (change_receipt, *everywhere({"receipt_changed"})),
    "edited record": (edit, set(), {"record_changed"}, {"record_changed"}),
    "edited record, noted as changed": (edit_of_a_changed_one, *everywhere({"record_changed"})),
    "record of another end": (other_status, set(), set(), set()),
    "document missing": (
        bytes_of("waits", lambda store, key: store.delete(key)),
        set(),
        set(),
        {"document_missing"},
    ),
    "document changed": (
        bytes_of("d1", lambda store, key: store.put(key, b"x")),
        set(),
        set(),
        {"document_changed"},
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_each_audit_counts_the_same_and_finds_what_it_can_see(name: str) -> None:
    plant, tables, quick, full = PLANTED[name]
    store = a_night()
    plant(store)
    found = three(store)
    assert {depth: {gap.kind for gap in one.gaps} for depth, one in found.items()} == {
        "tables": tables,
        "quick": quick,
        "full": full,
    }
    assert counts(found["quick"]) == counts(found["full"])
    if "damaged record" not in name:
        assert counts(found["tables"]) == counts(found["full"])
    for kind in tables:  # each says the same of what it finds
        by_tables, by_records, all_of_it = (
            [gap for gap in one.gaps if gap.kind == kind] for one in found.values()
        )
        assert by_tables == by_records
        assert all(gap in all_of_it for gap in by_records)


def test_the_audit_by_tables_says_how_many_records_it_did_not_read() -> None:
    store = a_night()
    found = three(store)
    assert {depth: one.unread for depth, one in found.items()} == {"tables": 5, "quick": 0, "full": 0}
    assert counts(found["tables"]) == (6, 3, 1, 1, 1, 0, 6)
    assert found["tables"].hashes == found["quick"].hashes


def test_the_audit_by_tables_reads_no_record_that_these_know() -> None:
    store, read = a_night(), list[str]()
    get = store.get

    def noted(key: str) -> bytes:
        read.append(key)
        return get(key)

    store.get = noted  # type: ignore[method-assign]
    audit(store, DAY, by_tables=True)
    assert not [key for key in read if key.startswith((keys.RESULTS, keys.FAILED))]
    assert keys.pending("waits") in read


def test_a_record_that_is_replaced_at_this_moment_is_read() -> None:
    """Between its record and its note, a task still has its marker."""
    store = a_night()
    store.put(keys.pending("d0"), to_json(Task(task_id="d0", sha256=None, source="file:///in/d0.png")))
    rewrite(store, keys.result(DAY, "d0"), status="partial")
    found = audit(store, DAY, by_tables=True)
    assert (found.done, found.partial, found.gaps) == (2, 2, ())


def test_without_tables_every_record_is_read() -> None:
    store = a_night()
    store.delete(keys.summary("documents", DAY))
    found = audit(store, DAY, by_tables=True)
    assert (found.unread, found.adds_up) == (0, True)
