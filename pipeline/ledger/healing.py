"""What processes that died right after a late write have left in a night: put right before its tables are written.

A process looks before it writes and again afterwards. One that was paused in between and dies before its second look
may leave a failure next to a good result or to a later failure, or a partial result without its note. All of these show
in listings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from pipeline.ledger import digests, ends, generations, records
from pipeline.ledger.ends import End
from pipeline.models import DocumentResult
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


def keep_good(store: Store, task_id: str, run_dates: Iterable[str], before: Callable[[End], object]) -> None:
    """Delete failures next to a better record of the same run date: a process died before it could.

    `before` is called with the better one before anything is deleted.
    """
    numbers = range(generations.latest(store, task_id) + 1)
    for run_date in run_dates:
        several = sorted(ends.found(store, task_id, [run_date], numbers), key=lambda end: end.rank)
        if several[1:]:
            before(several[0])
        for end in several[1:]:
            records.remove(store, end, several[0])


def failures(store: Store, run_date: str, before: Callable[[End], object]) -> None:
    """Delete the failures of a night that are next to good results, or to later failures; `before`: as `keep_good`."""
    failed = Counter(keys.task_id_of(key) for key in store.list(keys.failures(run_date)))
    if failed:
        good = {keys.task_id_of(key) for key in store.list(keys.results(run_date))}
        for task_id in sorted((failed.keys() & good) | {one for one, number in failed.items() if number > 1}):
            keep_good(store, task_id, [run_date], before)


def notes(store: Store, run_date: str, partial: Mapping[str, DocumentResult]) -> None:
    """Write missing notes of a night's partial results, and delete those of others.

    `partial`: the partial records as they were read, by task id, without their pages. Each is looked at again, as it
    may have been replaced since.
    """
    noted = {keys.task_id_of(key) for key in store.list(keys.partials(run_date))}
    for task_id in sorted(partial.keys() - noted):
        store.put(keys.partial(run_date, task_id), digests.encode(partial[task_id]))
    for task_id in sorted(partial.keys() ^ noted):
        now = read_or_none(store, keys.result(run_date, task_id), End)
        if now is None or now.status != "partial":
            store.delete(keys.partial(run_date, task_id))
