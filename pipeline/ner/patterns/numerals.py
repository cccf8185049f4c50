"""Chinese numerals: capitals as on invoices and cheques (贰仟肆佰), and everyday ones (两百)."""

from __future__ import annotations

_DIGIT_ROWS = ("零〇", "壹一壱", "贰貳弐二两", "叁參三", "肆四", "伍五", "陆陸六", "柒七", "捌八", "玖九")
_DIGITS = {c: value for value, row in enumerate(_DIGIT_ROWS) for c in row}
_STEPS = {c: value for value, row in ((10, "拾十"), (100, "佰百"), (1000, "仟千")) for c in row}
_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}

CAPITALS = "零壹壱贰貳弐叁參肆伍陆陸柒捌玖拾佰仟万萬亿億"
SMALL = "零〇一二两三四五六七八九十百千万亿"


def han_amount(numeral: str) -> int | None:
    """Read a numeral with its unit characters (贰仟肆佰陆拾贰 is 2462).

    `None` if it is not well-formed: consecutive digits without units, units that do not descend, a scale
    without a number (万).
    """
    total = section = digit = 0
    pending, step = False, 10_000
    for c in numeral:
        if c in _DIGITS:
            if pending and digit:
                return None
            digit, pending = _DIGITS[c], True
        elif c in _STEPS:
            if _STEPS[c] >= step:
                return None
            step = _STEPS[c]
            section += (digit if pending and digit else 1) * step
            digit, pending = 0, False
        else:
            scale = _SCALES[c]
            section += digit
            if not total + section:
                return None
            total = (total + section) * scale if scale > 10**4 or not total else total + section * scale
            section, digit, pending, step = 0, 0, False, 10_000
    return total + section + digit
