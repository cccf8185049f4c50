"""A Chinese outpatient note: printed form, printed entries, doctor's signature and seal."""

from __future__ import annotations

import io

from _paper import Anchor, Colour, Sheet
from _sample import Sample
from _scanner import scan
from PIL import Image

HOSPITAL, PATIENT, DOCTOR = "云州市示范医院", "周晓棠", "顾长青"
BLUE: Colour = (40, 78, 128)
SECTIONS = [
    ("主诉", "咳嗽、咳痰5天，发热1天。"),
    (
        "现病史",
        "患者5天前受凉后出现咳嗽，咳少量白色黏痰，1天前发热，体温最高38.6℃，伴咽痛、乏力，无胸痛、气促。",
    ),
    ("既往史", "高血压病史3年，口服氨氯地平，血压控制可。否认糖尿病史。青霉素皮试阴性，否认药物过敏史。"),
    ("体格检查", "T 38.2℃，P 92次/分，R 20次/分，BP 132/84mmHg。咽部充血，双肺呼吸音粗，未闻及湿啰音。"),
    ("辅助检查", "血常规：白细胞 11.6×10^9/L，中性粒细胞 78.4%，C反应蛋白 26mg/L。胸片：双肺纹理增粗。"),
    ("诊断", "1. 急性支气管炎    2. 高血压病1级"),
]
DRUGS = [
    ("阿莫西林胶囊", "0.5g×24粒", "1盒", "0.5g 口服 每日3次"),
    ("盐酸氨溴索片", "30mg×20片", "1盒", "30mg 口服 每日3次"),
    ("布洛芬缓释胶囊", "0.3g×10粒", "1盒", "0.3g 口服 体温超过38.5℃时"),
]


def sample() -> Sample:
    """Draw the note. PNG, in 64 colours as office scanners save it."""
    sheet = Sheet(148, 210, 170)
    _head(sheet)
    y = 58.0
    for label, value in SECTIONS:
        sheet.text(12, y, label + "：", 10, "bold")
        y = sheet.paragraph(33, y, 103, value, points=10, face="serif", lead=1.5) + 1.5
    y = _prescription(sheet, y)
    sheet.text(12, y, "医嘱：", 10, "bold")
    y = sheet.paragraph(
        33, y, 103, "多饮水，注意休息。如持续高热或气促加重，随时就诊。", points=10, face="serif", lead=1.5
    )
    sheet.text(33, y, "复诊日期：2026年03月19日", 10, "serif")
    sheet.text(84, 196, f"医师：{DOCTOR}", 10, "serif")
    sheet.signature(113, 194.5, 22, 21)
    sheet.seal(106, 183, (13, 13), HOSPITAL, middle="★", foot="门诊专用章", points=9)
    sheet.line(12, 201, 136, 201, fill=BLUE)
    sheet.text(12, 205.5, "地址：云州市示范区安康路2号   电话：026-55500199   样本 SPECIMEN", 8, fill=BLUE)
    out = io.BytesIO()
    image = scan(sheet.image, 3, skew=-0.3, noise=0.6, tint=(251, 251, 248))
    image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True, dpi=(170, 170)
    )
    entities = {
        "PER": [PATIENT, DOCTOR],
        "DATE": ["2026-03-12", "2026-03-19"],
        "PHONE": ["+862655500199"],
        "ORG": [HOSPITAL],
    }
    return Sample(
        "medical_note.png", out.getvalue(), "Chinese outpatient note", entities, document_type="medical"
    )


def _head(sheet: Sheet) -> None:
    x, y = sheet.px(20), sheet.px(17)
    arm, half = sheet.px(6), sheet.px(2)
    sheet.pen.rounded_rectangle((x - arm, y - half, x + arm, y + half), half // 2, BLUE)
    sheet.pen.rounded_rectangle((x - half, y - arm, x + half, y + arm), half // 2, BLUE)
    sheet.text(78, 17, HOSPITAL, 18, "bold", fill=BLUE, anchor="m")
    sheet.text(78, 26, "门 诊 病 历", 15, "sans", fill=BLUE, anchor="m")
    sheet.line(12, 31, 136, 31, fill=BLUE, weight=0.5)
    fields = [
        [(12, "姓名", PATIENT), (52, "性别", "女"), (80, "年龄", "42岁"), (106, "费别", "自费")],
        [(12, "科室", "呼吸内科"), (52, "门诊号", "M0087312"), (90, "就诊日期", "2026年03月12日")],
    ]
    for row, y_ in zip(fields, (38.5, 46), strict=True):
        for at, label, value in row:
            width = sheet.text(at, y_, label + "：", 10)
            sheet.text(at + width, y_, value, 10.5, "serif")
    sheet.line(12, 50, 136, 50, fill=BLUE, weight=0.3)


def _prescription(sheet: Sheet, y: float) -> float:
    sheet.text(12, y + 1, "Rp.", 14, "serifbold")
    rows = [["药品名称", "规格", "数量", "用法用量"], *(list(drug) for drug in DRUGS)]
    columns: list[tuple[float, Anchor]] = [(33, "l"), (24, "l"), (13, "m"), (54, "l")]
    return sheet.table(12, y + 4, columns, rows, row_height=7.5, points=9.5, face="serif") + 7
