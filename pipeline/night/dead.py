"""Dead letters: which still need a person, and what they are about.

A dead letter of a document is a notice: what became of the document is in the store. Once its failure was redriven,
discarded or replaced by a result, the notice is of no use; nor is a step's message that came back too often, once its
task has ended. Other messages in the queue were not written by Nightshift; only a person can tell what they are for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from pipeline import clock
from pipeline.models import to_json
from pipeline.night.checks import CHECK_PERIOD, claimed, last_made
from pipeline.night.night import Night
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter.

    `id`: 12 hex digits, the same whenever it is read. `ours`: whether Nightshift wrote it, with `code` and `reason`.
    `task_id`: what it is about; of another message, only for one of a step that was returned too often.
    `queue`: where it was before, if it was in one. `step`: of a document's failed step, empty for a refused message.
    `at`: when it was written (UTC), where that is known.
    """

    id: str
    code: str
    reason: str
    ours: bool
    task_id: str = ""
    trace_id: str = ""
    queue: str = ""
    step: str = ""
    at: datetime | None = None
    size: int = 0


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters with one code: how many, and one of them as an example."""

    code: str
    count: int
    example: str
    id: str


def group(letters: Iterable[Letter]) -> list[Group]:
    """Dead letters by code, most frequent first."""
    by_code: dict[str, list[Letter]] = {}
    for letter in letters:
        by_code.setdefault(letter.code, []).append(letter)
    return [
        Group(code=code, count=len(found), example=found[0].reason, id=found[0].id)
        for code, found in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


class Open:
    """What still needs a person, by the store as it is now: one listing each, no reads.

    Failures that were not discarded, and callbacks that were not delivered: how many, by task id.
    """

    def __init__(self, store: Store) -> None:
        discarded = {key.removeprefix(keys.DISCARDED) for key in store.list(keys.DISCARDED)}

        def of(prefix: str) -> Counter[str]:
            return Counter(keys.task_id_of(key) for key in store.list(prefix) if key not in discarded)

        self.failed, self.failed_again = of(keys.FAILED), of(keys.FAILED_AGAIN)
        self.undelivered = of(keys.UNDELIVERED)
        self._pending: set[str] | None = None
        self._callbacks: set[str] | None = None
        self._store = store

    def needs(self, letter: Letter) -> bool:
        """Whether a dead letter is about something that is still open."""
        if not letter.task_id:
            return True
        if not letter.ours:  # it changes nothing once the task has ended, or was forgotten
            return letter.task_id in self._marked() or letter.task_id in self._notifying()
        if letter.step == "callback":
            return letter.task_id in self.undelivered
        if letter.code == "damaged" and letter.task_id in self._marked():
            return True
        return letter.task_id in self.failed or letter.task_id in self.failed_again

    def _marked(self) -> set[str]:
        if self._pending is None:
            self._pending = {keys.task_id_of(key) for key in self._store.list(keys.PENDING)}
        return self._pending

    def _notifying(self) -> set[str]:
        if self._callbacks is None:
            self._callbacks = {keys.task_id_of(key) for key in self._store.list(keys.CALLBACKS)}
        return self._callbacks


class _Unneeded(msgspec.Struct, frozen=True):
    """The notices that the last sweep has found without an open failure."""

    notices: tuple[str, ...] = ()


def tidy(night: Night, sweep: Callable[[Callable[[Letter], bool]], object]) -> None:
    """Remove the notices of documents whose failures are no longer open; hourly.

    A notice is published before its failure is recorded, and may be newer than this look at the store. So it is removed
    by the second sweep that finds it without a failure, whatever the clocks of the processes say. `sweep` reads dead
    letters and removes those for which its argument is true; raises what it and the store raise.
    """
    key, now = keys.control("dead"), clock.utc()
    last = last_made(night.store, key, now)
    if last and now - last < CHECK_PERIOD:
        return
    with claimed(night.store, key, now):
        noted = keys.control("dead-unneeded")
        before = read_or_none(night.store, noted, _Unneeded) or _Unneeded()
        still, known, found = Open(night.store), set(before.notices), set()

        def is_over(letter: Letter) -> bool:
            if still.needs(letter):
                return False
            found.add(name := f"{letter.id} {letter.at}")
            return name in known

        sweep(is_over)
        night.store.put(noted, to_json(_Unneeded(tuple(sorted(found - known)))))
