"""A store that is copied while the night works on it, lost, and restored: what docs/how-to/backup.md promises."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.ledger.audit import audit, restore
from pipeline.messages import Message
from pipeline.night.dispatch import resume_all
from pipeline.night.flow import Flow
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.flows import drain, flow_of, records_of, submission

PREFIXES = (
    "claims",
    "documents",
    "failed",
    "ner",
    "ocr",
    "partial",
    "pending",
    "receipts",
    "results",
    "spent",
)
COUNT = 3 * len(PREFIXES)


def copied(store: Path, backup: Path) -> Iterator[str]:
    """One pass of a tool that copies what is new or changed, folder by folder; it deletes nothing."""
    for prefix in PREFIXES:
        if (store / prefix).exists():
            shutil.copytree(store / prefix, backup / prefix, dirs_exist_ok=True)
        yield prefix


def messages(flow: Flow, inbox: Path) -> Iterator[list[Message]]:
    """Of each document, its messages: some stay waiting, some wait for OCR, some end."""
    for n in range(COUNT):
        first = flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), f"t{n:02}"))
        if n % 3 == 1:
            first = [following for message in first for following in flow.run(message)]
        elif n % 3 == 2:
            drain(flow, first)
        yield first


def test_a_copy_in_two_passes_accounts_for_all_that_was_received_before_the_second(
    flow: Flow, inbox: Path, tmp_path: Path
) -> None:
    store, backup = tmp_path / "store", tmp_path / "backup"
    work = messages(flow, inbox)
    started: list[Message] = []
    for _ in copied(store, backup):  # documents arrive and end while the first pass copies
        for _ in range(2):
            started += next(work)
    for following in work:
        started += following
    waiting = [message for message in started if message.step != "ingest"]
    for _ in copied(store, backup):  # and end during the second
        if waiting:
            drain(flow, [waiting.pop()])
    run_date = flow.schedule.run_date()
    assert audit(flow.store, run_date).adds_up
    ended = set(records_of(flow))

    shutil.rmtree(store)
    shutil.rmtree(inbox)
    backup.rename(store)
    again = flow_of(flow.settings)
    report = audit(again.store, run_date)
    assert report.received == COUNT
    assert {gap.kind for gap in report.gaps} <= {"missing"}, "those that ended between two folders"
    restore(again.store, report)
    inbox.mkdir()
    for n in range(COUNT):
        page(inbox / f"{n}.png", grey(n))
    drain(again, resume_all(again.night))
    assert audit(again.store, run_date).adds_up
    assert len(records_of(again)) == COUNT > len(ended)
    assert not list(again.store.list(keys.PENDING))


def test_a_backup_without_the_sources_has_the_bytes_of_all_that_was_ingested(
    flow: Flow, inbox: Path, tmp_path: Path
) -> None:
    flow_messages = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    flow.run(*flow_messages)
    list(copied(tmp_path / "store", tmp_path / "backup"))
    shutil.rmtree(tmp_path / "store")
    shutil.rmtree(inbox)
    (tmp_path / "backup").rename(tmp_path / "store")
    again = flow_of(flow.settings)
    drain(again, resume_all(again.night))
    assert [record.status for record in records_of(again).values()] == ["done"]
