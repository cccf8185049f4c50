"""Nights of all sizes: nothing, little, much, more than there can be; and one of an older version."""

from __future__ import annotations

import base64
import random
from datetime import timedelta
from typing import Any

from msgspec import structs

from pipeline.report.facts import AuditLine, Confidence, Cost, Document, Report, Share, Verdict
from tests.support.example_reports.course import CLOSED, FIVE, OPENED, samples
from tests.support.example_reports.nights import good
from tests.support.example_reports.parts import looks, picture, todo


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
        todo=todo(1, 1, base.run_date)[:2],
        samples=samples(12, 3.0),
        kinds=tuple(Share(name=kind or "unread", value=1, before=1.3) for kind in kinds[:-1]),
        tenants=(Share(name="", value=12, before=11.3),),
        media=(
            Share(name="application/pdf", value=8, before=7.7),
            Share(name="image/jpeg", value=2, before=2.3),
            Share(name="image/tiff", value=1, before=0.3),
            Share(name="message/rfc822", value=1, before=1.0),
        ),
        looks=looks()[:4],
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
