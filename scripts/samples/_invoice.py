"""A Chinese VAT special invoice (增值税专用发票) on its punched form, and a broken copy of one."""

from __future__ import annotations

import io
import time
from decimal import Decimal

import numpy as np
from _ids import capitals, cents, uscc
from _paper import Colour, Sheet
from _sample import BUYER, SELLER, Sample
from _scanner import jpeg, scan
from PIL import Image

BROWN: Colour = (128, 84, 46)
CODE, NUMBER = "1199261130", "00417365"
BUYER_ID, SELLER_ID = uscc("MA00X1R2"), uscc("MA00B7W9")
ITEMS = [  # name, model, unit, quantity, unit price, tax rate in percent
    ("*电子设备*文档扫描仪", "NS-600", "台", 4, Decimal("2850.00"), 13),
    ("*纸制品*A4复印纸", "80g", "箱", 20, Decimal("118.35"), 13),
    ("*信息技术服务*安装调试", "", "次", 1, Decimal("1500.00"), 6),
]
PARTIES = {
    "购": (BUYER, BUYER_ID, "云州市示范区试验路88号12层 026-55500121", "样例银行云州示范支行 000062001357"),
    "销": (SELLER, SELLER_ID, "云州市虚构区鲸鱼大道6号 026-55500188", "样例银行云州虚构支行 000062002468"),
}
NET = [price * count for *_, count, price, _ in ITEMS]
TAX = [cents(net * item[-1] / 100) for net, item in zip(NET, ITEMS, strict=True)]
TOTAL = sum(NET, Decimal(0)) + sum(TAX, Decimal(0))
LEFT, RIGHT = 21.0, 219.0


def sample() -> Sample:
    """Draw the invoice."""
    entities = {
        "INVOICE_CODE": [CODE],
        "INVOICE_NUMBER": [NUMBER],
        "DATE": ["2026-03-18"],
        "USCC": [BUYER_ID, SELLER_ID],
        "PHONE": ["+862655500121", "+862655500188"],
        "MONEY": [f"{value:.2f}" for value in (sum(NET), sum(TAX), TOTAL)],
        "ORG": [BUYER, SELLER],
        "PER": ["林知远", "何雨桐", "苏明哲"],
    }
    details = {"MONEY": [f"{value:.2f}" for value in (*NET, *TAX)]}
    return Sample(
        "vat_invoice.jpg",
        jpeg(_page(), 74, 170),
        "Chinese VAT special invoice",
        entities,
        details,
        document_type="vat_invoice",
        fields={
            "code": CODE,
            "number": NUMBER,
            "date": "2026-03-18",
            "buyer": BUYER,
            "seller": SELLER,
            "buyer_tax_id": BUYER_ID,
            "seller_tax_id": SELLER_ID,
            "net": f"{sum(NET):.2f}",
            "tax": f"{sum(TAX):.2f}",
            "total": f"{TOTAL:.2f}",
        },
    )


def broken() -> Sample:
    """Return a scanned PDF truncated in the middle of its only image: nothing can be recovered."""
    whole = io.BytesIO()
    epoch = time.gmtime(0)
    _page().convert("L").save(whole, "PDF", resolution=170, quality=50, creationDate=epoch, modDate=epoch)
    half = whole.getvalue()[: len(whole.getvalue()) // 2]
    return Sample("invoice_00417366.pdf", half, "truncated PDF", status="failed", error="unreadable")


def _page() -> Image.Image:
    sheet = Sheet(240, 140, 170)
    _form(sheet)
    _head(sheet)
    _party(sheet, "购", 33)
    _items(sheet)
    _party(sheet, "销", 104)
    for x, label, name in ((25, "收款人：", "林知远"), (75, "复核：", "何雨桐"), (120, "开票人：", "苏明哲")):
        width = sheet.text(x, 132.5, label, 10, "kai", fill=BROWN)
        sheet.text(x + width, 132.5, name, 9.5, "serif")
    sheet.text(165, 132.5, "销售方：（章）", 10, "kai", fill=BROWN)
    sheet.seal(193, 118, (20, 14.5), SELLER, middle=SELLER_ID, foot="发票专用章", points=8.5)
    return scan(sheet.image, 1, skew=0.35, noise=2.2, tint=(252, 251, 246))


def _form(sheet: Sheet) -> None:
    for y in np.arange(6, 140, 12.7):
        for x in (5.5, 234.5):
            box = [sheet.px(v) for v in (x - 1.9, y - 1.9, x + 1.9, y + 1.9)]
            sheet.pen.ellipse(box, (96, 94, 90))
    for x in (11, 229):
        sheet.line(x, 0, x, 140, fill=(210, 205, 195), weight=0.15)
    sheet.box(LEFT, 33, RIGHT, 127, fill=BROWN, weight=0.3)
    for y in (56, 95, 104):
        sheet.line(LEFT, y, RIGHT, y, fill=BROWN)
    for top, bottom in ((33, 56), (104, 127)):
        for x in (28, 133, 140):
            sheet.line(x, top, x, bottom, fill=BROWN)
    for x in (68, 90, 100, 116, 138, 166, 180):
        sheet.line(x, 56, x, 95, fill=BROWN)
    sheet.line(68, 95, 68, 104, fill=BROWN)


def _head(sheet: Sheet) -> None:
    sheet.spread(82, 17, 76, "增值税专用发票", points=21, face="kai", fill=BROWN)
    sheet.line(80, 20, 160, 20, fill=BROWN, weight=0.4)
    sheet.line(80, 21, 160, 21, fill=BROWN, weight=0.2)
    sheet.text(120, 27.5, "样本 SPECIMEN 不作报销、扣税凭证使用", 9, "kai", fill=BROWN, anchor="m")
    sheet.text(24, 17.5, "发票代码：", 9.5, "kai", fill=BROWN)
    sheet.text(41, 17.5, CODE, 13, "serif")
    sheet.text(170, 17.5, "发票号码：", 9.5, "kai", fill=BROWN)
    sheet.text(187, 17.5, NUMBER, 16, "serifbold", fill=(32, 46, 110))
    sheet.text(170, 28.5, "开票日期：", 9.5, "kai", fill=BROWN)
    sheet.text(187, 28.5, "2026年03月18日", 10, "serif")
    sheet.seal(120, 14.5, (14.5, 9.5), "全国统一样例监制章", middle="", foot="云州虚构税务", points=6.5)


def _party(sheet: Sheet, side: str, top: float) -> None:
    for i, char in enumerate(side + ("买方" if side == "购" else "售方")):
        sheet.text(24.5, top + 7 + i * 6, char, 10, "kai", fill=BROWN, anchor="m")
    for i, (label, value) in enumerate(
        zip(("名称", "纳税人识别号", "地址、电话", "开户行及账号"), PARTIES[side], strict=True)
    ):
        y = top + 5.3 + i * 5.1
        sheet.spread(29.5, y, 23.5, label, points=9.5, face="kai", fill=BROWN)
        sheet.text(53.2, y, "：", 9.5, "kai", fill=BROWN)
        sheet.text(57, y, value, 11 if i == 1 else 9, "serif")
    for i, char in enumerate("密码区" if side == "购" else "备注"):
        sheet.text(
            136.5, top + (7 + i * 6 if side == "购" else 9 + i * 8), char, 10, "kai", fill=BROWN, anchor="m"
        )
    if side == "销":
        sheet.text(143, top + 6, "合同号 YZ-2026-0318-07", 9, "serif")
        return
    rng = np.random.default_rng(7)
    for i in range(4):
        sheet.text(143, top + 5.6 + i * 5, "".join(rng.choice(list("0123456789+-*/<>"), 27)), 11, "mono")


def _items(sheet: Sheet) -> None:
    titles = ["货物或应税劳务、服务名称", "规格型号", "单位", "数量", "单价", "金额", "税率", "税额"]
    for x, title in zip((44.5, 79, 95, 108, 127, 152, 173, 199.5), titles, strict=True):
        sheet.text(x, 61, title, 9.5, "kai", fill=BROWN, anchor="m")
    for i, (name, model, unit, count, price, rate) in enumerate(ITEMS):
        y = 67 + i * 5.6
        sheet.text(22.5, y, name, 9, "serif")
        sheet.text(70, y, model, 9, "serif")
        sheet.text(95, y, unit, 9, "serif", anchor="m")
        cells = (str(count), f"{price:.2f}", f"{NET[i]:.2f}", f"{rate}%", f"{TAX[i]:.2f}")
        for x, cell in zip((114.5, 136.5, 164.5, 178, 217), cells, strict=True):
            sheet.text(x, y, cell, 9, "serif", anchor="r")
    sheet.spread(34, 92.3, 22, "合计", points=10, face="kai", fill=BROWN)
    sheet.text(164.5, 92.3, f"¥{sum(NET):.2f}", 10, "serif", anchor="r")
    sheet.text(217, 92.3, f"¥{sum(TAX):.2f}", 10, "serif", anchor="r")
    sheet.text(44.5, 101, "价税合计（大写）", 10, "kai", fill=BROWN, anchor="m")
    sheet.text(74, 101, "ⓧ " + capitals(TOTAL), 11, "serif")
    sheet.text(160, 101, "（小写）", 10, "kai", fill=BROWN)
    sheet.text(176, 101, f"¥{TOTAL:.2f}", 11, "serif")
