"""A thermal-printed Malaysian restaurant receipt, and a photographed Chinese parking receipt."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from _ids import cents
from _paper import INK, Sheet
from _sample import Sample
from _scanner import jpeg, scan
from PIL import Image, ImageFilter

ADDRESS = ("NO. 12, JALAN CONTOH 3/7, TAMAN REKAAN", "00000 BANDAR REKAAN, SELANGOR")
SHOP = "KEDAI MAKAN CONTOH SDN BHD"
MEALS = [
    ("NASI LEMAK AYAM", 2, Decimal("12.90")),
    ("MEE GORENG MAMAK", 1, Decimal("10.50")),
    ("ROTI CANAI TELUR", 2, Decimal("4.80")),
    ("TEH TARIK PANAS", 3, Decimal("3.20")),
    ("AIS KACANG", 1, Decimal("8.95")),
]
PLATE = "宁Z88K01"
ORIENTATION_TAG, QUARTER_TURN = 0x0112, 6


def sample() -> Sample:
    """Draw the restaurant receipt."""
    subtotal = sum(count * price for _, count, price in MEALS)
    tax = cents(Decimal(subtotal) * 6 / 100)
    total = (subtotal + tax) // Decimal("0.05") * Decimal("0.05")
    rounding = total - subtotal - tax
    sheet = Sheet(80, 186, 200)
    _shop(sheet)
    y = 62.0
    for name, count, price in MEALS:
        sheet.text(6, y, name, 9.5, "mono")
        sheet.text(10, y + 4.6, f"{count} x {price:.2f}", 9.5, "mono")
        sheet.text(74, y + 4.6, f"{count * price:.2f}", 9.5, "mono", anchor="r")
        y += 10
    _dashes(sheet, y - 2)
    rows = [("SUBTOTAL", subtotal), ("SERVICE TAX 6%", tax), ("ROUNDING ADJ", rounding)]
    for label, value in rows:
        sheet.text(6, y + 3, label, 9.5, "mono")
        sheet.text(74, y + 3, f"{value:.2f}", 9.5, "mono", anchor="r")
        y += 5
    sheet.text(6, y + 5, "TOTAL (RM)", 13, "bold")
    sheet.text(74, y + 5, f"{total:.2f}", 13, "bold", anchor="r")
    _payment(sheet, y + 9, total)
    entities = {
        "DATE": ["2026-02-24"],
        "MONEY": [f"{value:.2f}" for value in (subtotal, tax, total)],
        "PHONE": ["0305550142"],
        "ORG": [SHOP],
        "INVOICE_NUMBER": ["R-26022417"],
    }
    details = {"MONEY": [f"{count * price:.2f}" for _, count, price in MEALS]}
    image = scan(sheet.image, 2, skew=-0.6, noise=3.0, tint=(247, 246, 243), soft=0.5)
    fields: dict[str, str | None] = {
        "company": SHOP,
        "date": "2026-02-24",
        "address": " ".join(ADDRESS),
        "total": f"{total:.2f}",
    }
    return Sample(
        "receipt.jpg",
        jpeg(image, 70, 200),
        "English receipt, Malaysia",
        entities,
        details,
        document_type="receipt",
        fields=fields,
    )


def _shop(sheet: Sheet) -> None:
    sheet.pen.regular_polygon((sheet.px(40), sheet.px(9), sheet.px(4.5)), 6, 30, INK)
    sheet.text(40, 10.6, "C", 13, "bold", fill=(255, 255, 255), anchor="m")
    sheet.text(40, 20, SHOP, 12, "bold", anchor="m")
    lines = (
        "(000000-X)",
        *ADDRESS,
        "TEL: 03-0555 0142",
        "SST REG NO: W10-0000-00000000",
    )
    for i, line in enumerate(lines):
        sheet.text(40, 25 + i * 4.2, line, 8.5, "mono", anchor="m")
    sheet.text(6, 49, "RECEIPT NO: R-26022417", 9, "mono")
    sheet.text(6, 53.5, "DATE: 24/02/2026", 9, "mono")
    sheet.text(74, 53.5, "TIME: 18:42:07", 9, "mono", anchor="r")
    _dashes(sheet, 56.5)


def _payment(sheet: Sheet, y: float, total: Decimal) -> None:
    _dashes(sheet, y)
    rows = [
        ("VISA CREDIT", f"{total:.2f}"),
        ("CARD NO", "XXXX XXXX XXXX 0142"),
        ("APPROVAL CODE", "004172"),
        ("CHANGE", "0.00"),
    ]
    for i, (label, value) in enumerate(rows):
        sheet.text(6, y + 5.5 + i * 4.8, label, 9, "mono")
        sheet.text(74, y + 5.5 + i * 4.8, value, 9, "mono", anchor="r")
    sheet.text(40, y + 32, "THANK YOU, PLEASE COME AGAIN", 9, "mono", anchor="m")
    sheet.text(40, y + 36.5, "SPECIMEN - NOT A REAL RECEIPT", 7.5, "mono", anchor="m")


def _dashes(sheet: Sheet, y: float) -> None:
    for x in np.arange(6, 74, 2.0):
        sheet.line(x, y, x + 1.2, y)


def parking() -> Sample:
    """Draw a parking receipt as photographed by a phone: pixels are stored sideways, with an EXIF orientation."""
    slip = Sheet(58, 96, 300)
    slip.text(29, 10, "云州市停车服务中心", 12, "bold", anchor="m")
    slip.text(29, 16, "停车费收据", 11, "sans", anchor="m")
    slip.line(4, 19, 54, 19)
    rows = [
        ("单据号", "P20260309-1187"),
        ("车牌号", PLATE),
        ("车型", "小型车"),
        ("入场", "2026-03-09 08:15:32"),
        ("出场", "2026-03-09 17:40:06"),
        ("时长", "9小时24分"),
        ("应收", "¥38.00"),
        ("优惠", "¥8.00"),
    ]
    for i, (label, value) in enumerate(rows):
        slip.text(5, 26 + i * 6, label, 9.5)
        slip.text(53, 26 + i * 6, value, 9.5, anchor="r")
    slip.line(4, 71, 54, 71)
    slip.text(5, 78, "实收金额", 11, "bold")
    slip.text(53, 78, "¥30.00", 13, "bold", anchor="r")
    slip.text(29, 85, "客服电话 026-55500166", 8.5, anchor="m")
    slip.text(29, 91, "样本 SPECIMEN 非真实票据", 7.5, anchor="m")
    slip.seal(29, 61, (10, 10), "云州停车样例", middle="★", foot="收费专用章", points=6)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = QUARTER_TURN
    stored = _on_desk(slip.image).transpose(Image.Transpose.ROTATE_90)
    entities = {
        "DATE": ["2026-03-09"],
        "MONEY": ["38.00", "8.00", "30.00"],
        "PLATE": [PLATE],
        "PHONE": ["+862655500166"],
    }
    return Sample(
        "parking_photo.jpg",
        jpeg(stored, 74, 72, exif),
        "photo with EXIF orientation 6",
        entities,
        document_type="receipt",
        fields={"company": "云州市停车服务中心", "date": "2026-03-09", "address": None, "total": "30.00"},
    )


def _on_desk(slip: Image.Image) -> Image.Image:
    rng = np.random.default_rng(11)
    width, height = 960, 1440
    fibre = np.repeat(rng.normal(0, 5, (1, width)), height, 0) + rng.normal(0, 3, (height, width))
    light = np.linspace(1.08, 0.86, height)[:, None]
    wood = (np.array([140, 104, 72])[None, None] + fibre[..., None]) * light[..., None]
    desk = Image.fromarray(np.clip(wood, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    lit = (
        scan(slip, 12, skew=0.0, noise=3.0, tint=(244, 241, 233), soft=0.7)
        .convert("RGBA")
        .rotate(-0.8, Image.Resampling.BICUBIC, True)
    )
    at = ((width - lit.width) // 2, (height - lit.height) // 2)
    shadow = Image.new("L", desk.size)
    shadow.paste(120, (at[0] + 12, at[1] + 14), lit.getchannel("A"))
    desk.paste((30, 20, 14), (0, 0), shadow.filter(ImageFilter.GaussianBlur(12)))
    desk.paste(lit, at, lit)
    return desk
