"""ORG in Chinese text: companies by their legal form, institutions that fill a field."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found
from pipeline.ner.organisation_names import bounds

_COMPANY = "股份有限公司|有限责任公司|有限公司|集团公司"
_INSTITUTION = (
    "医院|卫生院|诊所|银行|信用社|大学|学院|研究院|研究所|税务局|人民法院|公安局|管理局|委员会|事务所"
)
_FORM = re.compile(
    rf"(?=[股有集医卫诊银信大学研税人公管委事])(?P<form>(?P<company>{_COMPANY})|{_INSTITUTION})(?:[\u4e00-\u9fff]{{2,8}}?(?:分公司|支行|分行|营业部))?"
)
_FIELD_START, _FIELD_END = " \n:(", " \n)"
_NAME = re.compile(r"[\u4e00-\u9fffA-Za-z0-9()&·]{1,30}\Z")
_LEAD = re.compile(
    r".*(?:[的了是你他她它在由被把从给请兹兼]|[关鉴]于|[作成]为|以及|(?:公司|集团|银行|大学|医院)[和与及]"
    r"|[对向](?![外日阳前]))|"
    r"^(?:与|與|收到|委托|起诉|采购自|付至|汇至|兹有|经(?![纬济典贸开营])|(?:全资|控股)?[子母]公司(?=[\u4e00-\u9fff]{4}))|"
    r"^\((?:[甲乙丙买卖]方|盖章|公章)\)|"
    r"^(?:单位|公司|收款|付款|开户)?(?:名称|称|单位|户名|甲方|乙方|开户行|全称|[购销][买售]?方|机构)"
)

_JAPANESE = "株式会社|有限会社|合同会社|合資会社"
_JAPANESE_NAME = "[\u3041-\u30fe\u4e00-\u9fffA-Za-z0-9&·々]"
_JAPANESE_FORM = re.compile(
    rf"(?:{_JAPANESE}) ?(?:(?!御中|様|{_JAPANESE}){_JAPANESE_NAME}){{2,20}}|{_JAPANESE_NAME}{{2,20}}?(?:{_JAPANESE})"
)
"""The form is in front of the name or behind it."""


def find_han_organisations(page: str) -> Iterator[Mention]:
    """Yield the ORG mentions of a plain page with a Chinese or Japanese legal form, each on one row."""
    if "会社" in page:
        for match in _JAPANESE_FORM.finditer(page):
            yield found("ORG", match.span(), 0.8, None)
    for match in _FORM.finditer(page):
        name = _name(page, match.start())
        if name is None:
            continue
        # In running text only a company's legal form is reliable; 医院 or 银行 must fill a whole field.
        before = page[match.start() - len(name) - 1 : match.start() - len(name)]
        field = before in _FIELD_START and page[match.end() : match.end() + 1] in _FIELD_END
        start = match.start() - len(name) + bounds(name)[0]
        if start < match.start() - 1 and (match["company"] or field):
            yield found("ORG", (start, match.end()), 0.8 if match["company"] else 0.6, None)


def _name(page: str, end: int) -> str | None:
    """The name before the form at `end`, perhaps with verbs before it."""
    run = _NAME.search(page[max(0, end - 30) : end])
    if run is None:
        return None
    name = run[0]
    lead = _LEAD.match(name)
    name = name[lead.end() :] if lead else name
    while name.count("(") != name.count(")"):
        name = name.partition("(")[2] if name.count("(") > name.count(")") else name.partition(")")[2]
    return name or None
