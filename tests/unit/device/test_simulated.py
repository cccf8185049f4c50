"""The simulated device that ships: its contract, its time, its memory, and what goes wrong on purpose."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest

from pipeline import ocr
from pipeline.device.simulated import VARIABLE, FakeModels, Simulation
from pipeline.errors import PermanentError, Poison
from pipeline.ocr.batched import DeviceLost, DeviceMemory
from pipeline.settings import Settings
from tests.support.devices import CYAN, FAKE, GREEN, MAGENTA, Place, colour_of, device_place, picture
from tests.support.engines import OcrEngineContract


class TestFakeDevice(OcrEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return FAKE


class TestFakeDeviceThatAsks(OcrEngineContract):
    """The same engine, which asks a device process."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return FAKE

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, settings: Settings) -> Iterator[ocr.OcrEngine]:
        with device_place() as place:
            place.start()
            yield ocr.asking(settings, place.client().ask)


def test_a_page_says_the_colour_that_the_device_saw() -> None:
    page = np.full((300, 200, 3), (1, 100, 200), np.uint8)
    assert [line.text for line in ocr.load(FAKE).read(page).lines] == ["colour 0164c8"]


def test_a_batch_takes_its_time() -> None:
    models = FakeModels(Simulation(batch=0.05, image=0.02))
    started = time.monotonic()
    models.run("detect", [picture()] * 3)
    assert time.monotonic() - started >= 0.11


def test_what_goes_wrong_on_purpose() -> None:
    models = FakeModels(Simulation(pixels=2 * 64 * 96, lost=5))
    with pytest.raises(DeviceMemory):
        models.run("detect", [picture()] * 3)
    assert len(models.run("detect", [picture()] * 2)) == 2
    for colour, error in ((GREEN, RuntimeError), (MAGENTA, DeviceMemory), (CYAN, DeviceLost)):
        with pytest.raises(error):
            models.run("detect", [picture(), picture(colour)])


def test_a_device_is_lost_with_a_batch() -> None:
    models = FakeModels(Simulation(lost=2))
    models.run("detect", [picture()])
    with pytest.raises(DeviceLost):
        models.run("detect", [picture()])


def test_seeded_failures_are_the_same_each_time() -> None:
    def failures() -> list[int]:
        models, found = FakeModels(Simulation(raises=0.3, seed=3)), []
        for number in range(50):
            try:
                models.run("detect", [picture()])
            except RuntimeError:
                found.append(number)
        return found

    assert failures() == failures()
    assert 5 < len(failures()) < 30


@pytest.mark.parametrize("description", ["most=many", "batch"])
def test_an_invalid_description(monkeypatch: pytest.MonkeyPatch, description: str) -> None:
    monkeypatch.setenv(VARIABLE, description)
    with pytest.raises((ValueError, msgspec.ValidationError)):
        Simulation.from_environment()


@pytest.mark.long
def test_each_image_is_answered_or_refused_however_often_the_device_dies(place: Place) -> None:
    """Processes that fail now and then: each of them dies sooner or later, and the next one is started."""
    seeds = iter(range(1, 1000))
    process = place.start("most=4 dies=0.05 raises=0.05 seed=1")
    client = place.client(lines=16)

    def ask(number: int) -> bool:
        colour = (number, 1, 2)
        try:
            return colour_of(client.ask("detect", [picture(colour)])[0]) == colour
        except (Poison, PermanentError):
            return False

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(ask, number) for number in range(200)]
        deaths = 0
        while not all(one.done() for one in asked):
            if process.poll() is not None:
                deaths += 1
                process = place.start(f"most=4 dies=0.05 raises=0.05 seed={next(seeds)}", wait=False)
            time.sleep(0.01)
    assert deaths
    assert sum(one.result() for one in asked) >= 170


@pytest.fixture
def place() -> Iterator[Place]:
    with device_place() as it:
        yield it
