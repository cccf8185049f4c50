"""The name of a bank, printed at the head of its papers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.cells import cells_of
from pipeline.fields.rows import Row, field, fold
from pipeline.models import Field

_HEAD = 12
"""Maximum number of rows of the head."""
_CHINESE = re.compile(
    r"[\u4e00-\u9fff]{2,14}(?:银行|信用社|信用合作联社)(?:股份有限公司"
    r"|有限责任公司)?(?:[\u4e00-\u9fff]{2,10}(?:分行|支行))?"
)
_WESTERN = re.compile(
    r"\b(?:bank|banque|banco|banca|bankers|savings|sparkasse|volksbank|raiffeisen\w*|caisse"
    r"|cr[eé]dit|credit union|building society"
    r"|bancorp|\w+bank)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r":|\b(?:statement|account|advice|details|code|transfer|charges|card|name)\b|对账单|回单", re.IGNORECASE
)
_LONGEST = 48


def find_bank(rows: Sequence[Row]) -> list[Field]:
    """The field bank: the first name of a bank in the head."""
    for number, row in enumerate(rows[:_HEAD]):
        if match := _CHINESE.search(row.text):
            before = row.text[: match.start()].rstrip()
            if not before.endswith(":"):
                span = row.span(*match.span())
                return [field("bank", row.page, [span], fold(match[0]), 0.85 - 0.02 * number)]
        for cell in cells_of(row.text):
            text = row.text[cell.start : cell.end]
            if len(text) <= _LONGEST and _WESTERN.search(text) and not _LABEL.search(text):
                return [field("bank", row.page, [row.span(*cell)], fold(text), 0.8 - 0.02 * number)]
    return []
