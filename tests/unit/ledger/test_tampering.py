"""What is deleted or changed in a finished night is noticed by the audit; nothing legitimate is."""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, StoreUnavailable
from pipeline.ledger import chains, digests, pending, places, receipts, records
from pipeline.ledger.audit import Audit, audit, restore
from pipeline.ledger.gaps import Gap
from pipeline.models import DocumentResult, Task, from_json, to_json
from pipeline.night import failures
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import drain, flow_of, submission

DAY, NEXT = "2026-11-22", "2026-11-23"
LATER = "2026-11-23T01:00:00.000+00:00"
Objects = dict[str, bytes]
Change = Callable[[bytes], bytes]


def submit(flow: Flow, path: Path, task_id: str) -> None:
    drain(flow, flow.reception.accept(submission(path, task_id)))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """A finished night: accepted by two processes, each document with a receipt of its own; its tables are written."""
    inbox = tmp_path_factory.mktemp("inbox")
    store = MemoryStore("night")
    settings = Settings.from_env(
        {},
        store_url="memory://night",
        window="always",
        allowed_sources=inbox.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.night.schedule.Schedule.run_date", lambda _: DAY)
        patch.setattr("pipeline.night.night.open_store", lambda *_: store)
        for n in range(3):
            submit(flow_of(settings), page(inbox / f"{n}.png", grey(n)), f"d{n}")
        other = flow_of(settings)
        receipts._idle.clear()  # as in another process
        submit(other, page(inbox / "3.png", grey(3)), "d3")
        submit(other, pages(inbox / "p.pdf", [grey(4), GREEN]), "partial")
        submit(other, page(inbox / "bad.png", GREEN), "failed")
    summarise(store, DAY)
    return {key: store.get(key) for key in store.list("")}


def copy(night: Objects, *, tables: bool) -> MemoryStore:
    store = MemoryStore("copy")
    for key, data in night.items():
        if tables or not key.startswith(keys.SUMMARY):
            store.put(key, data)
    return store


def of(night: Objects, prefix: str) -> list[str]:
    found = [key for key in night if key.startswith(prefix)]
    assert found
    return found


def kinds(report: Audit) -> list[str]:
    return sorted(gap.kind for gap in report.gaps)


def emptied(data: bytes) -> bytes:
    return b""


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def edited(data: bytes) -> bytes:
    assert b"d" in data
    return (
        data.replace(b"d", b"e", 1)
        if b'"source"' not in data
        else data.replace(b'"source":"', b'"source":"x', 1)
    )


def without_pages(data: bytes) -> bytes:
    """As a program leaves it that writes records and does not know their digests."""
    return to_json(structs.replace(from_json(data, DocumentResult), pages=(), entities=(), error=None))


def with_new_digest(data: bytes) -> bytes:
    return digests.encode(structs.replace(from_json(data, DocumentResult), entities=(), language="xx"))


def without_digest(data: bytes) -> bytes:
    return data[: data.rindex(b',"digest":')] + b"}"


@pytest.mark.parametrize("tables", [False, True])
def test_an_untouched_night_adds_up(night: Objects, tables: bool) -> None:
    report = audit(copy(night, tables=tables), DAY)
    assert report.gaps == ()
    assert (report.received, report.done, report.partial, report.failed) == (6, 4, 1, 1)
    assert (report.receipts, report.unchained, report.documents, report.not_kept) == (6, 0, 6, 0)
    assert report.bytes == sum(len(data) for key, data in night.items() if key.startswith("documents/"))


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("change", [None, emptied, truncated, edited])
def test_each_receipt(night: Objects, change: Change | None, tables: bool) -> None:
    for key in of(night, keys.RECEIPTS):
        store = copy(night, tables=tables)
        if change is None:
            store.delete(key)
        else:
            store.put(key, change(night[key]))
        report = audit(store, DAY, quick=True)
        expected = "receipt_changed" if change else "receipt_missing"
        assert [gap.kind for gap in report.gaps if key in (gap.source, gap.detail.split()[0])] == [
            expected
        ], report


def test_receipts_that_change_places(night: Objects) -> None:
    one, two, *_ = of(night, keys.RECEIPTS)
    store = copy(night, tables=False)
    store.put(one, night[two])
    assert "receipt_changed" in kinds(audit(store, DAY))
    store.put(two, night[one])
    assert kinds(audit(store, DAY)).count("receipt_changed") == 2


def noticed(night: Objects, key: str, change: Change | None, *, tables: bool) -> tuple[Gap, ...]:
    store = copy(night, tables=tables)
    if change is None:
        store.delete(key)
    else:
        store.put(key, change(night[key]))
    return audit(store, DAY, quick=True).gaps


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("change", [None, emptied, truncated, edited, without_pages])
@pytest.mark.parametrize("prefix", [keys.RESULTS, keys.FAILED])
def test_each_record(night: Objects, prefix: str, change: Change | None, tables: bool) -> None:
    for key in of(night, prefix):
        (gap,) = noticed(night, key, change, tables=tables)
        unreadable = change in (emptied, truncated)
        assert gap.kind == ("missing" if change is None else "damaged" if unreadable else "record_changed")
        assert gap.task_id == keys.task_id_of(key)


@pytest.mark.parametrize("change", [with_new_digest, without_digest])
@pytest.mark.parametrize("prefix", [keys.RESULTS, keys.FAILED])
def test_each_record_that_is_changed_with_its_digest(night: Objects, prefix: str, change: Change) -> None:
    for key in of(night, prefix):
        (gap,) = noticed(night, key, change, tables=True)
        assert (gap.kind, gap.task_id) == ("record_changed", keys.task_id_of(key))
        assert noticed(night, key, change, tables=False) == (), "nothing else knows it yet"


def test_records_that_change_places(night: Objects) -> None:
    store = copy(night, tables=False)
    store.put(keys.result(DAY, "d0"), night[keys.result(DAY, "d1")])
    (gap,) = audit(store, DAY).gaps
    assert (gap.kind, gap.task_id) == ("record_changed", "d0")
    assert f"is the record of d1 of {DAY}" in gap.detail


@pytest.mark.parametrize("tables", [False, True])
def test_a_receipt_and_its_record(night: Objects, tables: bool) -> None:
    for receipt in of(night, keys.RECEIPTS):
        store = copy(night, tables=tables)
        (task,) = receipts.read(store, receipt, Task).tasks
        store.delete(receipt)
        store.delete(keys.result(DAY, task.task_id))
        store.delete(keys.failed(DAY, task.task_id))
        report = audit(store, DAY)
        assert report.received == 5
        assert {"receipt_missing"} <= set(kinds(report)) <= {"receipt_missing", "record_missing"}, kinds(
            report
        )
        assert task.task_id in {gap.task_id for gap in report.gaps}
        assert ("record_missing" in kinds(report)) == tables


@pytest.mark.parametrize("change", [emptied, truncated, edited])
def test_each_document(night: Objects, change: Change) -> None:
    for key in of(night, "documents/"):
        store = copy(night, tables=False)
        store.put(key, change(night[key] + b"d"))
        (gap,) = audit(store, DAY).gaps
        assert (gap.kind, key in gap.detail) == ("document_changed", True)
        assert audit(store, DAY, quick=True).adds_up


def test_documents_that_change_places(night: Objects) -> None:
    one, two, *_ = of(night, "documents/")
    store = copy(night, tables=False)
    store.put(one, night[two])
    store.put(two, night[one])
    assert kinds(audit(store, DAY)) == ["document_changed"] * 2


def test_documents_of_what_has_ended_need_not_be_kept(night: Objects) -> None:
    store = copy(night, tables=True)
    for n, key in enumerate(of(night, "documents/")):
        store.delete(key)
        report = audit(store, DAY)
        assert (report.gaps, report.not_kept, report.documents) == ((), n + 1, 5 - n)


def test_the_bytes_of_what_is_pending_are_needed(night: Objects) -> None:
    store = copy(night, tables=False)
    (task,) = receipts.received(store, DAY)["d0"]
    record = from_json(night[keys.result(DAY, "d0")], DocumentResult)
    store.delete(keys.result(DAY, "d0"))
    store.put(keys.pending("d0"), to_json(structs.replace(task, sha256=record.sha256)))
    assert audit(store, DAY).adds_up
    store.delete(keys.document(record.sha256 or ""))
    (gap,) = audit(store, DAY).gaps
    assert (gap.kind, gap.task_id) == ("document_missing", "d0")


@pytest.mark.parametrize("change", [emptied, truncated])
def test_tables_that_can_not_be_read(night: Objects, change: Change) -> None:
    store = copy(night, tables=True)
    key = keys.summary("documents", DAY)
    store.put(key, change(night[key]))
    (gap,) = audit(store, DAY).gaps
    assert (gap.kind, gap.source) == ("damaged", key)
    summarise(store, DAY)
    assert audit(store, DAY).adds_up


def test_another_table_in_the_place_of_the_documents(night: Objects) -> None:
    store = copy(night, tables=True)
    key = keys.summary("documents", DAY)
    store.put(key, night[keys.summary("entities", DAY)])
    (gap,) = audit(store, DAY).gaps
    assert (gap.kind, gap.source) == ("damaged", key)


def test_markers_that_change_places(night: Objects) -> None:
    store = copy(night, tables=False)
    received = receipts.received(store, DAY)
    for task_id, other in (("d0", "d1"), ("d1", "d0")):
        store.delete(keys.result(DAY, task_id))
        store.put(keys.pending(task_id), to_json(structs.replace(received[other][-1], sha256=None)))
    assert [(gap.kind, gap.task_id) for gap in audit(store, DAY).gaps] == [
        ("damaged", "d0"),
        ("damaged", "d1"),
    ]
    with pytest.raises(Damaged, match="is the marker of d1"):
        pending.get(store, "d0")


def test_all_receipts_of_a_date(night: Objects) -> None:
    store = copy(night, tables=False)
    for key in of(night, keys.RECEIPTS):
        store.delete(key)
    report = audit(store, DAY)
    assert report.received == 0
    assert {gap.task_id for gap in report.gaps} == {"d0", "d1", "d2", "d3", "partial", "failed"}


def test_the_digest_is_the_last_field_of_a_record() -> None:
    assert DocumentResult.__struct_fields__[-1] == "digest"


# chains


def task(name: str) -> Task:
    return Task(task_id=name, sha256=None, source=f"file:///in/{name}")


def accept(store: MemoryStore, name: str, day: str = DAY) -> str:
    """Accept a document and leave it pending; the marker does not name its receipt."""
    key = receipts.write(store, day, [task(name)])
    store.put(keys.pending(name), to_json(task(name)))
    return key


def gone(store: MemoryStore, name: str, receipt: str) -> None:
    store.delete(keys.pending(name))
    store.delete(receipt)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore("chains")


def test_a_chain_names_what_is_missing_across_dates(store: MemoryStore) -> None:
    written = [accept(store, f"t{n}", DAY if n < 3 else NEXT) for n in range(6)]
    names = [keys.receipt_name(key) for key in written]
    assert [name and name.number for name in names] == [1, 2, 3, 4, 5, 6]
    assert audit(store, DAY).adds_up
    assert audit(store, NEXT).adds_up
    gone(store, "t2", written[2])
    for day in (DAY, NEXT):
        assert [(gap.kind, gap.source) for gap in audit(store, day).gaps] == [("receipt_missing", written[2])]
    gone(store, "t4", written[4])
    gone(store, "t3", written[3])
    (gap,) = audit(store, NEXT).gaps
    assert gap.source == written[4]
    assert "up to 4 before it" in gap.detail


def test_a_link_that_was_changed(store: MemoryStore) -> None:
    first, second, third = (accept(store, name) for name in "abc")
    whole = store.get(second)
    assert first.encode() in whole
    store.put(second, whole.replace(first.encode(), b""))
    assert [(gap.kind, gap.source) for gap in audit(store, DAY).gaps] == [("receipt_changed", second)]
    store.put(second, whole.replace(b'"number":2', b'"number":1'))
    assert [(gap.kind, gap.source) for gap in audit(store, DAY).gaps] == [("receipt_changed", second)]
    store.put(second, b"{" + whole[whole.index(b"},") + 2 :])
    assert [(gap.kind, gap.source) for gap in audit(store, DAY).gaps] == [("receipt_changed", second)]
    store.put(second, whole)
    store.put(third, store.get(third).replace(b'"sha256":"', b'"sha256":"0', 1))
    assert [(gap.kind, gap.source) for gap in audit(store, DAY).gaps] == [("receipt_changed", second)]


def test_the_same_batch_is_one_receipt_and_no_link(store: MemoryStore) -> None:
    first = accept(store, "a")
    assert accept(store, "a") == first
    assert len(list(store.list(keys.RECEIPTS))) == 1
    accept(store, "b")
    assert audit(store, DAY).adds_up


def test_a_write_that_failed_or_was_repeated_by_another_process_leaves_no_hole(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(store, "a")
    put = store.put

    def stored_but_not_confirmed(key: str, data: bytes) -> None:
        put(key, data)
        if key.startswith(keys.RECEIPTS):
            raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", stored_but_not_confirmed)
        with pytest.raises(StoreUnavailable):
            accept(store, "b")
    with monkeypatch.context() as patch:
        patch.setattr(store, "put", lambda *_: (_ for _ in ()).throw(StoreUnavailable("no answer")))
        with pytest.raises(StoreUnavailable):
            accept(store, "c")
    for name in "bcd":
        accept(store, name)
    with monkeypatch.context() as patch:  # a process that was paused before it wrote
        patch.setattr(store, "list", lambda _: iter(()))
        receipts.write(store, DAY, [task("d")])
    report = audit(store, DAY)
    assert (report.gaps, report.received, report.receipts) == ((), 4, 5)


def test_receipts_of_older_versions_have_no_chain(store: MemoryStore) -> None:
    accept(store, "new")
    old = b'{"source":"in/old","task_id":"old","sha256":null,"size":0}'
    key = f"{keys.receipts(DAY)}{hashlib.sha256(old).hexdigest()[:32]}.jsonl"
    store.put(key, old + b"\n")
    record = DocumentResult(task_id="old", sha256=None, source="in/old", status="failed", run_date=DAY)
    store.put(keys.failed(DAY, "old"), without_digest(to_json(record)))
    report = audit(store, DAY)
    assert (report.gaps, report.receipts, report.unchained, report.failed) == ((), 2, 1, 1)
    store.put(key, old.replace(b"in/old", b"in/odd") + b"\n")
    assert kinds(audit(store, DAY)) == ["receipt_changed"]


# what is legitimate


def finished(store: MemoryStore, name: str, status: Any = "done", **more: Any) -> DocumentResult:
    accept(store, name)
    given = DocumentResult(
        task_id=name,
        sha256=None,
        source=f"file:///in/{name}",
        status=status,
        run_date=DAY,
        done_at=clock.now(),
        **more,
    )
    records.finish(store, given)
    return given


def test_what_replaces_a_record_is_no_discrepancy_before_and_after_the_tables_follow(
    store: MemoryStore,
) -> None:
    first = finished(store, "a")
    failed = finished(store, "b", "failed")
    finished(store, "c", "failed")
    summarise(store, DAY)

    def adds_up() -> None:
        assert audit(store, DAY).gaps == ()

    adds_up()
    (kept,) = (record for record in failures.find(store) if record.task_id == "c")
    failures.discard(store, kept, "a test")
    adds_up()
    (listed,) = (record for record in failures.find(store) if record.task_id == "b")
    failures.redrive(store, listed, {})
    adds_up()
    summarise(store, DAY)
    adds_up()
    records.finish(store, structs.replace(failed, status="done", done_at=LATER))
    adds_up()
    store.put(keys.pending("a"), to_json(structs.replace(task("a"), reprocess=True)))
    records.finish(store, structs.replace(first, reprocess=True, language="de", done_at=LATER))
    adds_up()
    assert list(store.list(keys.CHANGED))
    summarise(store, DAY)
    assert not list(store.list(keys.CHANGED))
    adds_up()
    records.finish(
        store, structs.replace(first, language="fr")
    )  # by a process that was paused before it wrote
    adds_up()


def test_a_missing_document_that_is_repaired(night: Objects) -> None:
    store = copy(night, tables=True)
    record = from_json(night[keys.result(DAY, "d0")], DocumentResult)
    store.delete(keys.result(DAY, "d0"))
    (task,) = restore(store, audit(store, DAY))
    assert (task.task_id, task.receipt) == ("d0", record.receipt)
    assert audit(store, DAY).adds_up
    records.finish(store, structs.replace(record, done_at=LATER))
    assert audit(store, DAY).adds_up


def test_what_is_accepted_and_ends_during_the_audit(night: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    store = copy(night, tables=False)
    of_d0 = [*store.list(keys.claims("d0")), keys.result(DAY, "d0")]
    receipt = from_json(night[keys.result(DAY, "d0")], DocumentResult).receipt
    later = {key: night[key] for key in [*of_d0, receipt]}
    for key in later:
        store.delete(key)
    listed = places.find

    def accepted_since(*args: Any) -> places.Places:
        for key, data in later.items():
            store.put(key, data)
        return listed(*args)

    monkeypatch.setattr(places, "find", accepted_since)
    monkeypatch.setattr(chains, "broken", lambda *_: [])  # it is missing when the audit begins
    report = audit(store, DAY)
    assert (report.gaps, report.received) == ((), 5)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("source", [None] * 6),
        ("task_id", [None] * 6),
        ("task_id", list(range(6))),
        ("tenant", list(range(6))),
        ("sha256", [1.5] * 6),
    ],
)
def test_rows_that_no_night_has(night: Objects, column: str, values: list[Any]) -> None:
    store = copy(night, tables=True)
    key = keys.summary("documents", DAY)
    table = pq.read_table(io.BytesIO(night[key]))
    assert table.num_rows == len(values)
    out = io.BytesIO()
    pq.write_table(table.set_column(table.column_names.index(column), column, pa.array(values)), out)
    store.put(key, out.getvalue())
    (gap,) = audit(store, DAY, quick=True).gaps
    assert (gap.kind, gap.source) == ("damaged", key)


def test_a_name_that_is_not_utf_8_is_no_marker(night: Objects, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for name, data in night.items():
        store.put(name, data)
    (tmp_path / "pending").mkdir(exist_ok=True)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/pending/\xff.json")).write_bytes(b"{}")
    assert audit(store, DAY).adds_up
