import pytest

from pipeline.settings import Settings
from tests.support.engines import NerEngineContract


class TestPatterns(NerEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(ner_engine="patterns")
