"""ORG by legal form: company names that end in SDN BHD, LTD, GMBH, 有限公司 and similar.

Names of organisations without such an ending are left to the statistical engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, plain

_LEGAL_FORM = re.compile(
    r"(?:(?<![A-Za-z])(?:S[DB]N\.? ?BH[DO]\b\.?|BERHAD\b|BHD\b\.?|CO\.?,? ?LTD\b\.?|PTE\.? ?LTD\b\.?"
    r"|PTY\.? ?LTD\b\.?|LTD\b\.?|LIMITED\b|INC\b\.?|INCORPORATED\b|LLC\b|LLP\b|PLC\b|GMBH\b|CORP\b\.?"
    r"|CORPORATION\b|CO\.(?=[ ]?(?:\n|\Z|[,;]))|S\.A\.|B\.V\.|N\.V\.|S\.P\.A\.)"
    r"|S/B(?![A-Za-z0-9])\.?|(?<= )5/B(?=\.?(?:\n|\Z| \()))",
    re.ASCII | re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[(\[\"']?(?:[A-Z0-9&@][\w&.'’/()+-]*|&|of|and|the|n)[,]?", re.ASCII)
_STOP_WORDS = {
    *(
        "AT",
        "BY",
        "FROM",
        "FOR",
        "WITH",
        "TO",
        "SHOPPING",
        "THANK",
        "YOU",
        "NAME",
        "BETWEEN",
        "IS",
        "ARE",
        "DATE",
    ),
    *("TEL", "FAX", "NO", "NO.", "LOT", "INVOICE"),
}
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

_COMPANY = "股份有限公司|有限责任公司|有限公司|集团公司"
_INSTITUTION = (
    "医院|卫生院|诊所|银行|信用社|大学|学院|研究院|研究所|税务局|人民法院|公安局|管理局|委员会|事务所"
)
_HAN_FORM = re.compile(
    rf"(?P<form>(?P<company>{_COMPANY})|{_INSTITUTION})(?:[\u4e00-\u9fff]{{2,8}}?(?:分公司|支行|分行|营业部))?"
)
_FIELD_START, _FIELD_END = " \n:(", " \n)"
_HAN_NAME = re.compile(r"[\u4e00-\u9fffA-Za-z0-9()&·]{1,30}\Z")
_HAN_LEAD = re.compile(
    r".*(?:[的了是你他她它在由被把从给请兹兼]|[位属关鉴]于|[作成]为|以及|公司[和与]|[对向](?![外日阳前]))|^原|"
    r"^\((?:[甲乙丙买卖]方|盖章|公章)\)|"
    r"^(?:单位|公司|收款|付款|开户)?(?:名称|称|单位|户名|甲方|乙方|开户行|全称|[购销][买售]?方|机构)"
)


def find_organisations(text: str) -> Iterator[Mention]:
    """Yield the ORG mentions of `text`, each on one row.

    The span is the name with its legal form, without the registration numbers after it. A separate row
    such as SUNRISE ENTERPRISE counts too, with lower confidence.
    """
    page = plain(text)
    after = 0
    for match in _LEGAL_FORM.finditer(page):
        start = _name_start(page, after, match)
        after = match.end()
        if start is not None:
            yield found("ORG", (start, match.end()), 0.88, None)
    for match in _TRADE_ROW.finditer(page):
        yield found("ORG", match.span("name"), 0.65, None)
    for match in _HAN_FORM.finditer(page):
        start = _han_start(page, match.start())
        if start is None:
            continue
        # In running text only a company's legal form is reliable; 医院 or 银行 must fill a whole field.
        field = page[start - 1 : start] in _FIELD_START and page[match.end() : match.end() + 1] in _FIELD_END
        if match["company"] or field:
            yield found("ORG", (start, match.end()), 0.8 if match["company"] else 0.6, None)


def _name_start(page: str, after: int, form: re.Match[str]) -> int | None:
    """Walk left from the legal form over the words of a name, not past `after`; `None` if there is no name."""
    if form[0][0].islower():
        return None
    row = max(page.rfind("\n", 0, form.start()) + 1, form.start() - 80, after)
    start, letters = form.start(), 0
    for word in reversed(list(re.finditer("[^ ]+", page[row : form.start()]))[-9:]):
        _, colon, rest = word[0].rpartition(":")
        name = rest if colon else word[0]
        last = start == form.start()
        if not _NAME_WORD.fullmatch(name) or (name.endswith(",") and not last):
            break
        if name.upper() in _STOP_WORDS or re.search("[0-9]{5}", name) or ("," in name and not last):
            break
        start = row + word.end() - len(name)
        letters += sum(c.isalpha() for c in name if name not in ("CO.", "Co."))
        if colon:
            break
    name = page[start : form.start()]
    # The rest of a bracket opened on the row above is not a name, and "AMT INC." refers to tax.
    if name.count(")") > name.count("(") or (form[0][:3].upper() == "INC" and _INCLUSIVE.search(name)):
        return None
    start += len(name) - len(re.sub(r"^(?:(?:&|of|and|the|n) )+", "", name))
    glued = form[0].upper().startswith("S/B") and start == form.start()
    return start if letters >= 2 and not glued else None


def _han_start(page: str, end: int) -> int | None:
    run = _HAN_NAME.search(page[max(0, end - 30) : end])
    if run is None:
        return None
    name = run[0]
    lead = _HAN_LEAD.match(name)
    name = name[lead.end() :] if lead else name
    while name.count("(") != name.count(")"):
        name = name.partition("(")[2] if name.count("(") > name.count(")") else name.partition(")")[2]
    return end - len(name) if len(name) >= 2 else None
