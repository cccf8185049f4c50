"""Choosing, describing and checking engines; none of it imports Paddle."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import ner
from pipeline.errors import ModelMissing, UsageError
from pipeline.models import Mention, Page, TextLine
from pipeline.ner.joined import JoinedEngine
from pipeline.ner.lac_model import locate
from pipeline.steps.entities import entities_of
from tests.support.entry_points import register


@dataclass(frozen=True)
class Chosen:
    ner_engine: str = "lac"
    ner_device: str = "cpu"
    ner_model_dir: str | None = None
    ner_threads: int = 1
    ner_download: bool = False
    ner_task: str = ""
    ner_schema: str = ""
    ner_model_name: str = ""


@pytest.mark.parametrize("engine", ["lac", "patterns", "fake-ner"])
def test_a_model_is_described_as_it_is_loaded(engine: str) -> None:
    settings = Chosen(ner_engine=engine)
    assert ner.describe(settings) == ner.load(settings).info


def test_engines_have_different_digests() -> None:
    assert ner.describe(Chosen()).digest != ner.describe(Chosen(ner_engine="patterns")).digest


def test_other_weights_give_another_digest(tmp_path: Path) -> None:
    folder = tmp_path / "lac"
    shutil.copytree(locate(None), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    settings = Chosen(ner_model_dir=str(folder))
    assert ner.describe(settings).digest == ner.describe(Chosen()).digest
    weights = folder / "model_baseline" / "fc_4.b_0"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert ner.describe(settings).digest != ner.describe(Chosen()).digest


@pytest.mark.parametrize(
    "settings", [Chosen(ner_engine="nobody"), Chosen(ner_device="tpu"), Chosen(ner_device="gpu:x")]
)
def test_an_invalid_choice_is_refused(settings: Chosen) -> None:
    with pytest.raises(UsageError):
        ner.load(settings)


def test_an_unknown_engine_is_refused_with_the_known_ones_but_no_fakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(monkeypatch, ner.ENTRY_POINTS, "theirs", "their_package:Engine")
    with pytest.raises(UsageError, match=r"'nobody': choose one of lac, patterns, crf, taskflow, theirs\.$"):
        ner.describe(Chosen(ner_engine="nobody"))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=rf"word\.dic not found in the LAC model folder {tmp_path}"):
        ner.load(Chosen(ner_model_dir=str(tmp_path)))


def test_a_broken_dictionary_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "lac"
    shutil.copytree(locate(None), folder)
    (folder / "word.dic").write_text("a\tb\n")
    with pytest.raises(ModelMissing, match=r"word\.dic is not a LAC dictionary"):
        ner.load(Chosen(ner_model_dir=str(folder)))


def test_text_without_chinese_imports_neither_paddle_nor_jieba() -> None:
    code = """
import sys
from pipeline import ner
from pipeline.settings import Settings
engine = ner.load(Settings(ner_engine="lac"))
found = engine.extract(["Total 12.00\\nACME SDN BHD 31/12/2023", "", "\\u4eba"])
assert [m.type for m in found[0]][-1] == "DATE" and not found[2], found
assert not {"paddle", "jieba"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_joined_engines_give_one_list_without_overlaps() -> None:
    class Fixed:
        info = ner.describe(Chosen(ner_engine="patterns"))

        def __init__(self, *mentions: Mention) -> None:
            self.mentions = list(mentions)

        def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
            return [self.mentions, []]

    date = Mention(type="DATE", start=0, end=10, confidence=0.9, value="2023-05-01")
    loose = Mention(type="TIME", start=0, end=12, confidence=0.9)
    place = Mention(type="LOC", start=20, end=22, confidence=0.9)
    engine = JoinedEngine([Fixed(place, loose), Fixed(date)], Fixed.info)
    found = engine.extract(["…", "…"])
    assert [[(m.type, m.start) for m in each] for each in found] == [[("DATE", 0), ("LOC", 20)], []]


def test_an_entity_has_page_text_and_a_box_per_line() -> None:
    def line(text: str, top: float, start: int) -> TextLine:
        box = ((0.0, top), (40.0, top), (40.0, top + 10), (0.0, top + 10))
        return TextLine(text=text, box=box, confidence=0.9, start=start)

    page = Page(
        number=3, width=100, height=100, text="甲乙\n丙丁", lines=(line("甲乙", 0, 0), line("丙丁", 20, 3))
    )
    mention = Mention(type="LOC", start=1, end=5, confidence=0.7, value="v", currency="CNY", engine="lac")
    (entity,) = entities_of(page, [mention])
    assert (entity.page, entity.text, entity.start, entity.end) == (3, "乙\n丙丁", 1, 5)
    assert (entity.type, entity.value, entity.currency) == ("LOC", "v", "CNY")
    assert (entity.confidence, entity.engine) == (0.7, "lac")
    assert entity.boxes == (((20.0, 0.0), (40.0, 0.0), (40.0, 10.0), (20.0, 10.0)), page.lines[1].box)
