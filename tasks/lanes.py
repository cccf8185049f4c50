"""Which GPU queues a worker may consume, and which of them it should consume now. Pure: no clock, no broker.

Urgent work goes first, then normal work (`ocr`, `ner`), then backfill (the queue `filler`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

URGENT, NORMAL, BACKFILL = "urgent", ("ocr", "ner"), "filler"
GPU_QUEUES = (URGENT, *NORMAL, BACKFILL)
"""In the order in which they are served."""


def allowed(queues: Sequence[str], *, window_open: bool, urgent_by_day: bool) -> list[str]:
    """The GPU queues of a worker that may be served: all in the window, at most the urgent one outside it."""
    return [name for name in queues if window_open or (name == URGENT and urgent_by_day)]


def preferred(queues: Sequence[str], waiting: Callable[[str], int]) -> list[str]:
    """The queues to consume out of those allowed: none that comes after one with messages waiting.

    `waiting` counts the messages ready in a queue. It is called only where the answer matters, also for normal
    queues that this worker does not consume: backfill yields to the work of other workers too.
    """
    if URGENT in queues and waiting(URGENT):
        return [URGENT]
    if BACKFILL in queues and any(waiting(name) for name in NORMAL):
        return [name for name in queues if name != BACKFILL]
    return list(queues)


def wanted(
    others: Sequence[str], lanes: Sequence[str], counts: Mapping[str, int] | None, now: Collection[str]
) -> list[str]:
    """All queues that a worker should consume: `others`, which have no window, and its `lanes` that may be served.

    counts: messages ready by queue; while they are not known yet, no lane is added to those consumed `now`.
    """
    if counts is None:
        return [*others, *(name for name in lanes if name in now)]
    return [*others, *preferred(lanes, lambda name: counts.get(name, 0))]
