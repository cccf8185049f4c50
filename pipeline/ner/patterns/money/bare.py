"""Amounts without a currency: numbers with two decimals on a page about money, none that counts or measures."""

from __future__ import annotations

import re
from functools import cached_property

from pipeline.models import Mention
from pipeline.ner.characters import found, lowered
from pipeline.ner.patterns.money.columns import Columns
from pipeline.ner.patterns.money.number import Number, Source
from pipeline.ner.patterns.money.signs import bracketed, minus_before, minus_behind
from pipeline.ner.patterns.money.tokens import GLUED

_UNITS = (
    r"(?: ?(?:kgs?|gm|gms|mg|lbs?|oz|ltrs?|litres?|liters?|ml|g/d?l|m?g/kg|cm|mm|km|inch|ft|pcs?|pkts?|units?|ctns?"
    r"|hrs?|hours?|per cent"
    r"|kwh?|mmol|ug|umol|points?|pts|times|years?|months?|days?|stk|std|stück|stunden?|tag(?:e|en)?"
    r"|monate?|pièces?|heures?|jours?|mois|unidad(?:es)?|horas?|pezzi|stuks?|uur|uhr|liter|nächte|nights?"
    r"|personen|persons?|packungen|rollen|kw|mwh|gb|mb|kcal|kj|ppm|min)(?![A-Za-z])"
    r"|[gGlLmhH](?![A-Za-z])| ?m[²³]| (?-i:m)(?![A-Za-z])| ?miles?(?![A-Za-z])| ?[°℃]"
    r"|[\"'°℃×²³]| [lL](?= +[0-9])"
    r"|(?:个|件|公斤|千克|克|吨|米|升|次|小时|天|人|股|倍|度|年|月|%|平方|平米|㎡|立方|公里|千米|厘米|毫米|毫升|公顷|亩|[台套瓶盒箱袋粒片支辆]"
    r"|分钟|秒|周|岁|页|层|千瓦)"
    r"|/ ?[项盒支瓶片袋套次]| ?ct ?/)"
)
_BEHIND = re.compile(rf"(?![.,:/][0-9]|-{{1,2}}[0-9]| ?[%‰]|(?i:{_UNITS})|[A-Za-z]{{4}})")
_CLOCK = re.compile(r" ?(?:[aApP][mM]|[aApP]\.[mM])(?![A-Za-z])")
_IN_FRONT = re.compile(r"[0-9A-Za-z/#$'’_]")
_NOT_AMOUNTS = re.compile(
    r"(?:(?<![a-z])(?:pages?|chapter|section|clause|§|kapitel|abschnitt|ziffer|seite|chapitre|fig|figure|version|release"
    r"|ratio|scale|ph|temp(?:erature|eratur)?|hba1c|spo2|bmi|ore|kl|klo)|(?:vat|gst|tax|mwst|ust|tva|iva|btw) ?@|第)"
    r"[ .:]{0,2}\Z",
    re.IGNORECASE,
)
"""Before numbers of pages and sections, rates, measurements, times."""
_CLOCKS = re.compile(r"0[1-9]\.|[0-9]{1,2}\.[0-9]{2} (?:to|(?:un)?til{1,2}|bis) [0-9]{1,2}\.[0-5]0(?![0-9])")
"""No amounts: 09.30; opening hours, or a range."""
_SEPARATOR = re.compile(r"[0-9][-~:.,]|--")
_UNTIL = re.compile(r"[0-9]\.[0-9]{2} (?:to|(?:un)?til{1,2}|bis) \Z")
_LABELS = re.compile(rf"(?:[0-9 ][xX]|\bR[NH]|(?i:{'|'.join(GLUED)}))\Z")
_ABOUT_MONEY = (
    "total",
    "amount",
    "price",
    "change",
    "balance",
    "invoice",
    "receipt",
    "betrag",
    "合计",
    "金额",
)
"""Words in lower case of which nearly every page about money has one ..."""
_MONEY_WORD = re.compile(
    r"total|amount|amt|\bcash|price|\bpa(?:y|id)|\bgst|\bvat\b|\btax\b|balance|change|\bbill|invoice|receipt"
    r"|\bdue\b|\bcost|\bfees?\b|discount|\bRM\b|[$€£¥₹]|\bEUR\b|\bCHF\b|\bUSD\b|betrag|summe|rechnung|preis|mwst|\bust\b|netto|brutto|saldo"
    r"|montant|facture|prix|\btva\b|solde|importe|precio|factura|kontant|\bmoms\b|\bkokku\b"
    r"|summa|\bsuma\b|razem|celkem|ukupno|skupaj|spolu|yhteens|összesen|toplam|viso\b|\bkop[aā]\b|\bjumlah\b|итого|всего|σύνολο"
    r"|\biva\b|importo|fattura|prezzo|bedrag|factuur|prijs|\bbtw\b|合計|小計|총액|합계"
    r"|金额|合计|小计|总计|价|款|费用|收费|税额|人民币|[0-9]元|收银|找零|应收|实收|余额|餘額|支出|收入|借方|贷方|存入|支取|发生额|交易额|利息",
    re.IGNORECASE,
)
_MULTIPLES = re.compile(
    r"\b(?:in|en) (?:thousands|millions|billions|milliers|miles"
    r"|(?:TEUR|T€|(?:Mio|Mrd|Tsd)\.? ?(?:EUR|€|Euro))(?![A-Za-z]))"
    r"|单位 ?: ?(?:人民币)?[百千]?[千万亿]元|單位 ?: ?[百千]?[千萬億]元|單位 ?: ?新[臺台]幣[千萬]元",
    re.IGNORECASE,
)
"""What a report says whose amounts are thousands or millions."""
_MULTIPLE = 0.4
_COUNTED = re.compile(
    r"(?:qty|quantity|(?<![0-9] )(?<![0-9])pcs|volume|weight|(?<!dis)(?<!ac)count|rate|points?|hours|stunden"
    r"|menge|anzahl\b"
    r"|gewicht|steuersatz|quantité|cantidad|kurs|数量|重量|税率|汇率)[^0-9\n]{0,8}$",
    re.IGNORECASE,
)
_TOTALLED = re.compile(
    r"total|amount|amt|cash|price|pa(?:y|id)|due|change|balance|tax|gst|betrag|summe|netto|brutto|preis|mwst|ust\b|saldo"
    r"|montant|prix|tva|solde|ttc|importe|iva|合计|金额|价",
    re.IGNORECASE,
)
_HEADING = re.compile(r" ?[\u4e00-\u9fff]")
_REACH = 60
_NEAR = 24


class Bare:
    """Reads the bare amounts of a page."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.page = source.page
        self.columns = Columns(source.page)

    @cached_property
    def _about_money(self) -> bool:
        page = lowered(self.page)
        return any(word in page for word in _ABOUT_MONEY) or _MONEY_WORD.search(self.page) is not None

    @cached_property
    def _in_multiples(self) -> bool:
        return _MULTIPLES.search(self.page) is not None

    def read(self, number: Number) -> tuple[Mention, int] | None:
        """The number as an amount, and the index of the token behind it."""
        if not number.cents or _CLOCKS.match(self.page, number.start) or not self._fits(number):
            return None
        if not self._about_money:
            return None
        start, end = number.start, number.end
        before = self._row_before(start)
        if _UNTIL.search(before):
            return None
        # "3.10 合同金额" at a row's start is a section number.
        heading = not before.strip() and _HEADING.match(self.page, end)
        if (
            heading
            or _NOT_AMOUNTS.search(before[-_NEAR:])
            or _COUNTED.search(before[-_NEAR:])
            or self.columns.counted(start, end)
        ):
            return None
        negative = minus_behind(self.page, end) or bracketed(self.page, start, end, bare=True)
        if (at := minus_before(self.page, start)) is not None:
            start, negative = at, True
        negative = negative and number.reading.value.strip("0.") != ""
        value = f"-{number.reading.value}" if negative else number.reading.value
        confidence = _MULTIPLE if self._in_multiples else 0.75 if _TOTALLED.search(before) else 0.6
        return found("MONEY", (start, end), confidence, value, self.source.locale.currency), number.after

    def _fits(self, number: Number) -> bool:
        """Whether the number has the decimal sign of the page, and nothing goes on in front of it or behind it."""
        start, page = number.start, self.page
        printed = page[number.end - 3 : number.end - 2]
        if not number.damaged and printed not in (self.source.locale.decimal or (".", ",")):
            return False
        if printed == "." and _CLOCK.match(page, number.end):
            return False
        if not _BEHIND.match(page, number.end) or _SEPARATOR.match(page, max(0, start - 2), start):
            return False
        if not _IN_FRONT.match(page, start - 1) if start else True:
            return True
        return _LABELS.search(page, max(0, start - 12), start) is not None

    def _row_before(self, start: int) -> str:
        begin = max(0, start - _REACH)
        return self.page[max(begin, self.page.rfind("\n", begin, start) + 1) : start]
