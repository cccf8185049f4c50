"""The course of the night: a sample every five minutes, and, by what it shows, whether the counters need looking after.

Nothing here holds up housekeeping: what fails is logged and tried again at the next tick.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from pipeline import clock
from pipeline.errors import PipelineError
from pipeline.forecast.model import Forecast
from pipeline.ledger import counters, folding, timeline
from pipeline.ledger.counters import Backlog, State
from pipeline.ledger.timeline import Sample
from pipeline.night import recount
from pipeline.night.brake import notes
from pipeline.night.night import Night
from pipeline.night.outlook import outlook
from pipeline.night.repair import Queued
from pipeline.storage.objects import read_or_none

log = logging.getLogger("nightshift")


class Course:
    """What one process that does the housekeeping knows of the night between two ticks."""

    def __init__(self) -> None:
        self._trouble, self._since = "", clock.utc()

    def failed(self, why: str) -> None:
        """Housekeeping failed, for a reason that is one sentence: samples say so until it has `passed`."""
        if not self._trouble:
            self._since = clock.utc()
        self._trouble = why

    def passed(self) -> None:
        """Housekeeping has done all that was due."""
        self._trouble = ""

    def keep(self, night: Night, now: datetime, queued: Callable[[], Queued]) -> None:
        """Take the sample of these five minutes, unless there is one, and look after the counters. Never raises."""
        try:
            if state := self._sample(night, now):
                look_after(night, state, now, queued)
        except Exception as error:  # whatever it is: it must cost no message
            expected = isinstance(error, (PipelineError, OSError))
            log.warning("the course of the night was not noted: %s", error, exc_info=not expected)

    def _sample(self, night: Night, now: datetime) -> State | None:
        """Take a sample; returns the counters that it was made from, `None` if there was one."""
        store, run_date = night.store, night.schedule.run_date()
        taken = read_or_none(store, timeline.slot(run_date, now), Sample)
        age = clock.age(taken.at, now) if taken else None
        if taken and age is not None and age < timeline.PERIOD and (taken.trouble or not self._trouble):
            return None
        state = counters.read(store)
        timeline.write(store, run_date, self._made(night, now, run_date, state))
        return state

    def _made(self, night: Night, now: datetime, run_date: str, state: State) -> Sample:
        backlog, ended = state.backlog(), state.night(run_date)
        processes, workers = state.processes(run_date, now)
        forecast = self._forecast(night, now, backlog)
        return Sample(
            at=now,
            window_open=night.schedule.is_open(night.schedule.override()),
            backlog_documents=backlog.documents,
            backlog_pages=backlog.pages,
            done=ended.done,
            partial=ended.partial,
            failed=ended.failed,
            pages=ended.pages,
            step_seconds=ended.step_seconds,
            busy_seconds=ended.busy_seconds,
            processes=processes,
            workers=workers,
            memory_mib=state.memory(now),
            p50=forecast.p50 if forecast else None,
            p90=forecast.p90 if forecast else None,
            spread=forecast.spread if forecast else 0.0,
            trouble=self._said(night),
        )

    def _forecast(self, night: Night, now: datetime, backlog: Backlog) -> Forecast | None:
        """What is forecast now, `None` where that fails: a sample without it is better than none."""
        try:
            return outlook(night, now, backlog=backlog)
        except Exception as error:
            log.warning("no forecast could be made: %s", error)
            return None

    def _said(self, night: Night) -> str:
        """What is wrong: housekeeping that fails, and steps that are paused."""
        now = clock.utc()
        paused = [note for note in notes(night.store) if note.pauses(now)]
        said = [f"{self._trouble.rstrip('.')} (since {self._since:%H:%M} UTC)."] if self._trouble else []
        said += [f"The step {one.step} is paused, as documents in a row fail ({one.code})." for one in paused]
        return " ".join(said)


def look_after(night: Night, state: State, now: datetime, queued: Callable[[], Queued]) -> None:
    """Fold the counters where there are many, and recount where they look wrong; raises what the store raises."""
    waits = bool(state.backlog().documents) and night.schedule.is_open(night.schedule.override())
    if recount.is_due(night, state, now, nothing_queued=waits and not queued().total):
        recount.recount(night)
    elif folding.is_due(state, now):
        folding.fold(night.store, state, now)
