"""Whether an amount is negative: a minus sign in front or behind, `CR`, brackets alone in a cell."""

from __future__ import annotations

import re
from functools import lru_cache

_MINUS_BEHIND = re.compile(r"-(?![-0-9A-Za-z])(?:(?<=\.[0-9]{2}-)|(?<=,[0-9]{2}-)|(?= ?(?:\n|\Z|  )))")
_SIDE = re.compile(r" ?(CR|DR|[SH])\b")
_DEBITS = re.compile(r"[0-9] ?DR\b")
_BANK = re.compile(r"(?:opening|closing) balance|balance (?:brought|carried)|withdrawals?\b", re.IGNORECASE)
_CARD = re.compile(r"credit card|card statement", re.IGNORECASE)
_ACCOUNT = re.compile(r"kontoauszug|\bsoll\b|\bhaben\b", re.IGNORECASE)
_CELL_END = re.compile(r" ?(?:\n|\Z|  )| (?=\(?-?[$€£¥]?[0-9])")


@lru_cache(maxsize=2)
def _negative_marks(page: str) -> frozenset[str]:
    """The marks behind amounts that make them negative.

    `CR`, except on the statement of a bank account and where debits are marked: there `DR`; `S` for Soll.
    """
    bank = _DEBITS.search(page) or (_BANK.search(page) and not _CARD.search(page))
    marks = {"DR" if bank else "CR"}
    return frozenset(marks | {"S"} if _ACCOUNT.search(page) else marks)


def minus_before(page: str, start: int) -> int | None:
    """The place of the minus sign in front of `start`: glued, or alone with the amount in its cell (`- 5.00`)."""
    at = start - 1
    apart = page[at : at + 1] == " "
    at -= apart
    if page[max(0, at - 2) : at + 1] == "./.":  # German: less
        return at - 2
    if at < 0 or page[at] != "-":
        return None
    before = page[at - 1] if at else "\n"
    if apart:
        return at if before == "\n" or page[max(0, at - 2) : at] == "  " else None
    return None if before.isalnum() or before in "-)" else at


def minus_behind(page: str, end: int) -> bool:
    """Whether the amount that ends at `end` is printed as `10.00-` or with a mark that makes it negative."""
    if side := _SIDE.match(page, end):
        return side[1] in _negative_marks(page)
    return _MINUS_BEHIND.match(page, end) is not None


def bracketed(page: str, start: int, end: int, *, bare: bool) -> bool:
    """Whether accounting brackets are around `start:end`: alone in a cell, or `bare` of a currency at a row's end."""
    if page[start - 1 : start] != "(" or page[end : end + 1] != ")" or not _CELL_END.match(page, end + 1):
        return False
    before = page[max(0, start - 3) : start - 1]
    alone = before in ("", " ") or before.endswith(("\n", "  ", *"$€£¥￥"))
    return alone or (bare and before.endswith(" ") and not before[0].isdigit())
