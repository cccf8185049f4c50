"""The setting that names engines, and the combination of several."""

from collections.abc import Sequence

import pytest

from pipeline import ner
from pipeline.errors import UsageError
from pipeline.models import Mention, ModelInfo
from pipeline.ner.joined import JoinedEngine
from pipeline.ner.specs import Spec, parse
from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("lac", [Spec("lac")]),
        (" lac , crf = /models/a b ", [Spec("lac"), Spec("crf", "/models/a b")]),
        ("crf=/a,crf=/b", [Spec("crf", "/a"), Spec("crf", "/b")]),
        ("crf=/a=b", [Spec("crf", "/a=b")]),
    ],
)
def test_specs_are_names_and_folders(text: str, specs: list[Spec]) -> None:
    assert parse(text) == specs


@pytest.mark.parametrize("text", ["", "lac,", "=/models", "crf=", "lac,lac"])
def test_an_invalid_list_of_engines_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a list of NER engines|is named twice"):
        parse(text)


def test_an_engine_sees_only_itself_and_its_folder() -> None:
    settings = Settings(ner_engine="lac,crf=/a,own", ner_model_dir="/b", ner_threads=3)
    seen = [spec.narrow(settings) for spec in parse(settings.ner_engine)]
    assert [(s.ner_engine, s.ner_model_dir, s.ner_threads) for s in seen] == [
        ("lac", "/b", 3),
        ("crf", "/a", 3),
        ("own", "/b", 3),
    ]
    assert Spec("lac").narrow(Settings()) == Settings()


@pytest.mark.parametrize(
    ("engines", "name"),
    [("patterns,fake-ner", "patterns+fake"), ("lac,fake-ner", "lac-small+patterns+fake")],
)
def test_several_are_described_as_they_are_loaded(engines: str, name: str) -> None:
    settings = Settings(ner_engine=engines)
    info = ner.describe(settings)
    assert info == ner.load(settings).info
    assert info.engine == engines.replace(",", "+")
    assert info.name == name
    assert info.digest not in {ner.describe(Settings(ner_engine=e)).digest for e in engines.split(",")}


def test_each_mention_names_its_model() -> None:
    settings = Settings(ner_engine="patterns,fake-ner")
    (found,) = ner.load(settings).extract(["colour ff0000 2023-05-01"])
    assert [(m.type, m.model, m.model_digest) for m in found] == [
        ("COLOUR", "fake", ner.describe(Settings(ner_engine="fake-ner")).digest),
        ("DATE", "patterns", ner.describe(Settings(ner_engine="patterns")).digest),
    ]


def test_a_mention_that_names_its_model_keeps_it() -> None:
    class Signing:
        info = ModelInfo(engine="e", name="outer", digest="d")

        def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
            return [[Mention(type="X", start=0, end=1, confidence=1.0, model="inner", model_digest="i")]]

    engine = JoinedEngine([Signing()], Signing.info)
    assert [(m.model, m.model_digest) for m in engine.extract(["x"])[0]] == [("inner", "i")]
