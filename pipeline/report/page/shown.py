"""How values are shown: numbers, times in the installation's zone, durations, texts from outside."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from markupsafe import Markup

from pipeline.report.page.words import Words

LONGEST = 120
"""Characters of a text from outside: a report has hundreds of them, and stays below 1 MB."""

_LOCALES = {"en": "en_GB", "zh": "zh_CN"}
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # not allowed in HTML
_WORD = re.compile(r"--\S+ [^\s-]\S*|\S+")


class Shown:
    """Values as texts of one language and time zone; `None` is "not known", never 0."""

    def __init__(self, words: Words, timezone: str) -> None:
        self._words = words
        self.zone = ZoneInfo(timezone)
        self._unknown = words("unknown")

    def number(self, value: float | None, decimals: int = 0) -> str:
        """With thousands separators."""
        return self._unknown if value is None else f"{value:,.{decimals}f}"

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share of 0 to 1; one below the last digit is not shown as nothing."""
        if share is None:
            return self._unknown
        least = 10.0**-decimals
        if 0 < share * 100 < least:
            return f"< {least:.{decimals}f} %"
        return f"{share * 100:,.{decimals}f} %"

    def change(self, now: float, before: float) -> str:
        """By how many per cent it is more or less than before; `before` > 0."""
        change = round((now / before - 1) * 100)
        return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change):,} %"

    def local(self, moment: datetime) -> datetime:
        """A moment in the installation's zone."""
        return moment.astimezone(self.zone)

    def clock(self, moment: datetime | None, since: datetime | None = None) -> str:
        """Hours and minutes; with the day and month where it is more than 18 hours away from `since`."""
        if moment is None:
            return self._unknown
        local = self.local(moment)
        far = since is not None and abs(moment - since) > timedelta(hours=18)
        return f"{local:%m-%d %H:%M}" if far else f"{local:%H:%M}"

    def stamp(self, moment: datetime) -> str:
        """Day and time, with the zone."""
        return f"{self.local(moment):%Y-%m-%d %H:%M} ({self.offset(moment)})"

    def offset(self, moment: datetime) -> str:
        """The zone's distance from UTC at a moment: `UTC+8`, `UTC+5:30`."""
        minutes = int((self.local(moment).utcoffset() or timedelta()).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        sign = "−" if minutes < 0 else "+"
        return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"

    def day(self, run_date: str) -> str:
        """A run date with its weekday."""
        return format_date(date.fromisoformat(run_date), "full", locale=_LOCALES[self._words.language])

    def duration(self, seconds: float | None) -> str:
        """Seconds below two minutes, minutes below two hours, else hours and minutes."""
        if seconds is None:
            return self._unknown
        if seconds < 119.5:
            return self._words("units.seconds", n=f"{seconds:.1f}" if seconds < 9.95 else f"{seconds:.0f}")
        return self.minutes(round(seconds / 60))

    def minutes(self, minutes: int) -> str:
        """Minutes below two hours, else hours and minutes."""
        if minutes < 120:
            return self._words("units.minutes", n=minutes)
        hours, rest = divmod(minutes, 60)
        if not rest:
            return self._words("units.hours", h=f"{hours:,}")
        return self._words("units.hours_minutes", h=f"{hours:,}", m=f"{rest:02}")

    def money(self, amount: float | None, currency: str) -> str:
        """With as many decimals as an amount below 1 needs."""
        if amount is None:
            return self._unknown
        return (
            f"{amount:,.{2 if amount >= 1 or not amount else 4 if amount < 0.1 else 3}f} {text(currency, 12)}"
        )


def text(value: str, longest: int = LONGEST) -> str:
    """A text from outside: without characters that HTML does not allow, and not too long."""
    plain = _UNSEEN.sub("\ufffd", value)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def split(source: str) -> tuple[str, str]:
    """Folder and name of a source; all of it is the name where there is no folder."""
    folder, slash, name = source.rpartition("/")
    return (folder + slash, name) if name else ("", source)


def command(value: str) -> Markup:
    """A command that breaks only between its words: neither at a hyphen, nor between an option and its value."""
    words = _WORD.findall(text(value, 400))
    return Markup(" ").join(Markup("<span>{}</span>").format(word) for word in words)
