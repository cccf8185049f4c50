"""Company and address, printed at the head of a receipt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from pipeline.fields.rows import Row, Span, field, fold
from pipeline.models import Entity, Field

_HEAD = 14
"""Maximum number of rows of a receipt's head."""

LEGAL = re.compile(
    r"\bS[DB]N\.? ?BH[DO]\b\.?|\bBERHAD\b|\bBHD\b\.?|\bPTE\.? ?LTD\b\.?|\bPTY\.? ?LTD\b\.?"
    r"|\bCO\.?,? ?LTD\b\.?"
    r"|\bLTD\b\.?|\bLIMITED\b|\bINC\b\.?|\bLLC\b|\bLLP\b|\bPLC\b|\bGMBH\b|\bCORP\b\.?|\bCORPORATION\b"
    r"| [S5]/[B8](?![A-Z0-9/])\.?"
    r"|有限责任公司|有限公司",
    re.IGNORECASE,
)
"""Legal forms of companies."""
TRADE = re.compile(
    r"ENTERPRISE|\bENT\b|TRADING|TRADERS|RESTAURANT|RESTORAN|CAFE\b|BISTRO|KOPITIAM|BAKERY"
    r"|BAKERIES|SUPPLY|SUPPLIES|HARDWARE"
    r"|STATIONE?RY|SUPERMARKET|MINIMARKET|MINI ?MARKET|MART\b|\bSTORES?\b|\bSHOP\b|PHARMACY"
    r"|CLINIC|HOTEL|KEDAI|PASARAYA"
    r"|SYARIKAT|PERNIAGAAN|PERUSAHAAN|INDUSTR|SERVICES?\b|CENTRE|CENTER|HOLDINGS|ELECTRICAL"
    r"|FURNITURE|BOOKSTORE|OPTICAL"
    r"|店|超市|商场|酒店|饭店|餐厅|药房|医院|公司|中心|市场|酒楼|咖啡|食府|便利|广场|商行|集团",
    re.IGNORECASE,
)
"""Words of trade in their names."""
_REGISTRATION = re.compile(
    r" ?\(? ?(?:CO\.?|COMPANY|BUSINESS|ROC|REG|SSM)?[ .]*(?:REG|NO|CO)?[ .:]*"
    r"(?:[A-Z]{0,3}[0-9]{5,14}|[0-9]{4,10} ?-?[A-Z]|[A-Z]{2}[0-9]{5,10})(?:[ -]*[A-Z0-9])?(?:[ )]|$).*",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b(?:JALAN|JLN|JIN|LORONG|LRG|TAMAN|TMN|PERSIARAN|LEBUH\w*|BANDAR|KAMPUNG|KG|KAWASAN"
    r"|SEKSYEN|SECTION|PLAZA|MALL"
    r"|BLOCK|BLK|LEVEL|FLOOR|STREET|ROAD|AVENUE|AVE|LANE|DRIVE|BOULEVARD|BUILDING|SUITE|BATU"
    r"|PUSAT|WISMA|MENARA|KOMPLEKS"
    r"|DESA|PERINDUSTRIAN|INDUSTRIAL|LOT|UNIT)\b|\bST\.? |\bRD\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"^[\W_]*(?:NO\b[ .:,]*[0-9A-Z]|LOT\b|L[O0]T[ .:]*[0-9]|UNIT\b|BLOCK\b"
    r"|[0-9A-Z/-]{1,8}(?:[ &,-]+[0-9A-Z/-]{1,8})?,)",
    re.I,
)
_POSTCODE = re.compile(
    r"(?<![0-9-])[0-9]{5,6}(?![0-9-])[ ,.]*(?:[A-Z]{3}|$)|\b[A-Z]{2} [0-9]{5}\b", re.IGNORECASE
)
_STOP = re.compile(
    r"\b(?:TEL|TE1|PHONE|HP|H/P|FAX|MOBILE|WHATSAPP\w*|HOTLINE|E-?MAIL|WWW|HTTPS?|GST|G5T|SST"
    r"|VAT|TAX|TAXINVOICE|INVOICE|INV|RECEIPT"
    r"|REG|ROC|CASHIER|CASH|BILL|TABLE|ORDER|DATE|TIME|TERMINAL|POS|OPERATOR|MEMBER|COUNTER|DOC"
    r"|GUESTS?|PAX|QTY|ITEMS?"
    r"|DESCRIPTION|CUSTOMER|OWNED|SOLD|SALESPERSON|TRANS|SLIP|STAFF|SERVED|CHECK|CHK|PRICE"
    r"|AMOUNT|TOTAL|WELCOME|THANK)\b"
    r"|@|\.COM|电话|传真|税号|日期|时间|单号|小票|收据|发票|收银|桌号|编号",
    re.IGNORECASE,
)
_ADDRESS_LABEL = re.compile(
    r"^[ *]*(?:地 ?址|门店地址|店址|(?:ADDRESS|ADDR|ALAMAT)\b) ?[:.]? *", re.IGNORECASE
)
_TITLE = re.compile(
    r"^\W*(?:(?:TAX ?)?INVOICE|(?:OFFICIAL )?RECEIPT|CASH ?(?:SALES?|BILL)?|WELCOME.*|COPY"
    r"|REPRINT.*|小票|收据)\W*$",
    re.I,
)
_MERCHANT = re.compile(
    r"^[ *]*(?:商户名称|商户名|商家名称|收款单位|收款方|门店名称?|店名"
    r"|MERCHANT(?: NAME)?)[^:]{0,30}(?:[:)]|$) *",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"^[ *]*\(.*\)\W*$")
# A full stop between the parts of an address is a comma that OCR misread, except for these.
_STOP_MISREAD = re.compile(
    r"(?<![ .][A-Z])(?<!^[A-Z])(?<!\bNO)(?<!\bST)(?<!\bRD)(?<!\bKG)(?<!\bDR)(?<!\bMT)"
    r"(?<!\bLRG)(?<!\bTMN)(?<!\bJLN)(?<!\bAVE)"
    r"(?<!\bBLK)(?<!\bLOT)(?<!\bFLR)(?<=[A-Z0-9)])\.(?=[ A-Z0-9])(?! ?[A-Z]\b)",
    re.IGNORECASE,
)
_TRIM = " \"'`*=_|~-"


def find_company(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The merchant's name as one line; `None` if the head contains nothing like a name.

    A legal form is the strongest evidence, then words of trade, then a high position and large letters.
    """
    end = _head_end(rows, entities)
    heights = median([row.height for row in rows]) if rows else 1.0
    scored = []
    for number, row in enumerate(rows):
        if label := _MERCHANT.match(row.text):
            if value := row.text[label.end() :].strip():
                start = row.text.index(value, label.end())
                span = row.span(start, start + len(value))
                return field("company", row.page, [span], fold(value), 0.85)
            if number + 1 < len(rows) and (below := _name_in(rows[number + 1])):
                return field("company", row.page, [below], _joined(row, [below]), 0.7)
    for number, row in enumerate(rows[:end]):
        spans = _name(rows, number)
        if spans is None:
            continue
        text = " ".join(row.page.text[a:b] for a, b in spans)
        score = 0.5 if _capital(text) else 0.35
        if LEGAL.search(text):
            score = 0.92
        elif TRADE.search(text):
            score = 0.8
        score += min(max(row.height / heights - 1, 0.0), 0.5) * 0.2 - 0.012 * number
        scored.append((score, -number, row, spans))
    if not scored:
        return None
    score, _, row, spans = max(scored, key=lambda s: s[:2])
    value = _legal_form(_letters(fold(" ".join(row.page.text[a:b] for a, b in spans))))
    return field("company", row.page, spans, value, score) if score >= 0.3 else None


def find_address(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The merchant's address, its rows joined by spaces; `None` if no row of the head looks like one."""
    for row in rows:
        label = _ADDRESS_LABEL.match(row.text)
        if label and row.text[label.end() :].strip():
            spans = [row.span(label.end(), len(row.text))]
            return field("address", row.page, spans, _joined(row, spans), 0.85)
    start = _address_start(rows[:_HEAD], entities)
    if start is None:
        return None
    block = [start]
    for number in range(start + 1, min(len(rows), start + 6)):
        if not _continues(rows, block, number, entities):
            break
        block.append(number)
    spans = [span for number in block if (span := _trimmed(rows[number])) is not None]
    text = "\n".join(rows[number].text for number in block)
    score = (
        0.45
        + 0.25 * bool(_POSTCODE.search(text))
        + 0.15 * bool(_STREET.search(text))
        + 0.1 * (len(block) > 1)
    )
    return field("address", rows[0].page, spans, _joined(rows[0], spans), score)


def _joined(row: Row, spans: Sequence[Span]) -> str:
    """The spans as one address, with common OCR errors corrected."""
    text = _letters(fold(" ".join(row.page.text[a:b] for a, b in spans)))
    text = re.sub(r"\b(?=[0-9O]{5,6}\b)[0-9O]*[0-9]{3}[0-9O]*", lambda code: code[0].replace("O", "0"), text)
    return _STOP_MISREAD.sub(",", text)


def _letters(text: str) -> str:
    """Replace a capital I within lower-case letters by l."""
    return re.sub(r"(?<=[a-z])I(?=[a-z])", "l", text)


def _head_end(rows: Sequence[Row], entities: Sequence[Entity]) -> int:
    """Number of rows above the address, or above the first row of another kind where there is none."""
    start = _address_start(rows[:_HEAD], entities)
    if start:
        return start
    stops = (
        n for n, row in enumerate(rows[:_HEAD]) if n and _STOP.search(row.text) and not LEGAL.search(row.text)
    )
    return next(stops, min(len(rows), 6))


def _address_start(rows: Sequence[Row], entities: Sequence[Entity]) -> int | None:
    for number, row in enumerate(rows):
        if _is_stop(row, entities) or (LEGAL.search(row.text) and not _NUMBERED.match(row.text)):
            continue
        numbered, street, code = (
            _NUMBERED.match(row.text),
            _STREET.search(row.text),
            _POSTCODE.search(row.text),
        )
        following = "\n".join(r.text for r in rows[number + 1 : number + 4])
        more = _STREET.search(following) or _POSTCODE.search(following)
        if (
            (numbered and (street or more))
            or (number and street and (code or more))
            or (number and code and number < 8)
        ):
            return number
    return None


def _continues(rows: Sequence[Row], block: Sequence[int], number: int, entities: Sequence[Entity]) -> bool:
    """Whether row `number` still belongs to the address in `block`."""
    row = rows[number]
    if _is_stop(row, entities) or _trimmed(row) is None or _BRACKETED.match(row.text):
        return False
    gap = _top(row) - _bottom(rows[number - 1])
    if gap > 1.6 * max(row.height, rows[number - 1].height):
        return False
    coded = [n for n in block if _POSTCODE.search(rows[n].text)]
    if not coded:
        return True
    # after the postcode: the rest of the place, or a branch, not a name or a title
    return (
        number - coded[0] <= 2 and not LEGAL.search(row.text) and len(re.findall("[A-Za-z]", row.text)) >= 4
    )


def _top(row: Row) -> float:
    return min(y for line in row.lines for _, y in line.box)


def _bottom(row: Row) -> float:
    return max(y for line in row.lines for _, y in line.box)


def _is_stop(row: Row, entities: Sequence[Entity]) -> bool:
    kinds = ("DATE", "TIME", "PHONE", "EMAIL", "URL")
    inside = any(
        e.type in kinds and row.start <= e.start < row.end and (e.type != "DATE" or e.value) for e in entities
    )
    return inside or bool(_STOP.search(row.text))


def _name(rows: Sequence[Row], number: int) -> list[Span] | None:
    """Spans of the name in a row, with the row above if the name covers both; `None` if there is none."""
    row = rows[number]
    span = _name_in(row)
    if span is None:
        return None
    text = row.page.text[slice(*span)]
    spans = [span]
    if legal := LEGAL.search(text):
        text = text[: legal.start()]
        for upper in reversed(rows[max(0, number - 2) : number]):
            above = _name_in(upper)
            if not _half_a_name(text) or above is None or LEGAL.search(upper.text):
                break
            text = f"{row.page.text[slice(*above)]} {text}"
            spans.insert(0, above)
    return spans


def _half_a_name(text: str) -> bool:
    """Whether the text before a legal form is incomplete: one word, an open bracket, a word of trade first."""
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\(.*\)", "", text))
    return (
        len(words) <= 1
        or text.count("(") != text.count(")")
        or bool(TRADE.match(words[0]) and len(words) < 3)
    )


def _name_in(row: Row) -> Span | None:
    text = row.text.split("  ")[0] if not LEGAL.search(row.text) else row.text
    legal = list(LEGAL.finditer(text))
    if legal:
        rest = _REGISTRATION.match(text[legal[-1].end() :])
        text = text[: legal[-1].end()] if rest else text
    elif match := re.search(r" *\([^()]*[0-9]{4,}[^()]*\)?.*$", text):
        text = text[: match.start()]
    start = len(text) - len(text.lstrip(_TRIM))
    end = len(text.rstrip(_TRIM + ",:;"))
    name = text[start:end]
    letters = len(re.findall(r"[A-Za-z]|[\u4e00-\u9fff]{1}", name))
    if letters < 3 or letters * 2 < len(name.replace(" ", "")) or _TITLE.match(name):
        return None
    if _STOP.search(name) and not (legal or TRADE.search(name)):
        return None
    return row.span(start, end)


def _capital(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return not any(c.islower() for c in letters) or sum(map(str.isupper, letters)) * 2 > len(letters)


def _trimmed(row: Row) -> Span | None:
    """The row without marks of a frame or stain at its edges; `None` if nothing is left."""
    start = len(row.text) - len(row.text.lstrip(_TRIM + ".,:;"))
    end = len(row.text.rstrip(_TRIM))
    return row.span(start, end) if start < end else None


def _legal_form(name: str) -> str:
    """Correct the legal forms of Malaysia where OCR misread them; they are known and few."""
    name = re.sub(
        r"(?i)\b(?:S[DB]N)(\.?) ?BH[DO]\b", lambda m: f"SDN{m[1]} BHD" if m[0].isupper() else m[0], name
    )
    return re.sub(r" [S5]/[B8](\.?)$", r" S/B\1", name)
