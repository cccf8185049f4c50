"""What the forecast of a past night is worth: when the backlog that it was about was really done.

Judged is the first forecast that was noted half an hour after the window opened (`pipeline.ledger.timeline`). Its
backlog is done when the tables show as many documents that had been accepted by then and ended later.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pipeline.errors import Damaged, NotFound
from pipeline.forecast import errors, windows
from pipeline.ledger import timeline
from pipeline.ledger.timeline import Sample
from pipeline.night.night import Night

_SETTLED = timedelta(minutes=30)
"""After the opening: tonight is known a little."""


def error_of(night: Night, run_date: str, nights: Sequence[str]) -> float | None:
    """The error of the forecast of one night; `None` while it is not known, and where none was noted.

    `nights`: run dates that have tables. Raises what the store raises.
    """
    from pipeline.tables.pace import ended_after

    sample = _judged(timeline.samples(night.store, run_date))
    if sample is None or sample.p50 is None:
        return None
    count, last = 0, sample.at
    for later in (one for one in nights if one >= run_date):
        with suppress(NotFound, Damaged):
            ended = ended_after(night.store, later, sample.at)
            count, last = count + ended.documents, max(last, ended.last or last)
        if count >= sample.backlog_documents:
            expected, took = (_opened(night, sample.at, end) for end in (sample.p50, last))
            return errors.error(expected, took, sample.spread)
    return None


def _judged(samples: Sequence[Sample]) -> Sample | None:
    opened = next((one.at for one in samples if one.window_open), None)
    if opened is None:
        return None
    settled = (one for one in samples if one.window_open and one.at - opened >= _SETTLED)
    return next((one for one in settled if one.backlog_documents and one.p50 and one.spread), None)


def _opened(night: Night, begin: datetime, end: datetime) -> float:
    return windows.open_seconds(begin, night.schedule.window.openings(begin), end)
