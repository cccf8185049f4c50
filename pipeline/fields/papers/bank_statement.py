"""Fields of the head of a bank statement: bank, holder, account, period, opening and closing balance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import structs

from pipeline.fields.cells import Sheet
from pipeline.fields.labels import Wanted, find_labelled, of_entity
from pipeline.fields.papers.bank import find_bank
from pipeline.fields.papers.journey import first_of, next_date
from pipeline.fields.rows import Row, rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "bank",
    "holder",
    "account",
    "date",
    "period_start",
    "period_end",
    "opening",
    "closing",
    "currency",
)
_ACCOUNT = r"[A-Z]{0,2}[0-9*Xx][0-9A-Z*Xx]*(?:[ -](?:[0-9*X][0-9A-Z*X]*(?![a-z])|[A-Z]{4}(?= ?[0-9])))*"
_WANTED = (
    Wanted(
        "holder",
        "account holder|account name|customer name|kontoinhaber|titulaire(?: du compte)?|titular"
        "|intestatario|rekeninghouder|账户名称|户名|客户姓名|客户名称|name",
    ),
    Wanted(
        "account",
        "account (?:no|number|#)|iban|kontonummer|konto-?nr|n[°o] (?:de )?compte"
        "|num[eé]ro de compte|n[uú]mero de cuenta|cuenta|conto corrente(?: n)?|rekeningnummer|账号|帐号"
        "|卡号|account",
        "code",
        _ACCOUNT,
    ),
    Wanted(
        "date",
        "statement date|date of statement|auszugsdatum|erstellt am|date d.[eé]mission"
        "|arr[eê]t[eé] (?:de compte )?au|打印日期|出单日期",
        "DATE",
    ),
    Wanted(
        "period_start",
        "statement period|period covered|period|abrechnungszeitraum|zeitraum|periodo|起止日期",
        "DATE",
    ),
    Wanted(
        "currency",
        "currency|währung|devise|monnaie(?: du compte)?|moneda|valuta|币种|货币",
        "text",
        "[A-Za-z]{3}(?![A-Za-z])|人民币|[Ee]uros?",
    ),
)
_PERIOD = re.compile(
    r"period|from\b|between|statement\b|zeitraum|vom\b|p[eé]riode|\bdu\b|desde|periodo|\bdal\b"
    r"|van\b|起止|时间段|日期范围|查询|期间",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"opening balance|beginning balance|starting balance|previous balance|balance (?:brought"
    r"|b/?) ?f(?:orward|wd)?|brought forward"
    r"|alter (?:konto)?(?:stand|saldo)|anfangssaldo|saldovortrag|ancien solde"
    r"|solde (?:pr[eé]c[eé]dent|initial|ant[eé]rieur)|saldo (?:anterior|inicial|iniziale"
    r"|precedente)"
    r"|begin ?saldo|vorig saldo|期初余额|上期余额|承前余额",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"closing balance|ending balance|new balance|balance (?:carried|c/?) ?f(?:orward|wd)?"
    r"|neuer (?:konto)?(?:stand|saldo)|endsaldo"
    r"|nouveau solde|solde (?:final|en fin|nouveau)|saldo (?:final|finale|actual)|eind ?saldo"
    r"|nieuw saldo|期末余额|本期余额",
    re.IGNORECASE,
)
_BALANCE = re.compile(
    r"\b(?:solde|saldo|balance|kontostand)(?: (?:cr[eé]diteur|d[eé]biteur))?"
    r" (?:au|am|per|zum|al|a|at|on|as (?:of|at)|op)\b",
    re.IGNORECASE,
)
_DEBTOR = re.compile(r"(?i:d[eé]biteur|overdrawn)|\bDR\b")
_CODES = {"人民币": "CNY", "euro": "EUR", "euros": "EUR"}


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    sheet = Sheet(rows, entities)
    labelled = find_labelled(rows, entities, _WANTED)
    period = [*_period(sheet), *labelled, *next_date(rows, entities, labelled, "period_start", "period_end")]
    found = first_of([*period, *find_bank(rows)])
    balances = list(_balances(sheet))
    return [*map(_currency, found), *balances, *_currency_of(found, balances)]


def _period(sheet: Sheet) -> Iterator[Field]:
    """The first row with two dates and a word for a period before them."""
    for row in sheet.rows:
        dates = [e for e in sheet.within("DATE", row.start, row.end) if e.value and len(e.value) == 10]
        if len(dates) == 2 and _PERIOD.search(row.text[: dates[0].start - row.start]):
            yield of_entity("period_start", row, dates[0], 0.88)
            yield of_entity("period_end", row, dates[1], 0.88)
            return


def _balances(sheet: Sheet) -> Iterator[Field]:
    """The opening balance is the first one, the closing balance the last one that has its label."""
    opening = next(_labelled(sheet, _OPENING), None)
    closing = next(_labelled(sheet, _CLOSING, last=True), None)
    dated = list(_labelled(sheet, _BALANCE)) if opening is None or closing is None else []
    if opening is None and dated and _before(dated[0], closing or dated[-1]):
        opening = dated[0]
    if closing is None and dated and opening is not None and _before(opening, dated[-1]):
        closing = dated[-1]
    for name, pair in (("opening", opening), ("closing", closing)):
        if pair is not None:
            row, amount = pair
            sharp = (_OPENING if name == "opening" else _CLOSING).search(row.text)
            made = of_entity(name, row, amount, 0.9 if sharp else 0.7)
            debt = _DEBTOR.search(row.text) and not (made.value or "").startswith("-")
            yield structs.replace(made, value=f"-{made.value}") if debt else made


def _before(one: tuple[Row, Entity], other: tuple[Row, Entity]) -> bool:
    return one[0].start < other[0].start


def _labelled(sheet: Sheet, label: re.Pattern[str], last: bool = False) -> Iterator[tuple[Row, Entity]]:
    """Rows with the label and the amount at their end."""
    for row in reversed(sheet.rows) if last else sheet.rows:
        match = label.search(row.text)
        if match is None:
            continue
        amounts = sheet.within("MONEY", row.start + match.end(), row.end)
        if amounts:
            yield row, amounts[-1]


def _currency(one: Field) -> Field:
    if one.name != "currency" or one.value is None:
        return one
    return structs.replace(one, value=_CODES.get(one.value.lower(), one.value.upper()))


def _currency_of(found: Sequence[Field], balances: Sequence[Field]) -> Iterator[Field]:
    """The currency of the balances, where no label names it."""
    currencies = {one.currency for one in balances if one.currency}
    if not any(one.name == "currency" for one in found) and len(currencies) == 1:
        yield structs.replace(balances[0], name="currency", value=currencies.pop(), currency=None, text="")
