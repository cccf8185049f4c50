"""Fields of a medical bill: the Chinese 医疗收费票据 of hospitals, and hospital bills in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipeline.fields.capitals import against_capitals
from pipeline.fields.cells import cells_of
from pipeline.fields.labels import Wanted, checked, find_labelled
from pipeline.fields.rows import Row, field, fold, rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "code",
    "number",
    "check_code",
    "date",
    "visit_date",
    "time",
    "payer",
    "institution",
    "department",
    "total",
    "fund",
    "account",
    "cash",
    "own",
    "balance",
)
_INSTITUTION = r".*(?:院|中心|诊所|卫生[所室站]|门诊部|药房|药店|hospital|clinic|centre|center).*"
_WANTED = (
    Wanted("code", "票据代码", "code", "[0-9]{6,12}"),
    Wanted("number", "票据号码|bill (?:no|number)|invoice (?:no|number)|statement (?:no|number)", "code"),
    Wanted("check_code", "校验码", "code", "[0-9A-Za-z]{4,20}"),
    Wanted("date", "开票日期|bill date|invoice date|statement date|date of bill", "DATE"),
    Wanted("visit_date", "就诊日期|就诊时间|入院日期|date of (?:service|visit|admission)", "DATE"),
    Wanted("time", "就诊日期|就诊时间", "TIME"),
    Wanted("date", "收费日期|交费日期|日期|date", "DATE"),
    Wanted("payer", "交款人|患者姓名|病人姓名|姓名|patient(?: name)?|name of patient", colon=True),
    Wanted(
        "institution",
        r"收款单位 ?\(章\)|收款单位|医疗机构(?:名称)?|开票单位|\(章\)",
        "text",
        f"(?i:{_INSTITUTION})",
    ),
    Wanted("department", "科室|科别|就诊科室|住院科别|department|ward"),
    Wanted(
        "total",
        r"金额合计[^0-9]{0,24}?\(? ?小写 ?\)?|金额合计|合计金额|费用合计|总金额|grand total"
        r"|total (?:charges|amount|bill)",
        "MONEY",
    ),
    Wanted("total", r"合计|\(? ?小写 ?\)?|total", "MONEY"),
    Wanted(
        "fund",
        "医保统筹基金支付|医保统筹支付|统筹基金支付|统筹支付|医保支付|基金支付"
        "|insurance (?:paid|payment|payments)|paid by insurance",
        "MONEY",
    ),
    Wanted("account", "个人账户支付|个人帐户支付|医保个人账户", "MONEY"),
    Wanted("cash", "个人现金支付|现金支付|patient (?:paid|pays)|amount paid|co-?payment|co-?pay", "MONEY"),
    Wanted("own", "个人自费|自费金额", "MONEY"),
    Wanted("balance", "个人账户余额|个人帐户余额|账户余额|balance(?: due)?", "MONEY"),
    Wanted(
        "",
        "其他支付|个人自付|病历号|门诊号|住院号|医保类型|医保编号|医疗机构类型|性别|业务流水号"
        "|复核人|收款人|支付方式",
    ),
)
_HEAD = 3
"""Rows of the head."""
_LONGEST = 48
_PAID = ("fund", "account", "cash")


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page.

    What the insurance, the patient's account and the patient paid adds up to the total, unless others paid too.
    """
    rows = rows_of(page)
    found = {one.name: one for one in find_labelled(rows, entities, _WANTED)}
    if "institution" not in found and (named := _institution(rows)):
        found[named.name] = named
    parts = [found[name] for name in _PAID if name in found]
    total = found.get("total")
    if total is not None and len(parts) == len(_PAID):
        paid = sum((Decimal(part.value or 0) for part in parts), Decimal(0))
        if paid > Decimal(total.value or 0):
            for one in (total, *parts):
                found[one.name] = checked(one, "sum_mismatch", factor=0.5)
    return against_capitals(list(found.values()), "total", page, entities)


def _institution(rows: Sequence[Row]) -> Field | None:
    """A hospital named in the head, above the title."""
    for row in rows[:_HEAD]:
        for cell in cells_of(row.text):
            text = row.text[cell.start : cell.end]
            if re.fullmatch(_INSTITUTION, text, re.IGNORECASE) and len(text) <= _LONGEST and ":" not in text:
                made = field("institution", row.page, [row.span(*cell)], fold(text), 0.7)
                return checked(made, "no_label")
    return None
