import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ner.pieces import chinese_pieces

TEXTS = st.text(st.sampled_from("张三李四在北京。，！ab1 \t\n\r\u2028\u3000”"), max_size=200)


@given(TEXTS, st.integers(2, 30))
def test_pieces_are_in_text_order(text: str, limit: int) -> None:
    at = 0
    for offset, piece in chinese_pieces(text, limit):
        assert offset >= at
        assert text[offset : offset + len(piece)] == piece
        assert 2 <= len(piece) <= limit
        assert piece == piece.strip()
        assert len(piece.splitlines()) == 1
        at = offset + len(piece)


@given(TEXTS)
def test_loses_no_chinese_text(text: str) -> None:
    read = [offset + at for offset, piece in chinese_pieces(text) for at in range(len(piece))]
    for run in re.finditer(r"[张三李四在北京]{2,}", text):
        assert set(range(*run.span())) <= set(read)


@pytest.mark.parametrize("text", ["", "人", "\n \n", "Invoice 12 of ACME LTD", "人 x\n口", "人  口"])
def test_text_that_is_not_chinese_has_none(text: str) -> None:
    assert list(chinese_pieces(text)) == []


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("今天下了雨。明天，后天也晴吗", ["今天下了雨。", "明天，后天也晴吗"]),
        ("他说“下雨了。”然后走了", ["他说“下雨了。”", "然后走了"]),
        ("一二三四五六七八九十一二三", ["一二三四五六七八九十", "一二三"]),
        ("一，二三四五六七八九十一二三", ["一，二三四五六七八九", "十一二三"]),
        ("姓名 张三  住址 北京", ["姓名 张三", "住址 北京"]),
        ("  张三\r\n李四", ["张三", "李四"]),
    ],
    ids=["sentence before pause", "closing quote", "hard", "pause too early", "columns", "lines"],
)
def test_cuts_at_the_best_position(text: str, pieces: list[str]) -> None:
    assert [piece for _, piece in chinese_pieces(text, 10)] == pieces


def test_a_text_without_a_break_is_cut_into_bounded_pieces() -> None:
    pieces = list(chinese_pieces("国" * 200_000))
    assert sum(len(piece) for _, piece in pieces) == 200_000
    assert max(len(piece) for _, piece in pieces) == 256
