"""The message of a step, and the lane for its priority."""

from __future__ import annotations

import msgspec
from msgspec import structs

from pipeline.models import Task

VERSION = 1
"""Of the messages of steps, in their header `schema`; raised when an older worker would misread one.

An older worker hands a newer message back (`tasks.incoming`). Messages without the header are of version 1.
"""

URGENT, BACKFILL = 8, 2

TURNS = 3
"""Turns in which the documents of each lane are served (`pipeline.submission.shares`)."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A reference to work: never document text, never pixels.

    `first`, `last`: page numbers from 1; 0 means all pages. `retries`: how often the step has failed with an error;
    `outages`: how many of these were not caused by the document, such as an unavailable store. `run_date`: the night
    in which the task was begun, or has ended. `generation`: of the task; a step reads the marker of this one only.
    `pages`: how many the step is about, 0 where they are not counted yet. `turn`: of the task, see `TURNS`. `id`: the
    broker's id, the same at each delivery and retry; `redelivered`: this is not the first delivery. `fresh`: the bytes
    of the document were stored for the first time just before, so that nothing can have been computed of them.
    `traceparent`, `tracestate`: where the trace of the document continues (`pipeline.telemetry.w3c`).
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
    generation: int = 0
    pages: int = 0
    turn: int = 1
    id: str = ""
    redelivered: bool = False
    fresh: bool = False
    traceparent: str = ""
    tracestate: str = ""

    @property
    def is_first(self) -> bool:
        """Whether it was not delivered before, as far as the broker and its retries say."""
        return not (self.redelivered or self.retries)

    @property
    def finds_nothing(self) -> bool:
        """Whether nothing that its step computes can be in the store: what was begun before would be found there."""
        return self.fresh and self.is_first

    @staticmethod
    def of(step: str, task: Task, first: int = 0, last: int = 0) -> Message:
        """The message that asks for a step of a task."""
        return Message(
            step=step,
            task_id=task.task_id,
            trace_id=task.trace_id,
            priority=task.priority,
            generation=task.generation,
            turn=task.turn,
            traceparent=task.traceparent,
            tracestate=task.tracestate,
            first=first,
            last=last,
            pages=last - first + 1 if first else task.pages,
        )


def handed_back(message: Message) -> Message:
    """A message whose work was not begun or not finished at close: the next to be served in its lane, not the last."""
    return structs.replace(message, turn=1, fresh=False)


def is_urgent(priority: int) -> bool:
    """Priorities 8 and 9 are served first."""
    return priority >= URGENT


def is_backfill(priority: int) -> bool:
    """Priorities 0 to 2 are served while nothing else waits."""
    return priority <= BACKFILL
