"""The pace, kept as one small note in the store: what each of the last nights measured, and tonight so far.

A past night is measured from its table of documents when that is written. During the night each process notes what it
has measured itself, and housekeeping adds these up. Nothing depends on any of it but the forecast, so what fails here
fails no document and no summary.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.errors import Damaged, PipelineError
from pipeline.forecast import errors, rates, windows
from pipeline.forecast.measure import Measured
from pipeline.forecast.model import Rates, kind_of
from pipeline.models import DocumentResult, to_json
from pipeline.night import hindsight
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

log = logging.getLogger("nightshift")

NIGHTS = 7
"""Past nights that count."""

PERIOD = timedelta(minutes=1)
"""Between two notes of one process, and between two times that they are added up."""

NOTE = "pace"


class Noted(msgspec.Struct, kw_only=True):
    """What is known: past nights by run date, and the night `run_date` as far as it was measured at `at`.

    `errors`: of the forecasts of past nights, by run date.
    """

    nights: dict[str, Measured] = {}
    errors: dict[str, float] = {}
    run_date: str = ""
    tonight: Measured = msgspec.field(default_factory=Measured)
    at: datetime | None = None

    def past(self, run_date: str) -> dict[str, Measured]:
        """The nights before this one; also one whose table is not written yet."""
        known = {self.run_date: self.tonight, **self.nights} if self.run_date else self.nights
        return {one: known[one] for one in sorted(known)[-NIGHTS - 1 :] if one < run_date}

    def rates(self, run_date: str) -> Rates:
        """The speed to expect in the night of this run date."""
        return rates.rates(
            list(self.past(run_date).values()),
            self.tonight if self.run_date == run_date else None,
            [self.errors[one] for one in sorted(self.errors) if one < run_date],
        )

    def inflow(self, run_date: str) -> float:
        """Documents a day that the nights before have processed; 0 where there are none."""
        past = self.past(run_date)
        if not past:
            return 0.0
        days = (datetime.fromisoformat(run_date) - datetime.fromisoformat(min(past))).days
        return sum(night.all.documents for night in past.values()) / max(days, 1)


class Meter:
    """What one process measures. It loses the last minute when the process ends."""

    def __init__(self, night: Night) -> None:
        self._night, self._writer = night, uuid.uuid4().hex[:16]
        self._run_date, self._measured = "", Measured()
        self._noted: datetime | None = None

    def ended(self, result: DocumentResult) -> None:
        """Count a document that was processed."""
        now, run_date = clock.utc(), self._night.schedule.run_date()
        if run_date != self._run_date:
            self._run_date, self._measured, self._noted = run_date, Measured(), None
        self._measured.add(
            kind_of(result.media_type),
            len(result.pages),
            sum(seconds for step, seconds in result.seconds.items() if step != "gpu"),
            seen=clock.moment(result.first_seen),
            done=now,
            opened=lambda begin, end: opened(self._night.schedule, begin, end),
            first=bool(result.deadline),
        )
        age = clock.age(self._noted, now)
        if age is not None and age < PERIOD:
            return
        self._noted = now
        try:
            self._night.store.put(keys.measured(run_date, self._writer), to_json(self._measured))
        except PipelineError as error:
            log.info("the pace could not be noted: %s", error.message)


def opened(schedule: Schedule, begin: datetime, end: datetime) -> float:
    """Seconds between two moments in which the schedule's window is open."""
    return windows.open_seconds(begin, schedule.window.openings(begin), end)


def noted(store: Store) -> Noted:
    """The note; empty where there is none, or none that can be read."""
    return read_or_none(store, keys.control(NOTE), Noted) or Noted()


def refresh(night: Night, now: datetime) -> None:
    """Add up what the processes have measured tonight; does nothing within a minute of the last time."""
    try:
        note = noted(night.store)
        age = clock.age(note.at, now)
        if age is not None and age < PERIOD:
            return
        run_date, tonight = night.schedule.run_date(), Measured()
        for key in night.store.list(keys.measured(run_date)):
            tonight = tonight.together(read_or_none(night.store, key, Measured) or Measured())
        if note.run_date and note.run_date not in (run_date, *note.nights):
            note.nights = _last({**note.nights, note.run_date: note.tonight})
        note.run_date, note.tonight, note.at = run_date, tonight, now
        night.store.put(keys.control(NOTE), to_json(note))
    except PipelineError as error:
        log.warning("the pace of tonight could not be added up: %s", error.message)


def note_night(night: Night, run_date: str) -> None:
    """Measure a night whose table was written just now, and those of the last nights that are not in the note."""
    try:
        note = noted(night.store)
        names = keys.run_dates(night.store.folders(f"{keys.SUMMARY}documents/"))
        wanted = [one for one in names[-NIGHTS:] if one == run_date or one not in note.nights]
        for one in wanted:
            try:
                note.nights[one] = measured_in(night, one)
            except Damaged as error:
                log.warning("the pace of %s could not be measured: %s", one, error.message)
        note.nights = _last(note.nights)
        note.errors = _judged(night, note.errors, names)
        night.store.put(keys.control(NOTE), to_json(note))
    except PipelineError as error:
        log.warning("the pace of %s could not be noted: %s", run_date, error.message)


def measured_in(night: Night, run_date: str) -> Measured:
    """What the table of a night says; raises `NotFound` and `Damaged`."""
    from pipeline.tables.pace import processed

    found = Measured()
    for one in processed(night.store, run_date):
        found.add(
            kind_of(one.media_type),
            one.pages,
            one.seconds,
            seen=one.seen,
            done=one.done,
            opened=lambda begin, end: opened(night.schedule, begin, end),
            first=one.deadline is not None,
        )
    return found


def _judged(night: Night, known: dict[str, float], names: list[str]) -> dict[str, float]:
    """The errors of past forecasts, with those of the last nights that are known by now."""
    found = dict(known)
    for one in names[-NIGHTS:]:
        if one not in found and (error := hindsight.error_of(night, one, names)) is not None:
            found[one] = error
    return {one: found[one] for one in sorted(found)[-errors.KEPT :]}


def _last(nights: dict[str, Measured]) -> dict[str, Measured]:
    return {one: nights[one] for one in sorted(nights)[-NIGHTS:]}
