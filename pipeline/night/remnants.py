"""What a process has left that recorded the end of a task that had ended, and died before it could look again.

It was paused between its last look and its write. Its message is delivered again, and finds no marker any more.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from pipeline.ledger import ends, forgotten, generations, pending, records, restoring
from pipeline.ledger.ends import Dates, End
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task
from pipeline.night import callbacks, failures
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


def settle(store: Store, message: Message, today: Callable[[], str]) -> list[Message]:
    """Leave one record of a task without a marker, whose message was delivered before; its callback, if it is due.

    `today` returns the current run date. For one record there is nothing to do, unless an older one has replaced it.
    """
    if message.is_first or not (claimed := restoring.accepted_on(store, message.task_id)):
        return []
    latest = generations.latest(store, message.task_id)
    dates = Dates(claimed[0], today)
    task = Task(task_id=message.task_id, sha256=None, source="", run_date=message.run_date)
    found = [
        (end, record)
        for end in ends.found(store, task.task_id, dates.of(store, task), range(latest + 1))
        if (record := read_or_none(store, end.key, DocumentResult)) is not None
        and not forgotten.take_back(store, record, fresh=True)
    ]
    if not found:
        return []
    best, record = min(found, key=lambda one: one[0].rank)
    for end, _ in found:
        records.remove(store, end, best)
    records.settle(store, best, dates)
    if best.status != "failed" and best.generation < latest and not _is_in_progress(store, record, latest):
        records.read_again(store, record, latest)
    if len(found) == 1:
        return []
    return notify_again(store, best, record)


def notify_again(store: Store, best: End, record: DocumentResult | None = None) -> list[Message]:
    """Note that the callback of a record is due that counts instead of another one; returns its message, if any.

    The note of the other one is gone, and that of this one may be: a receiver may be notified twice, but not never.
    """
    record = record or read_or_none(store, best.key, DocumentResult)
    if record is None:
        return []
    ended = structs.replace(
        failures.task_of(record),
        run_date=best.run_date,
        generation=best.generation,
        reprocess=record.reprocess,
    )
    return callbacks.note_due(store, ended)


def _is_in_progress(store: Store, record: DocumentResult, latest: int) -> bool:
    """Whether the latest generation of a task may still end, or has ended without success."""
    failed = keys.failed_again(record.run_date, record.task_id)
    return pending.get(store, record.task_id, latest) is not None or store.exists(failed)
