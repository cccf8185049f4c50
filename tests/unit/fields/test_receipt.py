import random

import pytest

from pipeline.fields import load
from pipeline.fields.filler import FIELDS
from pipeline.models import Extraction, Field, Page
from pipeline.settings import Settings
from tests.unit.fields.paper import entities, page

FILLER = load(Settings())
HEAD = """
  SAMPLE HARDWARE SDN BHD (000123-X)
  NO 7, JALAN CONTOH 2/1,
  TAMAN REKAAN
  00000 BANDAR CONTOH, SELANGOR.
  TEL: 03-0000 0009  FAX: 03-0000 0001
  GST ID: 000000000000
  TAX INVOICE
Doc No: CS0001          Date: 05/02/2018 12:31
Cashier: USER
Item          Qty       Amount
NAILS 2 INCH  1         12.00
HAMMER        1         20.00
"""
FOOT = "\nThank you, please come again\nGoods sold are not returnable"


def record(text: str, *more: str) -> Extraction:
    pages = [page(t, n) for n, t in enumerate((text, *more), 1)]
    return FILLER.fill(pages, entities(*pages))


def fields(text: str, *more: str) -> dict[str, Field]:
    found = record(text, *more)
    assert found.document_type == "receipt"
    assert tuple(f.name for f in found.fields) == FIELDS["receipt"]
    return {f.name: f for f in found.fields}


def receipt(totals: str) -> dict[str, Field]:
    return fields(HEAD + totals + FOOT)


def test_all_fields_with_their_places() -> None:
    text = (
        HEAD
        + "Sub Total             30.00\nGST 5%                 1.50\nTip                    0.50"
        + "\nTotal (RM)            32.00\nCash                  50.00\nChange                18.00"
        + FOOT
    )
    found = fields(text)
    assert {name: f.value for name, f in found.items()} == {
        "company": "SAMPLE HARDWARE SDN BHD",
        "date": "2018-02-05",
        "time": "12:31",
        "address": "NO 7, JALAN CONTOH 2/1, TAMAN REKAAN 00000 BANDAR CONTOH, SELANGOR.",
        "phone": "0300000009",
        "subtotal": "30.00",
        "tax": "1.50",
        "tip": "0.50",
        "total": "32.00",
        "payment_method": "cash",
    }
    assert {found[name].currency for name in ("subtotal", "tax", "tip", "total")} == {"MYR"}
    read: Page = page(text)
    for field in found.values():
        assert 0.5 < field.confidence <= 1
        assert field.page == 1
        assert field.start is not None
        assert read.text[field.start : field.end] == field.text
        assert not field.checks
    assert len(found["address"].boxes) == 3
    assert found["date"].text == "05/02/2018"


TOTALS = [
    ("Sub Total 30.19\nGST 6% 1.81\nTotal 32.00\nRounding 0.00\nRounded Total 32.00", "32.00"),
    ("Total Sales (Inclusive of GST) 32.01\nRounding Adj -0.01\nGRAND TOTAL RM32.00", "32.00"),
    ("T0TAL 32.00\nGST Summary   Amount  Tax\nSR 6%   30.19   1.81\nTotal   30.19   1.81", "32.00"),
    ("Total Qty: 2   52.00\nTotal Excl. GST 30.19\nTotai Incl. GST 32.00", "32.00"),
    ("32.00\nCASH 50.00\nCHANGE 18.00", "32.00"),
    ("Total Payable\n32.00", "32.00"),
    ("TOT: RM 32.00\nVISA 32.00", "32.00"),
    ("Discount 1.00\nService charge 2.00\nNett Total 33.00", "33.00"),
]


@pytest.mark.parametrize(("totals", "value"), TOTALS)
def test_the_total_among_other_sums(totals: str, value: str) -> None:
    assert receipt(totals)["total"].value == value


def test_no_total_is_null_not_the_largest_amount() -> None:
    total = receipt("")["total"]
    assert (total.value, total.text, total.confidence, total.page, total.boxes) == (None, "", 0.0, None, ())


def test_cash_less_change_decides_and_contradiction_lowers() -> None:
    paid = receipt("Total 32.00\nCash 50.00\nChange 18.00")["total"]
    alone = receipt("Total 31.00")["total"]
    wrong = receipt("Total 31.00\nCash 50.00\nChange 18.00")["total"]
    assert paid.confidence > alone.confidence > wrong.confidence
    assert receipt("Total Sales 32.02\nRounding 32.00\nCash 50.00\nChange 18.00")["total"].value == "32.00"


def test_items_that_add_up_raise() -> None:
    assert receipt("Total 32.00")["total"].confidence > receipt("Total 31.00")["total"].confidence


def test_the_documents_own_date() -> None:
    found = receipt("Total 32.00\nExpiry date: 09/09/2019\nPrinted: 06/02/2018")
    assert found["date"].value == "2018-02-05"
    both = fields(HEAD.replace("Date: 05/02/2018 12:31", "05/02/2018  07/02/2018") + "Total 32.00")
    assert both["date"].confidence < found["date"].confidence
    none = fields(HEAD.replace("05/02/2018 12:31", "") + "Total 32.00")
    assert none["date"].value is None


COMPANIES = [
    ("a smudge\nBLUE GULL ENTERPRISE", "BLUE GULL ENTERPRISE"),
    ("BLUE GULL PAPER\nTRADING SDN BHD", "BLUE GULL PAPER TRADING SDN BHD"),
    ("31800000\nBLUE GULL 5/B (000123-X)", "BLUE GULL S/B"),
    ("Blue GuIl Cafe", "Blue Gull Cafe"),
    ("(000123-X)\n12-34567", None),
]


@pytest.mark.parametrize(("head", "value"), COMPANIES)
def test_companies(head: str, value: str | None) -> None:
    rest = "\n".join(HEAD.strip("\n").splitlines()[1:])
    assert fields(f"{head}\n{rest}\nTotal 32.00")["company"].value == value


def test_a_misread_comma_in_an_address() -> None:
    text = HEAD.replace("TAMAN REKAAN", "TAMAN REKAAN. LRG. 5").replace("00000", "1111O")
    assert fields(text)["address"].value == (
        "NO 7, JALAN CONTOH 2/1, TAMAN REKAAN, LRG. 5 11110 BANDAR CONTOH, SELANGOR."
    )


def test_a_chinese_receipt() -> None:
    found = fields("""
样例便利超市
购物小票
单号 000123        收银员 007
日期 2026-03-09 17:40
商品      数量      金额
绿茶      2      12.00
合计            ¥12.00
优惠            ¥2.00
实收金额        ¥10.00
支付方式：微信支付
地址：云州市示范区试验路88号
""")
    assert {name: f.value for name, f in found.items() if f.value} == {
        "company": "样例便利超市",
        "date": "2026-03-09",
        "time": "17:40",
        "address": "云州市示范区试验路88号",
        "total": "10.00",
        "payment_method": "wechat_pay",
    }
    assert found["total"].currency == "CNY"


def test_the_total_may_be_on_the_second_page() -> None:
    found = fields(HEAD, "continued\nTotal 32.00\nCash 32.00")
    assert (found["company"].page, found["total"].page, found["total"].value) == (1, 2, "32.00")


def test_other_documents_have_a_type_and_no_fields() -> None:
    found = record(
        "PURCHASE ORDER\nVendor  Ship to\nTerms net 30\nFreight\nTotal USD 500.00\nauthorised by buyer"
    )
    assert found.document_type == "other"
    assert found.fields == ()


def test_incomplete_pages_cause_no_error() -> None:
    rng = random.Random(7)
    pieces = (HEAD + "Total 32.00\nCash 50.00\nChange 18.00\n地址：\n名称：\nSDN BHD\n-\n(\n商户名称").split()
    for _ in range(100):
        torn = "\n".join(" ".join(rng.choices(pieces, k=4)) for _ in range(rng.randrange(12)))
        for field in record(torn).fields:
            assert 0 <= field.confidence <= 1
            assert (field.value is None) == (field.page is None)
