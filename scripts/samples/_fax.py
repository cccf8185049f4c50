"""A two-page purchase order as a fax machine stores it: 1 bit per pixel, 200 dpi, CCITT group 4."""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
from _paper import Anchor, Sheet
from _sample import Sample
from PIL import Image

BUYER, SELLER = "LOREM IPSUM PARTS GMBH", "PLACEHOLDER BEARINGS LTD"
LINES = [  # article, description, quantity, unit price in EUR
    ("LB-6204", "Deep groove ball bearing", 200, Decimal("3.45")),
    ("LB-6305", "Deep groove ball bearing", 120, Decimal("6.80")),
    ("SR-0418", "Sealing ring 40 x 62 x 8", 300, Decimal("1.15")),
    ("GR-1000", "Lithium grease, 1 kg can", 24, Decimal("18.90")),
]
NET = sum(count * price for *_, count, price in LINES)
FREIGHT = Decimal("95.00")
TOTAL = NET + FREIGHT


def sample() -> Sample:
    """Draw both pages."""
    pages = [_bitonal(_order(), 8), _bitonal(_terms(), 9)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(200, 200))
    entities = {
        "DATE": ["2026-02-11", "2026-03-06", "2026-02-13"],
        "MONEY": [f"{value:.2f}" for value in (NET, FREIGHT, TOTAL)],
        "ORG": [BUYER, SELLER],
        "PHONE": ["+493023125014", "+442079460321"],
        "EMAIL": ["orders@example.org"],
        "URL": ["https://www.example.org/terms"],
    }
    details = {"MONEY": [f"{count * price:.2f}" for *_, count, price in LINES]}
    return Sample(
        "purchase_order_fax.tif", out.getvalue(), "two-page fax, 1-bit TIFF", entities, details, pages=2
    )


def _sender(sheet: Sheet, page: int) -> None:
    stamp = f"11 FEB 2026  08:02   FROM: LOREM IPSUM PARTS   +49 30 23125 014   PAGE {page} OF 2"
    sheet.text(12, 9, stamp, 9, "mono")


def _order() -> Sheet:
    sheet = Sheet(210, 297, 200)
    _sender(sheet, 1)
    sheet.text(22, 32, BUYER, 17, "bold")
    sheet.text(22, 39, "Musterallee 14, 00000 Beispielstadt, Germany", 10.5)
    sheet.text(22, 45, "Fax +49 30 23125 014", 10.5)
    sheet.text(188, 45, "orders@example.org", 10.5, anchor="r")
    sheet.line(22, 49, 188, 49, weight=0.5)
    sheet.text(22, 62, "To:", 11, "bold")
    for i, line in enumerate((SELLER, "9 Example Quay, Nowhere-on-Sea", "Phone +44 20 7946 0321")):
        sheet.text(36, 62 + i * 6, line, 11)
    sheet.text(22, 92, "PURCHASE ORDER PO-26-0417", 16, "bold")
    sheet.text(22, 101, "Date: 11 February 2026", 11)
    sheet.text(188, 101, "Delivery date: 6 March 2026", 11, anchor="r")
    rows = [["Pos", "Article", "Description", "Qty", "Unit EUR", "Amount EUR"]]
    for i, (article, text, count, price) in enumerate(LINES, 1):
        rows.append([str(i), article, text, str(count), f"{price:.2f}", f"{count * price:,.2f}"])
    columns: list[tuple[float, Anchor]] = [(12, "m"), (26, "l"), (60, "l"), (16, "r"), (24, "r"), (28, "r")]
    y = sheet.table(22, 108, columns, rows, row_height=10, points=10.5) + 10
    for label, value in (("Net amount", NET), ("Freight", FREIGHT), ("TOTAL EUR", TOTAL)):
        face = "bold" if value == TOTAL else "sans"
        sheet.text(130, y, label, 11, face)
        sheet.text(186.5, y, f"{value:,.2f}", 11, face, anchor="r")
        y += 8
    text = (
        "Please confirm this order by 13 February 2026. Prices are fixed, delivery free on truck, "
        "payment 30 days net."
    )
    sheet.paragraph(22, y + 12, 166, text, points=11)
    sheet.signature(26, y + 45, 40, 61, (0, 0, 0))
    sheet.text(26, y + 56, "Purchasing", 10)
    sheet.text(188, 285, "SPECIMEN", 9, anchor="r")
    return sheet


def _terms() -> Sheet:
    sheet = Sheet(210, 297, 200)
    _sender(sheet, 2)
    sheet.text(22, 34, "Conditions of purchase", 15, "bold")
    terms = (
        "1. Goods are to be packed so that they withstand transport, and marked with our order number.",
        "2. Partial deliveries need our consent in writing. Excess goods are returned at your cost.",
        "3. Incoming goods are inspected within ten working days; hidden defects may be reported later.",
        "4. Each delivery comes with a delivery note, and each invoice states our order number.",
        "5. The complete conditions are published at https://www.example.org/terms and sent on request.",
    )
    y = 48.0
    for term in terms:
        y = sheet.paragraph(22, y, 166, term, points=11) + 4
    sheet.text(22, y + 10, "Order accepted (please sign and return by fax):", 11)
    sheet.line(22, y + 34, 90, y + 34)
    sheet.line(110, y + 34, 188, y + 34)
    sheet.text(22, y + 40, "Place, date", 9)
    sheet.text(110, y + 40, "Signature, company stamp", 9)
    sheet.text(188, 285, "SPECIMEN", 9, anchor="r")
    return sheet


def _bitonal(sheet: Sheet, seed: int) -> Image.Image:
    """Threshold at half, with a slight skew, ragged edges and a few specks of dust."""
    rng = np.random.default_rng(seed)
    grey = sheet.image.convert("L").rotate(0.3, Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(grey, dtype=np.float32) + rng.normal(0, 22, (grey.height, grey.width))
    pixels[rng.random(pixels.shape) < 0.00002] = 0
    return Image.fromarray(pixels > 150)
