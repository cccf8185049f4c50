"""The one sentence about a night, and the word for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from pipeline.forecast.model import Forecast
from pipeline.ledger.audit import Audit
from pipeline.ledger.timeline import Sample
from pipeline.night.brake import Braked
from pipeline.plural import count
from pipeline.report.course import UNTIL, Bounds, Outage
from pipeline.report.facts import Verdict, Word
from pipeline.report.figures import Figures
from pipeline.report.page.troubles import translated
from pipeline.report.page.words import step_name, words
from pipeline.report.sentences import Both, both, moment, short, span


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict is made from.

    `delayed`: until when documents wait that may not start before (UTC). `closed_by`: who closed the window by hand,
    and when. `never`: the schedule has no window.
    """

    run_date: str
    now: datetime
    zone: ZoneInfo
    open: bool
    bounds: Bounds
    audit: Audit
    tables: Figures
    samples: Sequence[Sample]
    outages: Sequence[Outage]
    brakes: Sequence[Braked] = ()
    forecast: Forecast | None = None
    delayed: Sequence[datetime] = ()
    closed_by: tuple[str, datetime] | None = None
    never: bool = False

    @property
    def ended(self) -> int:
        """Documents of this night that ended."""
        return self.audit.done + self.audit.partial + self.audit.failed

    @property
    def missing(self) -> int:
        """Documents that are nowhere."""
        return sum(gap.kind == "missing" for gap in self.audit.gaps)

    def at(self, moment_: datetime) -> Both:
        """A moment as the operator's clock shows it."""
        return moment(moment_, self.now, self.zone)


def verdict(known: Known) -> Verdict:
    """How the night went."""
    left, missing = known.audit.pending, known.missing
    if (stopped := _stopped(known)) and (left or known.open):
        return _of("stopped", stopped)
    if known.open:
        return _of("running", _running(known))
    if missing:
        return _of("left", _missing(known))
    if why := _empty(known):
        return _of("empty", why)
    return _of("left", _left(known)) if left else _of("done", _done(known))


def _of(word: Word, sentence: Both) -> Verdict:
    return Verdict(word=word, sentences=sentence)


def _missing(known: Known) -> Both:
    whole, missing = known.audit.received, known.missing
    return both(
        f"{missing:,} of {count(whole, 'document')} missing: see the audit.",
        f"{whole:,} 份中有 {missing:,} 份下落不明：请查看审计。",
    )


def _empty(known: Known) -> Both | None:
    """Why nothing was read; `None` where something was, or that is not known."""
    audit = known.audit
    if known.ended or known.tables.documents:
        return None
    if audit.received and audit.received == audit.forgotten:
        return both("All documents of this night were forgotten.", "这一夜的文档已全部按要求删除。")
    if not audit.pending:
        return both("Nothing was received.", "没有收到任何文档。")
    return _not_begun(known)


def _stopped(known: Known) -> Both | None:
    """What holds the work up: a trouble at the end of the window or now, else a step that is paused."""
    end = known.now if known.open else min(filter(None, (known.bounds.closed, known.now)))
    if known.outages:
        begin, until, trouble = known.outages[-1]
        if begin <= end <= until + UNTIL:
            return _since(both(trouble, translated(words("zh"), trouble)), begin, known)
    for note in known.brakes:
        if note.pauses(known.now):
            why = both(
                f"step {note.step} is paused, as one document after the other failed ({note.code})",
                f"步骤“{step_name(note.step)}”已暂停，因为文档接连失败（{note.code}）",
            )
            return _since(why, note.since, known)
    return None


def _since(why: Both, begin: datetime, known: Known) -> Both:
    at = known.at(begin)
    en, zh = (short(why[language]).rstrip(".。") for language in ("en", "zh"))
    return both(f"Stopped since {at['en']}: {en}.", f"自 {at['zh']} 起停止：{zh}。")


def _running(known: Known) -> Both:
    whole, done = known.audit.received - known.audit.forgotten, known.ended
    end = known.forecast.p50 if known.forecast else None
    at = known.at(end) if end and known.audit.pending else None
    return both(
        f"Running: {done:,} of {count(whole, 'document')} ended" + (f", done {at['en']}." if at else "."),
        f"进行中：{whole:,} 份中已结束 {done:,} 份" + (f"，预计 {at['zh']} 完成。" if at else "。"),
    )


def _left(known: Known) -> Both:
    left = known.audit.pending
    if known.forecast is None or known.forecast.p50 is None:
        return both(
            f"{left:,} left; when they will be done is not known.", f"剩余 {left:,} 份，完成时间未知。"
        )
    at = known.at(known.forecast.p50)
    return both(f"{left:,} left, done {at['en']}.", f"剩余 {left:,} 份，预计 {at['zh']} 完成。")


def _done(known: Known) -> Both:
    audit, tables = known.audit, known.tables
    received = known.ended or tables.documents
    well = not (audit.partial + audit.failed if known.ended else tables.partial + tables.failed)
    en = f"{'All ' if received > 1 else ''}{received:,}{'' if received > 1 else ' document'} "
    en += "read" if well else "ended"
    zh = f"全部 {received:,} 份已{'读完' if well else '结束'}"
    if tables.ended:
        at = known.at(tables.ended) if abs((known.now - tables.ended).days) else _clock(tables.ended, known)
        en, zh = f"{en} by {at['en']}", f"{zh}，最后一份于 {at['zh']}"
        opened, closed = known.bounds
        if opened and closed and opened <= tables.ended <= closed:
            early = span((closed - tables.ended).total_seconds())
            en, zh = f"{en}, {early['en']} before close", f"{zh}，比关闭提前 {early['zh']}"
    if not well:
        done, partial, failed = (
            (audit.done, audit.partial, audit.failed)
            if known.ended
            else (tables.done, tables.partial, tables.failed)
        )
        en += f": {done:,} done, {partial:,} partial, {failed:,} failed"
        zh += f"：{done:,} 份完成，{partial:,} 份部分完成，{failed:,} 份失败"
    return both(f"{en}.", f"{zh}。")


def _clock(at: datetime, known: Known) -> Both:
    text = f"{at.astimezone(known.zone):%H:%M}"
    return both(text, text)


def _not_begun(known: Known) -> Both | None:
    """Why nothing was read of what was received; `None` where that is not known."""
    left = known.audit.pending
    wait = count(left, "document") + (" waits" if left == 1 else " wait")
    if len(known.delayed) >= left:
        at = known.at(min(known.delayed))
        return both(
            f"Nothing to do yet: {wait} until a set time, {at['en']} the first.",
            f"尚无可处理的文档：{left:,} 份推迟，最早 {at['zh']} 开始。",
        )
    if known.closed_by:
        who, when = known.closed_by
        at = known.at(when)
        return both(
            f"{who} closed the window {at['en']}: {wait}.",
            f"{who} 于 {at['zh']} 关闭了窗口：{left:,} 份等待中。",
        )
    if known.never or (known.samples and not any(one.window_open for one in known.samples)):
        return both(f"The window never opened: {wait}.", f"窗口从未打开：{left:,} 份等待中。")
    if known.samples and not any(one.processes or one.workers for one in known.samples):
        return both(f"No worker was running: {wait}.", f"没有运行中的工作进程：{left:,} 份等待中。")
    return None
