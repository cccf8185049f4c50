"""How busy a device is kept: a simulation by a virtual clock, of pages that need a host and a store in between."""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

import pytest

from pipeline.device.batches import PASSED, Batches, Item, Key

BATCH, IMAGE, MOST = 0.03, 0.03, 8
"""Seconds that a batch takes, and each page of it in addition; pages of a batch."""
PAGE: Key = ("detect", (960, 672))
RARE: Key = ("detect", (672, 960))


class Night(NamedTuple):
    """`busy`: share of the time; `filled`: share of the slots; `longest`: seconds that a page waited."""

    busy: float
    filled: float
    longest: float


def night(readers: int, host: float, *, pages: int = 4000, rare: float = 0.0, wait: float = 0.027) -> Night:
    """`readers` ask for one page at a time, and are busy for about `host` seconds between two."""
    draw = random.Random(1)
    batches: Batches[Item] = Batches(lambda _: MOST, wait)
    asking = [(draw.random() * host, reader) for reader in range(readers)]
    heapq.heapify(asking)
    now = busy = longest = 0.0
    done = slots = 0
    while done < pages:
        while asking and asking[0][0] <= now:
            came, reader = heapq.heappop(asking)
            batches.add([Item(RARE if draw.random() < rare else PAGE, reader)], came)
        batch = batches.take(now)
        if not batch:
            due = batches.due(now)
            coming = asking[0][0] if asking else now
            now = (
                coming
                if due is None
                else min(coming, now + max(due, 1e-9))
                if asking
                else now + max(due, 1e-9)
            )
            continue
        longest = max(longest, *(now - item.arrived for item in batch))
        seconds = BATCH + IMAGE * len(batch)
        now, busy, done, slots = now + seconds, busy + seconds, done + len(batch), slots + MOST
        for item in batch:
            batches.expect(item.owner, now)
            heapq.heappush(asking, (now + host * (0.5 + draw.random()), item.owner))
    return Night(busy / now, done / slots, longest)


@pytest.mark.parametrize("latency", [0.0, 0.01, 0.05])
def test_a_device_is_busy_whatever_the_store_takes(latency: float) -> None:
    found = night(readers=32, host=0.02 + 3 * latency)
    assert found.busy >= 0.95
    assert found.filled >= 0.9
    assert found.longest < 4 * (BATCH + MOST * IMAGE)


def test_pages_of_a_rare_size_do_not_starve() -> None:
    found = night(readers=32, host=0.05, rare=0.02)
    assert found.busy >= 0.95
    assert found.longest <= (32 / MOST + PASSED + 2) * (BATCH + MOST * IMAGE)


def test_one_reader_does_not_wait_for_others() -> None:
    found = night(readers=1, host=0.06, pages=200)
    assert found.busy == pytest.approx(0.06 / 0.12, abs=0.02)
    assert found.longest == 0.0
