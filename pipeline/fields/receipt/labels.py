"""What the labels of a receipt's amounts mean: total, tax, tip, change and so on, in the languages of receipts.

A label is squashed before it is looked up (`amounts.squash`): letters only, without accents and spaces, because OCR
drops and inserts spaces. English, Malay, Chinese, German, French, Spanish, Italian, Dutch and Portuguese.
"""

from __future__ import annotations

import re
from functools import lru_cache

_T = "t[o0]ta[li]"
# one letter of it misread, left out or too many
_MISREAD = (
    "(?:[a-z]otal|t[a-z]tal|to[a-z]al|tot[a-z]l|tota[a-z]?|otal|ttal|toal|totl|t[a-z]otal|to[a-z]tal"
    "|tot[a-z]al|tota[a-z]l)"
)
_CURRENCY = (
    "rm|rn|rh|myr|usd?|hk|nt|au?|nz|ca|us|sgd|eur[os]*|gbp|chf|fr|aed|jod|kn|inr|rs|hkd|cad|aud|nzd|thb|idr|rp|php|dollars?|pounds?"
    "|[se]"
)
_TAX = (
    "gst|g5t|sst|vat|hst|pst|qst|tps|tvq|tva|iva|i?gic|mwst|mehrwertsteuer|umsatzsteuer|ust|btw|tax(?:es)?|taxe|pajak|ppn"
    "|kdv|moms|steuer|impuestos?|imposta|impostos?"
)
_AREA = (
    "add|plus|sales?(?=tax)|state|local|city|county|region|food|bev(?:erage)?|liq(?:uor)?|alcohol|govt?|room|meals?|rest"
    "|restaurant|hotel|occ|t[lx]?|st|net|est(?:imated)?|c|s|i|u|pf|hawaii|ge|serv(?:ice)?|[a-d]|zzgl|inkl|enth"
)
_PAYER = (
    "visa|master(?:card)?|amex|americanexpress|maestro|discover|diners|jcb|unionpay|debit|credit|^card|^nets|paywave|eftpos"
    "|^pin$|kaart|^karte|kartenzahl|girocard|^eccash|^eckarte|carte|^cb$|tarjeta|^carta|cartao|bancomat|giftcard|^ebt|alipay|paypal"
    "|applepay|googlepay"
)
# The first match decides.
_KINDS = [
    (
        "subtotal",
        rf"sub-?(?:{_T}|ttl|tl)|^s{_T}$|subt[ol]+|^(?:sub|su|sb|s[a-z]b|[a-z]ub|su[a-z])-?{_MISREAD}$",
    ),
    (
        "quantity",
        r"qty|quantity|quantlty|items?$|items?sold$|noofitem|numberofitem|pcs|units?$|points?|(?:gallons?|liters?|litres?)(?!s?(?:fuel|total|sale))"
        "|stuck$|anzahl$|^menge|nombre(?:d)?articles|articulos$|件数|数量|积分",
    ),
    (
        "change",
        r"(?<!ex)change|^baki|kembali|wechselgeld|^ruckgeld|^zuruck$|^gegeben.*zuruck|rendu|^monnaie|^cambio|^resto$|vuelto"
        "|devolucion|^troco|wisselgeld|^retour$|^terug|^tagasi|找零|找回",
    ),
    (
        "rounding",
        r"^(?:cash)?r(?:ou)?nd(?:ing|lng|off|adj|am)?(?:am(?:oun)?t|off)?(?:ad[jl].*)?(?:rm|rn|rk|myr)?$"
        "|^arrondi|^redondeo|arrotond|rundung|^afronding|pembulatan|arredond|抹零",
    ),
    (
        "tip",
        r"^(?:add|plus|auto)?(?:\w{0,4})?gratuit|^grat$"  # codespell:ignore
        r"|^(?:add(?:ed)?|plus|total)?tips?(?:am(?:oun)?t|usd)?$|^trinkgeld|^pourboire|^propina|^mancia"
        "|^fooi|^gorjeta|^小费",
    ),
    (
        "discount",
        r"discount|disc$|dscount|saving|saved$|yousave|voucher|rebate|^less|coupon|^promo|markdown|rabatt|nachlass|gutschein"
        "|^remise|^reduction|descuento|^dto|sconto|korting|^desconto|diskon|优惠|折扣|立减|减免",
    ),
    ("part", rf"(?:exc[li]\w{{0,12}}|before|w/?o|hors|ohne|sans)(?:{_TAX})|{_T}h[ct]$"),
    ("final", rf"{_T}\w{{0,6}}after(?:{_TAX})"),
    (  # a total that names the tax, not the tax
        "inclusive",
        rf"(?:{_T}|amount|amt|sales|price)\w{{0,12}}(?:[il]nc[li]?|with|w)\w{{0,10}}(?:{_TAX})(?!of|am)"
        rf"|inc[li]\w{{0,10}}(?:{_TAX})\w{{0,3}}{_T}",
    ),
    (
        "tax",
        rf"^tx$|^{_T}(?:{_TAX})(?!inc|ink|able|inv|id|no|reg|summ)|^(?:incl?(?:ud(?:es?|ing|ed))?|ofwhich|davon|dont|{_T}inc[li](?:ud(?:es?|ing|ed))?|(?:{_AREA}){{0,3}})(?:of)?(?:{_TAX})"
        "(?!able|inv|id|no|reg|code|summ|anal|exempt|free|exc|base)"
        rf"|(?:(?<!sub){_T}|incl?(?:udes?|uding|uded)?)(?:{_AREA})?(?:{_TAX})(?:of|am|s)?$"
        rf"|(?:{_TAX})(?:pay|paid|am(?:oun)?t|of)"
        rf"|^(?!.*(?:{_T}|amount|due|pre|before|after|exc|sub|free|exempt|w)).{{0,18}}(?:tax(?:es)?|vat|gst|hst|pst|mwst)$"
        r"|^cuota|税额|税金|增值税",
    ),
    (
        "service",
        r"fees?$|^deposit|bottledep|^crv$|surcharge|donation|delivery|corkage|livingwage"
        r"|serv\w*c[a-z]*ha?r?g|serv\w{0,5}c(?:hr?|rg)|^serv(?!er|ed|ur|i[ar])|^svc|s[vc]{2}ch|bedienung|^coperto$|服务费",
    ),
    (
        "subtotal",
        rf"sous{_T}|zwischensumme|subtota+[li]|netto(?:betrag|summe)?$|imponibile"
        rf"|^items?{_T}$|^(?:{_T})?(?:net|ht)$|小计|税前",
    ),
    ("net", rf"^nett?(?:am(?:oun)?t|sales?|price)(?:{_CURRENCY})?$|^{_T}net$"),
    ("fuel", rf"^(?:fuel|gas|pump)(?:{_T}|sales?)$"),
    (
        "part",
        rf"exc[li]|before|{_T}(?:department|dept|group|section)|(?:department|dept){_T}|taxab[li]e|supplies|summary|^(?:food|bev(?:erage)?s?|drinks?|merch\w*|mdse\w*|goods|liquor|wine|beer)"
        rf"(?:{_T}|sales?|st)?$|^base|^st$|baseimp|^grosssales?",
    ),
    (
        "final",
        rf"^grand(?!ma|pa|e|marn)|grand{_T}|^fina[li]|bill(?:ed)?am(?:oun)?t|{_T}tobepaid|{_T}apay|nett?{_T}|{_T}nett?|rounded|after|pa[yv]ab[li]e|topay"
        rf"|(?:amount|total|tota|balance|bal|amt|payment|pay)due|dueto|bill{_T}"
        r"|^pay(?:this)?am(?:oun)?t|zuzahl|zahlbetrag|zahlsumme|endbetrag|endsumme|rechnungsbetrag|^apayer|netapayer|areg[li]er"
        r"|resteapayer|apagar|dapagare|tebetalen|应付|实付|实收|实际",
    ),
    ("inclusive", r"(?:" + _T + r"|sales|amount|amt).*[il]nc|[il]nc[li].*" + _T + f"|{_T}ttc|^ttc"),
    (
        "total",
        rf"^(?:tot|tt[li]|tl)(?:{_CURRENCY})?$|^{_MISREAD}$|(?:^|bill|sales?|am(?:oun)?t|purchase|order|check|guest|invoice"
        rf"|receipt){_T}e?(?:am(?:oun)?t|bill|price|cost|sales?|sfar|geral|general|complessivo|charges?|charged|factura|fattura|facture)?(?:in)?"
        rf"(?:{_CURRENCY})?$"
        rf"|^{_T}(?:am(?:oun)?t|eatin|takeout|togo|dinein)|(?:dinein|eatin|takeout|togo|here){_T}$"
        rf"|^(?:gesamt|summe|somme|totaal|totale|importe|importetotal|{_T}importe|gesamtbetrag|gesamtsumme|betrag|saldo|brutto"
        rf"|bruttobetrag)(?:{_CURRENCY})?$|^(?:kokku|ukupno|suma|celkem|razem|skupaj|spolu|osszesen|summa|yhteensa|toplam)(?:{_CURRENCY})?$"
        r"|合计|总计|总额|总金额|消费金额|付款金额",
    ),
    (
        "cash",
        rf"^cash(?!ier)|^tunai|tender|paid|paym[en]*t|{_PAYER}|^purchase$|^bar(?:geld|zahlung)?$|^gegeben|especes|^efectivo"
        r"|^totalcash$|^mc$|(?:am(?:oun)?t|amount)received|^entregado|contant[ei]"  # codespell:ignore
        r"|^contado|^dinheiro|^bezahlt|^paye$|^recu$|^received|现金|支付|刷卡|微信|付款",
    ),
    (
        "totalish",
        _T
        + r"|^ttl|jumlah|^gross(?:am(?:oun)?t)?|^amount|^amt|^balance$|^sale(?:am(?:oun)?t)?$|^pay$|^charged?$"
        r"|^summe|^gesamt|^importe|金额|应收",
    ),
]
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS]


@lru_cache(maxsize=4096)
def kind_of(label: str) -> str:
    """The kind of amount that a squashed label names: a key of `_KINDS`, `""` for an unknown label."""
    kind = _first(label)
    # TAX 1 is squashed like a misread letter
    return _first(label[:-1]) if not kind and label.endswith("l") else kind


def _first(label: str) -> str:
    return next((kind for kind, pattern in _PATTERNS if pattern.search(label)), "")


_CARD = re.compile(rf"{_PAYER}|^purchase|^sale")


def by_card(label: str) -> bool:
    """Whether a squashed label names a card or a sale by card: nothing is given back then."""
    return _CARD.search(label) is not None
