"""Choose between overlapping mentions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from pipeline.models import Mention

_CHECKED = {
    # Strict syntax that may contain others: a date in a URL belongs to the URL.
    **{"EMAIL": 0, "URL": 0},
    # Check digits, a code of a closed list, a label.
    **{
        "MRZ": 1,
        "IBAN": 2,
        "ID_NUMBER": 3,
        "USCC": 4,
        "TAX_ID": 5,
        "BANK_CARD": 6,
        "BIC": 7,
        "BANK_ACCOUNT": 8,
    },
    # Calendar, then clock.
    **{"DATE": 9, "TIME": 10},
}
_UNCHECKED = 11


def resolve(mentions: Iterable[Mention]) -> list[Mention]:
    """Choose mentions so that no two overlap, sorted by `start`.

    The rule, greedy from the strongest mention: checked types win in the order EMAIL and URL, MRZ, IBAN, ID_NUMBER,
    USCC, TAX_ID, BANK_CARD, BIC, BANK_ACCOUNT, DATE, TIME; all others are equal (a mention without a value was not
    checked and counts as one of the others); then the longer span; then the higher confidence; then the
    earlier start. Remaining ties are broken by type and engine name, so the order of the input does not
    matter. Adjacent mentions of one type are not merged; empty spans are dropped.
    """
    starts: list[int] = []
    kept: list[Mention] = []
    for mention in sorted(mentions, key=_strength):
        at = bisect_left(starts, mention.end)
        # The kept ones don't overlap each other: only the last that starts before this one's end can overlap it.
        free = at == 0 or kept[at - 1].end <= mention.start
        if free and mention.start < mention.end:
            starts.insert(at, mention.start)
            kept.insert(at, mention)
    return kept


def _strength(mention: Mention) -> tuple[int, int, float, int, str, str, str, str]:
    rank = _CHECKED.get(mention.type, _UNCHECKED) if mention.value is not None else _UNCHECKED
    size = mention.end - mention.start
    ties = (mention.type, mention.engine, mention.value or "", mention.currency or "")
    return (rank, -size, -mention.confidence, mention.start, *ties)
