"""MONEY recogniser: amounts, currencies, OCR variants, near misses; Chinese numerals."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.money import find_moneys
from pipeline.ner.patterns.numerals import han_amount

HITS = [
    ("RM 80.90", "RM 80.90", "80.90", "MYR"),
    ("RM80.90SR", "RM80.90", "80.90", "MYR"),
    ("TOTAL RM 1,234.50", "RM 1,234.50", "1234.50", "MYR"),
    ("RM 80 .90", "RM 80 .90", "80.90", "MYR"),
    ("RM 80. 90", "RM 80. 90", "80.90", "MYR"),
    ("RM 80,90", "RM 80,90", "80.90", "MYR"),
    ("RM 64 13\n", "RM 64 13", "64.13", "MYR"),
    ("RMO.00", "RMO.00", "0.00", "MYR"),
    ("RM8O.9O", "RM8O.9O", "80.90", "MYR"),
    ("RM .01", "RM .01", "0.01", "MYR"),
    ("Net Total (MYR) : 21.20", "21.20", "21.20", "MYR"),
    ("-RM 0.01", "-RM 0.01", "-0.01", "MYR"),
    ("RM -0.01", "RM -0.01", "-0.01", "MYR"),
    ("(RM 12.50)", "RM 12.50", "-12.50", "MYR"),
    ("￥412.00", "￥412.00", "412.00", "CNY"),
    ("¥1,234", "¥1,234", "1234", "CNY"),
    ("金额：８０．９０元", "８０．９０元", "80.90", "CNY"),
    ("100元", "100元", "100", "CNY"),
    ("12.5万元", "12.5万元", "125000", "CNY"),
    ("人民币2642万余元", "人民币2642万余元", "26420000", "CNY"),
    ("3元5角", "3元5角", "3.5", "CNY"),
    ("1000美元", "1000美元", "1000", "USD"),
    ("US$12", "US$12", "12", "USD"),
    ("$2.70", "$2.70", "2.70", "USD"),
    ("USD 3.5 million", "USD 3.5 million", "3500000", "USD"),
    ("1,000 USD", "1,000 USD", "1000", "USD"),
    ("S$12.00", "S$12.00", "12.00", "SGD"),
    ("HK$5.00", "HK$5.00", "5.00", "HKD"),
    ("£3.20", "£3.20", "3.20", "GBP"),
    ("€1.234,50", "€1.234,50", "1234.50", "EUR"),
    ("TOTAL CHF 1'234.50", "CHF 1'234.50", "1234.50", "CHF"),
    ("TOTAL 12’345.00", "12’345.00", "12345.00", None),
    ("TOTAL RM 1 234.50", "RM 1 234.50", "1234.50", "MYR"),
    ("TOTAL € 1.234", "€ 1.234", "1234", "EUR"),
    ("TOTAL RM 10.00-", "RM 10.00", "-10.00", "MYR"),
    ("TOTAL 10.00-\n", "10.00", "-10.00", None),
    ("RM 10.00 - 5", "RM 10.00", "10.00", "MYR"),
    ("（负数）壹佰零陆圆整", "（负数）壹佰零陆圆整", "-106.00", "CNY"),
    ("负壹佰零陆圆整", "负壹佰零陆圆整", "-106.00", "CNY"),
    ("JPY 500", "JPY 500", "500", "JPY"),
    ("⊗肆佰壹拾贰圆整", "肆佰壹拾贰圆整", "412.00", "CNY"),
    ("贰仟肆佰陆拾贰元零伍分", "贰仟肆佰陆拾贰元零伍分", "2462.05", "CNY"),
    ("柒仟零壹拾捌圆捌角叁分", "柒仟零壹拾捌圆捌角叁分", "7018.83", "CNY"),
    ("罚款两百元", "两百元", "200.00", "CNY"),
    ("Total 80.90", "80.90", "80.90", None),
    ("Total 1,234.50", "1,234.50", "1234.50", None),
    ("CASH 80. 90", "80. 90", "80.90", None),
    ("Rounding Adj. -0.01 total", "-0.01", "-0.01", None),
    ("Price (12.50)", "12.50", "-12.50", None),
    ("cash 5.90SR", "5.90", "5.90", None),
    ("TOTAL INCL. @63.00", "63.00", "63.00", None),
    ("TOTALRM10.00", "RM10.00", "10.00", "MYR"),
    ("RM10.00CASH", "RM10.00", "10.00", "MYR"),
    ("Total10.00", "10.00", "10.00", None),
    ("CHANGE RN27.25", "27.25", "27.25", None),
    ("total 1 X.12.50", "12.50", "12.50", None),
    ("Total Qty 3 6.36", "6.36", "6.36", None),
]

MISSES = [
    "total 12.50%",
    "total 12.50 %",
    "RM 6%",
    "total 25.12.2018",
    "total 25.12.18",
    "total 192.168.10.25",
    "total 2.00 KG",
    "total 8.00 PKTS",
    "total 1.50L",
    "Total Qty: 1.00",
    "数量 2.00 合计",
    "cash 10.30 am",
    "cash 12:31.00",
    "price 3.50-5.50",
    "price 3.125",
    "RM 10-12",
    "total 80",
    "price v1.25",
    "COLANDER RM20202#",
    "FARM 12",
    "1.10 合同金额",
    "白细胞 3.85 参考值",
    "万元",
    "数十亿美元",
    "一元二次",
    "100元素",
    "壹贰叁元",
]


@pytest.mark.parametrize(("text", "span", "value", "currency"), HITS)
def test_reads_an_amount(text: str, span: str, value: str | None, currency: str | None) -> None:
    (mention,) = find_moneys(text)
    assert (text[mention.start : mention.end], mention.value, mention.currency) == (span, value, currency)


@pytest.mark.parametrize("text", MISSES)
def test_ignores_what_is_not_an_amount(text: str) -> None:
    assert list(find_moneys(text)) == []


def test_an_amount_and_its_currency_are_on_one_row() -> None:
    (mention,) = find_moneys("RM\n80.90")
    assert (mention.start, mention.currency) == (3, None)


def test_an_amount_without_currency_has_lower_confidence() -> None:
    (bare,), (full,) = find_moneys("Total 80.90"), find_moneys("RM 80.90")
    assert bare.confidence < full.confidence


def test_finds_every_amount_of_a_row_once() -> None:
    text = "2 X RM 33.02 = RM 66.04 total 0.50"
    assert [(m.value, m.currency) for m in sorted(find_moneys(text), key=lambda m: m.start)] == [
        ("33.02", "MYR"),
        ("66.04", "MYR"),
        ("0.50", "MYR"),
    ]


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("零", 0),
        ("拾", 10),
        ("贰拾伍", 25),
        ("壹佰零伍", 105),
        ("贰仟肆佰陆拾贰", 2462),
        ("叁万零伍佰", 30500),
        ("壹亿贰仟万", 120_000_000),
        ("贰拾万叁仟", 203_000),
        ("壹贰叁", None),
        ("拾佰", None),
        ("万", None),
    ],
)
def test_han_amount(numeral: str, value: int | None) -> None:
    assert han_amount(numeral) == value
