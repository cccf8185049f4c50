import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ner.normalise import normalise


@given(st.text())
def test_keeps_the_length_and_is_stable(text: str) -> None:
    once = normalise(text)
    assert len(once) == len(text)
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＡＢＣ１２３（）％", "abc123()%"),
        ("甲。乙、丙，丁；", "甲.乙,丙,丁;"),
        ("“甲”‘乙’《丙》", "\"甲\"'乙'《丙》"),
        ("￥１０ ¥20", "$10,$20"),
        ("甲\u3000乙 丙", "甲,乙,丙"),
        ("甲—乙…", "甲-乙."),
        ("\u0130X", "\u0130x"),
        ("", ""),
    ],
)
def test_maps_to_the_characters_lac_was_trained_on(text: str, plain: str) -> None:
    assert normalise(text) == plain
