"""ID_NUMBER, USCC, BANK_CARD, PLATE: invented numbers with computed check digits."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.identifiers import (
    find_bank_cards,
    find_id_numbers,
    find_plates,
    find_usccs,
    id_check,
    luhn_check,
    uscc_check,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def citizen(body: str) -> str:
    """Complete 17 digits with the check character that makes the weighted sum 1 modulo 11."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11
    return body + next(c for v, c in enumerate("0123456789X") if (rest + v) % 11 == 1)


def company(body: str) -> str:
    """Complete 17 characters with the check character that makes the weighted sum 0 modulo 31."""
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    rest = sum(ALPHABET.index(c) * w for c, w in zip(body, weights, strict=True)) % 31
    return body + ALPHABET[(31 - rest) % 31]


def card(body: str) -> str:
    return next(body + d for d in "0123456789" if luhn_check(body + d))


ID = citizen("11010119900307123")
CODE = company("91110108MA01ABCD2")
CARD = card("622202100111624")


def test_checks() -> None:
    assert id_check(ID)
    assert uscc_check(CODE)
    assert luhn_check("4111111111111111")
    assert not luhn_check("4111111111111112")


def test_a_valid_id_number_needs_no_label() -> None:
    text = f"张三 {ID}，男"
    (mention,) = find_id_numbers(text)
    assert (text[mention.start : mention.end], mention.value) == (ID, ID)
    assert mention.confidence > 0.9


def test_an_id_number_may_be_spaced_and_full_width() -> None:
    text = f"{ID[:6]} {ID[6:14]} {ID[14:]}"
    (mention,) = find_id_numbers(text)
    assert (mention.start, mention.end, mention.value) == (0, 20, ID)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in ID)
    assert [m.value for m in find_id_numbers(wide)] == [ID]


def test_an_id_number_that_fails_needs_its_label() -> None:
    wrong = ID[:-1] + ("1" if ID[-1] != "1" else "2")
    assert list(find_id_numbers(wrong)) == []
    (mention,) = find_id_numbers(f"公民身份号码：{wrong}")
    assert mention.value is None
    assert mention.confidence < 0.5


@pytest.mark.parametrize(
    "body",
    ["11010119900230123", "11010119901307123", "99010119900307123"],
    ids=["30 Feb", "month 13", "province 99"],
)
def test_an_id_number_with_an_invalid_birthday_or_province_is_refused(body: str) -> None:
    assert list(find_id_numbers(citizen(body))) == []


def test_an_id_number_inside_a_longer_number_is_ignored() -> None:
    assert list(find_id_numbers("9" + ID)) == []


def test_uscc() -> None:
    text = f"统一社会信用代码 {CODE}"
    (mention, again) = find_usccs(text)
    assert (mention.start, mention.end, mention.value) == (again.start, again.end, again.value)
    assert text[mention.start : mention.end] == CODE
    assert [m.value for m in find_usccs(CODE)] == [CODE]


def test_a_uscc_that_fails_needs_its_label() -> None:
    wrong = CODE[:-1] + ("0" if CODE[-1] != "0" else "1")
    assert list(find_usccs(wrong)) == []
    (mention,) = find_usccs(f"税号:{wrong}")
    assert mention.value is None
    assert mention.confidence < 0.5


def test_a_misread_uscc_is_corrected_where_its_alphabet_allows() -> None:
    misread = CODE.replace("0", "O")
    (mention,) = find_usccs(f"纳税人识别号：{misread}")
    assert mention.value == CODE


def test_an_old_tax_number_needs_its_label() -> None:
    assert list(find_usccs("110101234567890")) == []
    (mention,) = find_usccs("纳税人识别号: 110101234567890")
    assert mention.confidence < 0.5


@pytest.mark.parametrize(
    "text", [CARD, f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}", "4111-1111-1111-1111"]
)
def test_bank_card(text: str) -> None:
    (mention,) = find_bank_cards(f"付款 {text} 元")
    assert mention.value == "".join(c for c in text if c.isdigit())
    assert mention.end - mention.start == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "13812345678",
        "9555845400009",
        "6946759900212",
        "2018020951320023885",
        "Order no: 4111111111111111",
        "订单编号:4111111111111111",
        "Ref no 4111111111111112",
    ],
)
def test_no_bank_card(text: str) -> None:
    assert list(find_bank_cards(text)) == []


def test_a_card_number_behind_a_reference() -> None:
    (mention,) = find_bank_cards("Ref no: 4111111111111111")
    assert mention.value == "4111111111111111"
    assert 0.5 < mention.confidence < 0.7


def test_a_card_number_that_fails_needs_its_label() -> None:
    (mention,) = find_bank_cards("卡号: 4111 1111 1111 1112")
    assert mention.value is None
    assert mention.confidence < 0.5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("京A·12345", "京A12345"),
        ("皖Ｋ１１６８３", "皖K11683"),
        ("沪A 8B2C3", "沪A8B2C3"),
        ("粤BD12345", "粤BD12345"),
        ("粤Z1234港", "粤Z1234港"),
    ],
)
def test_plate(text: str, value: str) -> None:
    (mention,) = find_plates(f"车牌{text}。")
    assert (mention.start, mention.end, mention.value) == (2, 2 + len(text), value)


@pytest.mark.parametrize("text", ["京A1234", "京I12345", "京AABCDE", "A12345", "京A1234567", "京AO2345"])
def test_no_plate(text: str) -> None:
    assert list(find_plates(text)) == []
