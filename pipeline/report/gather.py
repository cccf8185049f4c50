"""Gather the facts of one night: from its tables, the samples of it, the audit, and what the store says is open.

The records are read only of the few documents of which pictures are made. What is not known, as of nights of older
versions or with tables that can't be read, is left empty and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from pipeline.errors import Damaged
from pipeline.forecast.model import Forecast
from pipeline.ledger import actions, timeline
from pipeline.ledger import audit as ledger_audit
from pipeline.ledger.audit import Audit
from pipeline.models import REVIEW
from pipeline.night import brake, dead
from pipeline.night.night import Night
from pipeline.night.outlook import outlook
from pipeline.report import columns, conditions, cost, course, figures, groups, history, looks, todo
from pipeline.report.facts import AuditLine, Confidence, Nightly, Report, Todo
from pipeline.report.figures import Figures
from pipeline.report.pictures import Pictures
from pipeline.report.verdict import Known, verdict
from pipeline.storage import keys

SMALL = 50
"""Documents of a night of which each is listed."""

_COLUMNS = tuple(
    dict.fromkeys((*figures.DOCUMENTS, *todo.FAILURES, *todo.MODELS, *looks.DOCUMENTS, *conditions.COLUMNS))
)


def gather(
    night: Night,
    run_date: str,
    now: datetime,
    *,
    audit: Audit | None = None,
    letters: Sequence[dead.Group] = (),
) -> Report:
    """The report of one night at the moment `now`.

    `audit`: that of the night, if it was made just now, else it is made here, from receipts, the names of records and
    the night's tables. `letters`: dead letters that a person must look at. Raises what the store raises.
    """
    audit = audit or ledger_audit.audit(night.store, run_date, by_tables=True)
    return _Gathering(night, run_date, now, audit).report(letters)


class _Gathering:
    """What is known of a night while its report is made."""

    def __init__(self, night: Night, run_date: str, now: datetime, audit: Audit) -> None:
        self.night, self.store, self.run_date = night, night.store, run_date
        self.now, self.audit = now.astimezone(UTC), audit
        self.mask = night.settings.mask
        self.samples = timeline.samples(self.store, run_date)
        self.outages = course.outages(self.samples)
        self.bounds = course.opened(course.bounds(night.schedule.window, run_date), self.samples)
        self.brakes = tuple(brake.notes(self.store))
        self.table: Any | None = None
        self.tables, self.candidates = Figures(), looks.Candidates()
        self.problems: list[Todo] = []
        self._read_tables()

    def _read_tables(self) -> None:
        try:
            self.table = columns.documents(self.store, self.run_date, _COLUMNS)
            if self.table is not None:
                self.tables = figures.of_documents(self.table)
                figures.add_fields(self.tables, self._field_groups())
        except Damaged as error:
            self.problems.append(todo.unreadable(error, self.run_date))

    def _field_groups(self) -> Iterator[Any]:
        names = tuple(dict.fromkeys((*figures.FIELDS, *looks.FIELDS)))
        for group in columns.fields(self.store, self.run_date, names):
            self.candidates.add(group)
            yield group

    def report(self, letters: Sequence[dead.Group]) -> Report:
        """Put it all together."""
        before = history.nights(self.store, self.run_date)
        small = 0 < self.tables.documents <= SMALL
        pictures = Pictures(self.store, self.night.settings.limits, self.mask)
        released = conditions.released(self.store, self.run_date)
        known = self._known()
        table = self.table
        return Report(
            run_date=self.run_date,
            made=self.now,
            timezone=self.night.settings.timezone,
            store=self.store.url,
            verdict=verdict(known),
            numbers=self._numbers(before),
            audit=self._audit_line(),
            todo=tuple(self._todo(letters)),
            opened=self.bounds.opened,
            closed=None if known.open else self.bounds.closed,
            samples=tuple(self.samples),
            outages=self.outages,
            steps=tuple(groups.step_times(table)) if table is not None else (),
            device_share=course.device_share(self.samples),
            released=released,
            kinds=history.shares(self.tables.kinds, [one.kinds for one in before]),
            tenants=history.shares(self.tables.tenants, [one.tenants for one in before]),
            media=history.shares(self.tables.media, [one.media for one in before]),
            confidence=self._confidence(before),
            looks=looks.looks(self.store, self.run_date, self.candidates, self.mask, pictures),
            documents=looks.documents(
                self.store, self.run_date, table.select(looks.DOCUMENTS), self.mask, pictures
            )
            if small and table is not None
            else (),
            groups=tuple(groups.groups(table)) if table is not None and not small else (),
            cost=cost.cost(self.tables, self.samples, self.night.settings.device_price),
            conditions=conditions.conditions(self.night, table, released),
            masked=self.mask,
            due=self.tables.due,
            late=self.tables.late,
        )

    def _forecast(self) -> Forecast | None:
        """The forecast of this moment; a damaged note costs no report."""
        with suppress(Damaged):
            return outlook(self.night, self.now)
        return None

    def _known(self) -> Known:
        schedule, audit = self.night.schedule, self.audit
        current = schedule.run_date() == self.run_date
        is_open = current and schedule.window.contains(self.now, schedule.override())
        idle = bool(audit.pending) and not audit.done + audit.partial + audit.failed
        return Known(
            run_date=self.run_date,
            now=self.now,
            zone=schedule.window.zone,
            open=is_open,
            bounds=self.bounds,
            audit=audit,
            tables=self.tables,
            samples=self.samples,
            outages=self.outages,
            brakes=self.brakes,
            forecast=self._forecast() if audit.pending else None,
            delayed=[keys.delayed_until(key) for key in self.store.list(keys.DELAYED)] if idle else (),
            closed_by=self._closed_by() if idle else None,
            never=schedule.window.spec == "never",
        )

    def _closed_by(self) -> tuple[str, datetime] | None:
        """Who closed the window of this night by hand last, and when."""
        begin, end = self.bounds
        if begin is None:
            return None
        found = None
        for entry in actions.entries(self.store, since=f"{begin - timedelta(days=1):%Y-%m-%d}"):
            it = entry.action
            at = datetime.fromisoformat(it.at) if it else self.now
            if it and it.action.startswith("window.") and at <= (end or self.now):
                found = (it.actor, at) if it.action == "window.close" else None
        return found

    def _numbers(self, before: Sequence[history.Before]) -> tuple[Nightly, ...]:
        values = {
            "received": self.audit.received,
            "done": self.audit.done,
            "unwell": self.audit.partial + self.audit.failed,
            "left": self.audit.pending,
            "review": self.tables.review,
        }
        return tuple(
            Nightly(name=name, value=value, before=tuple(one.numbers.get(name) for one in before))  # type: ignore[arg-type]
            for name, value in values.items()
        )

    def _audit_line(self) -> AuditLine:
        it = self.audit
        kinds: dict[str, int] = {}
        for gap in it.gaps:
            kinds[gap.kind] = kinds.get(gap.kind, 0) + 1
        return AuditLine(
            received=it.received,
            done=it.done,
            partial=it.partial,
            failed=it.failed,
            pending=it.pending,
            forgotten=it.forgotten,
            discrepancies=kinds,
            unread=it.unread,
        )

    def _todo(self, letters: Sequence[dead.Group]) -> Iterator[Todo]:
        yield from todo.brakes([note for note in self.brakes if note.in_force(self.now)], self.mask)
        yield from todo.discrepancies(self.audit, self.mask)
        yield from self.problems
        if self.table is not None:
            yield from todo.failures(self.store, self.table.select(todo.FAILURES), self.run_date, self.mask)
        elif unwell := self.audit.partial + self.audit.failed:
            yield todo.not_in_tables(unwell, self.run_date)
        yield from chain(todo.of_store(self.night, self.run_date), todo.letters(letters, self.mask))
        yield from todo.workers(self.samples)
        if self.table is not None:
            yield from todo.stale_models(self.table.select(todo.MODELS), self.run_date, self.night)

    def _confidence(self, before: Sequence[history.Before]) -> Confidence:
        known = [one.confidence for one in before if one.confidence]
        together = tuple(map(sum, zip(*known, strict=True))) if known else (0,) * figures.BINS
        return Confidence(
            tonight=self.tables.confidence,
            before=together,
            threshold=REVIEW,
            drift=figures.drift(self.tables.confidence, together),
        )
