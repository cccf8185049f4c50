"""The text out of a recogniser's answer."""

import numpy as np
import pytest

from pipeline.ocr.lines import text_of
from pipeline.ocr.tensors import best

CHARACTERS = ("a", "b", "c")
"""Classes 1 to 3; 0 is none, 4 a space."""


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ([], ""),
        ([0, 0], ""),
        ([1, 1, 2], "ab"),
        ([1, 0, 1], "aa"),
        ([0, 3, 4, 4, 0, 4, 1], "c  a"),
    ],
)
def test_repeated_classes_are_one_character_and_a_gap_parts_them(classes: list[int], text: str) -> None:
    answer = np.array(classes, np.int32), np.ones(len(classes), np.float32)
    assert text_of(answer, CHARACTERS)[0] == text


def test_the_confidence_is_that_of_the_first_column_of_each_character() -> None:
    answer = np.array([0, 1, 1, 2], np.int32), np.array([0.1, 0.5, 0.9, 1.0], np.float32)
    assert text_of(answer, CHARACTERS) == ("ab", 0.75)
    assert text_of((answer[0] * 0, answer[1]), CHARACTERS) == ("", 0.0)


def test_decoded_as_rapidocr_decodes() -> None:
    from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

    scores = np.random.default_rng(1).random((20, 30, 5)).astype(np.float32)
    theirs, _ = CTCLabelDecode(character=list(CHARACTERS))(scores)
    classes, confidences = best(scores)
    ours = [text_of(answer, CHARACTERS) for answer in zip(classes, confidences, strict=True)]
    assert ours == theirs
    assert len({text for text, _ in ours}) == 20
