"""Amounts in Chinese numerals: 肆佰壹拾贰圆整, 两百元."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.models import Mention
from pipeline.ner.characters import found
from pipeline.ner.locale.currencies import HAN, IN_FRONT, currency_in, named
from pipeline.ner.patterns.numerals import CAPITALS, SMALL, han_amount

_END = "(?![0-9.,:%A-Za-z\u4e00-\u9fff])"
NOT_A_UNIT = (
    "(?![素件旦月年宵代朝组气老始首帅次])(?:(?<![块塊])|(?=[钱錢多左以一每的和吧了呢到起整]|[^0-9\u4e00-\u9fff]|\\Z"
    f"|[0-9{SMALL}](?:[角毛]|{_END})))"
)
"""Behind 元: words such as 元素 and 元月. 块 counts things too: 5块硬盘."""
_FRACTION = (
    r"(?: ?(?P<jiao>[{c}]) ?{tenth})?(?: ?零)?(?: ?(?P<fen>[{c}]) ?分(?![钟鐘之公享配]))?(?: ?[整正])?"
)
_TENTH = f"(?:[角毛]|(?<=[块塊][{SMALL}])(?![{SMALL}A-Za-z\u4e00-\u9fff0-9]))"
"""毛 and 角; people leave it out: 二十五块五."""
_FRONT = f"(?:(?P<front>{'|'.join((*IN_FRONT, '美元', '欧元', '日元', '英镑'))}) ?)?"
_IN_CAPITALS = re.compile(
    rf"(?<![{CAPITALS}0-9.数几多余]){_FRONT}(?:(?P<minus>\(负数?\)|负) ?)?"
    rf"(?P<han>[{CAPITALS}](?: ?[{CAPITALS}]){{0,30}}) ?(?P<currency>圆|圓|元|円|[美港欧日]元)"
    + _FRACTION.format(c=CAPITALS, tenth="角")
)
_IN_SMALL = re.compile(
    rf"(?<![{SMALL}0-9.数几多余]){_FRONT}(?P<han>[{SMALL}]{{1,24}})"
    rf"(?P<currency>{'|'.join(sorted(HAN, key=len, reverse=True))})"
    + NOT_A_UNIT
    + _FRACTION.format(c=SMALL, tenth=_TENTH)
)
_STEPS = "拾佰仟万萬亿億"
_PREPRINTED = re.compile(rf"[{_STEPS}]?(?: ?[{_STEPS}])*(?<!\A拾)")
"""Units without a digit, as on a form that nobody filled in."""
_VOID = ("⊗", "×", "○", "⨂")
_MONEY_BEHIND = ("钱", "錢")
_UNITS = frozenset(name[-1] for name in HAN)


def numerals_in(page: str, country: str | None) -> Iterator[Mention]:
    """Amounts in capital numerals, as on invoices and cheques, and in everyday ones; `country`: of the page."""
    if not any(unit in page for unit in _UNITS):
        return
    home = currency_in(country)
    for pattern, confidence in ((_IN_CAPITALS, 0.97), (_IN_SMALL, 0.75)):
        for match in pattern.finditer(page):
            whole = han_amount(match["han"].replace(" ", ""))
            tenths = [han_amount(match[name]) if match[name] else 0 for name in ("jiao", "fen")]
            if whole is None or None in tenths:
                continue
            if _PREPRINTED.fullmatch(match["han"]) or (
                match["han"][0] in _STEPS and page[match.start() - 1 : match.start()] in _VOID
            ):
                continue  # 仟 佰 拾 元, ⊗佰⊗拾伍元
            small = pattern is _IN_SMALL and len(match["han"]) == 1
            if small and not (
                match["front"] or any(tenths) or page[match.end() : match.end() + 1] in _MONEY_BEHIND
            ):
                continue  # 一元 and 二元 are words too
            value = whole + Decimal(tenths[0] or 0) / 10 + Decimal(tenths[1] or 0) / 100
            if match.groupdict().get("minus"):
                value = -value
            currency = named(match["front"] or match["currency"])
            code = currency.code(home) if currency else None
            yield found("MONEY", match.span(), confidence, f"{value:.2f}", code)
