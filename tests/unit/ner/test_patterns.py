"""All recognisers together: spans, full-width text, and linear run time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ner.characters import plain
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.finder import find

RECEIPT = """SUNRISE PAPER SDN BHD (1234567-W)
TEL : 03-5555 0823
Tax Invoice
No.: CS180319-0015
TAPE @ 2.50 12 30.00 SR
Total Amt Payable : 31.80
Total Qty Tender : 12
19/03/2018 1:01:43 PM
www.example.com.my"""


def test_a_receipt() -> None:
    found = [(m.type, RECEIPT[m.start : m.end], m.value) for m in resolve(find(RECEIPT))]
    assert found == [
        ("ORG", "SUNRISE PAPER SDN BHD", None),
        ("PHONE", "03-5555 0823", "+60355550823"),
        ("INVOICE_NUMBER", "CS180319-0015", "CS180319-0015"),
        ("MONEY", "2.50", "2.50"),
        ("MONEY", "30.00", "30.00"),
        ("MONEY", "31.80", "31.80"),
        ("DATE", "19/03/2018", "2018-03-19"),
        ("TIME", "1:01:43 PM", "13:01:43"),
        ("URL", "www.example.com.my", "www.example.com.my"),
    ]


@given(st.text(max_size=200))
def test_plain_keeps_every_position(text: str) -> None:
    assert len(plain(text)) == len(text)
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet="0123456789.,:/-年月日元RM$¥No #@\nＡ１：（）有限公司 TELINVOICE", max_size=120))
def test_any_text_gives_spans_inside_it(text: str) -> None:
    for mention in find(text):
        assert 0 <= mention.start < mention.end <= len(text)
        assert 0 < mention.confidence <= 1
        assert "\n" not in plain(text)[mention.start : mention.end]


@pytest.mark.parametrize(
    "unit", ["1234567890", " ", "abcdefghij", "1 a", "1234 ", "1.", "1-", "公司的年月", "A B ", "123,", "\n"]
)
def test_a_hostile_text_takes_no_longer_than_an_ordinary_one(unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    start = time.process_time()
    find(text)
    # Half a second of CPU time, up to twice that where words and digits alternate: a pattern with
    # quadratic run time exceeds this bound by minutes.
    assert time.process_time() - start < (3.0 if len(unit) in {1, 10} else 9.0)


@pytest.mark.parametrize("invisible", ["\u00ad", "\u200b", "\u200d", "\u200f", "\u202e", "\u2060", "\ufeff"])
@pytest.mark.parametrize(
    ("before", "after", "value"),
    [
        ("€ 1", "234.50", "1234.50"),
        ("21/03/20", "24", "2024-03-21"),
        ("+49 30 901", "820", "+4930901820"),
        ("DE89 3704 0044 05", "32 0130 00", "DE89370400440532013000"),
    ],
)
def test_invisible_characters_split_no_number(invisible: str, before: str, after: str, value: str) -> None:
    text = f"{invisible}: {before}{invisible}{after}{invisible}"
    (mention,) = resolve(find(text))
    assert (mention.value, text[mention.start : mention.end]) == (value, f"{before}{invisible}{after}")


@pytest.mark.parametrize("unreadable", ["\x00", "\u0301", "\ufffd", "\ue000", "\ufe0f"])
@pytest.mark.parametrize(
    "text", ["Total 1{}234.50 €", "EUR 12{}34.50", "21/03/20{}24", "Tel +49 30 12{}345678"]
)
def test_a_number_with_an_unreadable_character_is_not_read_in_part(unreadable: str, text: str) -> None:
    assert resolve(find(text.format(unreadable))) == []


@pytest.mark.parametrize("text", ["€ ١٢٣٤", "₹ १२३४", "€ １２３４", "฿ ๑๒๓๔"])
def test_digits_of_other_scripts(text: str) -> None:
    assert [mention.value for mention in resolve(find(text))] == ["1234"]
