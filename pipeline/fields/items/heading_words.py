"""The words in the headings of tables, in the languages of the papers read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from functools import cache


class Role(Enum):
    """What a column of a table holds."""

    POSITION = auto()
    CODE = auto()
    DESCRIPTION = auto()
    QUANTITY = auto()
    UNIT = auto()
    UNIT_PRICE = auto()
    AMOUNT = auto()
    TAX_RATE = auto()
    TAX = auto()
    DISCOUNT = auto()
    DATE = auto()
    VALUE_DATE = auto()
    DEBIT = auto()
    CREDIT = auto()
    BALANCE = auto()
    OTHER = auto()
    FOREIGN = auto()
    """Such a column is in tables of something else: of taxes, terms of payment, payments."""


_NAMES = {
    Role.POSITION: """
        pos | pos nr | position | item no | item # | line | line no | no | nr | # | s/n | sn | s no | sl
        no | sr no | lfd nr | n° | ligne | riga | regel | 序号 | 行号 | 编号
    """,
    Role.CODE: """
        art nr | art-nr | art no | artikel nr | artikel-nr | artikelnummer | artikelnr | art-nr-kunde |
        art-nr-lief | art-nr-lieferant | gtin | ean | sku | code | item code |
        article no | article number | item number | product no | stock code |
        code article | product code | part no |
        part number | model | material | ref | reference | référence | réf | código | codice |
        artikelcode | hsn | hsn/sac | sac | cheque no | chq no | cheque | belegnr | beleg | barcode |
        规格型号 | 规格 | 型号 | 商品编码 | 编码 | 货号 | 凭证号
    """,
    Role.DESCRIPTION: """
        description | beschreibung | tätigkeit |
        bezeichnung | artikelbezeichnung | artikel | artikelbeschreibung |
        leistung | leistungen | produkt | produktbezeichnung | warenbezeichnung | ware | text | item |
        items | item name | item description | product | product name | products | service | services |
        article | articles | particulars | details | description of goods | goods | designation |
        désignation | libellé | prestation | prestations | descripción | concepto | detalle | artículo |
        producto | descrizione | prodotto | articolo | omschrijving | artikelomschrijving | descrição |
        discriminação | produto | serviço | desc | activity | name |
        货物或应税劳务、服务名称 | 货物或应税劳务名称 | 项目名称 | 名称 | 商品名称 | 品名 | 商品 | 货品名称 |
        项目 | 费用名称 | 收费项目 | 药品名称 | 项目/规格
    """,
    Role.QUANTITY: """
        menge | anzahl | stück | qty | quantity | quantité | qté | qte | quant | nombre | nb | cantidad
        | cant | cantid | uds | std | stk | delivered | shipped | qty delivered | qty shipped |
        quantity delivered | quantity shipped | geliefert | gelieferte menge | quantité livrée | ilość |
        quantità | qtà | q.tà | qta | aantal | hoeveelheid | quantidade | qtd |
        qtde | hours | hrs | stunden | units | qty/unit | quantity/unit | menge/einheit | 数量 | 数量/单位
    """,
    Role.UNIT: """
        einheit | einh | me | unit | uom | u/m | unité | unidad | unità | u.m. | um | eenheid | unidade
        | 单位 | 计量单位
    """,
    Role.UNIT_PRICE: """
        einzelpreis | e-preis | einzel | ep | stückpreis | preis | nettopreis | bruttopreis |
        preis/einheit | einzelpreis netto | stundensatz | satz |
        unit price | price | u. price | u/price | unit cost | cost |
        rate | price each | unit rate | list price | net price | pu | p.u. | p.u | p.u. ht | pu ht |
        prix unitaire | prix unitaire ht | prix unit | prix | precio | precio unitario | p. unit |
        p.unit | precio unit | prezzo | prezzo unitario | prezzo unit | prijs | stukprijs |
        eenheidsprijs | preço | valor unitario | valor unitário |
        vlr unit | cena netto | cena | preço unitário | preço unit | 单价 | 单 价 | 含税单价 | 价格
    """,
    Role.AMOUNT: """
        betrag | gesamtbetrag | gesamt | gesamtpreis | summe | nettobetrag | nettowert | netto |
        positionsbetrag | positionsbetrag ohne | g-preis | gp | wert | amount | total | total price |
        line total | total amount | amount due | net amount | net | ext price | extended price |
        extension | sum | subtotal | value | ext. amount | price total | charges | charge | montant |
        montant ht | total ht | total ttc | montant ttc | prix total | importe | total línea | importo |
        totale | prezzo totale | bedrag | wartość | wartość netto |
        wartość brutto | totaal | valor | valor total | importe total | 金额 | 小计 | 金额(元)
        | 价税合计 | 合计金额 | 总价 | 合计 | 总金额 | 费用金额 | 交易金额 | 发生额 | 交易额
    """,
    Role.OTHER: """
        ordered | qty ordered | quantity ordered | bestellt | bestellte menge | backorder | back ordered
    """,
    Role.TAX_RATE: """
        steuersatz | mwst-% | ust-% | mwst % | ust % | mwst satz | ust satz | tax rate | vat rate | vat
        % | gst % | tax % | % tva | taux tva | taux | tva % | % iva | aliquota | btw % | % mwst | % ust
        | iva % | 税率 | 税率/征收率
    """,
    Role.TAX: """
        taxes | impuestos | imposte | steuern | impostos |
        ust | mwst | mwst-betrag | vat | gst | tax | sst | tva | iva | btw | steuer | sales tax | vat
        amount | tax amount | 税额 | 税 额
    """,
    Role.DISCOUNT: """
        rabatt | rab | rab % | discount | disc | disc % | remise | rem | descuento | dto | sconto |
        korting | desconto | 折扣 | 折扣率 | 优惠
    """,
    Role.DATE: """
        datum | date | buchungstag | buchung | buchungsdatum | buch-tag | bu-tag | booking date |
        transaction date | trans date | posting date | post date | txn date | date opération | date op |
        fecha | fecha operación | f. operación | data | data operazione | data contabile | boekdatum |
        data mov | data lançamento | 日期 | 交易日期 | 记账日期 | 上车时间 | 交易时间 | 消费日期
    """,
    Role.VALUE_DATE: """
        wert | valuta | wertstellung | value date | value | date valeur | valeur | fecha valor | f.
        valor | data valuta | data valor | valutadatum | 起息日 | 入账日期
    """,
    Role.DEBIT: """
        soll | belastung | belastungen | lastschrift | auszahlung | ausgang | ausgänge | zu ihren lasten
        | debit | debits | withdrawal | withdrawals | paid out | money out | payments | payments out |
        débit | débits | debe | cargo | cargos | adeudo | dare | addebiti | uscite | af | débito |
        débitos | 借方 | 借方发生额 | 支出 | 支出金额 | 付款 | 借方金额 | debit amount | dr | debit (-)
    """,
    Role.CREDIT: """
        haben | gutschrift | gutschriften | einzahlung | eingang | eingänge | zu ihren gunsten | credit
        | credits | deposit | deposits | paid in | money in | receipts | payments in | crédit | crédits
        | haber | abono | abonos | avere | accrediti | entrate | bij | crédito | créditos | 贷方 | 贷方发生额 |
        收入 | 收入金额 | 存入 | 贷方金额 | credit amount | cr | credit (+)
    """,
    Role.BALANCE: """
        saldo | kontostand | balance | running balance | account balance | closing balance | solde | 余额
        | 账户余额 | 结余
    """,
    Role.FOREIGN: """
        basisbetrag | basismenge | basisbetrag | steuerbasis | bemessungsgrundlage | fälligkeit |
        teilzahlung | steuerbetrag | ust-betrag | ust.-betrag | taxable | taxable amount | taxable value
        | tax base | base ht | base imponible | imponibile | grundbetrag | prozentsatz | warenwert |
        endbetrag | skonto | skonto sofort | fracht | fracht-verp-vers | zu-/abschlag | due date |
        payment method | zahlungsart | dateiname | tax code | gst code | tax summary | gst summary
    """,
}
_STATEMENT = {
    Role.DESCRIPTION: """
        buchungstext | verwendungszweck | vorgang | umsatz | umsatzart | erläuterung | erläuterungen |
        empfänger | opérations | opération | nature | nature des opérations | libellé des opérations |
        transaction | transactions | transaction details | transaction description | narrative |
        narration | remarks | payment type and details | operación | movimiento | movimientos |
        operazione | operazioni | causale | mededelingen | naam / omschrijving | histórico | movimento |
        摘要 | 交易摘要 | 用途 | 附言 | 对方户名 | 交易类型 | 备注
    """,
    Role.AMOUNT: """
        umsatz in eur | betrag in eur | betrag eur | amount (rm) | transaction amount | montant eur | in
        eur
    """,
}
_HAN = re.compile("[\u4e00-\u9fff]")
_PART = re.compile("[ :-]")


class _Folded(dict[int, str]):
    """Lower case without accents, by character; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        lower = chr(code).lower()[:1]
        self[code] = folded = lower if lower == "ß" else unicodedata.normalize("NFKD", lower)[:1] or " "
        return folded


_FOLDED = _Folded()


def fold(text: str) -> str:
    """Lower case without accents, character by character: offsets stay valid."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def _pattern(phrase: str) -> str:
    folded = fold(phrase)
    if _HAN.search(folded):
        return r"[ \t]*".join(re.escape(c) for c in folded if c != " ")
    words = r"[.:]?[ -]".join(re.escape(word) for word in folded.split())
    begin = r"(?<![^\W\d_])" if folded[0].isalnum() else ""
    return rf"{begin}{words}(?![^\W\d_])"


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern of phrases, the longest first, grouped by their first character: that decides what is tried."""
    groups: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        groups.setdefault(fold(phrase)[0], []).append(_pattern(phrase))
    return "|".join(f"(?={re.escape(first)})(?:{'|'.join(found)})" for first, found in groups.items())


def _listed(phrases: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in phrases.split("|")]


ROLES: dict[str, Role] = {}
for _names in (_NAMES, _STATEMENT):
    for _role, _phrases in _names.items():
        for _phrase in _listed(_phrases):
            ROLES.setdefault(re.sub(r"[^\w#%°]", "", fold(_phrase)), _role)
_ALL = sorted({p for names in (_NAMES, _STATEMENT) for ps in names.values() for p in _listed(ps)})
_FIRST_WORDS = frozenset(re.split("[ -]", fold(p))[0] for p in _ALL if not _HAN.search(p))
_HAN_FIRST = frozenset(p[0] for p in _ALL if _HAN.search(p))


def may_head(words: Iterable[str]) -> bool:
    """Whether at least two of a row's words may begin headings: cheap, before `headings_in`."""
    seen = 0
    for word in words:
        han = 0 if word.isascii() else len(_HAN_FIRST & set(word))
        seen += han or _PART.split(fold(word).rstrip("."), maxsplit=1)[0] in _FIRST_WORDS
        if seen > 1:
            return True
    return False


def headings_in(folded: str) -> Iterator[re.Match[str]]:
    """The headings of columns in folded text; `role_of` tells which."""
    return _heading().finditer(folded)


@cache
def _heading() -> re.Pattern[str]:
    return re.compile(_any_of(_ALL))


def role_of(phrase: str) -> Role | None:
    """The role that a matched heading names."""
    return ROLES.get(re.sub(r"[^\w#%°]", "", phrase))
