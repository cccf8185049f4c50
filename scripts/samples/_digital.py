"""Born-digital PDFs: a ticket e-mail, and a claim letter with a scan as its second page."""

from __future__ import annotations

import io
import logging
import re
from decimal import Decimal

import matplotlib as mpl
import pypdfium2 as pdfium
from _ids import capitals
from _paper import Anchor, Sheet, font_file
from _sample import PLACE, Sample
from _scanner import jpeg, scan
from matplotlib import font_manager
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

A4 = (210.0, 297.0)
HOTEL = "云州示范酒店有限公司"
MAIL = [
    ("From:", "Mei Tan <mei.tan@example.org>"),
    ("To:", "Northlight Support <support@example.org>"),
    ("Cc:", "finance@example.org"),
    ("Date:", "Tue, 3 Mar 2026 09:14:27 +0800"),
    ("Subject:", "[NS-2026-004172] Refund of a duplicate charge 重复扣款退款申请"),
]
MAIL_BODY = """Dear Support Team,

on 27 February 2026 our card was charged twice for order 88213: USD 1,299.00 at 10:02 and
USD 1,299.00 again at 10:03. Only the first payment was authorised. Please refund the second
one by March 13, 2026; our reference for the refund is ticket NS-2026-004172.

The statement is attached. You can follow the case at
https://support.example.org/tickets/NS-2026-004172 or call me at +1 202-555-0143.

各位同事：
我司于2026年2月27日被重复扣款，金额为人民币9,352.80元（约合1,299.00美元）。
请于2026年3月13日前退回，退款到账后请邮件通知财务部 finance@example.org。

Kind regards / 此致
Mei Tan 谭美
Accounts Payable, Imaginary Harbour Trading Pte. Ltd.
Phone +44 20 7946 0958

> On Mon, 2 Mar 2026 at 17:40, Northlight Support <support@example.org> wrote:
> Thank you for contacting us. Your ticket NS-2026-004172 has been opened.
> We answer within 2 working days. 我们将在2个工作日内回复。"""
CLAIM_BODY = """EXPENSE CLAIM                                        No. EC-2026-0219

Employee      Arno Beispiel, Field Service
Trip          Yunzhou 云州, 16 to 18 February 2026
Submitted     19 February 2026
E-mail        arno.beispiel@example.org

Please reimburse the following expenses. The hotel bill is attached as page 2.

2026-02-16    Train ticket, second class                CNY 284.50
2026-02-18    Hotel, 2 nights (see attachment)        CNY 1,036.00
2026-02-18    Taxi to the station                        CNY 61.00

Total                                                 CNY 1,381.50

报销说明：出差期间住宿费1036.00元，附酒店结账单一份。

Approved on 20 February 2026 by
Petra Muster, Head of Service"""


def email() -> Sample:
    """Typeset the e-mail as a mail program prints it."""
    figure = _figure()
    _write(figure, (20, 22), "Northlight Mail", 13, "bold")
    for i, (label, value) in enumerate(MAIL):
        _write(figure, (20, 33 + i * 6.2), label, 10, "bold")
        _write(figure, (40, 33 + i * 6.2), value, 10)
    for y in (26, 61.5):
        figure.add_artist(_rule(20, 190, y))
    for i, line in enumerate(MAIL_BODY.split("\n")):
        _write(figure, (20, 72 + i * 6), line, 10)
    _write(figure, (20, 285), "1 attachment: statement_2026-02.pdf (84 KB)", 8)
    entities = {
        "EMAIL": ["mei.tan@example.org", "support@example.org", "finance@example.org"],
        "URL": ["https://support.example.org/tickets/NS-2026-004172"],
        "PHONE": ["+12025550143", "+442079460958"],
        "DATE": ["2026-03-03", "2026-02-27", "2026-03-13", "2026-03-02"],
        "MONEY": ["1299.00", "9352.80"],
        "ORG": ["Imaginary Harbour Trading Pte. Ltd."],
    }
    return Sample(
        "ticket_email.pdf", _pdf(figure), "ticket e-mail, born-digital PDF", entities, document_type="ticket"
    )


def claim() -> Sample:
    """Append a scanned hotel bill to a born-digital letter."""
    figure = _figure()
    for i, line in enumerate(CLAIM_BODY.split("\n")):
        _write(figure, (22, 30 + i * 7), line, 10, "mono" if i else "bold mono")
    document = pdfium.PdfDocument(_pdf(figure))
    page = document.new_page(A4[0] / 25.4 * 72, A4[1] / 25.4 * 72)
    picture = pdfium.PdfImage.new(document)
    picture.load_jpeg(io.BytesIO(_hotel_bill()), inline=True)
    picture.set_matrix(pdfium.PdfMatrix().scale(*page.get_size()))
    page.insert_obj(picture)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    entities = {
        "EMAIL": ["arno.beispiel@example.org"],
        "DATE": ["2026-02-19", "2026-02-16", "2026-02-18", "2026-02-20", "2026-02-17"],
        "MONEY": ["284.50", "1036.00", "61.00", "1381.50"],
        "ORG": [HOTEL],
        "PHONE": ["+862655500177"],
    }
    details = {"MONEY": ["488.00", "60.00"]}
    return Sample(
        "expense_claim_mixed.pdf",
        _without_id(out.getvalue()),
        "page 1 born-digital, page 2 scan",
        entities,
        details,
        pages=2,
    )


def _without_id(data: bytes) -> bytes:
    """Blank the random file identifier that PDFium writes, so that each run gives the same bytes."""
    return re.sub(rb"/ID\[<\w{32}><\w{32}>\]", b"/ID[<" + b"0" * 32 + b"><" + b"0" * 32 + b">]", data)


def _hotel_bill() -> bytes:
    sheet = Sheet(*A4)
    sheet.text(105, 30, HOTEL, 18, "bold", anchor="m")
    sheet.text(105, 39, "结 账 单", 14, anchor="m")
    details = [
        ("宾客姓名：Arno Beispiel", "房号：0812"),
        ("入住日期：2026年2月16日", "离店日期：2026年2月18日"),
        ("单号：H2602180043", "收银员：007"),
    ]
    for i, (left, right) in enumerate(details):
        sheet.text(25, 55 + i * 9, left, 11, "serif")
        sheet.text(120, 55 + i * 9, right, 11, "serif")
    rows = [
        ["日期", "项目", "数量", "单价", "金额"],
        ["2026-02-16", "标准间房费", "1", "488.00", "488.00"],
        ["2026-02-17", "标准间房费", "1", "488.00", "488.00"],
        ["2026-02-18", "早餐", "2", "30.00", "60.00"],
        ["合计", "", "", "", "¥1,036.00"],
    ]
    columns: list[tuple[float, Anchor]] = [(35, "l"), (55, "l"), (18, "m"), (26, "r"), (28, "r")]
    bottom = sheet.table(24, 82, columns, rows, row_height=10, points=11, face="serif", head="serifbold")
    sheet.text(25, bottom + 12, "合计人民币（大写）：" + capitals(Decimal(1036)), 11, "serif")
    sheet.text(25, bottom + 22, "付款方式：银行卡 XXXX XXXX XXXX 0142", 11, "serif")
    sheet.text(25, bottom + 44, f"地址：{PLACE}示范区车站路1号   电话：026-55500177", 10, "serif")
    sheet.text(25, bottom + 52, "样本 SPECIMEN", 9)
    sheet.seal(150, bottom + 28, (18, 18), HOTEL, middle="★", foot="收银专用章", points=11)
    return jpeg(scan(sheet.image, 6, skew=0.6, noise=1.8, tint=(252, 250, 244)), 58)


def _figure() -> Figure:
    """Create an empty A4 page set in DejaVu Sans (of matplotlib), Chinese in WenQuanYi Zen Hei."""
    path, _ = font_file("pdf")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # the font has one weight only
    font_manager.fontManager.addfont(path)
    figure = Figure(figsize=(A4[0] / 25.4, A4[1] / 25.4))
    FigureCanvasPdf(figure)
    return figure


def _write(figure: Figure, at: tuple[float, float], text: str, points: float, style: str = "") -> None:
    """Write a line at (x, baseline) in mm; `style` may name "bold" and "mono"."""
    family = ["DejaVu Sans Mono" if "mono" in style else "DejaVu Sans", "WenQuanYi Zen Hei"]
    weight = "bold" if "bold" in style else "normal"
    face = font_manager.FontProperties(family=family, size=points, weight=weight)
    figure.text(at[0] / A4[0], 1 - at[1] / A4[1], text, fontproperties=face, parse_math=False)


def _rule(x0: float, x1: float, y: float) -> mpl.lines.Line2D:
    return mpl.lines.Line2D([x0 / A4[0], x1 / A4[0]], [1 - y / A4[1]] * 2, color="0.4", linewidth=0.8)


def _pdf(figure: Figure) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(out, format="pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
    return out.getvalue()
