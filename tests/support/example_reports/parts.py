"""Parts of invented reports: pictures, fields to look at, what to do, groups."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageDraw, ImageFont

from pipeline.report.facts import Group, Look, Todo

_FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"


def picture(lines: list[str], width: int, height: int, size: int = 15) -> str:
    """Invented text as a PNG in base64."""
    image = Image.new("L", (width, height), 250)
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(_FONT, size)
    for number, line in enumerate(lines):
        pen.text((size * 0.7, size * 0.5 + number * size * 1.5), line, font=font, fill=30)
    out = io.BytesIO()
    image.quantize(16).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def looks() -> tuple[Look, ...]:
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


def todo(failed: int, partial: int, run_date: str) -> tuple[Todo, ...]:
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


def groups() -> tuple[Group, ...]:
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
