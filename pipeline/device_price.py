"""What NIGHTSHIFT_DEVICE_PRICE says: what an hour of the device costs."""

from __future__ import annotations

import re

EXPECTED = "a number and a currency, such as 2.10 USD"
_PRICE = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?:\s*(?P<currency>[A-Za-z]{3}))?", re.ASCII)


def parse(text: str) -> tuple[float | None, str]:
    """The price, `None` where none is set, and its currency, which may be empty; raises `ValueError`."""
    if not text.strip():
        return None, ""
    found = _PRICE.fullmatch(text.strip())
    if not found:
        raise ValueError("not a price")
    return float(found["number"]), (found["currency"] or "").upper()
