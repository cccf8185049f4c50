"""The seconds for which a GPU computed a document, whichever process holds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import ocr
from pipeline.documents.base import Document, PageInput
from pipeline.models import Task
from pipeline.settings import Settings
from pipeline.steps import conclude
from pipeline.steps import engines as of_engines
from pipeline.steps.engines import Engines
from pipeline.steps.pages import read_page
from pipeline.testing import FakeOcr

SIZE = 64
PAUSE = 0.02


class Scan(Document):
    media_type = "image/png"
    page_count = 1

    def page(self, number: int) -> PageInput:
        return PageInput(number=number, width=SIZE, height=SIZE, image=self.render(number))

    def render(self, number: int) -> NDArray[np.uint8]:
        return np.full((SIZE, SIZE, 3), 40, np.uint8)

    def close(self) -> None:
        pass


def settings(**values: Any) -> Settings:
    return Settings(ocr_engine="fake-ocr", ner_engine="fake-ner", **values)


def gpu_seconds(engines: Engines) -> tuple[float, float]:
    """Of a page, and of a document of two such pages."""
    page = read_page(Scan(), 1, engines)
    assert page.seconds >= page.gpu_seconds
    task = Task(task_id="a", sha256="ab" * 32, source="a.png")
    of_document = conclude.result_of(
        task, (page, page), None, media_type="image/png", run_date="2026-11-22", engines=engines
    )
    return page.gpu_seconds, of_document.seconds.get("gpu", 0.0)


@pytest.mark.parametrize(("device", "on_gpu"), [("cpu", False), ("gpu", True), ("gpu:1", True)])
def test_of_models_in_this_process(device: str, on_gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_FAKE_SECONDS", str(PAUSE))
    of_page, of_document = gpu_seconds(Engines(settings(ocr_device=device)))
    assert (of_page >= PAUSE) == on_gpu
    assert of_document == pytest.approx(2 * of_page)


@pytest.mark.parametrize(("devices", "expected"), [("cpu", 0.0), ("gpu:0", 0.25), ("gpu:0,gpu:1", 0.25)])
def test_of_a_device_process(devices: str, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Device:
        waited, computed = 0.0, 3.0

    device = Device()

    class Asking(FakeOcr):
        def read(self, image: NDArray[np.uint8]) -> Any:
            device.computed += 0.25
            device.waited -= 0.25  # so the page took that long
            return super().read(image)

    monkeypatch.setattr(of_engines, "_device", lambda: device)
    monkeypatch.setattr(ocr, "asking", lambda settings, _: Asking(settings))
    assert gpu_seconds(Engines(settings(devices=devices))) == (expected, 2 * expected)
