from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.settings import Settings, table
from tests.conftest import ROOT


def test_environment_is_read_and_options_win() -> None:
    environ = {"NIGHTSHIFT_MAX_PAGES": "7", "NIGHTSHIFT_MASK": "false", "NIGHTSHIFT_STORE_URL": "s3://a/b"}
    settings = Settings.from_env(environ, store_url="elsewhere", ocr_engine=None)
    assert (settings.max_pages, settings.mask, settings.store_url) == (7, False, "elsewhere")
    assert settings.ocr_engine == "rapidocr"
    assert settings.limits.max_pages == 7


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("NIGHTSHIFT_MAX_PAGES", "0", "max_pages"),
        ("NIGHTSHIFT_MAX_PAGES", "many", "max_pages"),
        ("NIGHTSHIFT_MASK", "perhaps", "mask"),
        ("NIGHTSHIFT_TIMEZONE", "Mars/Olympus", "TIMEZONE"),
        ("NIGHTSHIFT_TIMEZONE", "../etc/passwd", "TIMEZONE"),
    ],
)
def test_wrong_values_are_named(name: str, value: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Settings.from_env({name: value})


def test_what_changes_results_changes_the_digest() -> None:
    plain = Settings.from_env({}).digest()
    assert Settings.from_env({"NIGHTSHIFT_RENDER_DPI": "150"}).digest() != plain
    assert Settings.from_env({"NIGHTSHIFT_STORE_URL": "elsewhere"}).digest() == plain


def test_documentation_lists_every_setting() -> None:
    assert table() in (Path(ROOT) / "docs" / "reference" / "settings.md").read_text()
