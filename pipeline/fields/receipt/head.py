"""What the rows of a receipt's head look like: names of companies, addresses, and rows of another kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.rows import Row, Span
from pipeline.models import Entity

HEAD = 14
"""Maximum number of rows of a receipt's head."""
TRIM = " \"'`*=_|~-"

LEGAL = re.compile(
    r"\b(?=[BCDEGILPS])(?:S[DB]N\.? ?BH[DO]\b\.?|BERHAD\b|BHD\b\.?|PTE\.? ?LTD\b\.?|PTY\.? ?LTD\b\.?"
    r"|CO\.?,? ?LTD\b\.?|LTD\b\.?|LIMITED\b|INC\b\.?|LLC\b|LLP\b|PLC\b|GMBH\b(?: ?& ?CO\.? ?KG)?"
    r"|CORP\b\.?|CORPORATION\b|S\.(?:A|L|r\.l|R\.L|p\.A|P\.A|n\.c|N\.C)\b\.?|B\.V\b\.?|e\.K\b\.?|SRL\b"
    r"|SPA\b(?=\W*$)|LTDA\b\.?|D\.O\.O\b\.?)"
    r"|(?<=[A-Za-zäöüß.)] )(?-i:AG|KG|OHG|UG|SARL|SAS|SA|SL|BV|NV)\b(?= ?(?:$|[-,|·•(;\n]))"
    r"| [S5]/[B8](?![A-Z0-9/])\.?"
    r"|有限责任公司|有限公司",
    re.IGNORECASE,
)
"""Legal forms of companies."""
TRADE = re.compile(
    r"ENTERPRISE|\bENT\b|TRADING|TRADERS|RESTAURANT|RESTORAN|RISTORANTE|CAFE\b|CAFFE|BISTRO|KOPITIAM|BAKERY|BAKERIES"
    r"|SUPPLY|SUPPLIES|HARDWARE|STATIONE?RY|SUPERMARKET|HYPERMARKET|MINIMARKET|MINI ?MARKET|MART\b|\bSTORES?\b"
    r"|\bSHOP\b|PHARMACY|CLINIC"
    r"|HOTEL|KEDAI"
    r"|PASARAYA|SYARIKAT|PERNIAGAAN|PERUSAHAAN|INDUSTR|SERVICES?\b|CENTRE|CENTER|HOLDINGS|ELECTRICAL|FURNITURE|BOOKSTORE|OPTICAL"
    r"|APOTHEKE|BÄCKEREI|PIZZERIA|TRATTORIA|BRASSERIE|FARMACIA|PHARMACIE|BOULANGERIE|SUPERMERCADO|TAVERN\b|BREWERY|DINER\b"
    r"|店|超市|商场|酒店|饭店|餐厅|药房|医院|公司|中心|市场|酒楼|咖啡|食府|便利|广场|商行|集团",
    re.IGNORECASE,
)
"""Words of trade in their names."""

STREET = re.compile(
    r"\b(?=[A-Z])(?:JALAN|JLN|JIN|LORONG|LRG|TAMAN|TMN|PERSIARAN|LEBUH\w*|BANDAR|KAMPUNG|KG|KAWASAN|SEKSYEN|SECTION|PLAZA|MALL"
    r"|BLOCK|BLK|LEVEL|FLOOR|STREET|ROAD|AVENUE|AVE|LANE|DRIVE|BOULEVARD|BUILDING|SUITE|BATU|PUSAT|WISMA|MENARA|KOMPLEKS"
    r"|DESA|PERINDUSTRIAN|INDUSTRIAL|LOT|UNIT|BLVD|HWY|HIGHWAY|PKWY|PARKWAY|RUE|PIAZZA|AVENIDA|AVDA"
    r"|CALLE|VIA|CORSO|PLATZ)\b"  # codespell:ignore
    r"|\bST\.? |\bRD\b|(?:STRASSE|STRAßE|STR\.|STRAAT|PLEIN|ALLEE)(?= |\d|$|,)",
    re.IGNORECASE,
)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK"
    "|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
POSTCODE = re.compile(
    r"(?<![0-9#-])[0-9]{5,6}(?![0-9-])[ ,.]*(?:(?-i:[A-Z])[A-Z]{2}|$)|\b[A-Z]{2} [0-9]{5}\b"
    rf"|(?=[A-Z]{{2}}[ ,.]*[0-9])(?:{_STATES})[ ,.]*[0-9]{{5}}(?:-[0-9]{{4}})?(?![0-9])"
    r"|\b[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}\b|(?-i:(?<![A-Z])[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2})\W*$"
    r"|(?=[A-Z]{2}[ ,.]*[A-Z])(?-i:AB|BC|MB|NB|NL|NS|ON|PE|QC|SK)[ ,.]*[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"
    r"|(?<=[a-z])[- ]{1,3}[0-9]{6}\W*$"
    r"|(?-i:NSW|VIC|QLD|ACT|TAS|\bSA|\bWA)[ ,.]*[0-9]{4}(?![0-9])|\b[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\b",
    re.IGNORECASE,
)
_DIGIT = re.compile("[0-9]")
HOUSE = re.compile(r"^[\W_]*[0-9]{1,6}(?:[-/][0-9]{1,4})?[A-Z]?[ .,]*[A-Za-z]{2}")
"""A row that begins with the number of a house, if the next row is a place."""
NUMBERED = re.compile(
    r"^[\W_]*(?:NO\b[ .:,]*[0-9A-Z]|LOT\b|L[O0]T[ .:]*[0-9]|UNIT\b|BLOCK\b"
    r"|[0-9A-Z/-]{1,8}(?:[ &,-]+[0-9A-Z/-]{1,8})?,)",
    re.I,
)
_NUMBER_FIRST = re.compile(r"^[\W_]*[0-9]{3,6}[A-Z]?[ .]*[A-Za-z]")
_IN_STREET = re.compile(
    r"^[\W_]*[0-9]{1,6}[A-Z]?[ .]*[A-Z][A-Za-z .']*?"  # 2503 N Harrison St
    r"(?:ST|STREET|AVE|AVENUE|RD|ROAD|BLVD|DR|DRIVE|LN|LANE|HWY|PKWY|WAY|PLAZA|St|Street|Ave|Avenue|Rd|Road|Blvd|Dr|Drive|Ln"
    r"|Lane|Hwy|Pkwy|Way|Plaza)(?![a-zA-Z])"
    r"|[A-Za-z](?:straße|strasse|str\.) ?[0-9]"
)
_PLACE = re.compile(
    rf"^[A-Za-z .'-]{{3,}}(?:, ?|(?<=(?-i:[a-z]))|(?<=[a-z]) )(?-i:{_STATES})\b[ .]*(?:[0-9#]|$)"
    r"|^[A-Za-z .'-]{3,}, ?(?-i:[A-Z]{2})\W*$",
    re.IGNORECASE,
)
STOP = re.compile(
    r"\b(?=[A-Z])(?:TEL|TE1|PHONE|HP|H/P|FAX|MOBILE|WHATSAPP\w*|HOTLINE|E-?MAIL|WWW|HTTPS?|GST|G5T|SST|VAT|TAX|TAXINVOICE|INVOICE|INV|RECEIPT"
    r"|REG|ROC|CASHIER|CASH|BILL|TABLE|ORDER|DATE|TIME|TERMINAL|POS|OPERATOR|MEMBER|COUNTER|DOC|GUESTS?|PAX|QTY|ITEMS?"
    r"|DESCRIPTION|CUSTOMER|OWNED|SOLD|SALESPERSON|TRANS|SLIP|STAFF|SERVED|CHECK|CHK|PRICE|AMOUNT|TOTAL|WELCOME|THANK"
    r"|MANAGER|MGR|OWNER|HOST|WAITER|WAITRESS|ASSOCIATE|CLERK|EMPLOYEE"
    r"|SERVER|TICKET|STATION|REGISTER|KASSE|MESA|TISCH|TAFEL|TAVOLO|FACTURE|RECHNUNG"
    r"|TILL|FATTURA)\b"  # codespell:ignore
    r"|^\W*(?:GST|VAT|TAX|TABLE|SERVER|CASHIER|MANAGER|MGR|CHECK|CHK|ORDER|BILL|TICKET|GUESTS?|STATION|TERMINAL|REG|TEL"
    r"|STORE|TILL|TRAN)"  # codespell:ignore
    r"(?:NO|NUM\w*|ID|IN:|REG\w*|DETAIL|#|[0-9:]).*[0-9]"
    r"|^\W*[TF]:? ?[(+]?[0-9]{3}|^\W*(?:SIRET|ABN|UID|UST)\b"
    r"|@|\.COM|电话|传真|税号|日期|时间|单号|小票|收据|发票|收银|桌号|编号",
    re.IGNORECASE,
)


def is_stop(row: Row, entities: Sequence[Entity]) -> bool:
    """Whether the row says something else than a name or an address."""
    kinds = ("DATE", "TIME", "PHONE", "EMAIL", "URL")
    inside = any(
        e.type in kinds and row.start <= e.start < row.end and (e.type != "DATE" or e.value) for e in entities
    )
    return inside or bool(STOP.search(row.text))


def is_place(text: str) -> bool:
    """Whether a text is part of an address: a house with its street, a town with its state or postcode."""
    return bool(_NUMBER_FIRST.search(text) or is_street(text) or _PLACE.search(text) or has_postcode(text))


def has_postcode(text: str) -> bool:
    """Whether a text has a postcode, perhaps with its town or state."""
    return _DIGIT.search(text) is not None and POSTCODE.search(text) is not None


def is_street(text: str) -> bool:
    """Whether a text is a street with the number of a house."""
    return bool(_IN_STREET.search(text))


def is_town(text: str) -> bool:
    """Whether a text is a town with its state."""
    return bool(_PLACE.search(text))


def letters(text: str) -> str:
    """Replace a capital I within a word of lower-case letters by l."""
    return re.sub(r"(?<![A-Za-z])([A-Z]?[a-z]+)I(?=[a-z]+(?![A-Za-z]))", r"\1l", text)


def trimmed(row: Row) -> Span | None:
    """The row without marks of a frame or stain at its edges; `None` if nothing is left."""
    start = len(row.text) - len(row.text.lstrip(TRIM + ".,:;"))
    end = len(row.text.rstrip(TRIM))
    return row.span(start, end) if start < end else None
