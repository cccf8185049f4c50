"""Amounts in Chinese numerals: 肆佰壹拾贰圆整, 两百元."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.models import Mention
from pipeline.ner.characters import found
from pipeline.ner.locale.currencies import HAN, named
from pipeline.ner.patterns.numerals import CAPITALS, SMALL, han_amount

NOT_A_UNIT = "(?![素件旦月年宵代朝组气老始首帅])"
"""Behind 元: words such as 元素 and 元月."""
_FRACTION = r"(?: ?(?P<jiao>[{c}]) ?角)?(?: ?零)?(?: ?(?P<fen>[{c}]) ?分)?(?: ?[整正])?"
_IN_CAPITALS = re.compile(
    rf"(?<![{CAPITALS}0-9.数几多余])(?:人民币 ?)?(?:(?P<minus>\(负数?\)|负) ?)?"
    rf"(?P<han>[{CAPITALS}](?: ?[{CAPITALS}]){{0,30}}) ?(?P<currency>圆|圓|元|[美港欧日]元)"
    + _FRACTION.format(c=CAPITALS)
)
_IN_SMALL = re.compile(
    rf"(?<![{SMALL}0-9.数几多余])(?P<han>[{SMALL}]{{2,24}})(?P<currency>{'|'.join(sorted(HAN, key=len, reverse=True))})"
    + NOT_A_UNIT
    + _FRACTION.format(c=SMALL)
)
_UNITS = frozenset(name[-1] for name in HAN)


def numerals_in(page: str) -> Iterator[Mention]:
    """Amounts in capital numerals, as on invoices and cheques, and in everyday ones."""
    if not any(unit in page for unit in _UNITS):
        return
    for pattern, confidence in ((_IN_CAPITALS, 0.97), (_IN_SMALL, 0.75)):
        for match in pattern.finditer(page):
            whole = han_amount(match["han"].replace(" ", ""))
            tenths = [han_amount(match[name]) if match[name] else 0 for name in ("jiao", "fen")]
            if whole is None or None in tenths:
                continue
            value = whole + Decimal(tenths[0] or 0) / 10 + Decimal(tenths[1] or 0) / 100
            if match.groupdict().get("minus"):
                value = -value
            currency = named(match["currency"])
            code = currency.code(None) if currency else None
            yield found("MONEY", match.span(), confidence, f"{value:.2f}", code)
