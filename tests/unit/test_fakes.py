"""The fake engines that ship: the contract, and what goes wrong on purpose (crash and hang: see acceptance)."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import ner, ocr
from pipeline.settings import Settings
from pipeline.testing import FakeOcr
from tests.support.command import GREEN, MAGENTA
from tests.support.engines import NerEngineContract, OcrEngineContract

FAKES = Settings(ocr_engine="fake-ocr", ner_engine="fake-ner")


class TestFakeOcr(OcrEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return FAKES


class TestFakeNer(NerEngineContract):
    finds = 1

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return FAKES


def page(colour: tuple[int, int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((8, 8, 3), colour, np.uint8)


def test_the_colour_is_read_and_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(tmp_path / "log"))
    engine = ocr.load(FAKES)
    assert isinstance(engine, FakeOcr)
    assert [line.text for line in engine.read(page((1, 100, 200))).lines] == ["colour 0164c8"]
    engine.read(page((255, 255, 255)))
    assert (tmp_path / "log").read_text() == "0164c8\nffffff\n"


@pytest.mark.parametrize(("colour", "error"), [(GREEN, RuntimeError), (MAGENTA, MemoryError)])
def test_some_colours_raise(colour: tuple[int, int, int], error: type[Exception]) -> None:
    with pytest.raises(error):
        ocr.load(FAKES).read(page(colour))


def test_another_type_is_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ner.describe(FAKES)
    monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "SHADE")
    assert ner.describe(FAKES).digest != before.digest
    assert [mention.type for mention in ner.load(FAKES).extract(["colour 0164c8"])[0]] == ["SHADE"]
