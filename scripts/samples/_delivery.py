"""A Chinese delivery note (送货单), landscape, scanned sideways."""

from __future__ import annotations

from decimal import Decimal

from _ids import capitals
from _paper import RED, Anchor, Colour, Sheet
from _sample import BUYER, SELLER, Sample
from _scanner import jpeg, scan
from PIL import Image, ImageDraw

CARBON: Colour = (52, 60, 132)
PLATE = "宁Z6H206"
GOODS = [
    ("文档扫描仪", "NS-600", "台", 4, Decimal("2850.00")),
    ("A4复印纸", "80g 500张/包", "箱", 20, Decimal("118.35")),
    ("硒鼓", "NT-26A", "支", 6, Decimal("263.50")),
    ("档案盒", "55mm 蓝色", "个", 120, Decimal("7.80")),
]
TOTAL = sum((count * price for *_, count, price in GOODS), Decimal(0))


def sample() -> Sample:
    """Draw the note and rotate it by 90 degrees counter-clockwise."""
    sheet = Sheet(210, 148, 170)
    sheet.text(105, 17, SELLER, 15, "bold", fill=CARBON, anchor="m")
    sheet.spread(85, 27, 40, "送货单", points=18, face="kai", fill=CARBON)
    sheet.text(196, 17, "No 0026317", 13, "serif", fill=RED, anchor="r")
    rows = [
        (14, 38, f"收货单位：{BUYER}"),
        (132, 38, "送货日期：2026年03月20日"),
        (14, 46, "收货地址：云州市示范区试验路88号12层"),
        (132, 46, "联系电话：026-55500121"),
    ]
    for x, y, text in rows:
        sheet.text(x, y, text, 10.5, "serif")
    _table(sheet)
    sheet.text(14, 118, f"送货人：罗一帆     车牌号：{PLATE}", 10.5, "serif")
    sheet.text(118, 118, "收货人签字：", 10.5, "serif")
    sheet.signature(142, 116, 30, 51)
    sheet.text(14, 128, "备注：货物如有短缺或破损，请于签收后3日内致电 026-55500188。", 9.5, "serif")
    sheet.text(
        14, 138, "第一联 存根（白）  第二联 客户（红）  第三联 财务（黄）     样本 SPECIMEN", 8.5, fill=CARBON
    )
    _received(sheet)
    turned = scan(sheet.image, 5, skew=0.7, noise=2.2, tint=(253, 244, 240)).transpose(
        Image.Transpose.ROTATE_90
    )
    entities = {
        "DATE": ["2026-03-20"],
        "MONEY": [f"{TOTAL:.2f}"],
        "PHONE": ["+862655500121", "+862655500188"],
        "PLATE": [PLATE],
        "ORG": [SELLER, BUYER],
        "PER": ["罗一帆"],
    }
    details = {"MONEY": [f"{count * price:.2f}" for *_, count, price in GOODS]}
    data = jpeg(turned, 70, 170)
    return Sample(
        "delivery_note_turned.jpg", data, "delivery note scanned on its side", entities, details, rotation=90
    )


def _table(sheet: Sheet) -> None:
    rows = [["序号", "品名", "规格型号", "单位", "数量", "单价", "金额", "备注"]]
    for i, (name, model, unit, count, price) in enumerate(GOODS, 1):
        rows.append([str(i), name, model, unit, str(count), f"{price:.2f}", f"{count * price:.2f}", ""])
    rows.append([""] * 8)
    columns: list[tuple[float, Anchor]] = [
        (12, "m"),
        (42, "l"),
        (36, "l"),
        (14, "m"),
        (16, "r"),
        (22, "r"),
        (26, "r"),
        (14, "l"),
    ]
    bottom = sheet.table(14, 51, columns, rows, row_height=8.2, points=10, face="serif", head="sans")
    sheet.box(14, bottom, 196, bottom + 9)
    sheet.text(16, bottom + 6, f"合计金额（大写）：{capitals(TOTAL)}", 10.5, "serif")
    sheet.text(194, bottom + 6, f"（小写）¥{TOTAL:,.2f}", 10.5, "serif", anchor="r")


def _received(sheet: Sheet) -> None:
    layer = Image.new("RGB", sheet.image.size, (255, 255, 255))
    pen = ImageDraw.Draw(layer)
    pen.rounded_rectangle(
        [sheet.px(v) for v in (163, 121, 195, 134)], sheet.px(1.5), None, RED, sheet.px(0.8)
    )
    centre = (sheet.px(179), sheet.px(127.5))
    pen.text(centre, "货已收讫", RED, sheet.font("serifbold", 17), anchor="mm")
    sheet.press(layer.rotate(6, Image.Resampling.BICUBIC, center=centre, fillcolor=(255, 255, 255)))
