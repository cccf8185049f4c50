"""Words that a pattern needs."""

from __future__ import annotations

import pytest

from pipeline.fields import clues
from pipeline.fields.clue_words import Words, needed
from pipeline.fields.examples import load


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("cashier|till receipt", {"cashier", "receipt"}),
        ("rechnungs?(?:nummer|nr)", {"rechnung"}),
        (r"\bsold by\b[^\n]{0,20}(?:shop|store)", {"sold"}),
        ("(?:invoice|credit)? ?number", {"number"}),
        ("gross(?! weight)", {"gross"}),
        ("发票(?:号码|代码)", {"发票"}),
        ("cash|at", set()),
        (r"[0-9]{2}:[0-9]{2}|time", set()),
        ("(?:a|b)", set()),
        ("", set()),
    ],
)
def test_the_words_of_a_pattern(pattern: str, words: set[str]) -> None:
    assert needed(pattern) == words


def test_words_are_found_in_any_place() -> None:
    words = Words({"total", "tot", "发票", "balance"})
    assert words.within("subtotals 3.00") == {"total", "tot"}
    assert words.within("电子发票") == {"发票"}
    assert words.within("to") == set()


def test_no_clue_is_missed_for_its_words() -> None:
    texts = [clues.view(text) for texts in load(None).values() for text in texts]
    assert texts
    for text in texts:
        words = Words({word for clue in clues._clues() for word in clue.words}).within(text)
        for clue in clues._clues():
            if clue.words and clue.words.isdisjoint(words):
                assert not clue.pattern.search(text), clue.pattern.pattern
