"""Fields of a bank's advice of one payment (电子回单, debit advice, transfer confirmation)."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.capitals import against_capitals
from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.papers.bank import find_bank
from pipeline.fields.papers.bank_sides import ACCOUNT, find_sides
from pipeline.fields.papers.journey import first_of
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "bank",
    "number",
    "date",
    "time",
    "payer",
    "payer_account",
    "payer_bank",
    "payee",
    "payee_account",
    "payee_bank",
    "purpose",
    "amount",
)
_WANTED = (
    Wanted(
        "number",
        "回单编号|回单号码|电子回单号码|交易流水号|流水号|交易序号|凭证号码|our ref(?:erence)?"
        "|reference(?: no| number)?"
        "|transaction (?:id|no|number|reference)|referenz(?:nummer)?|r[eé]f[eé]rence",
        "code",
    ),
    Wanted(
        "date",
        "交易日期|记账日期|转账日期|入账日期|交易时间|日期|value date|transaction date"
        "|execution date|date|valuta"
        "|buchungstag|ausführungsdatum|datum|date de valeur|fecha(?: valor)?|data(?: valuta)?",
        "DATE",
    ),
    Wanted("time", "交易时间|时间戳|transaction time", "TIME"),
    Wanted(
        "payer",
        "付款人户名|付款人名称|付款人全称|付款户名|付款方户名|付款方|付款人|汇款人(?:名称)?"
        "|出票人|ordering customer|remitter"
        "|payer(?: name)?|debtor|auftraggeber|donneur d.ordre|ordenante|ordinante",
    ),
    Wanted(
        "payer_account",
        "付款人账号|付款人帐号|付款账号|付款方账号|汇款账号|debit account|from account"
        "|payer account|compte d[eé]bit[eé]",
        "code",
        ACCOUNT,
    ),
    Wanted(
        "payer_bank",
        "付款人开户行(?:名称)?|付款人开户银行|付款方开户行|付款行(?:名称)?|ordering bank|payer.?s? bank",
    ),
    Wanted(
        "payee",
        "收款人户名|收款人名称|收款人全称|收款户名|收款方户名|收款方|收款人"
        "|beneficiary(?: name)?|payee(?: name)?|creditor"
        "|begünstigter|zahlungsempfänger|b[eé]n[eé]ficiaire|beneficiario",
    ),
    Wanted(
        "payee_account",
        "收款人账号|收款人帐号|收款账号|收款方账号|beneficiary account(?: no| number)?"
        "|to account|payee account",
        "code",
        ACCOUNT,
    ),
    Wanted(
        "payee_bank", "收款人开户行(?:名称)?|收款人开户银行|收款方开户行|收款行(?:名称)?|beneficiary bank"
    ),
    Wanted(
        "purpose",
        "附言|用途|摘要|交易用途|汇款用途|remittance information|payment details|purpose"
        "|details|verwendungszweck"
        "|motif|concepto|causale",
    ),
    Wanted(
        "amount",
        r"小写(?:金额)?|\(? ?小写 ?\)?|交易金额|转账金额|汇款金额|金额(?: ?\(? ?小写 ?\)?)?"
        r"|amount(?: debited| credited)?"
        r"|transfer amount|betrag|montant|importe|importo",
        "MONEY",
    ),
    Wanted("amount", r"大写(?:金额)?|\(? ?大写 ?\)?", "MONEY"),
    Wanted(
        "",
        r"开户行|开户银行|账号|户名|币种|手续费|charges|记账机构|交易机构|柜员",
    ),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    labelled = find_labelled(rows, entities, _WANTED)
    found = first_of([*labelled, *find_sides(rows, entities), *find_bank(rows)])
    return against_capitals(found, "amount", page, entities)
