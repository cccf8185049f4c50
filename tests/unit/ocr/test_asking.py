"""Engines without models: what is asked, and what becomes of the answers."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline import ocr
from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ocr.asking_engine import AskingEngine, Recipe
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from tests.support.entry_points import register

INFO = ModelInfo(engine="theirs", name="theirs", digest="ab" * 8)


def settings(**changes: object) -> Any:
    return SimpleNamespace(**{"ocr_engine": "theirs", "ocr_max_side": 960, "ocr_threads": 1, **changes})


class Models:
    """Dark pixels are text, every line says "ok", and none is upside down."""

    def __init__(self) -> None:
        self.asked = list[tuple[Kind, list[tuple[int, ...]]]]()

    def __call__(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        self.asked.append((kind, [image.shape for image in images]))
        assert all(image.dtype == np.uint8 for image in images)
        if kind == "detect":
            return [((image.mean(axis=2) < 128).astype(np.float32),) for image in images]
        if kind == "direction":
            return [(np.array([0.9, 0.1], np.float32),) for _ in images]
        return [(np.array([1, 0, 2], np.int32), np.full(3, 0.9, np.float32)) for _ in images]


def test_one_request_a_page_for_all_lines_and_images_scaled_before() -> None:
    models = Models()
    engine = AskingEngine(settings(), INFO, Recipe(("o", "k")), models)
    page = np.full((1920, 1000, 3), 255, np.uint8)
    page[200:240, 600:680] = page[400:440, 100:180] = 0
    seen = engine.read(page)
    assert [line.text for line in seen.lines] == ["ok", "ok"]
    assert [line.confidence for line in seen.lines] == pytest.approx([0.9, 0.9])
    for line, (left, top, right, bottom) in zip(
        seen.lines, ((600, 200, 680, 240), (100, 400, 180, 440)), strict=True
    ):
        assert np.array(line.box)[[0, 2]].ravel() == pytest.approx((left, top, right, bottom), abs=40)
    (detect, pages), (direction, heads), (recognize, lines) = models.asked
    assert (detect, pages) == ("detect", [(960, 512, 3)])
    assert direction == "direction"
    assert all(height == 48 and width <= 192 for height, width, _ in heads)
    assert recognize == "recognize"
    assert [height for height, _, _ in lines] == [48, 48]


def test_nothing_is_asked_about_lines_that_are_not_there() -> None:
    models = Models()
    engine = AskingEngine(settings(), INFO, Recipe(("o", "k")), models)
    assert engine.read(np.full((300, 400, 3), 255, np.uint8)).lines == ()
    assert [kind for kind, _ in models.asked] == ["detect"]


class Theirs:
    @staticmethod
    def models(_: object, device: str) -> str:
        return f"models on {device}"

    @staticmethod
    def asking(_: object, ask: object) -> tuple[str, object]:
        return "asking", ask


def test_a_registered_engine_gives_its_models_and_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, ocr.ENTRY_POINTS, "theirs", f"{__name__}:Theirs")
    models = Models()
    assert ocr.load_models(settings(), "gpu:1") == "models on gpu:1"  # type: ignore[comparison-overlap]
    assert ocr.asking(settings(), models) == ("asking", models)  # type: ignore[comparison-overlap]


def test_an_engine_that_cannot_share_its_models_says_what_to_do() -> None:
    for make in (
        lambda: ocr.load_models(settings(ocr_engine="fake-ocr"), "cpu"),
        lambda: ocr.asking(settings(ocr_engine="fake-ocr"), Models()),
    ):
        with pytest.raises(UsageError, match=r"'fake-ocr'.*NIGHTSHIFT_DEVICES"):
            make()
