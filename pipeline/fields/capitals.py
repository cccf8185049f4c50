"""An amount in capital numerals and the digits behind it, which are the same: 壹万贰仟圆整 ¥12,000.00."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from pipeline.fields.labels import checked
from pipeline.models import Entity, Field, Page

_CAPITALS = re.compile(r"[^0-9A-Za-z]*[壹贰叁肆伍陆柒捌玖][^0-9A-Za-z]*")


def against_capitals(
    fields: Sequence[Field], name: str, page: Page, entities: Sequence[Entity]
) -> list[Field]:
    """The fields; the one with this name is in doubt if capital numerals and digits on the page contradict each other.

    The digits are in the row of the numerals or the next one.
    """
    moneys = sorted((e for e in entities if e.type == "MONEY" and e.value), key=lambda e: e.start)
    pairs = [
        (Decimal(one.value or 0), Decimal(other.value or 0))
        for one, other in pairwise(moneys)
        if _CAPITALS.fullmatch(one.text) and not _CAPITALS.fullmatch(other.text)
        if page.text.count("\n", one.end, other.start) <= 1
    ]
    if all(capitals == digits for capitals, digits in pairs):
        return list(fields)
    return [checked(one, "capitals_mismatch", factor=0.5) if one.name == name else one for one in fields]
