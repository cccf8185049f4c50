"""The measure of accuracy."""

import pytest

from benchmarks.comparison.accuracy import characters, score, tokens


@pytest.mark.parametrize(
    ("read", "printed", "of_characters", "of_tokens"),
    [
        (["TOTAL RM12.50"], ["total", "rm 12.50"], 1.0, 4 / 7),
        (["发票 金额"], ["金额发票"], 1.0, 1.0),
        (["１２．５０"], ["12.50"], 1.0, 1.0),
        (["A1"], ["AI"], 0.5, 0.0),
        ([], ["A"], 0.0, 0.0),
        ([], [], 0.0, 0.0),
    ],
)
def test_f1(read: list[str], printed: list[str], of_characters: float, of_tokens: float) -> None:
    assert score(characters, [read], [printed]) == pytest.approx(of_characters)
    assert score(tokens, [read], [printed]) == pytest.approx(of_tokens)


def test_hits_of_one_page_do_not_count_on_another() -> None:
    assert score(characters, [["A"], ["B"]], [["B"], ["A"]]) == 0.0
