"""The words of the report: each language has all of them, with the same places for values."""

import re
import string
from pathlib import Path
from typing import Any

import pytest

from pipeline import report
from pipeline.report.page.shown import Shown, command, text
from pipeline.report.page.words import LANGUAGES, words
from tests.support.example_reports import OPENED


def flat(texts: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in texts.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return found


def places(value: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(value) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    english, other = flat(words("en")._texts), flat(words(language)._texts)
    assert english.keys() == other.keys()
    assert {key: places(value) for key, value in english.items()} == {
        key: places(value) for key, value in other.items()
    }
    assert all(value.strip() for value in other.values())


def test_a_missing_word_is_an_error() -> None:
    with pytest.raises(KeyError):
        words("en")("night.nothing_like_it")
    assert words("en").name("types", "nothing_like_it") == ""


def test_a_sentence_that_one_language_lacks() -> None:
    assert words("zh").of({"en": "All read."}) == "All read."
    assert words("zh").of({}) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.0 s"), (2.44, "2.4 s"), (9.97, "10 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"),
     (7200, "2 h"), (46_210, "12 h 50 min"), (None, "not known")],
)  # fmt: skip
def test_durations(seconds: float | None, shown: str) -> None:
    assert Shown(words("en"), "UTC").duration(seconds) == shown


def test_numbers() -> None:
    shown = Shown(words("en"), "America/New_York")
    assert shown.number(12431) == "12,431"
    assert shown.number(None) == "not known"
    assert (shown.percent(0.0), shown.percent(0.0004, 1), shown.percent(0.913)) == ("0 %", "< 0.1 %", "91 %")
    assert (shown.change(11, 10), shown.change(9, 10), shown.change(10, 10)) == ("+10 %", "−10 %", "±0 %")
    assert shown.money(0.0124, "EUR") == "0.0124 EUR"
    assert shown.offset(OPENED) == "UTC−5"
    assert shown.stamp(OPENED) == "2026-11-25 16:00 (UTC−5)"


def test_texts_from_outside() -> None:
    assert text("a\x00b\ud800") == "a\ufffdb\ufffd"
    assert text("x" * 500) == "x" * 119 + "…"
    assert command('nightshift a --code <b> --where "c d"') == (
        "<span>nightshift</span> <span>a</span> <span>--code &lt;b&gt;</span> "
        "<span>--where &#34;c</span> <span>d&#34;</span>"
    )


@pytest.mark.parametrize(
    "path", sorted(Path(report.__file__).parent.rglob("*.*")), ids=lambda path: path.name
)
def test_chinese_has_full_width_punctuation(path: Path) -> None:
    if path.suffix in (".py", ".toml"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"[\u4e00-\u9fff][,:;(].*|.*[,:;)][\u4e00-\u9fff]", text) == []
