from pathlib import Path

import pytest

from pipeline.fields.receipt.payment import METHODS
from tests.unit.fields.slip import fields, values

HEAD = "BLUE GULL CAFE\n05/22/2018\nSoup  $4.00\nBread  $2.50\nTotal  $6.50\n"

PAID = [
    ("Cash  $10.00\nChange  $3.50", "cash"),
    ("VISA  $6.50", "visa"),
    ("Credit card  $6.50\nCard type: MASTERCARD", "mastercard"),
    ("Credit card  $6.50", "credit_card"),
    ("AMEX  $6.50\nAMERICAN EXPRESS", "amex"),
    ("Debit  $6.50", "debit_card"),
    ("Gift card  $6.50", "gift_card"),
    ("Payment method: PayPal", "paypal"),
    ("支付方式：支付宝", "alipay"),
    ("微信支付  ¥6.50", "wechat_pay"),
    ("EC-Cash  $6.50", "debit_card"),
    ("Especes  $6.50", "cash"),
    ("Cashier: Visar\nCash sales", None),
    ("We accept Visa and Mastercard at all our shops", None),
    ("Thank you", None),
]


@pytest.mark.parametrize(("rows", "method"), PAID)
def test_methods(rows: str, method: str | None) -> None:
    assert values(HEAD + rows).get("payment_method") == method


def test_two_methods_lower_the_confidence() -> None:
    one = fields(HEAD + "VISA  $6.50")["payment_method"]
    two = fields(HEAD + "VISA  $3.50\nCash  $3.00")["payment_method"]
    assert two.confidence < one.confidence
    assert two.checks == ("contradiction",)


def test_the_docs_list_every_method() -> None:
    docs = (Path(__file__).parents[3] / "docs/reference/fields.md").read_text(encoding="utf-8")
    assert all(f"`{method}`" in docs for method in METHODS)
