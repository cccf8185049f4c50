"""Nights that went well, badly, or are not over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import structs

from pipeline.report.facts import (
    AuditLine,
    CloudPrice,
    Confidence,
    Cost,
    Nightly,
    Report,
    Share,
    StepTime,
    Todo,
    Verdict,
)
from tests.support.example_reports.course import CLOSED, OPENED, samples
from tests.support.example_reports.parts import groups, looks, todo


def good(**changes: Any) -> Report:
    """All 12,431 documents read, some of them in part, one hour before close."""
    run_date = "2026-11-25"
    whole = Report(
        run_date=run_date,
        made=CLOSED + timedelta(minutes=6),
        timezone="Europe/Berlin",
        store="s3://archive/nightshift",
        verdict=Verdict(
            word="done",
            sentences={
                "en": "All 12,431 read by 04:52, 68 min before close.",
                "zh": "全部 12,431 份已读完，最后一份于 04:52，比关闭提前 68 分钟。",
            },
        ),
        numbers=(
            Nightly(name="received", value=12431, before=(11820, 12010, 4120, 3980, 11650, 12240, 12090)),
            Nightly(name="done", value=12398, before=(11790, 11985, 4109, 3977, 11610, 12204, 12061)),
            Nightly(name="unwell", value=33, before=(30, 25, 11, 3, 40, 36, 29)),
            Nightly(name="left", value=0, before=(0, 0, 0, 0, 0, 412, 0)),
            Nightly(name="review", value=1874, before=(1702, 1811, 590, None, 1680, 1822, 1790)),
        ),
        audit=AuditLine(
            received=12431, done=12398, partial=21, failed=12, pending=0, forgotten=0, discrepancies={}
        ),
        todo=todo(12, 21, run_date),
        opened=OPENED,
        closed=CLOSED,
        samples=samples(12431, 30.6),
        outages=(),
        steps=(
            StepTime(step="ingest", median=0.021, p95=0.094),
            StepTime(step="ocr", median=0.412, p95=1.236),
            StepTime(step="ner", median=0.061, p95=0.148),
            StepTime(step="fields", median=0.004, p95=0.013),
            StepTime(step="result", median=0.009, p95=0.031),
        ),
        device_share=0.913,
        released={"gpu-01@worker": 2.4, "gpu-02@worker": 3.1},
        kinds=(
            Share(name="invoice", value=5210, before=4804.3),
            Share(name="vat_invoice", value=2986, before=3120.0),
            Share(name="receipt", value=1904, before=1122.4),
            Share(name="bank_statement", value=1201, before=1180.9),
            Share(name="payslip", value=0, before=240.6),
            Share(name="medical_bill", value=118, before=0.0),
            Share(name="other", value=1012, before=1047.1),
        ),
        tenants=(
            Share(name="archive", value=8102, before=8220.0),
            Share(name="clinic", value=3205, before=2210.6),
            Share(name="", value=1124, before=1190.4),
        ),
        media=(
            Share(name="application/pdf", value=9120, before=9301.7),
            Share(name="image/jpeg", value=2904, before=2011.1),
            Share(name="image/tiff", value=402, before=380.0),
            Share(name="application/vnd.ms-excel", value=5, before=None),
        ),
        confidence=Confidence(
            tonight=(3, 5, 8, 12, 17, 24, 31, 40, 52, 70, 95, 130, 170, 240, 388, 589, 1210, 2904, 9802, 31250),
            before=(20, 31, 50, 80, 99, 150, 190, 260, 340, 420, 610, 850, 1100, 1500, 2400, 3600, 8000, 20400,
                    66000, 219000),
            threshold=0.8,
            drift=0.031,
        ),
        looks=looks(),
        documents=(),
        groups=groups(),
        cost=Cost(
            device_seconds=46210.0,
            pages=29834,
            price_an_hour=0.92,
            per_1000_pages=0.396,
            currency="EUR",
            clouds=(
                CloudPrice(name="Cloud A, documents API", price=1.4, currency="EUR", as_of="2026-11-02"),
                CloudPrice(name="Cloud B, forms API", price=46.0, currency="EUR", as_of="2026-11-02"),
                CloudPrice(name="Cloud C, read API", price=1.5, currency="USD", as_of="2026-10-28"),
            ),
        ),
        conditions={
            "version": "0.9.0",
            "ocr model": "rapidocr PP-OCRv6 3f9c1a44d0b2",
            "ner model": "lac 2.1 7d10c3e95a01, patterns 14",
            "fields model": "rules 31",
            "window": "22:00-06:00 Europe/Berlin",
            "render_dpi": "200",
            "workers": "gpu-01, gpu-02",
        },
        masked="ids",
    )  # fmt: skip
    return structs.replace(whole, **changes)


def left(**changes: Any) -> Report:
    """Much left, failures, two outages, the audit with discrepancies."""
    troubles = (
        (95, 150, "Store unreachable: connection refused."),
        (300, 320, "RabbitMQ takes no messages: memory alarm."),
    )
    base = good()
    return structs.replace(
        base,
        verdict=Verdict(
            word="left", sentences={"en": "312 left, done tomorrow 23:40.", "zh": "剩余 312 份，预计明天 23:40 完成。"}
        ),
        numbers=(
            Nightly(name="received", value=12420, before=(11820, 12010, 4120, 3980, 11650, 12240, 12090)),
            Nightly(name="done", value=11702, before=(11790, 11985, 4109, 3977, 11610, 12204, 12061)),
            Nightly(name="unwell", value=403, before=(30, 25, 11, 3, 40, 36, 29)),
            Nightly(name="left", value=312, before=(0, 0, 0, 0, 0, 412, 0)),
            Nightly(name="review", value=2960, before=(1702, 1811, 590, None, 1680, 1822, 1790)),
        ),
        audit=AuditLine(
            received=12420, done=11702, partial=105, failed=298, pending=312, forgotten=0,
            discrepancies={"missing": 3, "other_bytes": 1},
        ),
        todo=(
            *todo(298, 105, base.run_date),
            Todo(
                what="discrepancies", count=3, code="missing",
                sentences={"en": "Received, and neither done nor failed nor pending.",
                           "zh": "已接收，但既未完成，也未失败，也不在待处理中。"},
                example="ticket-7781", command=f"nightshift audit {base.run_date} --repair",
            ),
            Todo(
                what="brake", count=1, code="store_unavailable",
                sentences={"en": "Step ocr is paused, as one document after the other failed.",
                           "zh": "步骤 ocr 已暂停，因为文档接连失败。"},
                command="nightshift brake release ocr",
            ),
            Todo(
                what="workers", count=1, code="",
                sentences={"en": "gpu-02 has not answered since 01:35. Check the host.",
                           "zh": "gpu-02 自 01:35 起没有应答。请检查该主机。"},
            ),
        ),
        samples=samples(12431, 30.22, troubles),
        outages=tuple(
            (OPENED + timedelta(minutes=begin), OPENED + timedelta(minutes=end), text)
            for begin, end, text in troubles
        ),
        device_share=0.742,
        confidence=structs.replace(base.confidence, drift=0.302),
        **changes,
    )  # fmt: skip


def stopped(**changes: Any) -> Report:
    """The store is unreachable from 02:10 on; samples end there, memory is not known."""
    base = good()
    cut = tuple(
        structs.replace(s, memory_mib={})
        for s in samples(12431, 31.0)
        if s.at <= OPENED + timedelta(minutes=250)
    )
    return structs.replace(
        base,
        verdict=Verdict(
            word="stopped",
            sentences={
                "en": "Stopped since 02:10: store unreachable.",
                "zh": "自 02:10 起停止：存储无法访问。",
            },
        ),
        numbers=tuple(
            structs.replace(number, value=value)
            for number, value in zip(base.numbers, (12431, 7302, 12, 5117, 1090), strict=True)
        ),
        audit=AuditLine(
            received=12431, done=7302, partial=8, failed=4, pending=5117, forgotten=0, discrepancies={}
        ),
        samples=cut,
        outages=((OPENED + timedelta(minutes=250), CLOSED, "Store unreachable."),),
        released={},
        **changes,
    )


def running(**changes: Any) -> Report:
    """At 01:10, with the window open."""
    base = good()
    now = OPENED + timedelta(minutes=190)
    return structs.replace(
        base,
        made=now,
        verdict=Verdict(
            word="running",
            sentences={
                "en": "Running: 5,600 of 12,431 documents ended, done 04:49.",
                "zh": "进行中：12,431 份中已结束 5,600 份，预计 04:49 完成。",
            },
        ),
        audit=AuditLine(
            received=12431, done=5590, partial=7, failed=3, pending=6831, forgotten=0, discrepancies={}
        ),
        numbers=tuple(
            structs.replace(number, value=value)
            for number, value in zip(base.numbers, (12431, 5590, 10, 6831, 840), strict=True)
        ),
        samples=tuple(s for s in base.samples if s.at <= now),
        released={},
        todo=(),
        **changes,
    )
