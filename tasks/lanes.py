"""Which GPU queues a worker may consume, and which of them it should consume now. Pure: no clock, no broker.

Urgent work goes first, then normal work (`ocr`, `ner`), then backfill (the queue `filler`). Within each of these, the
first pages of every tenant go first: a queue has one more for each further turn (`pipeline.messages.TURNS`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pipeline.messages import TURNS

URGENT, NORMAL, BACKFILL = "urgent", ("ocr", "ner"), "filler"
FIRST_TURN = (URGENT, *NORMAL, BACKFILL)
"""As workers are given them, in the order in which they are served."""

SLICES, SLICE = 4, 15
"""One of so many slices of time, each of so many seconds, belongs to the last turn that has messages."""

SHORT_FIRST = 900.0
"""Seconds before close from which no slice does: long documents, all in later turns, begin early in the night."""


def of_turn(name: str, turn: int) -> str:
    """The queue of a turn (from 1), next to the one of the first turn."""
    return name if turn == 1 else f"{name}-{turn}"


def turns(name: str) -> list[str]:
    """The queues of all turns, in order."""
    return [of_turn(name, turn) for turn in range(1, TURNS + 1)]


GPU_QUEUES = tuple(queue for name in FIRST_TURN for queue in turns(name))
"""In the order in which they are served."""


def first_turn(queue: str) -> str:
    """The queue of the first turn that belongs to this one."""
    return queue.partition("-")[0] if queue in GPU_QUEUES else queue


def for_all_turns(names: Iterable[str]) -> list[str]:
    """The GPU queues among these names, each followed by those of its further turns."""
    given = {first_turn(name) for name in names}
    return [queue for queue in GPU_QUEUES if first_turn(queue) in given]


def allowed(queues: Sequence[str], *, window_open: bool, urgent_by_day: bool) -> list[str]:
    """The GPU queues of a worker that may be served: all in the window, at most the urgent ones outside it."""
    return [name for name in queues if window_open or (first_turn(name) == URGENT and urgent_by_day)]


def is_for_last(now: float, left: float | None = None) -> bool:
    """Whether a moment, in seconds, belongs to the last turn: so much is left to it however many tenants there are.

    `left`: seconds until the window closes, `None` if it does not. Just before close, documents that can still be done
    go first.
    """
    near = left is not None and left <= SHORT_FIRST
    return not near and int(now / SLICE) % SLICES == SLICES - 1


def preferred(queues: Sequence[str], waiting: Callable[[str], int], *, last: bool = False) -> list[str]:
    """The queues to consume out of those allowed: none that comes after one with messages waiting.

    `waiting` counts the messages ready in a queue. It is called only where the answer matters, also for normal
    queues that this worker does not consume: backfill yields to the work of other workers too. `last`: serve the last
    turn that has messages, instead of the first.
    """
    names = list(dict.fromkeys(map(first_turn, queues)))
    if URGENT in names and any(map(waiting, turns(URGENT))):
        names = [URGENT]
    elif BACKFILL in names and any(waiting(queue) for name in NORMAL for queue in turns(name)):
        names.remove(BACKFILL)
    return [queue for name in names for queue in _now(name, waiting, last=last)]


def _now(name: str, waiting: Callable[[str], int], *, last: bool) -> list[str]:
    """The queues of one name up to the first with messages, so that new ones in those before it are served at once."""
    queues = turns(name)
    busy = [queue for queue in queues if waiting(queue)]
    if not busy:
        return queues
    return [busy[-1]] if last else queues[: queues.index(busy[0]) + 1]


def wanted(
    others: Sequence[str],
    lanes: Sequence[str],
    counts: Mapping[str, int] | None,
    now: Collection[str],
    *,
    last: bool = False,
) -> list[str]:
    """All queues that a worker should consume: `others`, which have no window, and its `lanes` that may be served.

    counts: messages ready by queue; while they are not known yet, no lane is added to those consumed `now`.
    """
    if counts is None:
        return [*others, *(name for name in lanes if name in now)]
    return [*others, *preferred(lanes, lambda name: counts.get(name, 0), last=last)]
