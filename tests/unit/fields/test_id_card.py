"""Identity cards, passports and driving licences. All of them are invented."""

import pytest

from tests.unit.fields.paper import fields_of, values_of

FRONT = """
姓名 安可心
性别 女 民族 汉
出生 1900 年 1 月 1 日
住址 云州市示范区虚构街道样本路
     1号院2号楼303室
公民身份号码 119900190001010028
"""
BACK = """
中华人民共和国
居民身份证
签发机关  云州市公安局示范分局
有效期限  2021.05.06-2041.05.06
"""
PASSPORT = """
PASSPORT
Type P   Country code UTO
Surname
BEISPIEL
Given names
ANNA MARIA
Nationality: UTOPIAN
Date of birth: 02 MAY 1990
Date of expiry: 01 MAY 2031
P<UTOBEISPIEL<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
X1234567<7UTO9005020F3105010<<<<<<<<<<<<<<<0
"""
LICENCE = """
DRIVING LICENCE
Surname: DOE
Given names: JANE
Date of birth: 12 AUG 1974
Date of issue: 01 MAY 2025
Date of expiry: 30 APR 2035
Licence no: DOE99712345JD
Address: 4 Quarry Lane, Sampleford
"""

CASES = [
    (
        FRONT,
        "id_card",
        {
            "name": "安可心",
            "number": "119900190001010028",
            "birth_date": "1900-01-01",
            "sex": "F",
            "address": "云州市示范区虚构街道样本路1号院2号楼303室",
        },
    ),
    (
        BACK,
        "id_card",
        {"issuer": "云州市公安局示范分局", "valid_from": "2021-05-06", "valid_to": "2041-05-06"},
    ),
    (
        PASSPORT,
        "id_card",
        {
            "name": "ANNA MARIA BEISPIEL",
            "number": "X1234567",
            "birth_date": "1990-05-02",
            "sex": "F",
            "nationality": "UTO",
            "valid_to": "2031-05-01",
        },
    ),
    (
        LICENCE,
        "id_card",
        {
            "name": "JANE DOE",
            "number": "DOE99712345JD",
            "birth_date": "1974-08-12",
            "address": "4 Quarry Lane, Sampleford",
            "valid_from": "2025-05-01",
            "valid_to": "2035-04-30",
        },
    ),
]


@pytest.mark.parametrize(("paper", "kind", "values"), CASES)
def test_all_values_that_are_printed_are_found_and_no_others(
    paper: str, kind: str, values: dict[str, str]
) -> None:
    assert values_of(paper) == (kind, values)


def test_a_zone_with_one_wrong_digit_is_not_certain() -> None:
    _, right = fields_of(PASSPORT)
    _, wrong = fields_of(PASSPORT.replace("X1234567<7UTO", "X1234568<7UTO"))
    assert {field.checks for field in right.values()} == {()}
    assert wrong["number"].checks == ("check_digit",)
    assert wrong["number"].confidence < 0.5 < right["number"].confidence
    assert wrong["birth_date"].confidence < right["birth_date"].confidence


def test_a_citizen_number_with_a_wrong_check_digit_is_not_certain() -> None:
    _, found = fields_of(FRONT.replace("119900190001010028", "119900190001010029"))
    assert (found["number"].value, found["number"].checks) == ("119900190001010029", ("check_digit",))
    assert found["number"].confidence < 0.5


def test_a_card_without_end_has_no_last_day() -> None:
    _, found = values_of(BACK.replace("-2041.05.06", "-长期"))
    assert (found["valid_from"], found.get("valid_to")) == ("2021-05-06", None)


def test_blanks_that_ocr_lost() -> None:
    _, spaced = values_of(FRONT)
    glued = FRONT.replace("姓名 ", "姓名").replace("性别 女 民族 汉", "性别女民族汉").replace("号码 ", "号码")
    assert values_of(glued)[1] == spaced


def test_labels_with_their_translation() -> None:
    _, found = values_of(
        """
PASSPORT 护照
护照号/Passport No. E12345678
姓名/Name
安可心
性别/Sex  女/F
出生日期/Date of birth  01 JAN 1990
有效期至/Date of expiry  01 JAN 2030
"""
    )
    assert found == {
        "name": "安可心",
        "number": "E12345678",
        "sex": "F",
        "birth_date": "1990-01-01",
        "valid_to": "2030-01-01",
    }


def test_a_citizen_number_contradicts_another_birthday() -> None:
    _, found = fields_of(FRONT.replace("1900 年 1 月 1 日", "1900 年 1 月 2 日").replace("女", "男"))
    assert found["birth_date"].checks == found["sex"].checks == ("contradiction",)
    assert found["number"].checks == ()
