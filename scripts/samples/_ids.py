"""Numbers with check digits, and amounts in capital numerals, computed so that every sample is consistent."""

from __future__ import annotations

from decimal import Decimal

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS = "零壹贰叁肆伍陆柒捌玖"


def organisation_code(body: str) -> str:
    """Append the GB 11714 check character to the 8 characters of an organisation code."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(char, 36) * weight for char, weight in zip(body, weights, strict=True))
    return body + "0123456789X0"[11 - total % 11]


def uscc(organisation: str, region: str = "119900") -> str:
    """Build an 18-character unified social credit code (GB 32100) of an enterprise.

    `region` is 119900 by default, which GB/T 2260 assigns to no place.
    """
    body = "91" + region + organisation_code(organisation)
    total = sum(USCC_ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return body + USCC_ALPHABET[-total % 31]


def id_number(region: str, birth: str, order: str) -> str:
    """Append the GB 11643 check digit to region (6), birth date YYYYMMDD and order number (3)."""
    body = region + birth + order
    total = sum(int(char) * pow(2, 17 - i, 11) for i, char in enumerate(body))
    return body + "10X98765432"[total % 11]


def cents(value: Decimal) -> Decimal:
    """Round half up to two places, as invoices do."""
    return value.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")


def capitals(amount: Decimal) -> str:
    """Write 1 to below 10**8 yuan in financial capital numerals, such as 壹佰贰拾圆伍角叁分."""
    yuan, fraction = divmod(int(cents(amount) * 100), 100)
    jiao, fen = divmod(fraction, 10)
    text = _integer(yuan) + "圆"
    if not fraction:
        return text + "整"
    text += DIGITS[jiao] + "角" if jiao else DIGITS[0]
    return text + (DIGITS[fen] + "分" if fen else "整")


def _integer(number: int) -> str:
    out = ""
    for position, digit in enumerate(reversed(str(number))):
        if position % 4 == 0:
            out = ("", "万")[position // 4] + out
        if digit != "0":
            out = DIGITS[int(digit)] + ("", "拾", "佰", "仟")[position % 4] + out
        elif out and out[0] not in "零万":
            out = DIGITS[0] + out
    return out
