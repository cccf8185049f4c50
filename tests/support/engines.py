"""What every engine must do: one contract for OCR and one for NER, subclassed by each engine's tests.

A subclass overrides the fixture `settings`, which names the engine; it is loaded once per class.
"""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline import ner, ocr
from pipeline.models import Mention, ModelInfo

Rgb = NDArray[np.uint8]
WHITE = np.full((300, 400, 3), 255, np.uint8)


def _check_identity(described: ModelInfo, loaded: ModelInfo, again: ModelInfo) -> None:
    assert described == loaded == again
    assert described.engine
    assert described.name
    assert re.fullmatch(r"[0-9a-f]{16,64}", described.digest)


def letter() -> Rgb:
    """A page, 700 high and 900 wide, with three lines of text."""
    image = Image.new("RGB", (900, 700), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(32)
    for number, text in enumerate(("Harbour Lane Bookshop", "Receipt number 20931", "Thank you")):
        draw.text((60, 60 + 160 * number), text, fill="black", font=font)
    return np.asarray(image)


class OcrEngineContract:
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Any:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, settings: Any) -> ocr.OcrEngine:
        return ocr.load(settings)

    def test_described_as_loaded_each_time(self, settings: Any, engine: ocr.OcrEngine) -> None:
        _check_identity(ocr.describe(settings), engine.info, ocr.load(settings).info)

    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_the_size_is_that_of_the_upright_page(self, engine: ocr.OcrEngine, quarters: int) -> None:
        image = np.ascontiguousarray(np.rot90(letter(), quarters))
        seen = engine.read(image)
        assert seen.rotation in (0, 90, 180, 270)
        height, width = image.shape[:2] if seen.rotation % 180 == 0 else image.shape[1::-1]
        assert (seen.height, seen.width) == (height, width)

    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_lines_have_text_and_confidence_and_lie_on_the_page(
        self, engine: ocr.OcrEngine, quarters: int
    ) -> None:
        seen = engine.read(np.ascontiguousarray(np.rot90(letter(), quarters)))
        assert seen.lines
        for line in seen.lines:
            assert line.text.strip()
            assert 0 <= line.confidence <= 1
            assert line.start == 0, "offsets are set later, by the layout"
            assert len(line.box) == 4
            assert all(0 <= x <= seen.width and 0 <= y <= seen.height for x, y in line.box)

    def test_the_same_page_again_gives_the_same(self, engine: ocr.OcrEngine) -> None:
        image = letter()
        before = image.copy()
        first = engine.read(image)
        engine.read(WHITE)
        assert engine.read(image) == first
        assert np.array_equal(image, before), "the caller's image must stay as it is"


class OcrModelContract(OcrEngineContract):
    """What an engine must also do that reads what is written on a page, as a fake does not."""

    def test_a_blank_page_has_no_lines(self, engine: ocr.OcrEngine) -> None:
        seen = engine.read(WHITE)
        assert (seen.lines, seen.rotation, seen.height, seen.width) == ((), 0, 300, 400)

    @pytest.mark.parametrize(
        "image",
        [WHITE[:, :, 0], WHITE[:, :, :2], WHITE.astype(np.float32), WHITE.astype(np.uint16), WHITE[:0]],
        ids=["grey", "two channels", "float", "16 bits", "empty"],
    )
    def test_anything_but_rgb_of_8_bits_is_refused(self, engine: ocr.OcrEngine, image: Any) -> None:
        with pytest.raises(ValueError, match="expected RGB"):
            engine.read(image)


TEXTS = (
    "",
    " \n\t\n",
    "colour 016464",
    "colour 01",
    "张伟住在广州。",
    "王小明昨天从北京飞到上海，在清华大学附属医院见了李华。",
    "Invoice 2026-11-22, total EUR 1,234.50, mail a@example.com, https://example.com/2026-11-22",
    "第一行\n住在广州的张伟\n\n電話 010-12345678 😀 e\u0301 ＡＢ\u200b",
    "张伟住在广州。2026年11月22日\n" * 60,
)
"""Empty, blank, what fakes find, Chinese, English, mixed with what tokenizers stumble over, and long."""


class NerEngineContract:
    finds = 2
    """How many of `TEXTS` must have a mention at least, so that the contract is about something."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Any:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, settings: Any) -> ner.NerEngine:
        return ner.load(settings)

    def test_described_as_loaded_each_time(self, settings: Any, engine: ner.NerEngine) -> None:
        _check_identity(ner.describe(settings), engine.info, ner.load(settings).info)

    def test_one_list_per_text_and_none_without_texts(self, engine: ner.NerEngine) -> None:
        found = engine.extract(TEXTS)
        assert len(found) == len(TEXTS)
        assert sum(bool(mentions) for mentions in found) >= self.finds
        assert engine.extract([]) == []

    def test_blank_texts_have_no_mentions(self, engine: ner.NerEngine) -> None:
        assert engine.extract(["", " \n\t\n", ""]) == [[], [], []]

    def test_mentions_lie_in_the_text_in_order_and_apart(self, engine: ner.NerEngine) -> None:
        for text, mentions in zip(TEXTS, engine.extract(TEXTS), strict=True):
            for mention in mentions:
                assert 0 <= mention.start < mention.end <= len(text)
                assert text[mention.start : mention.end].strip()
                assert mention.type
                assert 0 <= mention.confidence <= 1
            for one, next_one in pairwise(mentions):
                assert one.end <= next_one.start

    def test_mentions_name_the_engine_and_model(self, engine: ner.NerEngine) -> None:
        for mention in _all(engine.extract(TEXTS)):
            assert mention.engine
            assert mention.model
            assert re.fullmatch(r"[0-9a-f]{16,64}", mention.model_digest)

    def test_the_same_texts_again_give_the_same_alone_or_together(self, engine: ner.NerEngine) -> None:
        together = engine.extract(TEXTS)
        assert engine.extract(TEXTS) == together
        alone = [engine.extract([text])[0] for text in TEXTS]
        # sums of floats may differ in the last digit with the size of a batch
        assert [_spans(each) for each in alone] == [_spans(each) for each in together]
        for one, other in zip(_all(alone), _all(together), strict=True):
            assert one.confidence == pytest.approx(other.confidence, abs=0.001)


def _all(found: list[list[Mention]]) -> list[Mention]:
    return [mention for mentions in found for mention in mentions]


def _spans(mentions: list[Mention]) -> list[tuple[str, int, int, str | None]]:
    return [(m.type, m.start, m.end, m.value) for m in mentions]
