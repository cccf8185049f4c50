"""The course of invented nights."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.ledger.timeline import Sample

ZONE = ZoneInfo("Europe/Berlin")
OPENED = datetime(2026, 11, 25, 22, 0, tzinfo=ZONE)
CLOSED = OPENED + timedelta(hours=8)
FIVE = timedelta(minutes=5)

Trouble = tuple[int, int, str]
"""Minutes after the window opened, from and to, and the sentence."""
"""Minutes after the window opened, from and to, and the sentence."""


def samples(
    total: int, speed: float, troubles: tuple[Trouble, ...] = (), until: int = 510
) -> tuple[Sample, ...]:
    """A night of `total` documents at `speed` documents a minute; nothing is read in a trouble."""
    draw = random.Random(total)
    found, done, pages, busy = [], 0.0, 0.0, 0.0
    for minute in range(-30, until + 1, 5):
        at, is_open = OPENED + timedelta(minutes=minute), 0 <= minute < 480
        trouble = next((text for begin, end, text in troubles if begin <= minute < end), "")
        left = max(0, total - round(done))
        eta = at + timedelta(minutes=left / speed * (1 + 0.04 * math.sin(minute / 40)) + 3)
        found.append(
            Sample(
                at=at,
                window_open=is_open,
                backlog_documents=left,
                backlog_pages=round(left * 2.4),
                done=round(done * 0.997),
                partial=round(done * 0.002),
                failed=round(done * 0.001),
                pages=round(pages),
                busy_seconds=busy,
                processes=2 if is_open and left else 0,
                workers=4,
                memory_mib={"gpu:0": 9200 + draw.randrange(900) if is_open and left else 380},
                p50=eta if left else None,
                p90=eta + timedelta(minutes=left / speed * 0.13 + 4) if left else None,
                trouble=trouble,
            )
        )
        if is_open and left and not trouble:
            step = min(left, 5 * speed * draw.uniform(0.86, 1.14) * min(1, (minute + 12) / 20))
            done += step
            pages += step * 2.4
            busy += 600 * min(0.98, step / speed / 5) * draw.uniform(0.9, 0.96)
    return tuple(found)
