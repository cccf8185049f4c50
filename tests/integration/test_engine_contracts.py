"""Every engine with a model keeps the contract of its room (patterns and fakes: see tests/unit)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ner.taskflow.export import export_lac
from pipeline.ner.training import save
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.train import train
from pipeline.settings import Settings
from tests.support import taskflow_models as tiny
from tests.support.engines import NerEngineContract, OcrModelContract
from tests.support.labelled import orders, write_bio

# third-party imports (paddle, paddlex) warn about themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


class TestRapidOcr(OcrModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(ocr_engine="rapidocr")


class TestPaddleOcr(OcrModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(ocr_engine="paddleocr")


class TestLac(NerEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(ner_engine="lac")


class TestCrf(NerEngineContract):
    finds = 1

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, tmp_path_factory: pytest.TempPathFactory) -> Settings:
        folder = tmp_path_factory.mktemp("models") / "small"
        recipe = Recipe(embedding="none", hidden=24, epochs=8, rate=0.01, seed=3)
        sentences = orders(120)
        trained = train(sentences, recipe)
        labels = write_bio(folder.with_suffix(".txt"), sentences)
        save.save(
            trained, save.card_of("small", labels, sentences, trained, recipe), recipe, folder, force=False
        )
        return Settings(ner_engine=f"crf={folder}")


class TestTaskflow(NerEngineContract):
    @pytest.fixture(scope="class", params=["classifier", "uie", "wordtag", "lac"])
    @classmethod
    def settings(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
        place: Path = tmp_path_factory.mktemp("models") / request.param
        if request.param == "lac":
            export_lac(place)
        else:
            getattr(tiny, request.param)(place)
        return Settings(ner_engine=f"taskflow={place}", ner_schema='["名", "地"]')


class TestJoined(NerEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(ner_engine="lac,patterns,fake-ner")
