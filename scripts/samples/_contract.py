"""A Chinese and English contract of five scanned pages; the third is set in two columns."""

from __future__ import annotations

import io
import time
from decimal import Decimal

from _ids import capitals, uscc
from _invoice import BUYER_ID
from _paper import Anchor, Sheet
from _sample import BUYER, PLACE, Sample
from _scanner import scan

SUPPLIER, SUPPLIER_EN = "云州北光幻想系统有限公司", "Northlight Imaginary Systems Co., Ltd."
BUYER_EN = "Galaxy Sample Technology Co., Ltd."
SUPPLIER_ID = uscc("MA00N5L4")
CONTRACT = "YZ-2026-0318-07"
FEE, VAT = Decimal("480000.00"), Decimal("28800.00")
TOTAL = FEE + VAT
PARTS = [  # share in percent, due date ISO, Chinese, condition
    (30, "2026-04-15", "2026年4月15日", "合同签订后首付款"),
    (40, "2026-07-31", "2026年7月31日", "系统上线验收后"),
    (30, "2026-10-15", "2026年10月15日", "质保期满后尾款"),
]
ARTICLES = [
    (
        "第一条  服务内容",
        "乙方为甲方开发并交付文档批处理系统一套，包括文字识别模块、实体抽取模块和运行报表模块，并提供十二个月的技术支持服务。",
    ),
    (
        "第二条  交付时间",
        "乙方应于2026年6月30日前完成系统开发并交付测试版本，于2026年7月20日前完成部署。因甲方原因造成延误的，交付时间相应顺延。",
    ),
    (
        "第三条  合同金额",
        f"本合同服务费为人民币{FEE:,.2f}元，增值税税率6%，税额{VAT:,.2f}元，价税合计{TOTAL:,.2f}元"
        f"（大写：{capitals(TOTAL)}）。甲方按附表约定分期支付。",
    ),
    (
        "第四条  验收标准",
        "识别准确率不低于98%，单夜处理能力不低于五万页。甲方应在收到交付物后十个工作日内完成验收，逾期未提出书面异议的，视为验收合格。",
    ),
    (
        "第五条  保密义务",
        "双方对在履行合同过程中知悉的对方商业秘密负有保密义务，保密期限为合同终止后三年。",
    ),
    (
        "第六条  违约责任",
        "任何一方违反本合同约定的，应向守约方支付违约金人民币24,000.00元；造成损失超过违约金的，还应赔偿超过部分。",
    ),
    (
        "第七条  争议解决",
        "因本合同发生的争议，双方应友好协商解决；协商不成的，提交云州仲裁委员会仲裁。本合同一式两份，双方各执一份，自双方盖章之日起生效。",
    ),
]
ENGLISH = f"""
1. Services. The Supplier shall develop and deliver one document batch system, consisting of a text
recognition module, an entity extraction module and a reporting module.

2. Support. The Supplier shall provide technical support for twelve months after acceptance. Requests
are sent to support@example.org and answered within two working days.

3. Delivery. A test version shall be delivered by 30 June 2026. The system shall be deployed by
20 July 2026. Delay caused by the Client extends these dates accordingly.

4. Acceptance. The Client shall test the system within ten working days of delivery. Unless defects
are reported in writing, the system is deemed accepted.

5. Fees. The fee is CNY {FEE:,.2f} plus value added tax at 6% of CNY {VAT:,.2f}, in total
CNY {TOTAL:,.2f}, payable in three instalments as set out in the schedule.

6. Confidentiality. Each party shall keep the trade secrets of the other party confidential for three
years after the end of this agreement.

7. Liability. The party in breach shall pay liquidated damages of CNY 24,000.00. Losses beyond this
amount shall be compensated as proven.

8. Law and language. This agreement is made in Chinese and English. If the two versions differ, the
Chinese version prevails.
"""


def sample() -> Sample:
    """Draw the contract as a grey scan at 150 dpi."""
    pages = []
    for number, draw in enumerate((_cover, _articles, _english, _schedule, _signatures), 1):
        sheet = Sheet(210, 297)
        draw(sheet)
        sheet.text(105, 285, f"- {number} -", 9, "serif", anchor="m")
        sheet.text(190, 285, "样本 SPECIMEN", 8, anchor="r")
        skew = (0.3, -0.4, 0.2, 0.5, -0.25)[number - 1]
        pages.append(scan(sheet.image, 30 + number, skew=skew, noise=1.6, tint=(250, 250, 246)))
    out, epoch = io.BytesIO(), time.gmtime(0)
    first, *rest = (page if number == 4 else page.convert("L") for number, page in enumerate(pages))
    first.save(
        out,
        "PDF",
        save_all=True,
        append_images=rest,
        resolution=150,
        quality=58,
        creationDate=epoch,
        modDate=epoch,
    )
    amounts = dict.fromkeys(TOTAL * share / 100 for share, *_ in PARTS)
    entities = {
        "DATE": ["2026-03-18", "2026-06-30", "2026-07-20", *(due for _, due, *_ in PARTS)],
        "MONEY": [f"{value:.2f}" for value in (FEE, VAT, TOTAL, Decimal(24000), *amounts)],
        "USCC": [BUYER_ID, SUPPLIER_ID],
        "ORG": [BUYER, SUPPLIER, BUYER_EN, SUPPLIER_EN],
        "PER": ["沈若谷", "唐闻笛"],
        "EMAIL": ["support@example.org"],
        "PHONE": ["+862655500121", "+862655500133"],
    }
    return Sample(
        "contract_scan.pdf", out.getvalue(), "scanned contract, page 3 in two columns", entities, pages=5
    )


def _cover(sheet: Sheet) -> None:
    sheet.text(190, 30, f"合同编号：{CONTRACT}", 11, "serif", anchor="r")
    sheet.text(105, 85, "软件开发与服务合同", 28, "serifbold", anchor="m")
    sheet.text(105, 98, "SOFTWARE DEVELOPMENT AND SERVICES AGREEMENT", 13, "serif", anchor="m")
    sheet.line(45, 106, 165, 106, weight=0.5)
    rows = [
        ("甲方（委托方）", BUYER),
        ("Client", BUYER_EN),
        ("统一社会信用代码", BUYER_ID),
        ("乙方（服务方）", SUPPLIER),
        ("Supplier", SUPPLIER_EN),
        ("统一社会信用代码", SUPPLIER_ID),
        ("签订日期", "2026年3月18日"),
        ("签订地点", f"{PLACE}示范区"),
    ]
    for i, (label, value) in enumerate(rows):
        y = 145 + i * 12 + (6 if i > 2 else 0) + (6 if i > 5 else 0)
        sheet.text(34, y, f"{label}：", 12, "serifbold")
        sheet.text(80, y, value, 12, "serif")
        sheet.line(79, y + 2, 178, y + 2, weight=0.15)


def _articles(sheet: Sheet) -> None:
    opening = (
        f"甲方{BUYER}与乙方{SUPPLIER}经友好协商，就文档批处理系统的开发与服务事宜，签订本合同，共同遵守。"
    )
    y = sheet.paragraph(25, 32, 160, "　　" + opening, points=11, face="serif", lead=1.7) + 3
    for title, text in ARTICLES:
        sheet.text(25, y, title, 11.5, "serifbold")
        y = sheet.paragraph(25, y + 7, 160, "　　" + text, points=11, face="serif", lead=1.65) + 3


def _english(sheet: Sheet) -> None:
    sheet.text(105, 32, "TERMS AND CONDITIONS (ENGLISH VERSION)", 13, "serifbold", anchor="m")
    sheet.line(22, 37, 188, 37, weight=0.4)
    clauses = ENGLISH.split("\n\n")
    for x, column in ((22, clauses[:4]), (109, clauses[4:])):
        y = 48.0
        for text in column:
            y = sheet.paragraph(x, y, 79, " ".join(text.split()), points=10.5, face="serif", lead=1.5) + 3.5


def _schedule(sheet: Sheet) -> None:
    sheet.text(105, 34, "附表  付款计划 / PAYMENT SCHEDULE", 14, "serifbold", anchor="m")
    rows = [["期次", "付款条件", "付款日期", "比例", "金额（元）"]]
    for i, (share, _, due, condition) in enumerate(PARTS, 1):
        rows.append([f"第{i}期", condition, due, f"{share}%", f"{TOTAL * share / 100:,.2f}"])
    rows.append(["合计", "", "", "100%", f"{TOTAL:,.2f}"])
    columns: list[tuple[float, Anchor]] = [(20, "m"), (50, "l"), (40, "m"), (18, "m"), (38, "r")]
    y = sheet.table(22, 44, columns, rows, row_height=11, points=11, face="serif", head="serifbold") + 14
    sheet.text(22, y, f"价税合计（大写）：{capitals(TOTAL)}", 11.5, "serif")
    y += 14
    for line in (
        f"收款单位：{SUPPLIER}",
        "开户银行：样例银行云州示范支行",
        "银行账号：000062003579",
        "付款时请注明合同编号 " + CONTRACT,
    ):
        sheet.text(22, y, line, 11, "serif")
        y += 9
    remark = (
        "说明：甲方应在付款日期前收到乙方开具的等额增值税专用发票。"
        "逾期付款的，每逾期一日按应付金额的0.05%支付违约金。"
    )
    sheet.paragraph(22, y + 6, 166, remark, points=11, face="serif", lead=1.65)


def _signatures(sheet: Sheet) -> None:
    sheet.text(105, 34, "签 署 页", 16, "serifbold", anchor="m")
    sheet.text(105, 42, "SIGNATURE PAGE", 11, "serif", anchor="m")
    sides = [
        (60, "甲方（盖章）", BUYER, "沈若谷", "026-55500121", 41),
        (160, "乙方（盖章）", SUPPLIER, "唐闻笛", "026-55500133", 42),
    ]
    for y, label, name, person, phone, seed in sides:
        rows = [
            f"{label}：{name}",
            f"法定代表人：{person}",
            "签字：",
            f"联系电话：{phone}",
            "日期：2026年3月18日",
        ]
        for i, row in enumerate(rows):
            sheet.text(26, y + i * 14, row, 12, "serif")
        sheet.signature(44, y + 26, 34, seed)
        sheet.seal(142, y + 24, (21, 21), name, middle="★", foot="合同专用章", points=12.5)
