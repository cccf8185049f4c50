"""What a step's message says, and the lane its priority puts it in."""

from __future__ import annotations

import msgspec

from pipeline.models import Task

URGENT, FILLER = 8, 2


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A reference to work: never document text, never pixels.

    `first`, `last`: pages, 0 means all. `retries`: how often the step has failed in an orderly way,
    `outages`: how many of these were no fault of the document's, such as a store that was away.
    `run_date`: where a callback finds the result. `id`: the broker's, the same however often it delivers it;
    `redelivered`: this is not the first time.
    """

    step: str
    task_id: str
    trace_id: str = ""
    priority: int = 5
    first: int = 0
    last: int = 0
    retries: int = 0
    outages: int = 0
    run_date: str = ""
    id: str = ""
    redelivered: bool = False

    @staticmethod
    def of(step: str, task: Task, first: int = 0, last: int = 0) -> Message:
        """The message that asks for a step of a task."""
        return Message(
            step=step,
            task_id=task.task_id,
            trace_id=task.trace_id,
            priority=task.priority,
            first=first,
            last=last,
        )


def is_urgent(priority: int) -> bool:
    """Priorities 8 and 9 go into the urgent lane."""
    return priority >= URGENT


def is_filler(priority: int) -> bool:
    """Priorities 0 to 2 fill what is left of the night."""
    return priority <= FILLER
