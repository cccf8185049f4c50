"""The signs of numbers: what a page tells, and numbers read by it."""

from __future__ import annotations

import pytest

from pipeline.ner.locale import read
from pipeline.ner.locale.numbers import number_signs, read_number


@pytest.mark.parametrize(
    ("page", "decimal", "grouping"),
    [
        ("Summe 1.234,56", ",", "."),
        ("Total 1,234.56", ".", ","),
        ("Total 1'234.50", ".", "'"),
        ("Total TTC 1 234,56", ",", " "),
        ("46,68 9,34", ",", None),
        ("46.68 9.34", ".", None),
        ("12.345.678", ",", "."),
        ("12,34,567 rupees", ".", ","),
        ("46,68 46.68", None, None),
        ("am 13.06. um 9.12", None, None),
        ("Version 1.234", None, None),
        ("tea  157.40  1 157.40", ".", None),
        ("", None, None),
    ],
)
def test_a_page_tells_its_signs_by_numbers_with_one_reading(
    page: str, decimal: str | None, grouping: str | None
) -> None:
    assert number_signs(page, (), None) == (decimal, grouping)


def test_a_page_without_such_numbers_tells_by_country_then_language() -> None:
    assert number_signs("1.234", ("de",), None) == (",", None)
    assert number_signs("1.234", ("de",), "CH") == (".", None)
    assert number_signs("1.234", ("en",), None) == (None, None)


def test_a_few_numbers_of_another_form_do_not_decide() -> None:
    assert number_signs("46,68 9,34 7,77 3.50", (), None)[0] == ","


@pytest.mark.parametrize(
    ("digits", "decimal", "value", "other"),
    [
        ("1234", None, "1234", None),
        ("1.234,56", None, "1234.56", None),
        ("1,234.56", ",", "1234.56", None),
        ("1.234", ",", "1234", None),
        ("1.234", ".", "1.234", None),
        ("1.234", None, "1234", "1.234"),
        ("1,234", None, "1234", "1.234"),
        ("0,125", None, "0.125", None),
        ("1234.567", None, "1234.567", None),
        ("1.234.567", None, "1234567", None),
        ("1,23,456.00", None, "123456.00", None),
        ("1'234’567.5", None, "1234567.5", None),
    ],
)
def test_reads_a_number(digits: str, decimal: str | None, value: str, other: str | None) -> None:
    reading = read_number(digits, decimal)
    assert reading is not None
    assert (reading.value, reading.other) == (value, other)


@pytest.mark.parametrize("digits", ["25.12.2018", "192.168.10.25", "1'23", "1.2.3", "1,234,56.7", "1.234'5"])
def test_a_date_or_an_address_is_no_number(digits: str) -> None:
    assert read_number(digits) is None


@pytest.mark.parametrize(
    ("page", "currency"),
    [
        ("Total 5.00 EUR", "EUR"),
        ("Währung: EUR", "EUR"),
        ("All amounts in AUD: $ 5.00", "AUD"),
        ("$ 5.00", "USD"),
        ("Springfield, IL 62701  $ 5.00", "USD"),
        ("合计 ¥5.00", "CNY"),
        ("お会計 ¥500 ありがとう", "JPY"),
        ("kr 5,00", None),
        ("NOK 5,00 kr 7,00", "NOK"),
        ("EUR 5,00 USD 5,00", None),
        ("ALL 5 were there", None),
        ("the USA and the EUR", None),
    ],
)
def test_the_currency_that_a_page_names(page: str, currency: str | None) -> None:
    assert read(page).currency == currency
