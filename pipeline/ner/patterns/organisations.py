"""ORG by legal form: company names that end in SDN BHD, LTD, GmbH & Co. KG, 有限公司 and similar.

Names of organisations without such a form are left to the statistical engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, plain
from pipeline.ner.patterns.han_organisations import find_han_organisations

_LETTER = r"A-Za-z\u00c0-\u024f"
_PARTNERS = r"(?: ?& ?Co\.?(?: ?(?:KGaA|KG|OHG))?(?![A-Za-z]))?"
_LONG = {
    "b": r"ERHAD|HD|VBA|\.V",
    "c": r"O\.?,? ?(?:LTD|LIMITED)|ORP(?:ORATION)?|O(?=\. ?(?:\n|\Z|[,;]))",
    "e": "URL",
    "g": rf"MBH{_PARTNERS}|GMBH{_PARTNERS}",
    "i": "NC(?:ORPORATED)?",
    "l": r"TD|IMITED|L[CP]|\.L\.C|T?DA",
    "n": r"\.V",
    "p": r"(?:T[EY]|VT)\.? ?(?:LTD|LIMITED)|RIVATE LIMITED|TY|LC",
    "s": r"[DB]N\.? ?BH[DO]|\.?[AÀ]\.?R\.?L|PRL|ASU|P\. ?Z ?O\. ?O|\.R\.O|\.P\.A|\.R\.L|\.L(?:\.U)?|\.A(?:\.[SU])?",
}
"""Forms in any case, by their first letter (the search is several times faster so)."""
_SHORT = (
    rf"(?:AG|UG(?: ?\(haftungsbeschränkt\))?){_PARTNERS}|KG(?:aA)?|OHG|GbR|mbH|e\. ?K|e\.Kfr|e\. ?V|a\. ?G|VVaG|eG|SE"
    r"|SAS|SA|SLU?|SRL|SpA|BV|NV|V\.O\.F|ApS|A/S|ASA?|AB|Oyj?|Kft|UAB"
)
"""Forms that are other words too in other spellings; they need a name that looks like one."""
_ANY_CASE = "|".join(f"[{first}{first.upper()}](?i:{rest})" for first, rest in _LONG.items())
_FORM = re.compile(
    rf"(?=[A-Zabcegilmnps5])(?:(?<![{_LETTER}])(?:{_ANY_CASE}|(?P<short>{_SHORT}))(?![{_LETTER}0-9])\.?"
    r"|[Ss]/[Bb](?![A-Za-z0-9])\.?|(?<= )5/[Bb](?=\.?(?:\n|\Z| \()))"
)
_FORM_FIRST = re.compile(
    r"^(?:SARL|SASU?|EURL|SCI|SNC)(?: (?:[A-Z0-9\u00c0-\u00de][\w.'-]*|&|et|de|du)){1,5}(?= {2}|$)",
    re.MULTILINE,
)
_NAME_WORD = re.compile(
    rf"[(\[\"'„»]?(?:[a-z]{{0,2}}[A-Z0-9&@\u00c0-\u00de][{_LETTER}0-9_&.'’/()+-]*|&|of|and|the|n|und|für|et|y|e"
    r"|van|de|des|du|del|di|da|do|[Vv]an de[nr])[,]?"
)
_WORD = re.compile("[Vv]an de[nr](?= )|[^ ]+")
_INNER = re.compile(r"^(?:(?:&|of|and|the|n|und|für|et|y|e|van|de|des|du|del|di|da|do|van de[nr]) )+")
_STOPS = "AT BY FROM FOR WITH TO SHOPPING THANK YOU NAME BETWEEN IS ARE DATE TEL FAX NO NO. LOT INVOICE HERR FRAU FIRMA"
_STOP_WORDS = frozenset(_STOPS.split())
_PARTIES = (
    "RECHNUNG LIEFERANT KUNDE VERKÄUFER KÄUFER AUFTRAGGEBER AUFTRAGNEHMER EMPFÄNGER BANKVERBINDUNG FACTURE"
    " FACTURA FATTURA CLIENT VENDEUR FOURNISSEUR CLIENTE PROVEEDOR FORNITORE SPETT.LE KLANT LEVERANCIER SELLER BUYER"
    " PAYEE PAYER VENDOR SUPPLIER CUSTOMER BENEFICIARY REMITTER CONSIGNEE SHIPPER MONDAY TUESDAY WEDNESDAY THURSDAY"
    " FRIDAY SATURDAY"
)
_LABELS = frozenset(_PARTIES.split())
"""Words that end a name on its left, but may be one: Lieferant GmbH."""
_OFFICE = re.compile(
    r".*\b(?:directors?|directeur|directrice|gérante?|gerente|manager|chairman|chairwoman|president|secretary|treasurer"
    r"|officer|owner|founder|head|partner|agent|employee|member|shareholder|subsidiary|division|branch"
    r"|geschäftsführer(?:in)?|inhaber(?:in)?|vorstand) (?:of|for|de|du|des|del|di|van|der) (?:the |la )?(?=[^ ])",
    re.IGNORECASE,
)
"""An office at a company, which is no part of its name: Managing Director of Acme Ltd."""
_COPYRIGHT = re.compile(r"(?:©|\(c\)|copyright) ?\Z", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?:-[0-9]{2,4})? ")
_LONGEST_NAME = 80
_DOTTED = 2
"""Full stops of a form that may be in small letters: s.r.o., sp. z o.o."""
_INCLUSIVE = re.compile(r"(?i)\b(?:am(?:oun)?t|total|price|tax|gst|sales|qty|exc?l?)\b")
_TRADE = (
    "ENTERPRISES?|TRADING|RESTAURANT|SUPPLY|HARDWARE|SUPERMARKET|MINIMARKET|BAKERY|CAFE|HOTEL|PHARMACY|CLINIC"
    "|HOSPITAL|BANK|UNIVERSITY|HOLDINGS"
)
_TRADE_ROW = re.compile(
    r"^[ *]{0,4}(?P<name>(?:(?=[A-Z])(?i:RESTORAN|SYARIKAT|KEDAI|PASARAYA|KLINIK)"
    r"(?: (?:&|[A-Z0-9'.][\w'.-]{0,20})){1,5}"
    rf"|(?:(?:&|[A-Z0-9'.][\w'.-]{{0,20}}) ){{1,5}}(?=[A-Z])(?i:{_TRADE})))"
    r"(?: ?\([^()\n]{3,24}\))?[ *.]{0,4}$",
    re.ASCII | re.MULTILINE,
)


def find_organisations(text: str) -> Iterator[Mention]:
    """Yield the ORG mentions of `text`, each in one row and column.

    The span is the name with its legal form, without the registration numbers after it. A separate row
    such as SUNRISE ENTERPRISE counts too, with lower confidence.
    """
    page = plain(text)
    after = 0
    for match in _FORM.finditer(page):
        start = _name_start(page, after, match)
        after = match.end()
        if start is not None:
            yield found("ORG", (start, match.end()), 0.75 if match["short"] else 0.88, None)
    for match in _FORM_FIRST.finditer(page):
        yield found("ORG", match.span(), 0.7, None)
    for match in _TRADE_ROW.finditer(page):
        yield found("ORG", match.span("name"), 0.65, None)
    yield from find_han_organisations(page)


def _name_start(page: str, after: int, form: re.Match[str]) -> int | None:
    """Walk left from the legal form over the words of a name, not past `after`; `None` if there is no name.

    A line break and two blanks part columns: what is before them is not part of the name.
    """
    if form[0][0].islower() and not form["short"] and form[0][:2] != "gG" and form[0].count(".") < _DOTTED:
        return None
    left = max(after, form.start() - _LONGEST_NAME)
    left = max(left, page.rfind("\n", left, form.start()) + 1)
    column = page.rfind("  ", left, form.start())
    row = column + 2 if column >= 0 else left
    start, letters = form.start(), 0
    for word in reversed(list(_WORD.finditer(page, row, form.start()))[-9:]):
        _, colon, rest = word[0].rpartition(":")
        name = rest if colon else word[0]
        last = start == form.start()
        if not _NAME_WORD.fullmatch(name):
            break
        if name.upper() in _STOP_WORDS or (name.upper() in _LABELS and not last):
            break
        if re.search("[0-9]{5}", name) or ("," in name and not last):
            break
        start = word.end() - len(name)
        letters += sum(c.isalpha() for c in name if name not in ("CO.", "Co."))
        if colon:
            break
    name = page[start : form.start()]
    # The rest of a bracket opened on the row above is not a name, and "AMT INC." refers to tax.
    if name.count(")") > name.count("(") or (form[0][:3].upper() == "INC" and _INCLUSIVE.search(name)):
        return None
    if form["short"] and not _fits_short_form(name, page[form.end() : form.end() + 2]):
        return None
    start += _lead(page, start, name)
    glued = form[0].upper().startswith("S/B") and start == form.start()
    return start if letters >= 2 and not glued else None


def _lead(page: str, start: int, name: str) -> int:
    """How many characters in front of a name are no part of it."""
    if office := _OFFICE.match(name):
        return office.end()
    year = _YEAR.match(name) if _COPYRIGHT.search(page, max(0, start - 12), start) else None
    return year.end() if year else len(name) - len(_INNER.sub("", name))


def _fits_short_form(name: str, behind: str) -> bool:
    """Whether a form that may be another word too (NV, KG, SE) follows a name: not in `5 KG` or `PAID AS AGREED`."""
    words = name.split()
    if not words or not name.endswith(" ") or not words[-1][0].isalpha() or words[-1].endswith(","):
        return False
    if any(word[0].isdigit() for word in words) or sum(c.isalpha() for c in name) < 3:
        return False
    return not re.match(r" ?[0-9]| [^\W_]" if name.isupper() else " ?[0-9]", behind)
