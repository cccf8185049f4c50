"""The script of a page."""

from __future__ import annotations

import pytest

from pipeline.ner.characters import is_japanese


@pytest.mark.parametrize(
    ("page", "japanese"),
    [
        ("請求書 発行日 単価 小計 お支払期限", True),
        ("お買上げありがとうございます", True),
        ("发票金额合计购买方名称销售方名称" * 4 + "メーカー", False),
        ("發票 總額 電話", False),
        ("Invoice", False),
    ],
)
def test_is_japanese(page: str, japanese: bool) -> None:
    assert is_japanese(page) is japanese
