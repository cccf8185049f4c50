"""Numbers of persons as people write them and OCR reads them, which the policy `ids` masks."""

from __future__ import annotations

import time

import pytest

from pipeline.tables.masking import mask_spans, mask_text, sensitive_spans
from tests.support.personal_numbers import MASKED, SHOWN, C, V


@pytest.mark.parametrize("policy", ["ids", "all"])
@pytest.mark.parametrize(("text", "hidden"), MASKED)
def test_a_number_of_a_person_is_masked(text: str, hidden: str, policy: str) -> None:
    assert hidden in text
    shown = mask_text(text, policy)
    assert hidden not in shown
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", SHOWN)
def test_other_numbers_are_shown(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("label", ["Ref no", "账号", "编号", "Order ref", "No.", "参考号:", "Transaction ID"])
def test_no_label_unmasks_a_card(label: str) -> None:
    assert mask_text(f"{label} {V}") == f"{label} {'*' * 12}{V[-4:]}"


def test_invisible_characters_do_not_divide_a_number() -> None:
    text = f"手机 138\u200b1234\u200b5678, 卡号 {C[:9]}\u00ad{C[9:]}"
    shown = mask_text(text)
    assert "1381" not in shown.replace("\u200b", "")
    assert C[:9] not in shown


def test_a_list_of_types_masks_these_alone() -> None:
    text = f"Passport G12345678, card {V}, a@b.org"
    shown = mask_spans(text, sensitive_spans(text, (), "BANK_CARD,EMAIL"))
    assert shown == f"Passport G12345678, card {'*' * 12}{V[-4:]}, *@*.*rg"
    assert mask_text(text, "none") == text


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3 4 5 6 7 8 9 0 " * 5_000,
        "1234567890" * 10_000,
        "账号 姓名 \n" * 10_000,
        "姓名\n" * 25_000,
        "Account no " * 10_000,
        "a@a." * 25_000,
        "120 Main " * 10_000,
        "人民路1号" * 15_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    mask_text(text, "all")
    assert time.process_time() - began < 5
