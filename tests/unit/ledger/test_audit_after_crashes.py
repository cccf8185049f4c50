"""A process dies before or after each call to the store; whatever was repeated, the audit finds nothing wrong."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.night import failures
from pipeline.night.dispatch import resume_all
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import Died, drain, flow_of, submission

EVERY = 30
"""Of all points only each fifteenth, before and after calls by turns: all of them take two minutes."""


class Mortal(MemoryStore):
    """Dies at the n-th writing call: half of the time before, and half of the time after it has had its effect."""

    def __init__(self) -> None:
        super().__init__("mortal")
        self.calls, self.dies_at = 0, -1

    def _do(self, call: Any, *args: Any) -> None:
        self.calls += 1
        if self.calls * 2 == self.dies_at:
            raise Died
        call(*args)
        if self.calls * 2 + 1 == self.dies_at:
            raise Died

    def put(self, key: str, data: bytes) -> None:
        self._do(super().put, key, data)

    def delete(self, key: str) -> None:
        self._do(super().delete, key)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    page(tmp_path / "a.png", grey(1))
    pages(tmp_path / "p.pdf", [grey(2), GREEN])
    page(tmp_path / "bad.png", GREEN)
    return tmp_path


def a_night(flow: Flow, inbox: Path) -> None:
    """Three documents, as a done, a partial and a failed one; the tables; then all that can be redriven is."""
    for name in ("a.png", "p.pdf", "bad.png"):
        drain(flow, flow.reception.accept(submission(inbox / name, name)))
    drain(flow, resume_all(flow.night))
    summarise(flow.store, flow.schedule.run_date())
    for record in list(failures.find(flow.store)):
        drain(flow, [Message.of("ingest", failures.redrive(flow.store, record, {}))])


def test_the_audit_passes_after_a_death_at_any_call(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_env(
        {},
        store_url="memory://mortal",
        window="always",
        allowed_sources=inbox.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )

    def started(store: Mortal) -> Flow:
        monkeypatch.setattr("pipeline.night.night.open_store", lambda *_: store)
        return flow_of(settings)

    unharmed = Mortal()
    a_night(started(unharmed), inbox)
    points = range(2, unharmed.calls * 2 + 2, EVERY)
    deaths = 0
    for point in points:
        store = Mortal()
        store.dies_at = point
        day = ""
        for _ in range(3):
            flow = started(store)
            day = flow.schedule.run_date()
            try:
                a_night(flow, inbox)
                break
            except Died:
                deaths += 1
                assert {gap.kind for gap in audit(store, day).gaps} <= {"missing"}, point
        report = audit(store, day)
        assert (report.gaps, report.received) == ((), 3), point
        summarise(store, day)
        assert audit(store, day).gaps == (), point
        assert not list(store.list(keys.PENDING)), point
    assert deaths == len(points)
