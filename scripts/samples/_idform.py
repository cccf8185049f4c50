"""A form laid out like an ID card, of an impossible person, marked as a specimen.

The region 119900 does not exist in GB/T 2260 and the birth date is 1900-01-01. No security feature is
imitated: no emblem, no guilloche, no issuing authority.
"""

from __future__ import annotations

import io

from _ids import id_number
from _paper import Colour, Sheet, font
from _sample import Sample
from _scanner import scan
from PIL import Image, ImageDraw

BLUE: Colour = (58, 110, 156)
PAPER: Colour = (232, 242, 247)
NAME, ADDRESS = "安可心", ("云州市示范区虚构街道", "样本路1号院2号楼303室")
NUMBER = id_number("119900", "19000101", "002")


def sample() -> Sample:
    """Draw the card."""
    sheet = Sheet(90, 57, 300, PAPER)
    _watermark(sheet)
    sheet.text(45, 6.5, "样本 SPECIMEN", 9, "bold", fill=(196, 60, 60), anchor="m")
    rows = [
        (7, 14, "姓名", NAME),
        (7, 21, "性别", "女"),
        (27, 21, "民族", "汉"),
        (7, 28, "出生", "1900年1月1日"),
        (7, 35, "住址", ADDRESS[0]),
        (16, 40, "", ADDRESS[1]),
        (7, 49, "公民身份号码", ""),
    ]
    for x, y, label, value in rows:
        sheet.text(x, y, label, 8, "sans", fill=BLUE)
        sheet.text(x + (9 if label else 0), y, value, 9, "sans")
    sheet.text(30, 49.3, NUMBER, 12, "mono")
    sheet.text(45, 54.5, "软件测试用样本，人物虚构，无任何证明效力", 6, "sans", fill=BLUE, anchor="m")
    _portrait(sheet)
    out = io.BytesIO()
    scan(sheet.image, 4, skew=0.5, noise=2.5, tint=(250, 250, 248)).save(out, "WEBP", quality=78, method=6)
    entities = {
        "PER": [NAME],
        "DATE": ["1900-01-01"],
        "ID_NUMBER": [NUMBER],
        "LOC": ["云州市"],
    }
    return Sample(
        "id_card_specimen.webp",
        out.getvalue(),
        "ID-card-like form, invented person",
        entities,
        document_type="id_card",
    )


def _watermark(sheet: Sheet) -> None:
    layer = Image.new("RGB", sheet.image.size, (255, 255, 255))
    size = sheet.px(10.5)
    centre = (layer.width // 2, layer.height // 2)
    ImageDraw.Draw(layer).text(centre, "样本 SPECIMEN", (216, 226, 234), font("bold", size), anchor="mm")
    sheet.press(layer.rotate(24, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)))


def _portrait(sheet: Sheet) -> None:
    def oval(x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        sheet.pen.ellipse([sheet.px(v) for v in (x0, y0, x1, y1)], fill)

    grey: Colour = (150, 166, 180)
    sheet.pen.rectangle([sheet.px(v) for v in (60, 10, 83, 40)], (222, 230, 236))
    oval(66, 15, 77, 28.5, grey)
    sheet.pen.pieslice([sheet.px(v) for v in (62, 29, 81, 51)], 180, 360, grey)
    sheet.box(60, 10, 83, 40, fill=BLUE)
    sheet.text(71.5, 38, "无照片", 7, "sans", fill=BLUE, anchor="m")
