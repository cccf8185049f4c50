"""How a receipt was paid, as one of a small set of methods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.fields.amounts import squash
from pipeline.fields.receipt.total import Reading
from pipeline.fields.rows import Row, field
from pipeline.models import Field

_METHODS = [
    ("visa", r"visa(?!ge|gi)|^v[il]sa"),
    ("mastercard", r"master(?:card)?"),
    ("amex", r"amex|americanexpress"),
    ("unionpay", r"unionpay|银联"),
    ("discover", r"discover"),
    ("diners", r"dinersclub|^diners"),
    ("jcb", r"^jcb|jcbcard"),
    ("maestro", r"maestro"),
    ("wechat_pay", r"wechat|微信"),
    ("alipay", r"alipay|支付宝"),
    ("apple_pay", r"applepay"),
    ("google_pay", r"googlepay|gpay"),
    ("paypal", r"paypal"),
    (
        "e_wallet",
        r"ewallet|grabpay|touchngo|tngewallet|^tng|boostpay|gopay|^ovo|gcash|paytm|swish|mobilepay|云闪付",
    ),
    ("gift_card", r"gift(?:card|cert)|geschenk|carte?cadeau"),
    ("debit_card", r"debit|girocard|^eccash|^eckarte|bancomat|bancontact|eftpos|^nets|^pin$|^mydebit|借记"),
    ("credit_card", r"credit(?!note|term|lim)|kreditkarte|cartecredit|tarjetacredito|信用卡"),
    (
        "card",
        r"^card|card$|kartenzahlung|^karte|cartebancaire|^cb$|tarjeta|^kaart|betaalkaart|^carta|paywave|刷卡",
    ),
    ("check", r"^check(?:tender|payment)|^cheque|^scheck"),
    ("bank_transfer", r"banktransfer|uberweisung|virement|transferencia|bonifico|转账"),
    (
        "cash",
        r"cash(?!ier|bill|back|sales?|memo|inv|refund)|^tunai|^bar(?:geld|zahlung)?$|^gegeben|especes|efectivo"
        r"|contant[ei]|^contado"  # codespell:ignore
        r"|dinheiro|现金",
    ),
]
METHODS = tuple(method for method, _ in _METHODS)
_PATTERNS = [(method, re.compile(pattern)) for method, pattern in _METHODS]
_BY_NAME = dict(_PATTERNS)
_ANY = re.compile("|".join(pattern for _, pattern in _METHODS))
_GENERIC = ("card", "credit_card", "debit_card")
_SAID = re.compile(
    r"^(?:paid(?:by|with|via)?|(?:pay|payment)(?:method|type|mode|by)?|tender(?:type)?|card(?:type|issuer|brand|name)?|issuer"
    r"|mode(?:of)?(?:payment|paiement)"  # codespell:ignore
    r"|zahlungsart|bezahltmit|moyendepaiement|formadepago|metodo(?:di)?pagamento|betaalwijze"
    r"|支付方式|付款方式|结算方式)"
)
_FILLING = re.compile("card|credit|debit|sale|purchase|payment|paid|tender|slip|karte|zahlung|支付|付款|x+")
_LEFT = 3
"""Letters that may be left of it."""
_WORD = 24
"""Maximum number of letters of a row that is nothing but a method."""


def find_payment(reading: Reading) -> Field | None:
    """The method of payment; a brand of cards rather than just a card, `None` if the receipt does not state it."""
    scores: dict[str, float] = {}
    places: dict[str, Row] = {}
    for row, method, score in _mentions(reading):
        if score > scores.get(method, 0.0):
            scores[method] = score
            places[method] = row
    if not scores:
        return None
    brands = [m for m in scores if m not in ("cash", *_GENERIC)]
    best = max(scores, key=lambda m: scores[m])
    if best in _GENERIC and len(brands) == 1:
        best, score = brands[0], max(scores[best], scores[brands[0]])
    else:
        score = scores[best]
    rivals = [m for m in scores if m != best and m not in _GENERIC and scores[m] > score - 0.2]
    row = places[best]
    checks = ["contradiction"] if rivals else []
    span = row.span(0, len(row.text))
    return field("payment_method", row.page, [span], best, score * (0.6 if rivals else 1.0), checks=checks)


def _mentions(reading: Reading) -> Iterator[tuple[Row, str, float]]:
    paid = {m.amount.row: m for m in reading.evidence.of("cash")}
    for number, row in enumerate(reading.rows):
        if len(row.text) > 80:
            continue
        squashed = squash(row.text)
        if number in paid and paid[number].value:
            label = squash(row.text[: paid[number].amount.entity.start - row.start])
            if method := _method(label) or _method(squashed):
                exact = reading.value is not None and paid[number].value == reading.value
                yield row, method, 0.93 if exact or (method == "cash" and reading.value is not None) else 0.75
        elif (said := _SAID.match(squashed)) and (method := _method(squashed[said.end() :])):
            yield row, method, 0.85
        elif len(squashed) <= _WORD and (method := _alone(squashed)):
            yield row, method, 0.6 if method != "cash" else 0.5


def _alone(squashed: str) -> str | None:
    """The method that a row names and nothing else."""
    method = _method(squashed)
    if method is None:
        return None
    rest = _BY_NAME[method].sub("", squashed)
    return method if len(_FILLING.sub("", rest)) < _LEFT else None


def _method(squashed: str) -> str | None:
    if not _ANY.search(squashed):
        return None
    return next((method for method, pattern in _PATTERNS if pattern.search(squashed)), None)
