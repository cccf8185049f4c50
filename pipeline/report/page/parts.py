"""Parts of the page that are computed from the report: numbers, audit, shares, steps, confidence, cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median
from typing import Any

from markupsafe import Markup

from pipeline.report.facts import AuditLine, Confidence, Cost, Nightly, Share, StepTime
from pipeline.report.page import plots
from pipeline.report.page.bounds import MOST
from pipeline.report.page.shown import Shown
from pipeline.report.page.words import Words

_STABLE, _SHIFTED = 0.1, 0.25
"""Customary limits of the population stability index: below, no change; above, a significant one."""

_LOW = re.compile(r"confidence below ([\d.]+)")


class Parts:
    """Makes them in one language."""

    def __init__(self, words: Words, shown: Shown) -> None:
        self._w, self._shown = words, shown

    def numbers(self, every: Sequence[Nightly]) -> list[dict[str, Any]]:
        """The five numbers with their sparklines and what they were before."""
        return [self._number(one) for one in every]

    def _number(self, one: Nightly) -> dict[str, Any]:
        w, shown, before = self._w, self._shown, one.before[-7:]
        known = [value for value in before if value is not None]
        note = w("numbers.no_nights")
        if known:
            nights = w.counted("numbers.nights", len(known), str(len(known)))
            note = w("numbers.median", nights=nights, value=shown.number(median(known)))
        listed = w("comma").join(shown.number(value) for value in before)
        return {
            "name": one.name,
            "value": one.value,
            "tone": "warn" if one.name in ("unwell", "left") and one.value else "",
            "spark": Markup(plots.sparkline(before, one.value)) if known else "",  # noqa: S704 - drawn from numbers
            "median": note,
            "before": w("numbers.before", values=listed) if known else "",
        }

    def audit(self, line: AuditLine) -> dict[str, Any]:
        """The audit as an equation: what is missing is a part of it, too."""
        counts = {
            "done": line.done,
            "partial": line.partial,
            "failed": line.failed,
            "pending": line.pending,
            "forgotten": line.forgotten,
        }
        counts["missing"] = line.received - sum(counts.values())
        seldom = ("forgotten", "missing")
        parts = [
            self._w(f"audit.{name}", n=self._shown.number(count))
            for name, count in counts.items()
            if count > 0 or name not in seldom
        ]
        received = self._shown.number(line.received)
        return {
            "passed": not any(line.discrepancies.values()) and counts["missing"] == 0,
            "equation": self._w("audit.equation", received=received, parts=" + ".join(parts)),
            "kinds": sorted(line.discrepancies.items()),
            "read": self._read(line.unread),
        }

    def _read(self, unread: int | None) -> str:
        """What the audit has read; empty where the report does not say."""
        if unread is None:
            return ""
        return self._w("audit.unread", n=self._shown.number(unread)) if unread else self._w("audit.all_read")

    def shares(self, every: Sequence[Share]) -> list[dict[str, Any]]:
        """The largest shares, and all others as one row."""
        ordered = sorted(every, key=lambda share: (-share.value, -(share.before or 0), share.name))
        rows = [self._share(share) for share in ordered[: MOST["shares"]]]
        if rest := ordered[MOST["shares"] :]:
            before = [share.before for share in rest if share.before is not None]
            both = Share(
                name="", value=sum(share.value for share in rest), before=sum(before) if before else None
            )
            rows.append(self._share(both) | {"others": len(rest)})
        return rows

    def _share(self, share: Share) -> dict[str, Any]:
        change = ""
        if share.before is not None:
            change = (
                self._shown.change(share.value, share.before) if share.before > 0 else self._w("came.new")
            )
        decimals = 1 if share.before is not None and 0 < share.before < 9.95 else 0
        before = self._shown.number(share.before, decimals)
        return {"name": share.name, "value": share.value, "before": before, "change": change, "others": 0}

    def steps(self, every: Sequence[StepTime]) -> list[dict[str, Any]]:
        """Steps with a bar from median to 95th percentile, on one scale."""
        rows = every[: MOST["steps"]]
        most = max((step.p95 for step in rows), default=0) or 1.0
        return [
            {"step": step.step, "median": step.median, "p95": step.p95, "bar": _bar(step, most)}
            for step in rows
        ]

    def confidence(self, sure: Confidence) -> dict[str, Any] | None:
        """The histogram, its label and its table; `None` without fields."""
        total, bins = sum(sure.tonight), len(sure.tonight)
        if not total:
            return None
        w, shown = self._w, self._shown
        threshold = shown.number(sure.threshold, 2)
        below = sum(n for i, n in enumerate(sure.tonight) if (i + 1) / bins <= sure.threshold + 1e-9)
        words = {"n": shown.number(total), "below": shown.number(below), "threshold": threshold}
        before = sure.before if len(sure.before) == bins and any(sure.before) else ()
        drift = sure.drift or 0
        rows = [
            (
                f"{i / bins:.2f} – {(i + 1) / bins:.2f}",
                shown.number(n),
                shown.number(before[i] if before else None),
            )
            for i, n in enumerate(sure.tonight)
        ]
        return {
            "svg": Markup(  # noqa: S704 - drawn from numbers, its label is escaped by lxml
                plots.histogram(sure.tonight, before, sure.threshold, shown, w("sure.chart_label", **words))
            ),
            "threshold": threshold,
            "has_before": bool(before),
            "review": w("sure.review", share=shown.percent(below / total, 1), **words),
            "drift": "stable" if drift < _STABLE else "shifting" if drift <= _SHIFTED else "shifted",
            "rows": rows,
        }

    def cost(self, cost: Cost) -> dict[str, Any]:
        """Device time per 1,000 pages, and how many times as much each service asks."""
        known = cost.device_seconds if cost.device_seconds or not cost.pages else None  # older versions: 0
        seconds = known / cost.pages * 1000 if known and cost.pages else None
        compared = []
        for cloud in cost.clouds[: MOST["clouds"]]:
            if not cost.per_1000_pages:
                compared.append("")
            elif cloud.currency != cost.currency:
                compared.append(self._w("cost.other_currency"))
            else:
                times = cloud.price / cost.per_1000_pages
                compared.append(self._w("cost.times", n=self._shown.number(times, 0 if times >= 10 else 1)))
        return {
            "device": self._shown.duration(known),
            "seconds": self._shown.duration(seconds),
            "compared": compared,
        }

    def reason(self, codes: str) -> str:
        """Why a field needs a look: codes of checks, joined by commas, in words."""
        return self._w("comma").join(self._reason(code) for code in codes.split(", "))

    def _reason(self, code: str) -> str:
        if found := _LOW.fullmatch(code):
            return self._w("looks.below", value=found[1])
        return self._w.name("reasons", code) or code


def _bar(step: StepTime, most: float) -> Markup:
    """A line from 0 to the median, a thin one on to the 95th percentile."""
    median_, p95 = (round(100 * value / most, 1) for value in (step.median, step.p95))
    return Markup(  # noqa: S704 - numbers
        '<svg class="bar" viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="f-soft" d="M0 7h{p95}v4H0z"/><path class="f-second" d="M0 4h{median_}v10H0z"/></svg>'
    )
