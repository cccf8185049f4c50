"""INVOICE_CODE and INVOICE_NUMBER."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.invoices import find_invoice_codes, find_invoice_numbers

NUMBERS = [
    ("发票号码： 07012345", "07012345", "07012345"),
    ("发票号码：23112000000012345678", "23112000000012345678", "23112000000012345678"),
    ("发票号码：\n07012345", "07012345", "07012345"),
    ("INVOICE NO: 18028/103/T0369", "18028/103/T0369", "18028/103/T0369"),
    ("Invoice No. : CR 1803/0064", "CR 1803/0064", "CR 1803/0064"),
    ("INV# 002511900048269", "002511900048269", "002511900048269"),
    ("INV NO: CS-SA-0077188 Date: 10/04/2017", "CS-SA-0077188", "CS-SA-0077188"),
    ("Receipt #: CS00087400", "CS00087400", "CS00087400"),
    ("Receipt/Trx No 14551/15", "14551/15", "14551/15"),
    ("BILL NO: 00118887 / POS01", "00118887", "00118887"),
    ("BILL#: V001- 515592", "V001- 515592", "V001-515592"),
    ("Check #: 514658 Pax(s): 0", "514658", "514658"),
    ("Chk 263370 Guest", "263370", "263370"),
    ("DOC NO CS00031663", "CS00031663", "CS00031663"),
    ("Involce No.: 10217", "10217", "10217"),
    ("TAX INVOICE: 0017756", "0017756", "0017756"),
    ("Invoice581355 Cashier", "581355", "581355"),
    ("INVOICE NO.:\nCS10217", "CS10217", "CS10217"),
    ("TAX INVOICE\nNO. : CS180319-0015", "CS180319-0015", "CS180319-0015"),
]
NOT_NUMBERS = [
    "BILL DATE : 20/12/2017",
    "INVOICE NO DATE",
    "Invoice: 12/03/2018",
    "Invoice: 12-03-2018",
    "receipt 1234.50",
    "invoice 2018 was",
    "inventory no",
    "INVOICE NO.:\n2 COUNTERS",
    "order # 12345",
    "7 DAYS WITH RECEIPT.",
    "发票号码：123",
    "No87654321",
]


@pytest.mark.parametrize(("text", "span", "value"), NUMBERS)
def test_invoice_number(text: str, span: str, value: str) -> None:
    mentions = list(find_invoice_numbers(text))
    assert {(text[m.start : m.end], m.value) for m in mentions} == {(span, value)}


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_no_invoice_number(text: str) -> None:
    assert list(find_invoice_numbers(text)) == []


def test_a_labelled_number_of_an_odd_length_has_low_confidence() -> None:
    (number,) = find_invoice_numbers("发票号码：070123456")
    (code,) = find_invoice_codes("发票代码：00100210001")
    assert number.confidence < 0.5
    assert code.confidence < 0.5


@pytest.mark.parametrize("code", ["1100094140", "011001900111"])
def test_invoice_code(code: str) -> None:
    (mention,) = find_invoice_codes(f"发票代码： {code} 发票号码：07012345")
    assert (mention.start, mention.value) == (6, code)


def test_the_paper_form_prints_no_labels() -> None:
    text = "1100094140 增值税专用发票 No87654321\n纳税人识别号"
    assert [m.value for m in find_invoice_codes(text)] == ["1100094140"]
    assert [m.value for m in find_invoice_numbers(text)] == ["87654321"]


def test_digits_without_label_or_form_are_not_a_code() -> None:
    assert list(find_invoice_codes("1100094140 No87654321")) == []
