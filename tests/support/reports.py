"""Reports of invented nights: good, with much left, stopped, running, empty, small with pictures, large, old."""

from __future__ import annotations

import base64
import io
import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs
from PIL import Image, ImageDraw, ImageFont

from pipeline.ledger.timeline import Sample
from pipeline.report.facts import (
    AuditLine,
    CloudPrice,
    Confidence,
    Cost,
    Document,
    Group,
    Look,
    Nightly,
    Report,
    Share,
    StepTime,
    Todo,
    Verdict,
)

ZONE = ZoneInfo("Europe/Berlin")
OPENED = datetime(2026, 11, 25, 22, 0, tzinfo=ZONE)
CLOSED = OPENED + timedelta(hours=8)
FIVE = timedelta(minutes=5)
_FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"

Trouble = tuple[int, int, str]
"""Minutes after the window opened, from and to, and the sentence."""


def samples(
    total: int, speed: float, troubles: tuple[Trouble, ...] = (), until: int = 510
) -> tuple[Sample, ...]:
    """A night of `total` documents at `speed` documents a minute; nothing is read in a trouble."""
    draw = random.Random(total)
    found, done, pages, busy = [], 0.0, 0.0, 0.0
    for minute in range(-30, until + 1, 5):
        at, is_open = OPENED + timedelta(minutes=minute), 0 <= minute < 480
        trouble = next((text for begin, end, text in troubles if begin <= minute < end), "")
        left = max(0, total - round(done))
        eta = at + timedelta(minutes=left / speed * (1 + 0.04 * math.sin(minute / 40)) + 3)
        found.append(
            Sample(
                at=at,
                window_open=is_open,
                backlog_documents=left,
                backlog_pages=round(left * 2.4),
                done=round(done * 0.997),
                partial=round(done * 0.002),
                failed=round(done * 0.001),
                pages=round(pages),
                busy_seconds=busy,
                processes=2 if is_open and left else 0,
                workers=4,
                memory_mib={"gpu:0": 9200 + draw.randrange(900) if is_open and left else 380},
                p50=eta if left else None,
                p90=eta + timedelta(minutes=left / speed * 0.13 + 4) if left else None,
                trouble=trouble,
            )
        )
        if is_open and left and not trouble:
            step = min(left, 5 * speed * draw.uniform(0.86, 1.14) * min(1, (minute + 12) / 20))
            done += step
            pages += step * 2.4
            busy += 600 * min(0.98, step / speed / 5) * draw.uniform(0.9, 0.96)
    return tuple(found)


def picture(lines: list[str], width: int, height: int, size: int = 15) -> str:
    """Invented text as a PNG in base64."""
    image = Image.new("L", (width, height), 250)
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(_FONT, size)
    for number, line in enumerate(lines):
        pen.text((size * 0.7, size * 0.5 + number * size * 1.5), line, font=font, fill=30)
    out = io.BytesIO()
    image.quantize(16).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _looks() -> tuple[Look, ...]:
    rows = [
        ("total", "1,284.60", 0.31, "sum_mismatch", "TOTAL EUR     1.284,60"),
        ("seller_tax_id", "DE12345678", 0.38, "check_digit", "USt-IdNr.  DE12345678"),
        ("total", "3460.00", 0.42, "capitals_mismatch", "价税合计（小写） ¥3460.00"),
        ("date", "2026-04-03", 0.44, "ambiguous_date", "Date  03/04/2026"),
        ("buyer", "示例科技有限公司", 0.49, "confidence below 0.8, low_ocr", "购买方 名称：示例科技有限公司"),
        ("number", "INV-20418", 0.52, "contradiction", "Invoice No.  INV-20418"),
        ("net", "980.00", 0.55, "confidence below 0.8, no_sum", "Netto     980,00"),
        ("period", "2026-10", 0.58, "confidence below 0.8", "Abrechnung Oktober 2026"),
        ("opening", "12,040.11", 0.61, "sum_mismatch", "Opening balance 12,040.11"),
        ("train", "G123", 0.66, "confidence below 0.8, low_ocr", "G123 次  二等座"),
        ("payee", "Example Supplies Ltd", 0.7, "confidence below 0.8, no_label", "Example Supplies Ltd"),
        ("tip", "4.00", 0.74, "confidence below 0.8, tip_open", "TIP ______   4.00"),
    ]
    return tuple(
        Look(
            task_id=f"scan-{index:05}",
            source=f"s3://inbox/2026-11-25/scan-{index:05}.pdf",
            field=field,
            value=value,
            confidence=confidence,
            reason=reason,
            page=1 + index % 3,
            picture=picture([drawn], 300, 44, 20) if index != 9 else "",
        )
        for index, (field, value, confidence, reason, drawn) in enumerate(rows)
    )


def _todo(failed: int, partial: int, run_date: str) -> tuple[Todo, ...]:
    def failures(code: str, count: int, example: str, en: str, zh: str) -> Todo:
        return Todo(
            what="failures",
            count=count,
            sentences={"en": en, "zh": zh},
            code=code,
            example=example,
            command=f"nightshift failed redrive --run-date {run_date} --code {code}",
        )

    return (
        failures(
            "encrypted", failed, "s3://inbox/2026-11-25/statement-0412.pdf",
            "The PDF needs a password: ask the sender for a copy without one, then redrive.",
            "PDF 需要密码：请向发送方索取无密码的副本，然后重新处理。",
        ),
        failures(
            "page_timeout", partial, "s3://inbox/2026-11-25/plan-A0.tif",
            "Pages took longer than the time limit; the rest of these documents is in the tables.",
            "部分页面超出时间限制；这些文档的其余内容已在表中。",
        ),
        Todo(
            what="callbacks",
            count=14,
            sentences={"en": "The receiver refused them for a day.", "zh": "接收方拒收已满一天。"},
            example="https://tickets.example.org/nightshift",
            command=f"nightshift callbacks resend --run-date {run_date}",
        ),
    )  # fmt: skip


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
        todo=_todo(12, 21, run_date),
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
        looks=_looks(),
        documents=(),
        groups=_groups(),
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
            "ocr": "rapidocr PP-OCRv6 3f9c1a44d0b2",
            "ner": "lac 2.1 7d10c3e95a01, patterns 14",
            "fields": "rules 31",
            "NIGHTSHIFT_WINDOW": "22:00-06:00",
            "NIGHTSHIFT_RENDER_DPI": "200",
            "hosts": "gpu-01, gpu-02",
        },
        masked="ids",
    )  # fmt: skip
    return structs.replace(whole, **changes)


def _groups() -> tuple[Group, ...]:
    kinds = ("invoice", "vat_invoice", "receipt", "bank_statement", "other")
    media = ("application/pdf", "image/jpeg", "image/tiff", "text/plain")
    return tuple(
        Group(
            document_type=kind,
            media_type=medium,
            tenant=("archive", "clinic", "")[(i + j) % 3],
            documents=3120 // (1 + i + 3 * j),
            pages=8011 // (1 + i + 3 * j),
            unwell=(7 * i + 3 * j) % 9,
        )
        for i, kind in enumerate(kinds)
        for j, medium in enumerate(media)
    )


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
            Nightly(name="received", value=12434, before=(11820, 12010, 4120, 3980, 11650, 12240, 12090)),
            Nightly(name="done", value=11702, before=(11790, 11985, 4109, 3977, 11610, 12204, 12061)),
            Nightly(name="unwell", value=417, before=(30, 25, 11, 3, 40, 36, 29)),
            Nightly(name="left", value=312, before=(0, 0, 0, 0, 0, 412, 0)),
            Nightly(name="review", value=2960, before=(1702, 1811, 590, None, 1680, 1822, 1790)),
        ),
        audit=AuditLine(
            received=12434, done=11702, partial=105, failed=312, pending=312, forgotten=0,
            discrepancies={"missing": 3, "other_bytes": 1},
        ),
        todo=(
            *_todo(298, 105, base.run_date),
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


def empty(**changes: Any) -> Report:
    """Nothing was received; no night before is known."""
    base = good()
    return structs.replace(
        base,
        verdict=Verdict(word="empty", sentences={"en": "Nothing was received.", "zh": "没有收到任何文件。"}),
        numbers=tuple(structs.replace(number, value=0, before=(None,) * 7) for number in base.numbers),
        audit=AuditLine(received=0, done=0, partial=0, failed=0, pending=0, forgotten=0, discrepancies={}),
        todo=(),
        samples=samples(0, 1.0),
        steps=(),
        device_share=None,
        released={},
        kinds=(),
        tenants=(),
        media=(),
        confidence=Confidence(tonight=(0,) * 20, before=(0,) * 20, threshold=0.8, drift=None),
        looks=(),
        groups=(),
        cost=Cost(device_seconds=0.0, pages=0, price_an_hour=None, per_1000_pages=None, currency=""),
        **changes,
    )


def old(**changes: Any) -> Report:
    """A night of an older version: no samples, no device, no prices, no nights before."""
    return structs.replace(
        empty(),
        verdict=Verdict(word="done", sentences={"en": "All 812 read.", "zh": "全部 812 份已读完。"}),
        numbers=tuple(
            structs.replace(number, value=value, before=())
            for number, value in zip(good().numbers, (812, 812, 0, 0, 31), strict=True)
        ),
        audit=AuditLine(
            received=812, done=812, partial=0, failed=0, pending=0, forgotten=0, discrepancies={}
        ),
        samples=(),
        opened=None,
        closed=None,
        kinds=(Share(name="invoice", value=812, before=None),),
        conditions={},
        **changes,
    )


def small(**changes: Any) -> Report:
    """Twelve documents, each with a small picture of its first page."""
    base = good()
    names = ("rechnung-118.pdf", "增值税发票-0931.pdf", "receipt-shop.jpg", "statement-oct.pdf", "ticket-G123.jpg",
             "contract-draft.pdf", "payslip-10.pdf", "scan-blank.tif", "delivery-77.pdf", "mail-0410.eml",
             "locked.pdf", "a-very-long-name-" + "of-a-scan-" * 9 + "2026.pdf")  # fmt: skip
    kinds = ("invoice", "vat_invoice", "receipt", "bank_statement", "train_ticket", "contract", "payslip", "other",
             "delivery_note", "ticket", "", "invoice")  # fmt: skip
    documents = []
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        status = {7: "partial", 10: "failed"}.get(index, "done")
        documents.append(
            Document(
                task_id=f"doc-{index:03}",
                source=f"file:///inbox/{name}",
                status=status,
                document_type=kind,
                pages=1 + index % 4,
                confidence=None if status == "failed" else 0.97 - index * 0.021,
                error={
                    7: "Page 2: the region at the bottom could not be read.",
                    10: "The PDF needs a password.",
                }.get(index, ""),
                picture="" if status == "failed" else picture([name[:9], *["··· ···· ··"] * 9], 96, 128, 9),
            )
        )
    return structs.replace(
        base,
        verdict=Verdict(
            word="done",
            sentences={
                "en": "12 documents ended by 22:04, 7 h 56 min before close: 10 done, 1 partial, 1 failed.",
                "zh": "12 份已结束，最后一份于 22:04：10 份完成，1 份部分完成，1 份失败。",
            },
        ),
        numbers=tuple(
            structs.replace(number, value=value, before=(None, None, None, None, 9, 14, 11))
            for number, value in zip(base.numbers, (12, 10, 2, 0, 4), strict=True)
        ),
        audit=AuditLine(received=12, done=10, partial=1, failed=1, pending=0, forgotten=0, discrepancies={}),
        todo=_todo(1, 1, base.run_date)[:2],
        samples=samples(12, 3.0),
        kinds=tuple(Share(name=kind or "unread", value=1, before=1.3) for kind in kinds[:-1]),
        tenants=(Share(name="", value=12, before=11.3),),
        media=(
            Share(name="application/pdf", value=8, before=7.7),
            Share(name="image/jpeg", value=2, before=2.3),
            Share(name="image/tiff", value=1, before=0.3),
            Share(name="message/rfc822", value=1, before=1.0),
        ),
        looks=_looks()[:4],
        documents=tuple(documents),
        groups=(),
        cost=structs.replace(
            base.cost, device_seconds=11.2, pages=28, price_an_hour=None, per_1000_pages=None
        ),
        confidence=structs.replace(base.confidence, tonight=(0,) * 15 + (4, 6, 9, 22, 61), drift=0.12),
        **changes,
    )


def large(**changes: Any) -> Report:
    """50,000 documents."""
    base = good()
    return structs.replace(
        base,
        verdict=Verdict(
            word="done",
            sentences={
                "en": "50,000 ended by 05:37, 23 min before close: 49,871 done, 88 partial, 41 failed.",
                "zh": "全部 50,000 份已结束，最后一份于 05:37，比关闭提前 23 分钟："
                "49,871 份完成，88 份部分完成，41 份失败。",
            },
        ),
        numbers=tuple(
            structs.replace(number, value=value)
            for number, value in zip(base.numbers, (50000, 49871, 129, 0, 7410), strict=True)
        ),
        audit=AuditLine(
            received=50000, done=49871, partial=88, failed=41, pending=0, forgotten=0, discrepancies={}
        ),
        samples=samples(50000, 109.0),
        tenants=tuple(Share(name=f"tenant-{n:02}", value=9000 // n, before=8800.0 / n) for n in range(1, 40)),
        **changes,
    )


def largest() -> Report:
    """More of everything than is shown, of long texts of the signs that take the most room."""
    base, long = good(), "<&\"'汉" * 100
    drawn = base64.b64encode(random.Random(1).randbytes(15_000)).decode()
    look = structs.replace(base.looks[0], source=long, field=long, value=long, reason=long, picture=drawn)
    document = Document(
        task_id=long, source=long, status="partial", document_type=long, pages=10**6, confidence=0.5, error=long,
        picture=drawn,
    )  # fmt: skip
    todo = structs.replace(
        base.todo[0], sentences={"en": long, "zh": long}, code=long, example=long, command=long
    )
    share = Share(name=long, value=10**7, before=10.0**7)
    many = tuple(structs.replace(s, trouble=long) for s in base.samples)
    return structs.replace(
        base,
        store=long,
        verdict=Verdict(word="left", sentences={"en": long, "zh": long}),
        todo=(todo,) * 100,
        samples=tuple(
            structs.replace(
                many[n % len(many)], at=OPENED - timedelta(minutes=20) + n * FIVE / 10, window_open=True
            )
            for n in range(1000)
        ),
        outages=((OPENED, CLOSED, long),) * 100,
        steps=(structs.replace(base.steps[0], step=long),) * 100,
        released={long + str(n): 1.0 for n in range(200)},
        kinds=(share,) * 100,
        tenants=(share,) * 100,
        media=(share,) * 100,
        looks=(look,) * 20,
        documents=(document,) * 80,
        cost=structs.replace(base.cost, clouds=(structs.replace(base.cost.clouds[0], name=long),) * 50),
        conditions={long + str(n): long for n in range(300)},
        masked=long,
    )


NIGHTS: dict[str, Callable[[], Report]] = {
    "good": good,
    "left": left,
    "stopped": stopped,
    "running": running,
    "empty": empty,
    "old": old,
    "small": small,
    "large": large,
}
