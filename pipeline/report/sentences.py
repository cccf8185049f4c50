"""Sentences in both languages, and moments and numbers as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

Both = dict[str, str]
"""A sentence by language: `en`, `zh`."""

LONGEST = 300
"""Characters of a text that comes from a document or an error, at most."""

_WEEK = timedelta(days=6)


def both(en: str, zh: str) -> Both:
    """One sentence in both languages."""
    return {"en": en, "zh": zh}


def short(text: str) -> str:
    """A text of at most `LONGEST` characters, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> Both:
    """A moment by the operator's clock: `04:52` today, `tomorrow 23:40`, `Sat 23:40`, `2026-12-03 23:40`."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    clock = f"{local:%H:%M}"
    if days == 0:
        return both(clock, clock)
    if days in (-1, 1):
        en, zh = ("yesterday", "昨天") if days < 0 else ("tomorrow", "明天")
        return both(f"{en} {clock}", f"{zh} {clock}")
    if timedelta() < at - now < _WEEK:
        return both(f"{local:%a} {clock}", f"{'周' + '一二三四五六日'[local.weekday()]} {clock}")
    return both(f"{local:%Y-%m-%d} {clock}", f"{local:%Y-%m-%d} {clock}")


def span(seconds: float) -> Both:
    """A span of time: `68 min`, `3 h 20 min`."""
    minutes = max(int(seconds // 60), 0)
    if minutes < 120:
        return both(f"{minutes} min", f"{minutes} 分钟")
    hours, rest = divmod(minutes, 60)
    return both(
        f"{hours} h {rest} min" if rest else f"{hours} h",
        f"{hours} 小时 {rest} 分钟" if rest else f"{hours} 小时",
    )
