"""The one sentence about a night."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from pipeline.forecast.model import Forecast
from pipeline.ledger.audit import Audit
from pipeline.ledger.gaps import Gap
from pipeline.night.brake import Braked
from pipeline.night.window import OffPeakWindow
from pipeline.report import course
from pipeline.report.figures import Figures
from pipeline.report.verdict import Known, verdict
from tests.support.reports import at, sample

DAY = "2026-11-22"
WINDOW = OffPeakWindow.parse("22:00-06:00", "UTC")
AUDIT = Audit(
    run_date=DAY,
    received=0,
    done=0,
    partial=0,
    failed=0,
    pending=0,
    forgotten=0,
    hashes=0,
    receipts=0,
    rewritten=0,
    unchained=0,
    documents=0,
    bytes=0,
    not_kept=0,
    gaps=(),
)
MORNING = at("2026-11-23T07:00")
FORECAST = Forecast(
    at=MORNING,
    documents=312,
    pages=900,
    p50=at("2026-11-24T23:40"),
    p90=None,
    close=None,
    left_p50=0,
    left_p90=0,
    nights=1,
    inflow=0.0,
    pages_a_second=1.0,
    basis="",
)


def known(audit: dict[str, Any], **more: Any) -> Known:
    given: dict[str, Any] = {
        "run_date": DAY,
        "now": MORNING,
        "zone": WINDOW.zone,
        "open": False,
        "bounds": course.bounds(WINDOW, DAY),
        "audit": structs.replace(AUDIT, **audit),
        "tables": Figures(),
        "samples": (),
        "outages": (),
    }
    return Known(**(given | more))


ALL = {"received": 12431, "done": 12431}
READ = Figures(documents=12431, done=12431, ended=at("2026-11-23T04:52"))
LEFT = {"received": 500, "done": 188, "pending": 312}
PAUSED = Braked(step="ocr", code="poison", since=at("2026-11-23T02:10"), until=MORNING + timedelta(minutes=3))


@pytest.mark.parametrize(
    ("given", "word", "en", "zh"),
    [
        (
            known(ALL, tables=READ),
            "done",
            "All 12,431 read by 04:52, 68 min before close.",
            "全部 12,431 份已读完，最后一份于 04:52，比关闭提前 68 分钟。",
        ),
        (
            known(
                {"received": 10, "done": 7, "partial": 2, "failed": 1},
                tables=Figures(documents=10, ended=at("2026-11-22T22:10")),
            ),
            "done",
            "All 10 ended by 22:10, 7 h 50 min before close: 7 done, 2 partial, 1 failed.",
            "全部 10 份已结束，最后一份于 22:10，比关闭提前 7 小时 50 分钟：7 份完成，2 份部分完成，1 份失败。",
        ),
        (
            known({"received": 1, "done": 1}, tables=Figures(documents=1, ended=at("2026-11-23T06:30"))),
            "done",
            "1 document read by 06:30.",
            "全部 1 份已读完，最后一份于 06:30。",
        ),
        (
            known(LEFT, forecast=FORECAST),
            "left",
            "312 left, done tomorrow 23:40.",
            "剩余 312 份，预计 明天 23:40 完成。",
        ),
        (
            known(LEFT),
            "left",
            "312 left; when they will be done is not known.",
            "剩余 312 份，完成时间未知。",
        ),
        (
            known(
                LEFT,
                outages=course.outages(
                    [
                        sample("2026-11-23T02:05"),
                        *(sample(f"2026-11-23T{h:02}:{m:02}", trouble="The store is unreachable.")
                          for h in (2, 3, 4, 5) for m in range(0, 60, 5) if (h, m) >= (2, 10)),
                    ]
                ),
            ),
            "stopped",
            "Stopped since 02:10: The store is unreachable.",
            "自 02:10 起停止：The store is unreachable。",
        ),
        (
            known(LEFT, brakes=(PAUSED,)),
            "stopped",
            "Stopped since 02:10: step ocr is paused, as one document after the other failed (poison).",
            "自 02:10 起停止：步骤“文字识别”已暂停，因为文档接连失败（poison）。",
        ),
        (
            known(LEFT, open=True, now=at("2026-11-23T01:00"), forecast=FORECAST),
            "running",
            "Running: 188 of 500 documents ended, done tomorrow 23:40.",
            "进行中：500 份中已结束 188 份，预计 明天 23:40 完成。",
        ),
        (known({}), "empty", "Nothing was received.", "没有收到任何文档。"),
        (
            known({"received": 2, "pending": 2}, delayed=[at("2026-11-25T22:00"), at("2026-11-24T22:00")]),
            "empty",
            "Nothing to do yet: 2 documents wait until a set time, tomorrow 22:00 the first.",
            "尚无可处理的文档：2 份推迟，最早 明天 22:00 开始。",
        ),
        (
            known({"received": 2, "pending": 2}, closed_by=("anna@host", at("2026-11-22T21:50"))),
            "empty",
            "anna@host closed the window yesterday 21:50: 2 documents wait.",
            "anna@host 于 昨天 21:50 关闭了窗口：2 份等待中。",
        ),
        (
            known({"received": 1, "pending": 1}, never=True),
            "empty",
            "The window never opened: 1 document waits.",
            "窗口从未打开：1 份等待中。",
        ),
        (
            known({"received": 2, "pending": 2}, samples=[sample("2026-11-22T23:00", window_open=False)]),
            "empty",
            "The window never opened: 2 documents wait.",
            "窗口从未打开：2 份等待中。",
        ),
        (
            known(
                {"received": 2, "pending": 2}, samples=[sample("2026-11-22T23:00", workers=0, processes=0)]
            ),
            "empty",
            "No worker was running: 2 documents wait.",
            "没有运行中的工作进程：2 份等待中。",
        ),
        (
            known({"received": 3, "forgotten": 3}),
            "empty",
            "All documents of this night were forgotten.",
            "这一夜的文档已全部按要求删除。",
        ),
        (
            known(
                {
                    "received": 3,
                    "done": 2,
                    "gaps": (Gap(kind="missing", task_id="a", source="", detail=""),),
                },
                tables=READ,
            ),
            "left",
            "1 of 3 documents missing: see the audit.",
            "3 份中有 1 份下落不明：请查看审计。",
        ),
    ],
)  # fmt: skip
def test_the_sentence(given: Known, word: str, en: str, zh: str) -> None:
    found = verdict(given)
    assert (found.word, found.sentences) == (word, {"en": en, "zh": zh})


def test_silence_is_named_in_the_language_of_the_report() -> None:
    samples = [sample("2026-11-23T02:10"), sample("2026-11-23T05:59")]
    found = verdict(known(LEFT, samples=samples, outages=course.outages(samples)))
    assert found.sentences == {
        "en": "Stopped since 02:15: Housekeeping did not run, or could not reach the store.",
        "zh": "自 02:15 起停止：内务任务没有运行，或无法访问存储。",
    }


def test_a_trouble_that_passed_stops_nothing() -> None:
    samples = [sample("2026-11-23T02:10", trouble="Gone."), *(
        sample(f"2026-11-23T{h:02}:{m:02}") for h in (3, 4, 5) for m in range(0, 60, 5)
    )]  # fmt: skip
    found = verdict(known(LEFT, outages=course.outages(samples), forecast=FORECAST))
    assert found.word == "left"


def test_times_are_those_of_the_operator() -> None:
    window = OffPeakWindow.parse("22:00-06:00", "Asia/Shanghai")
    found = verdict(
        known(
            ALL,
            zone=window.zone,
            bounds=course.bounds(window, DAY),
            tables=structs.replace(READ, ended=at("2026-11-22T20:52")),
        )
    )
    assert found.sentences["en"] == "All 12,431 read by 04:52, 68 min before close."


def test_a_moment_of_another_day_has_its_date() -> None:
    late: datetime = MORNING + timedelta(days=40)
    assert "by 2026-11-23 04:52" in verdict(known(ALL, tables=READ, now=late)).sentences["en"]
