"""MONEY recogniser: amounts, currencies, OCR variants, near misses; Chinese numerals."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models import PageLocale
from pipeline.ner.patterns.money import find_moneys
from pipeline.ner.patterns.numerals import han_amount

HITS = [
    ("Total \u20a8 1,250.00", "\u20a8 1,250.00", "1250.00", "INR"),
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
    ("Total HT : 46,68 €", "46,68 €", "46.68", "EUR"),
    ("Brutto 104,00 EUR", "104,00 EUR", "104.00", "EUR"),
    ("Total TTC 1 234,56 €", "1 234,56 €", "1234.56", "EUR"),
    ("Total TTC 1\u202f234,56", "1\u202f234,56", "1234.56", None),
    ("10 000€", "10 000€", "10000", "EUR"),
    ("12 345 678,90 EUR", "12 345 678,90 EUR", "12345678.90", "EUR"),
    ("€ 12,-", "€ 12,-", "12", "EUR"),
    ("12,-- €", "12,-- €", "12", "EUR"),
    ("7€50", "7€50", "7.50", "EUR"),
    ("Rs. 1,23,456.00", "Rs. 1,23,456.00", "123456.00", "INR"),
    ("Rs.50", "Rs.50", "50", "INR"),
    ("100 000 Kč", "100 000 Kč", "100000", "CZK"),
    ("kr 125,00", "kr 125,00", "125.00", None),
    ("R$ 1.234,50", "R$ 1.234,50", "1234.50", "BRL"),
    ("100 ₡", "100 ₡", "100", "CRC"),
    ("£ 8.10 million", "£ 8.10 million", "8100000", "GBP"),
    ("$2.54bn", "$2.54bn", "2540000000", "USD"),
    ("€5m", "€5m", "5000000", "EUR"),
    ("order 75 USD million", "75 USD million", "75000000", "USD"),
    ("2.5 Mio. €", "2.5 Mio. €", "2500000", "EUR"),
    ("1,5 million d'euros", "1,5 million d'euros", "1500000", "EUR"),
    ("30 MUSD", "30 MUSD", "30000000", "USD"),
    ("500 T€", "500 T€", "500000", "EUR"),
    ("35 lakh rupees", "35 lakh rupees", "3500000", "INR"),
    ("3千万元", "3千万元", "30000000", "CNY"),
    ("收受人民币1.5万元", "人民币1.5万元", "15000", "CNY"),
    ("约￥100", "￥100", "100", "CNY"),
    ("港币143万余元", "港币143万余元", "1430000", "HKD"),
    ("4.8万卢布", "4.8万卢布", "48000", "RUB"),
    ("2.5亿元", "2.5亿元", "250000000", "CNY"),
    ("五 5 dollars", "5 dollars", "5", "USD"),
    ("10,000 Swiss francs", "10,000 Swiss francs", "10000", "CHF"),
    ("3 dollars 50 cents", "3 dollars 50 cents", "3.50", "USD"),
    ("50 cents more", "50 cents", "0.50", "USD"),
    ("five thousand two hundred dollars", "five thousand two hundred dollars", "5200", "USD"),
    ("361 million pounds", "361 million pounds", "361000000", "GBP"),
    ("20 billion francs", "20 billion francs", "20000000000", None),
    ("500 naira", "500 naira", "500", "NGN"),
    ("it costs 15 dollars 50.", "15 dollars 50", "15.50", "USD"),
    ("EURO 62,20", "EURO 62,20", "62.20", "EUR"),
    ("half million usd", "half million usd", "500000", "USD"),
    ("u.s. $ 100", "u.s. $ 100", "100", "USD"),
    ("Price in AUD: $12.00", "$12.00", "12.00", "AUD"),
    ("お会計 ¥1,234 です", "¥1,234", "1234", "JPY"),
    ("金额（¥12300.00），", "¥12300.00", "12300.00", "CNY"),
    ("a loan (USD 5,000.00).", "USD 5,000.00", "5000.00", "USD"),
    ("Total (12.50) in all", "12.50", "12.50", None),
    ("fee  (12.50)  total", "12.50", "-12.50", None),
    ("Summe 12,00- EUR", "12,00- EUR", "-12.00", "EUR"),
    ("Rabatt ./. 5,00 €", "./. 5,00 €", "-5.00", "EUR"),
    ("Sum  - 5,00 EUR", "- 5,00 EUR", "-5.00", "EUR"),
    ("rebate - $500 off", "$500", "500", "USD"),
    ("total 12.50 CR", "12.50", "-12.50", None),
    ("Erhaltene Anzahlungen  -50,00 Summe", "-50,00", "-50.00", None),
    ("Gesamtbetrag der Abschläge  -0,00", "-0,00", "0.00", None),
    ("Kontoauszug Saldo 12,50 S", "12,50", "-12.50", None),
    ("Saldo 12,50 S", "12,50", "12.50", None),
    ("TAX .26", ".26", "0.26", None),
    ("DEBIT$ 76.08", "$ 76.08", "76.08", "USD"),
    ("Card  QAR  -59.00", "QAR  -59.00", "-59.00", "QAR"),
    ("Total loss (1,234.56) 2", "1,234.56", "-1234.56", None),
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
    "检查费 1.00/项 合计",
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
    "total 80,90 %",
    "Mo.-Fr. 08.30",
    "EUR/USD 1.0850 total",
    "0,2543 €/kWh",
    "25,43 ct/kWh",
    "5 Rp. Rundung",
    "KR3M and KR87654321012",
    "ALL 5 were there, TRY 5 times",
    "a weight of 8 pounds",
    "total of the third quarter",
    "1 $AddBacon",
    "total EURO95 and EURO 1",
    "3.99 CT",
    "AJTPM7071RSD00",
    "TL  297",
    "Mietdauer 2,50 Stunden, Summe",
    "Menge: 2,00 Summe",
    "5 m total",
    "EUR 123456789012345678901234567890",
    "price 5 \u20b0元0",
    "\u20b0 12 元素",
]


@pytest.mark.parametrize(("text", "span", "value", "currency"), HITS)
def test_reads_an_amount(text: str, span: str, value: str | None, currency: str | None) -> None:
    (mention,) = find_moneys(text)
    assert (text[mention.start : mention.end], mention.value, mention.currency) == (span, value, currency)


@pytest.mark.parametrize("text", MISSES)
def test_ignores_what_is_not_an_amount(text: str) -> None:
    assert list(find_moneys(text)) == []


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("早餐25块5毛", "25.5", "CNY"),
        ("一共25块5", "25.5", "CNY"),
        ("二十五块五毛", "25.50", "CNY"),
        ("两块钱", "2.00", "CNY"),
        ("3万5千元", "35000", "CNY"),
        ("1亿2000万元", "120000000", "CNY"),
        ("12億3,400万円", "1234000000", "JPY"),
        ("3만 5천원", "35000", "KRW"),
        ("3萬元", "30000", "CNY"),
        ("2千5百元", "2500", "CNY"),
        ("金壱萬弐仟円也", "12000.00", "JPY"),
    ],
)
def test_an_amount_of_several_parts(text: str, value: str, currency: str) -> None:
    (mention,) = find_moneys(text)
    assert (mention.value, mention.currency) == (value, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("港币八千元整", "HKD"),
        ("港幣 1,234.50 元", "HKD"),
        ("新臺幣壹仟貳佰元整", "TWD"),
        ("AR$ 1.234,50", "ARS"),
        ("COP $ 1.234.567", "COP"),
        ("MOP$ 123.00", "MOP"),
        ("R$ 3,5 milhões", "BRL"),
    ],
)
def test_a_currency_in_front_decides(text: str, currency: str) -> None:
    assert [mention.currency for mention in find_moneys(text)] == [currency]


@pytest.mark.parametrize(
    ("country", "currency"), [("TW", "TWD"), ("HK", "HKD"), ("CN", "CNY"), (None, "CNY")]
)
def test_yuan_is_the_unit_of_the_pages_country(country: str | None, currency: str) -> None:
    moneys = find_moneys("營業稅 60 元，合計壹仟元整", PageLocale(country=country))
    assert [mention.currency for mention in moneys] == [currency, currency]


@pytest.mark.parametrize(
    "text",
    [
        "汇率：1美元=7.2345元",
        "1 USD = 0.92 EUR",
        "1 EUR = 1,0845 USD",
        "$1 = €0.92",
        "Wechselkurs 1,0845 USD",
        "exchange rate: 1.08 USD",
        "$1.5 - 2 billion",
        "1 234:50 kr",
        "2千零5元",
        "1亿3千5百万元",
        "￥ 3 0 0 . 0 0",
        "Page 3.10 of the invoice",
        "Kapitel 2.10 Rechnung",
        "2,50 m x 3,20 m Teppich Preis",
        "12,50 m² prix",
        "12.50 miles, price on request",
        "Temp 36.50 °C, invoice",
        "pH 7.40, bill",
        "VAT @ 20.00 total",
        "建筑面积120.50平方米，租金面议",
        "Total protein 7.20 g/dL",
        "Payroll: 8.25 hours",
        "pay 2.50 per cent",
        "Prices from 09.30 to 18.00",
        "cash desk 9.30 to 17.00",
        "Rate: $1 = Rs 83.25",
    ],
)
def test_rates_and_measurements_are_no_amounts(text: str) -> None:
    assert not [mention.value for mention in find_moneys(text) if mention.value != "2000000000"]


def test_a_count_of_pieces_in_front_of_an_amount() -> None:
    assert [mention.value for mention in find_moneys("2.00 PCS 5.00 total 10.00")] == ["5.00", "10.00"]


def test_a_litre_in_front_of_an_amount() -> None:
    assert [mention.value for mention in find_moneys("1 VINO 0,50 L   7,50 prezzo")] == ["7.50"]


def test_equal_currencies_are_no_rate() -> None:
    assert [mention.value for mention in find_moneys("5 x 1,00 € = 5,00 €")] == ["1.00", "5.00"]


@pytest.mark.parametrize(
    "text",
    [
        "仟 佰 拾 元 角 分",
        "万仟佰元整",
        "⊗佰⊗拾伍元",
        "第12块硬盘",
        "5块巧克力",
        "切成4块5厘米",
        "两块蛋糕",
        "二十五块砖",
    ],
)
def test_a_form_that_is_not_filled_in_and_pieces_are_no_amounts(text: str) -> None:
    assert not list(find_moneys(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("共25块，", "25"), ("25块钱", "25"), ("拾元整", "10.00"), ("4块5", "4.5"), ("三百块", "300.00")],
)
def test_kuai_and_units(text: str, value: str) -> None:
    assert [mention.value for mention in find_moneys(text)] == [value]


def test_five_minutes_are_no_cents() -> None:
    assert [mention.value for mention in find_moneys("每次3元5分钟，两元五分钟")] == ["3"]


def test_a_sign_of_several_currencies_is_less_sure_without_a_country() -> None:
    assert [mention.confidence for mention in find_moneys("$5.00", PageLocale())] == [0.85]
    assert [mention.confidence for mention in find_moneys("$5.00", PageLocale(country="US"))] == [0.95]


def test_three_decimals_have_another_reading() -> None:
    (mention,) = find_moneys("USD 1.234", PageLocale())
    assert (mention.value, mention.other, mention.confidence) == ("1.234", "1234", 0.55)


def test_letters_that_are_currencies_of_their_country_only() -> None:
    assert [mention.currency for mention in find_moneys("S/ 45.90", PageLocale(currency="PEN"))] == ["PEN"]
    assert [mention.currency for mention in find_moneys("P1,250.00", PageLocale(currency="PHP"))] == ["PHP"]
    assert not list(find_moneys("S/ 45 P1,250", PageLocale()))


def test_yuan_is_less_sure_on_a_traditional_page_of_no_country() -> None:
    (mention,) = find_moneys("總額 60 元")
    assert (mention.currency, mention.confidence) == ("CNY", 0.85)


def test_grouped_by_spaces_without_cents() -> None:
    assert [mention.value for mention in find_moneys("12 345,- Kč")] == ["12345"]


def test_an_amount_in_thousands_is_not_read_as_units() -> None:
    assert not [mention for mention in find_moneys("Betrag in Tsd. €: 450") if mention.value == "450"]


def test_chinese_brackets_with_a_sign_are_no_minus() -> None:
    assert [mention.value for mention in find_moneys("（￥300.00）")] == ["300.00"]
    assert [mention.value for mention in find_moneys("(￥300.00)")] == ["-300.00"]
    assert [mention.value for mention in find_moneys("Balance due: $(3.20)")] == ["-3.20"]


def test_a_statement_of_an_account_in_chinese_is_about_money() -> None:
    text = "银行对账单\n期初余额 5,000.00\n2024-01-03 消费 -120.50 4,879.50\n"
    assert [mention.value for mention in find_moneys(text)] == ["5000.00", "-120.50", "4879.50"]


@pytest.mark.parametrize(
    "unit", ["单位：万元", "(in thousands of USD)", "Angaben in Mio. €", "en milliers d'euros"]
)
def test_a_bare_amount_of_a_report_in_thousands_is_not_sure(unit: str) -> None:
    (mention,) = find_moneys(f"{unit}\nTotal 12,345.60\n")
    assert mention.confidence == 0.4


def test_mil_is_a_thousand_in_spanish_and_portuguese() -> None:
    assert [mention.value for mention in find_moneys("5 mil euros")] == ["5000"]
    assert [mention.value for mention in find_moneys("R$ 5 mil", PageLocale(decimal=","))] == ["5000"]


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


def test_pounds_are_money_on_a_page_in_pounds() -> None:
    assert [m.value for m in find_moneys("£5 and 8 pounds")] == ["5", "8"]


def test_both_decimal_signs_count_where_the_page_does_not_decide() -> None:
    assert [m.value for m in find_moneys("Total 46,68  46.68")] == ["46.68", "46.68"]


def test_a_sign_belongs_to_one_amount() -> None:
    for text in (
        "0,75 $ 0,80 $ 1,20 $",
        "0,75 €  0,80 €  1,20",
        "EUR 0,75  EUR 0,80  1,20",
        "0,75€ 0,80€ und 1,20",
    ):
        assert [(m.value, text[m.start : m.end].strip("€EUR$ ")) for m in find_moneys(text)] == [
            ("0.75", "0,75"),
            ("0.80", "0,80"),
            ("1.20", "1,20"),
        ]


@pytest.mark.parametrize("text", ["10 usd 20 eur", "usd 10 eur 20", "3 x usd 10 eur 20", "$10, €20"])
def test_currencies_in_front_and_behind(text: str) -> None:
    assert [(m.value, m.currency) for m in find_moneys(text)] == [("10", "USD"), ("20", "EUR")]


def test_an_ambiguous_amount_has_both_readings() -> None:
    (mention,) = find_moneys("Preis 1.234 EUR")
    assert (mention.value, mention.other) == ("1234", "1.234")
    assert mention.confidence < 0.6
    for page, value in (("1,50 EUR und 1.234 EUR", "1234"), ("1.50 EUR und 1.234 EUR", "1.234")):
        *_, mention = find_moneys(page)
        assert (mention.value, mention.other) == (value, None)


def test_credits_are_positive_where_debits_are_marked() -> None:
    moneys = find_moneys("Balance 12.50 CR  10.00 DR")
    assert [mention.value for mention in moneys] == ["12.50", "-10.00"]


def test_credits_are_positive_on_the_statement_of_an_account() -> None:
    assert [m.value for m in find_moneys("Opening balance  12.50 CR")] == ["12.50"]
    assert [m.value for m in find_moneys("Credit card  Opening balance  12.50 CR")] == ["-12.50"]


def test_numbers_in_columns_of_counts_and_rates_are_no_amounts() -> None:
    page = """Menge  Artikel  MwSt %  Preis  Betrag
2,00  Mappe grau  19,00  3,50  7,00
Mappe blau, 10,00 cm breit
Nettobetrag  7,00
"""
    found = [(page[m.start : m.end], m.value) for m in find_moneys(page)]
    assert found == [("3,50", "3.50"), ("7,00", "7.00"), ("7,00", "7.00")]


def test_a_heading_of_two_columns_parted_by_one_space() -> None:
    page = "Art  Basisbetrag  USt. % Steuerbetrag\nWaren  100,00  19,00  19,00\nSumme 100,00"
    assert [m.value for m in find_moneys(page)] == ["100.00", "19.00", "100.00"]


def test_a_bare_amount_follows_the_decimal_sign_of_the_page() -> None:
    german = PageLocale(decimal=",", currency="EUR")
    assert [(m.value, m.currency) for m in find_moneys("Summe 12,50 am 10.12", german)] == [("12.50", "EUR")]


@pytest.mark.parametrize(
    "unit", ["12,50 € ", "1 234 567 ", "$", "5 five ", "(5.00) ", "Rs. 5 ", "Qty  Price\n1.00  2.00\n"]
)
def test_each_amount_takes_the_same_time(unit: str) -> None:
    text = "total " + unit * (60_000 // len(unit))
    start = time.process_time()
    list(find_moneys(text))
    # Half a second; a step that grows with the page takes minutes.
    assert time.process_time() - start < 8


@given(st.text(alphabet="0123456789.,'’ -()€$¥RMEUR%\n万亿元千百kmillion", max_size=60))
def test_any_text_gives_plain_decimals(text: str) -> None:
    end = 0
    for mention in find_moneys(text):
        assert mention.start >= end
        assert mention.value is not None
        assert re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", mention.value)
        end = mention.end


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
