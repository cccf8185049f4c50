"""Fields of a payment receipt: who paid how much to whom (收款收据, official receipt, Quittung, reçu)."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.capitals import against_capitals
from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.papers.journey import only_date
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("number", "date", "payer", "payee", "reason", "method", "total")
_WANTED = (
    Wanted(
        "number",
        r"收据编号|票据号码|编号|receipt (?:no|number)|quittung nr|belegnummer|re[cç]u n[o°]"
        r"|recibo n[o°º]",
        "code",
    ),
    Wanted("number", r"n[o°]|nr\.?|no\.?", "code"),
    Wanted("date", "收款日期|入账日期|开票日期|日期|date|datum|fecha|data|le", "DATE"),
    Wanted(
        "payer",
        r"(?:今|兹|现)收到|交款单位|交款人|缴款人|付款单位|付款人"
        r"|received (?:with thanks )?from|erhalten von|von"
        r"|re[cç]u de|recib[ií](?:do|mos)? de|ricevuto da|ontvangen van",
    ),
    Wanted(
        "payee",
        "收款单位(?: ?\\(盖章\\)| ?\\(公章\\))?|收款方|for and on behalf of|payee|zahlungsempfänger|empfänger"
        "|b[eé]n[eé]ficiaire|beneficiario",
    ),
    Wanted(
        "reason",
        "收款事由|事由|交来|摘要|being payment (?:of|for)|being|in payment (?:of|for)|payment for|für"
        "|en r[eè]glement de|por concepto de|per|reason|description",
    ),
    Wanted(
        "method",
        "收款方式|付款方式|payment method|mode of payment|paid by|zahlungsart|mode de paiement|forma de pago",
    ),
    Wanted(
        "total",
        r"\(? ?小写 ?\)?|合计金额|收款金额|金额|人民币(?: ?\(? ?小写 ?\)?)?|total amount"
        r"|amount received|amount|total"
        r"|betrag|gesamt|montant|la somme de|la cantidad de|importe|importo|bedrag",
        "MONEY",
    ),
    Wanted("total", r"大写(?:金额)?|\(? ?大写 ?\)?", "MONEY"),
    Wanted("", r"经手人|出纳|会计|审核|收款人"),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    found = find_labelled(rows, entities, _WANTED)
    if not any(one.name == "date" for one in found):
        found += only_date(rows, entities)
    return against_capitals(found, "total", page, entities)
