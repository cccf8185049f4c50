"""The labels of rows that are no items: sums, taxes, balances, what comes after a table; in folded text."""

from __future__ import annotations

import re

_TOTAL_FIRST = """
    total tot totals totale totaux totaal sum summe summen gesamt gesamtbetrag gesamtsumme gesamtpreis
    endbetrag endsumme zahlbetrag rechnungsbetrag rechnungssumme positionssumme warenwert zwischensumme
    subtotal sub-total sub sous-total nettobetrag nettosumme netto net bruttobetrag bruttosumme brutto gross
    grand amount balance due invoice montant base importe imponibile subtotaal subtotale suma soma valor
"""
_TAX_FIRST = """
    vat gst sst tax taxes sales mwst ust umsatzsteuer mehrwertsteuer zzgl zuzuglich zuzugl zuzügl plus
    steuerbetrag steuer tva dont iva btw igv hst pst inkl incl including rounding rundung
"""
_WITH = """
    der die das des den ohne mit inkl incl inclusive including exkl excl excluding exclusive of for the in
    zu zum due payable amount total net gross netto brutto sum summe vat gst sst tax taxes ust mwst
    umsatzsteuer mehrwertsteuer tva iva btw ht ttc price value betrag gesamt gesamtbetrag zuschlage
    abschlage rechnung invoice balance before after satz rate auf von aus le la les de du a payer operations
    mouvements umsatze transactions items item qty charges charge fees sales subtotal net paid page seite
    and und et y order round rounding adj adjustment generale general dovuto imponible documento fattura
    factura euro eur usd gbp chf rm ex exc inc
"""
_HAN_TOTAL = re.compile(r"^ ?(?:价 ?税 ?合 ?计|[合小总共] ?计|本页[小合]计|金额合 ?计|累计|[应实][付收])")
_SUBTOTAL = re.compile(r"(?=[gns])\b(?:sub ?-?|grand |net |nett )total\b")
_ANY_TOTAL = re.compile(r"\W*(?:totals?|totaux|totale|summe|gesamt\w*|suma|totaal)\b")
_FEW = 3
_GLUED = re.compile(
    r"(?:tax(?:on)?|ttl|t[o0]ta[li]|svc(?:ch\w{0,4})?|gratuity|service(?:charge)?|subtot\w{0,4})$"
    r"|(?:(?:amt|amount)due|saldo|moms|tendered)$"
    r"|^(?:vat|gst|hst|pst|sst|tva|iva)[a-z]{0,6}$|^(?:sub|net|grand)t[o0]?t|^tips?(?:amount)?$|^t[o0]ta$"
    r"|^(?:food|beverages?|liquor|saving|change|cash|kontant|bar)s?$|^(?:sales|govt?|city|state|local)tax"
)
"""Labels of sums on receipts, whose words OCR and printers run together."""
_CARRIED = re.compile(
    r"ubertrag|vortrag|carried (?:forward|over)|brought forward|balance [bc]/?[fd]\b|a reporter|^report\b"
    r"|suma y sigue|riporto|a riportare|过次页|承前页|转下页|接上页"
)
_OPENING = re.compile(
    r"(?:alter|anfangs|start)[ -]?(?:konto)?(?:saldo|stand|bestand)|saldovortrag|kontostand am|saldo (?:per|am|vom)|"
    r"(?:opening|previous|starting|beginning|initial|start) balance|balance (?:brought|b/?f|forward from)|"
    r"brought forward|(?:ancien|precedent|initial|anterieur) solde|"
    r"solde (?:precedent|anterieur|initial|ancien|crediteur au|debiteur au|au|reporte)|"
    r"saldo (?:anterior|inicial|iniziale|precedente)|vorig saldo|beginsaldo|上期余额|期初余额|承前余额|上页余额"
)
_CLOSING = re.compile(
    r"(?:neuer|end|schluss|aktueller)[ -]?(?:konto)?(?:saldo|stand|bestand)|kontostand|"
    r"(?:closing|ending|new|final|end|current) balance|balance (?:carried|c/?f|at)|"
    r"(?:nouveau|final)s? solde|solde (?:final|nouveau|crediteur|debiteur|au)|nouveau solde|"
    r"saldo (?:final|finale|actual|nuevo|attuale)|nieuw saldo|eindsaldo|期末余额|本期余额"
)
_STOP = re.compile(
    r"steueraufschl|belegsummen|zahlungsbedingung|zahlungsart|bankverbindung|payment (?:terms|details|instructions)|"
    r"terms (?:and|&) conditions|bank details|conditions de reglement|modalites|remarks?:|notes?:|zu- und abschl|"
    r"备注|收款人|销售方|开户行"
)
_LEAVES = re.compile(
    r"\b(?:withdrawals?|checks|cheques|debits?|fees|charges|payments made|money out|paid out|belastungen|auszahlungen"
    r"|debits|retraits|paiements|cargos|addebiti|uscite|afschrijvingen)\b|支出|借方"
)
_COMES = re.compile(
    r"\b(?:deposits?|additions|credits?|money in|paid in|receipts|gutschriften|einzahlungen|versements|encaissements"
    r"|abonos|accrediti|entrate|bijschrijvingen)\b|收入|贷方"
)
_FIRST = frozenset(_TOTAL_FIRST.split())
_TAXES = frozenset(_TAX_FIRST.split())
_BEGINNINGS = _FIRST | _TAXES
_REST = frozenset(_WITH.split()) | _BEGINNINGS
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")


def is_total(folded: str) -> bool:
    """Whether a row's text (folded, without its figures) is the label of a sum, a tax or a payment."""
    if _HAN_TOTAL.search(folded) or _SUBTOTAL.search(folded):
        return True
    words = _WORD.findall(folded)
    if 0 < len(words) <= _FEW and _GLUED.search("".join(words)):
        return True
    if not words or words[0] not in _BEGINNINGS:
        return False
    others = sum(word not in _REST for word in words)
    return others <= (1 if words[0] in _FIRST and len(words) > 1 else 0)


def begins_as_total(folded: str) -> bool:
    """Whether it begins with the word for a total, whatever is added up."""
    return _ANY_TOTAL.match(folded) is not None


def is_sum(folded: str) -> bool:
    """Whether it is the label of a sum of amounts, not of a tax."""
    words = _WORD.findall(folded)
    return is_total(folded) and not (words and words[0] in _TAXES)


def is_carried(folded: str) -> bool:
    """Whether a row carries a sum over from a page to the next."""
    return len(folded) < 80 and _CARRIED.search(folded) is not None


def is_opening(folded: str) -> bool:
    """Whether a row of a statement is the balance before its transactions."""
    return _OPENING.search(folded) is not None


def is_closing(folded: str) -> bool:
    """Whether a row of a statement is the balance after its transactions."""
    return _CLOSING.search(folded) is not None


def is_stop(folded: str) -> bool:
    """Whether a row begins a part of the paper behind the table."""
    return _STOP.search(folded) is not None


def section_mark(folded: str) -> str:
    """`DR` or `CR`, where the title of a section names one side of the account; else an empty text."""
    leaves, comes = _LEAVES.search(folded) is not None, _COMES.search(folded) is not None
    return "" if leaves == comes else "DR" if leaves else "CR"
