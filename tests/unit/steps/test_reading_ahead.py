"""Pages of a document that are read ahead while a device computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.device.simulated import FakeModels, Simulation
from pipeline.documents.base import Document, PageInput
from pipeline.errors import DeviceUnavailable, PermanentError
from pipeline.models import Page
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from pipeline.settings import Settings
from pipeline.steps import engines as of_engines
from pipeline.steps import recognize
from pipeline.steps.budget import Budget
from pipeline.steps.engines import Engines
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore

SHA = "a" * 64
GATHERED = 3
FAILS = (7, 7, 7)


class Colours(Document):
    """Pages of one colour each; notes that two are never decoded at once."""

    media_type = "application/pdf"

    def __init__(self, *colours: tuple[int, int, int]) -> None:
        self.colours, self.page_count = colours, len(colours)
        self._decoding = threading.Lock()

    def page(self, number: int) -> PageInput:
        assert self._decoding.acquire(blocking=False), "two pages are decoded at once"
        try:
            self.decoding += 1.0
            return PageInput(number=number, width=64, height=64, image=self._drawn(number))
        finally:
            self._decoding.release()

    def render(self, number: int) -> NDArray[np.uint8]:
        return self._drawn(number)

    def _drawn(self, number: int) -> NDArray[np.uint8]:
        return np.full((64, 64, 3), self.colours[number - 1], np.uint8)

    def close(self) -> None:
        pass


class Device:
    """What asks a device: it answers the first images only once `GATHERED` of them wait."""

    def __init__(self, error: Exception | None = None) -> None:
        self.models, self.error = FakeModels(Simulation()), error
        self.waiting = self.most = 0
        self.asked: list[bool] = []
        self.until: list[float] = []
        self._changed = threading.Condition()

    waited = computed = 0.0

    def ask(
        self, kind: Kind, images: Sequence[Image], urgent: bool = False, wait_until: float = 0.0
    ) -> list[Answer]:
        with self._changed:
            self.asked.append(urgent)
            self.until.append(wait_until)
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= GATHERED, timeout=0.5)
            self.waiting -= 1
        if self.error and tuple(images[0][0, 0]) == FAILS:
            raise self.error
        return self.models.run(kind, images)


class Stored(MemoryStore):
    """A store that notes the order in which it was written."""

    def __init__(self) -> None:
        super().__init__("memory://ahead")
        self.order: list[int] = []

    def put(self, key: str, data: bytes) -> None:
        if key.startswith("ocr/"):
            self.order.append(keys.page_number(key))
        super().put(key, data)


def read(
    monkeypatch: pytest.MonkeyPatch,
    device: Device,
    store: Stored,
    document: Document,
    *,
    alone: bool = False,
    urgent: bool = False,
) -> tuple[Page, ...]:
    monkeypatch.setattr(of_engines, "_device", lambda: device)
    engines = Engines(Settings(ocr_engine="fake-device", ner_engine="fake-ner", devices="cpu"))
    engines.urgent = urgent
    numbers = range(1, document.page_count + 1)
    return recognize.recognize(document, SHA, numbers, store=store, engines=engines, alone=alone)


def colours(count: int, *, fails: int = 0) -> Colours:
    return Colours(*(FAILS if n == fails else (n, 100, 100) for n in range(1, count + 1)))


def test_several_pages_wait_for_the_device_and_are_stored_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    device, store = Device(), Stored()
    pages = read(monkeypatch, device, store, colours(12))
    assert [int(page.text[7:9], 16) for page in pages] == list(range(1, 13))
    assert store.order == list(range(1, 13))
    assert GATHERED <= device.most <= recognize.AHEAD


def test_after_a_death_one_page_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    device, store = Device(), Stored()
    read(monkeypatch, device, store, colours(3), alone=True)
    assert device.most == 1


def test_a_page_waits_for_a_device_that_loads_no_longer_than_it_or_its_message_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, limit = 1000.0, Settings().time_limit
    engines = Engines(Settings(ocr_engine="fake-device", ner_engine="fake-ner", devices="cpu"))
    with monkeypatch.context() as patch:
        patch.setattr("time.monotonic", lambda: now)
        budget = Budget(colours(12), SHA, 12, store=Stored(), engines=engines)
        assert budget.wait_until() == 1000 + 0.75 * limit, "one page"
        now = 1000 + limit
        assert budget.wait_until() == 1000 + 1.5 * limit, "the two groups of the message"
    device, began = Device(), time.monotonic()
    read(monkeypatch, device, Stored(), colours(3))
    ended = time.monotonic()
    assert len(device.until) == 3
    assert all(began + 0.75 * limit <= until <= ended + 0.75 * limit for until in device.until)


def test_a_page_that_fails_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    device, store = Device(PermanentError("It needs too much.", code="out_of_memory")), Stored()
    pages = read(monkeypatch, device, store, colours(6, fails=3))
    assert [page.error and page.error.code for page in pages] == [
        None,
        None,
        "out_of_memory",
        None,
        None,
        None,
    ]


def test_a_device_that_is_gone_stores_what_was_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    device, store = Device(DeviceUnavailable("It was ended.")), Stored()
    with pytest.raises(DeviceUnavailable):
        read(monkeypatch, device, store, colours(9, fails=4))
    assert store.order == [1, 2, 3]
    device.error = None
    pages = read(monkeypatch, device, store, colours(9, fails=4))
    assert store.order == list(range(1, 10)), "no page is read again that was stored"
    assert pages[3].error is None


def test_urgent_documents_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device()
    read(monkeypatch, device, Stored(), colours(3), urgent=True)
    assert device.asked == [True] * 3
