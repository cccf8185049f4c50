"""Publishing pending tasks again whose message is lost: with the broker's disk, or one by one.

Which ones are lost nobody can see: a broker tells how many messages wait in a queue, not whose. So markers and messages
are counted by lane. Where there are fewer messages than tasks the oldest tasks are published again, as many as are
missing: a queue that is served in order has passed those that it held. Messages that workers hold are not counted, so a
few tasks are published twice each hour; a message of a task that has ended does nothing.

Other messages may hide a lost one, such as duplicates, or those that wait out an outage. So each task is also
published again when its age reaches a day, two days, four and so on (an urgent one: an hour, two, four): seldom enough
for a backlog that only waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from pipeline import clock
from pipeline.ledger import pending
from pipeline.ledger.sheets import Sheets
from pipeline.messages import Message, is_backfill, is_urgent
from pipeline.models import Task
from pipeline.night import interrupted
from pipeline.night.checks import CHECK_PERIOD, claimed, last_made
from pipeline.night.dispatch import resume, waiting_tasks
from pipeline.night.night import Night
from pipeline.night.recount import Recount
from pipeline.storage import keys

Lane = Literal["urgent", "normal", "backfill", "ingest"]
LANES: tuple[Lane, ...] = ("urgent", "normal", "backfill", "ingest")
"""In the order in which missing messages are looked for."""

_YOUNG = timedelta(hours=1)  # a task that was accepted since may be about to be published
_REPEATED: Mapping[Lane, timedelta] = {"urgent": timedelta(hours=1)}
_OTHERS_REPEATED = timedelta(days=1)


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that wait at the broker: in the queues of each lane, and `elsewhere`, where any task's may be."""

    urgent: int = 0
    normal: int = 0
    backfill: int = 0
    ingest: int = 0
    elsewhere: int = 0

    def of(self, lane: Lane) -> int:
        """Messages in the queues of one lane."""
        count: int = getattr(self, lane)
        return count

    @property
    def total(self) -> int:
        """All of them."""
        return self.elsewhere + sum(self.of(lane) for lane in LANES)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A pending task: its generation, how many messages it would have, its lane, and its age (`None`: not known).

    A backlog may have a million: the messages themselves are made from the marker once they are needed.
    """

    task_id: str
    generation: int = 0
    messages: int
    lane: Lane
    age: timedelta | None

    @classmethod
    def of(cls, task: Task, spread_pages: int, now: datetime) -> Waiting:
        """What its marker says."""
        messages = resume(task, spread_pages)
        return cls(
            task_id=task.task_id,
            generation=task.generation,
            messages=len(messages),
            lane=_lane(messages[0]),
            age=clock.age(clock.moment(task.submitted_at), now),
        )


def _lane(message: Message) -> Lane:
    if message.step == "ingest":
        return "ingest"
    if is_urgent(message.priority):
        return "urgent"
    return "backfill" if is_backfill(message.priority) else "normal"


def repair(
    night: Night, now: datetime, queued: Callable[[], Queued], publish: Callable[[list[Message]], None]
) -> None:
    """Publish lost messages again, hourly and when the window opens; raises what the arguments and the store raise.

    When the window opens, most messages are missing if the broker has lost its disk: then all tasks are published. So
    are those that were received and have no marker (`pipeline.night.interrupted`).
    """
    is_open = night.schedule.window.contains(now, night.schedule.override())
    key = keys.night(night.schedule.run_date(), "opened") if is_open else keys.control("repair")
    last = last_made(night.store, key, now)
    if last and now - last < CHECK_PERIOD:
        return
    with claimed(night.store, key, now):
        spread, tasks, markers = night.settings.spread_pages, [], Sheets().new(str)
        counting = Recount(night)
        for task in waiting_tasks(night, counting.see):
            markers[task.task_id] = task.receipt
            if not _delayed(task, now):
                tasks.append(Waiting.of(task, spread, now))
        counting.finish()
        if tasks:
            found = queued()
            lost = tasks if is_open and not last and 2 * found.total < len(tasks) else None
            for one in missing(tasks, found, now - (last or now - CHECK_PERIOD)) if lost is None else lost:
                marked = pending.get(night.store, one.task_id, one.generation)
                if marked:  # else it has ended
                    publish(resume(marked, spread))
        for lost_one in interrupted.resume(night.store, markers):
            publish(resume(lost_one, spread))


def _delayed(task: Task, now: datetime) -> bool:
    start = clock.moment(task.not_before)
    return start is not None and start > now


def missing(tasks: Iterable[Waiting], queued: Queued, period: timedelta) -> Iterator[Waiting]:
    """The tasks to publish again; `period`: time since this was last asked. Each task is given once."""
    lanes: dict[Lane, list[Waiting]] = {lane: [] for lane in LANES}
    for task in sorted(tasks, key=lambda task: task.age or timedelta.max, reverse=True):
        lanes[task.lane].append(task)
    short = {lane: max(0, sum(t.messages for t in lanes[lane]) - queued.of(lane)) for lane in LANES}
    left = sum(short.values()) - queued.elsewhere  # missing for certain, but for what workers hold
    for lane in LANES:
        room = min(left, short[lane])
        for task in lanes[lane]:
            old = task.age is None or task.age >= _YOUNG
            if room > 0 and old:
                room -= task.messages
                left -= task.messages
                yield task
            elif _due(task, period):
                yield task


def _due(task: Waiting, period: timedelta) -> bool:
    """Whether its age has reached one of the ages at which it is repeated, within this period."""
    at = _REPEATED.get(task.lane, _OTHERS_REPEATED)
    while task.age is not None and at <= task.age:
        if at > task.age - period:
            return True
        at *= 2
    return False
