"""The brake: when one document after the other fails with the same reason, the step pauses instead of failing them all.

A process that sees `LIMIT` failures of a step in a row, all with one code and without a success, notes this in the
store. While the note holds, documents of this step wait without being tried; only a process whose own last document
succeeded goes on, as the trouble is another machine's. Now and then each process tries one all the same, wherever it is
in the queue: if it fails with the same code, it waits again and the pause is prolonged; a success ends it. So neither a
few hundred bad documents at the head of a queue nor one bad worker can stop the others. An operator may release a step
(`nightshift brake release`), after which documents fail as usual for a day.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.errors import PermanentError, PipelineError, Poison
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

log = logging.getLogger("nightshift")

OF_THE_DOCUMENT = frozenset(
    {
        "bad_message",
        "bad_override",
        "bad_task_id",
        "empty",
        "encrypted",
        "failed_before",
        "id_conflict",
        "over_limit",
        "portfolio",
        "protected",
        "tenant_refused",
        "unreadable",
        "unsupported_type",
    }
)
"""Codes that the bytes of a document, or its message, decide alone: however many there are, they never brake."""

UNBRAKED = frozenset({"callback"})
"""Steps that never pause: an undelivered callback is listed and can be sent again."""

LIMIT = 20
"""Failures in a row, in one process, that brake a step."""

PERIOD = timedelta(minutes=4)
"""How long a step pauses after the last failure; less than a paused message waits."""

PROBE, SHARE = 1.0, 0.1
"""Of a paused step a process tries one document a second at most, and spends at most this share of its time on them."""

COSTLY = {Poison.code: 60.0, "out_of_memory": 60.0}
"""Seconds between two such documents where each may cost a process."""

RELEASED = timedelta(days=1)
"""How long documents fail as usual after an operator has released a brake."""

_LAPSED = timedelta(days=1)  # after which a note that nobody has tried since counts as none
_READ_PERIOD = 10.0  # seconds between two reads of a step's note by one process


class Braked(msgspec.Struct, frozen=True, kw_only=True):
    """The note about one step, which is paused `until` then unless another document fails. Times are UTC.

    `count`: failures so far; below `LIMIT` nothing is paused yet. `example`: the sentence of one of them. `released`:
    an operator wants these failures recorded, until `until`.
    """

    step: str
    code: str
    since: datetime
    until: datetime
    count: int = LIMIT
    example: str = ""
    released: bool = False

    def in_force(self, now: datetime) -> bool:
        """Whether the note counts; not one that a clock which was ahead has left, or that has lapsed."""
        if clock.age(self.since, now) is None or self.until.tzinfo is None:
            return False
        left = self.until - now
        return -(timedelta() if self.released else _LAPSED) < left <= _farthest(self)

    def pauses(self, now: datetime) -> bool:
        """Whether documents of the step wait without being tried."""
        return self.in_force(now) and not self.released and self.count >= LIMIT and now < self.until


def _farthest(note: Braked) -> timedelta:
    return (RELEASED if note.released else PERIOD) + clock.SKEW


def notes(store: Store) -> Iterator[Braked]:
    """The steps that are paused, or were and have not succeeded since; raises `StoreUnavailable`."""
    for key in store.list(keys.BRAKES):
        note = read_or_none(store, key, Braked)
        if note and note.count >= LIMIT and note.in_force(clock.utc()):
            yield note


def release(store: Store, step: str) -> Braked | None:
    """Let documents of a step fail as usual for `RELEASED`; returns the note, `None` if the step is not paused."""
    key, now = keys.brake(step), clock.utc()
    note = read_or_none(store, key, Braked)
    if note is None or note.count < LIMIT or not note.in_force(now):
        return None
    note = msgspec.structs.replace(note, released=True, until=now + RELEASED)
    store.put(key, to_json(note))
    return note


def forget_examples(store: Store, names: Iterable[str]) -> None:
    """Delete the sentences in notes that name any of these."""
    known = tuple(names)
    for key in list(store.list(keys.BRAKES)):
        note = read_or_none(store, key, Braked)
        if note and any(name in note.example for name in known):
            store.put(key, to_json(msgspec.structs.replace(note, example="")))


class _Step:
    """What one process has seen of one step."""

    def __init__(self) -> None:
        self.code, self.count = "", 0
        self.succeeded = False  # the last document did
        self.braked = ""  # the code with which this process has braked, until it sees a success
        self.probing = False  # the document in progress is tried although the step is paused
        self.probe_at = float("-inf")  # when the next one may be
        self.began_at = 0.0
        self.note: Braked | None = None
        self.read_at = float("-inf")


class Brake:
    """The brake of one process. A store that does not answer brakes nothing: steps wait for it by themselves."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._steps: dict[str, _Step] = {}

    def holds(self, step: str) -> bool:
        """Whether a document of this step must wait without being tried."""
        if step in UNBRAKED:
            return False
        seen = self._seen(step)
        note = self._note(step, seen)
        if note is None or seen.succeeded or not note.pauses(clock.utc()):
            return False
        seen.began_at = time.monotonic()
        if seen.probe_at == float("-inf"):  # of a new process, which may have died of the last one
            _rest(seen, note.code)
        seen.probing = seen.began_at >= seen.probe_at
        return not seen.probing

    def succeeded(self, step: str) -> None:
        """Note that a document of this step succeeded, which ends the pause that it was tried in."""
        seen = self._seen(step)
        probing, seen.probing = seen.probing, False
        seen.code, seen.count, seen.braked, seen.succeeded = "", 0, "", True
        note = self._note(step, seen)
        if note is None or note.released or (note.pauses(clock.utc()) and not probing):
            return
        with suppress(PipelineError):
            self._store.delete(keys.brake(step))
            seen.note = None
            if note.count >= LIMIT:
                log.warning("step %s goes on: a document succeeded", step)

    def failed(self, step: str, reason: PermanentError) -> bool:
        """Count a failure; returns whether the document must wait instead of being recorded as failed."""
        if step in UNBRAKED or reason.code in OF_THE_DOCUMENT:
            return False
        seen = self._seen(step)
        seen.count = seen.count + 1 if seen.code == reason.code else 1
        seen.code, seen.succeeded = reason.code, False
        kills = (
            reason.code == Poison.code
        )  # each such failure cost processes, and with them what they had counted
        note = self._note(step, seen, fresh=kills or seen.count >= LIMIT)
        if note and note.code != reason.code:
            note = None
        if note and note.released:
            return False
        count = max(seen.count, note.count + 1 if note and kills else 0)
        if (note and note.count >= LIMIT) or seen.braked == reason.code or count >= LIMIT:
            self._brake(step, seen, reason, note)
            return True
        seen.probing = False
        if kills:
            self._put(seen, _counted(step, reason, count, note))
        return False

    def _brake(self, step: str, seen: _Step, reason: PermanentError, note: Braked | None) -> None:
        paused_before = note is not None and note.count >= LIMIT
        if not paused_before and seen.braked != reason.code:
            log.error(
                "step %s is paused: %d documents in a row failed (%s), the last with: %s See nightshift status.",
                step,
                LIMIT,
                reason.code,
                reason.message,
            )
        seen.braked = reason.code
        _rest(seen, reason.code)
        self._put(seen, _counted(step, reason, LIMIT, note))

    def _put(self, seen: _Step, note: Braked) -> None:
        seen.note, seen.read_at = note, time.monotonic()
        with suppress(PipelineError):
            self._store.put(keys.brake(note.step), to_json(note))

    def _seen(self, step: str) -> _Step:
        return self._steps.setdefault(step, _Step())

    def _note(self, step: str, seen: _Step, *, fresh: bool = False) -> Braked | None:
        """The note of a step as it was read last, if it is in force."""
        if fresh or time.monotonic() - seen.read_at >= _READ_PERIOD:
            seen.read_at = time.monotonic()
            with suppress(PipelineError):
                seen.note = read_or_none(self._store, keys.brake(step), Braked)
        return seen.note if seen.note and seen.note.in_force(clock.utc()) else None


def _rest(seen: _Step, code: str) -> None:
    """Set when the next document of a paused step is tried; at random, or the same one might be met in each round."""
    now = time.monotonic()
    took = now - seen.began_at if seen.probing else 0.0
    seen.probing = False
    seen.probe_at = now + random.uniform(0.5, 1.5) * max(COSTLY.get(code, PROBE), took / SHARE)  # noqa: S311 - jitter, not a secret


def _counted(step: str, reason: PermanentError, count: int, before: Braked | None) -> Braked:
    now = clock.utc()
    return Braked(
        step=step,
        code=reason.code,
        since=before.since if before else now,
        until=now + PERIOD,
        count=count,
        example=reason.message,
    )
