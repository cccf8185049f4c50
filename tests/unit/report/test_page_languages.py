"""Every sentence and code that the page shows by itself has its words in each language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import pipeline
from pipeline.fields.kinds import KINDS
from pipeline.ledger.gaps import Kind
from pipeline.models import Status
from pipeline.night import reprocess
from pipeline.night.course import Course
from pipeline.report import course, todo
from pipeline.report.facts import Word
from pipeline.report.page.troubles import translated
from pipeline.report.page.words import LANGUAGES, words
from pipeline.steps.task_types import BUILT_IN_STEPS
from tests.conftest import ROOT

HAN = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}")
"""Two words in a row: names, codes and addresses have no blanks."""
PAGE = Path(pipeline.__file__).parent / "report"


def checks() -> list[str]:
    """Codes of checks, as the reference lists them."""
    text = (ROOT / "docs" / "reference" / "fields.md").read_text()
    table = text.partition("### Codes in `checks`")[2].partition("\n## ")[0]
    return [
        code
        for line in table.splitlines()
        if line.startswith("| `")
        for code in re.findall(r"`(\w+)`", line.split("|")[1])
    ]


CODES = {
    "verdict": get_args(Word),
    "status": get_args(Status),
    "gaps": get_args(Kind),
    "types": [*KINDS, "medical", "ticket", "other", "unread", "document", "ocr", "nlp"],
    "reasons": [*checks(), "low_confidence"],
    "steps": ["accept", "ingest", *BUILT_IN_STEPS, "fields", "result", "callback"],
    "names": [
        *(f"{step} model" for step in reprocess.STEPS),
        *("version", "version of this report", "window", "masking", "workers"),
    ],
    "todo.kinds": sorted(set(re.findall(r'what="(\w+)"', Path(todo.__file__).read_text()))),
    "mask": ["ids", "all", "none"],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", CODES)
def test_every_code_has_a_word(group: str, language: str) -> None:
    assert len(CODES[group]) > 2
    assert [code for code in CODES[group] if not words(language).name(group, code)] == []


def said_by_stores() -> Iterator[str]:
    """Every sentence of an error of a store, with something in each of its places."""
    for name in ("s3", "local"):
        tree = ast.parse((Path(pipeline.__file__).parent / "storage" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [_filled(part) for part in node.values]
                sentence = "".join(parts)
                if sentence[:1].isupper() and sentence.endswith((".", "(NTP).")) and " " in sentence:
                    yield sentence


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    shown = ast.unparse(part.value)
    known = {"me": "The store s3://b", "by": "is 20 min ahead of the server's", "self.what": "store"}
    return known.get(shown, "x")


def shown_by_samples() -> Iterator[str]:
    it = Course()
    for sentence in said_by_stores():
        it.failed(sentence)
        yield f"{it._trouble.rstrip('.')} (since 02:10 UTC)."
    yield "The step ocr is paused, as documents in a row fail (internal)."
    paused = "The step accept is paused, as documents in a row fail (x)."
    yield f"RabbitMQ is unavailable (Alarm) (since 02:10 UTC). {paused}"
    yield course._SILENT


SENTENCES = [*said_by_stores(), *shown_by_samples()]


@pytest.mark.parametrize("sentence", [one for one in SENTENCES if "not found in" not in one])
def test_every_trouble_is_said_in_chinese(sentence: str) -> None:
    assert translated(words("en"), sentence) == sentence
    chinese = translated(words("zh"), sentence)
    assert HAN.search(chinese)
    left = ENGLISH.findall(chinese.replace("is 20 min ahead of the server's", ""))
    assert left == [], chinese


def test_what_is_not_known_is_left_as_it_is() -> None:
    assert translated(words("zh"), "A new error. Look at it.") == "A new error. Look at it."
    said = translated(words("zh"), "A new error (since 02:10 UTC).")
    assert said == "A new error（自 02:10 UTC 起）。"


@pytest.mark.parametrize("name", ["todo", "verdict", "sentences"])
def test_every_sentence_of_the_report_has_both_languages(name: str) -> None:
    tree = ast.parse((PAGE / f"{name}.py").read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "both"]
    assert calls
    for call in calls:
        chinese = call.args[1]
        written = [one.value for one in ast.walk(chinese) if isinstance(one, ast.Constant)]
        text = "".join(str(one) for one in written)
        assert not ENGLISH.search(text), ast.unparse(chinese)
