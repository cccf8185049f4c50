"""Whether an int8 recogniser is kept, and a real one of a few lines."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.errors import RunError, UsageError
from pipeline.ocr import identity, int8, weights
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import LINE_HEIGHT, text_of
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.tuning import (
    CARD,
    Cutter,
    Page,
    character_f1,
    decide,
    interleaved,
    refuse_existing,
    split,
    tune,
)


def line(text: str = "") -> Image:
    picture = np.full((LINE_HEIGHT, 32 + 22 * len(text), 3), 255, np.uint8)
    cv2.putText(picture, text, (12, 36), cv2.FONT_HERSHEY_DUPLEX, 1.1, (0, 0, 0), 2)
    return picture


def settings(**changes: Any) -> Any:
    defaults = {"ocr_engine": "rapidocr", "ocr_device": "cpu", "ocr_model_dir": None, "ocr_max_side": 960}
    return SimpleNamespace(**{**defaults, "ocr_threads": 1, "ocr_download": False, **changes})


@pytest.mark.parametrize(
    ("loss", "speed", "kept", "said"),
    [
        (0.0, 1.5, True, "1.50 times as fast and loses 0.0000"),
        (-0.002, 1.1, True, "loses 0.0000"),
        (0.00099, 1.2, True, "loses 0.0010"),
        (0.001, 9.0, False, "loses 0.0010 of character F1, 0.001 or more"),
        (0.0, 1.09, False, "1.09 times as fast, less than 1.1"),
    ],
)
def test_kept_if_it_reads_as_well_and_is_faster(loss: float, speed: float, kept: bool, said: str) -> None:
    decision, reason = decide(loss, speed)
    assert decision is kept
    assert said in reason


def test_spaces_between_words_are_characters() -> None:
    assert character_f1([["Total  due"]], [["TOTAL DUE"]]) == 1
    assert character_f1([["totaldue"]], [["total due"]]) == pytest.approx(16 / 17)
    assert character_f1([["a"], ["b"]], [["b"], ["a"]]) == 0, "each page is a bag of its own"
    assert character_f1([[]], [[]]) == 1


def test_every_third_page_is_held_out_and_lines_are_spread() -> None:
    pages = [Page([np.full((48, 1 + n, 3), n, np.uint8)] * 60) for n in range(6)]
    lines, held_out = split(pages, 60)
    assert held_out == [pages[2], pages[5]]
    assert sorted({int(one[0, 0, 0]) for one in lines}) == [0, 1, 3, 4]
    assert len(lines) == 60


@pytest.mark.parametrize("pages", [[], [Page([line()] * 99)], [Page([line()] * 25)] * 3])
def test_too_few_lines_is_said_in_a_sentence(pages: list[Page]) -> None:
    with pytest.raises(UsageError, match=r"Too few lines: .* give more pages"):
        split(pages, 300)


def test_both_models_read_each_line_and_doubtful_ones_do_not_count() -> None:
    calls = list[str]()

    def reader(name: str, confidence: float) -> Any:
        def read(_: Image) -> tuple[str, float]:
            calls.append(name)
            return name, confidence

        return read

    pages = [Page([line()] * 2), Page([line()])]
    texts, seconds = interleaved(pages, (reader("a", 0.9), reader("b", 0.4)))
    assert texts == ([["a", "a"], ["a"]], [[], []])
    assert min(seconds) >= 0
    assert calls == list("bbaa" + "aabb" + "bbaa"), "a warm-up before each, and each one first in turn"


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("flags\t\t: fpu sse4_2 avx2", False),
        ("flags\t\t: fpu avx2 avx512_vnni", True),
        ("Features\t: fp asimd asimddp", True),
        ("nothing of the kind", True),
    ],
)
def test_instructions_for_int8_are_looked_for(tmp_path: Path, text: str, supported: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{text}\n")
    assert int8.is_supported(tmp_path / "cpuinfo") is supported
    assert int8.is_supported(tmp_path / "none")


def test_what_can_not_be_tuned_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="Only the engine rapidocr on the CPU"):
        Cutter(settings(ocr_engine="paddleocr"))
    monkeypatch.setattr(int8, "is_supported", lambda: False)
    with pytest.raises(UsageError, match="no instructions for int8"):
        Cutter(settings())


def test_only_a_tuned_model_is_replaced(tmp_path: Path) -> None:
    refuse_existing(tmp_path / "new", force=False)
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        refuse_existing(tmp_path, force=False)
    with pytest.raises(UsageError, match="not a tuned model"):
        refuse_existing(tmp_path, force=True)
    (tmp_path / CARD).write_text("{}")
    refuse_existing(tmp_path, force=True)


def test_a_model_without_such_layers_stays_as_it_is(tmp_path: Path) -> None:
    direction = weights.wheel_file(weights.DIRECTION)
    with pytest.raises(RunError, match="no layers that are worth quantising"):
        int8.quantise(direction, [line("a")], tmp_path / "out.onnx", {})


class Float:
    """What `tune` needs of a `Cutter`, with the real models and without pages."""

    def __init__(self) -> None:
        self.settings = settings()
        self.files = weights.onnx_files(None)
        self.models = OpenVinoModels(
            identity.of_rapid(self.settings), {"recognize": self.files.recognition}, threads=1
        )


def test_a_tuned_model_reads_and_is_named_in_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ocr.tuning.LEAST_LINES", 2)
    monkeypatch.setattr(
        "pipeline.ocr.tuning.decide", lambda loss, speed: (loss < 0.5 and speed > 0, "a test")
    )
    lines = [line(text) for text in ("TOTAL 118.40", "INVOICE 2024")]
    target, cutter = tmp_path / "tuned", Float()
    (target / "rec").mkdir(parents=True)
    (target / CARD).write_text("{}")
    tuned = tune(cutter, [Page(lines)] * 3, 300, target, force=True)  # type: ignore[arg-type]
    assert tuned.kept
    assert (tuned.against, tuned.calibrated_on, tuned.compared_on) == ("float", 4, 2)
    assert tuned.int8_model.size < 0.75 * tuned.float_model.size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tuned"], "nothing else is left"

    here = settings(ocr_model_dir=str(target))
    info = identity.of_rapid(here)
    assert info.name == tuned.int8_model.name == "PP-OCRv6_small-int8-4-lines"
    assert info.digest != identity.of_rapid(settings()).digest
    models = OpenVinoModels(info, weights.onnx_models(str(target)), threads=1)
    characters = weights.characters(weights.onnx_files(str(target)).recognition)
    answers = models.run("recognize", lines)
    assert [text_of(answer, characters)[0] for answer in answers] == ["TOTAL 118.40", "INVOICE 2024"]


def test_a_model_that_is_not_kept_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ocr.tuning.LEAST_LINES", 1)
    monkeypatch.setattr(
        int8, "quantise", lambda model, _lines, target, _names: target.write_bytes(model.read_bytes())
    )
    target = tmp_path / "tuned"
    target.mkdir()
    (target / CARD).write_text("old")
    monkeypatch.setattr("pipeline.ocr.tuning.decide", lambda _loss, _speed: (False, "slow"))
    tuned = tune(Float(), [Page([line("A")], ("A",))] * 3, 9, target, force=True)  # type: ignore[arg-type]
    assert (tuned.kept, tuned.reason, tuned.against) == (False, "slow", "labels")
    assert (target / CARD).read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tuned"]
