"""Draw receipts, invoices and letters in English and Chinese, with amounts that add up.

The sheet keeps what is written on it, which is the transcript. All sizes are in mm, type sizes in points.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "samples"))

from _paper import FONTS, INK, Anchor, Colour, Sheet

from .page_words import GOODS, LABELS, PEOPLE, SENTENCES, SHOPS, STREETS

# one collection that `make setup` installs: the same pages on every machine
FONTS["hei"] = ("fonts-wqy-microhei", "wqy-microhei.ttc", 0)
FONTS["heimono"] = ("fonts-wqy-microhei", "wqy-microhei.ttc", 1)
CENT = Decimal("0.01")


class Drawn(Sheet):
    """A sheet that keeps the lines written on it."""

    def __init__(self, width: float, height: float, dpi: int) -> None:
        super().__init__(width, height, dpi)
        self.lines: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        points: float = 10,
        face: str = "hei",
        *,
        fill: Colour = INK,
        anchor: Anchor = "l",
    ) -> float:
        """Write one line; return its width in mm."""
        self.lines.append(text)
        return super().text(x, y, text, points, face, fill=fill, anchor=anchor)


def receipt(rng: Random, chinese: bool, dpi: int) -> Drawn:
    """A shop's receipt of 6 to 16 items, 80 mm wide."""
    label, goods = LABELS[chinese], rng.sample(GOODS[chinese], rng.randint(6, 16))
    sheet = Drawn(80, 88 + 9.4 * len(goods), dpi)
    for i, line in enumerate((rng.choice(SHOPS[chinese]), rng.choice(STREETS[chinese]), _phone(rng))):
        sheet.text(40, 10 + 5 * i, line, 11 if i == 0 else 8.5, "hei", anchor="m")
    sheet.text(6, 30, f"{label['receipt']}: {_number(rng)}", 8.5, "heimono")
    sheet.text(
        6, 34.5, f"{label['date']}: {_date(rng, False)} {rng.randint(8, 21):02}:{rng.randint(0, 59):02}", 8.5
    )
    sheet.text(6, 39, f"{label['cashier']}: {rng.choice(PEOPLE[chinese])}", 8.5)
    sheet.line(6, 42, 74, 42)
    y, subtotal = 48.0, Decimal(0)
    for name in goods:
        count, price = rng.randint(1, 9), _price(rng)
        subtotal += count * price
        sheet.text(6, y, name, 9, "heimono")
        sheet.text(10, y + 4.4, f"{count} x {price}", 9, "heimono")
        sheet.text(74, y + 4.4, f"{count * price}", 9, "heimono", anchor="r")
        y += 9.4
    tax = (subtotal * 6 / 100).quantize(CENT)
    total = subtotal + tax
    cash = (total // 50 + 1) * 50
    sheet.line(6, y - 3, 74, y - 3)
    rows = (("subtotal", subtotal), ("tax", tax), ("total", total), ("cash", cash), ("change", cash - total))
    for name, value in rows:
        points = 12 if name == "total" else 9
        sheet.text(6, y + 2, label[name], points)
        sheet.text(74, y + 2, f"{value:.2f}", points, anchor="r")
        y += 5.4
    sheet.text(40, y + 7, label["thanks"], 9, anchor="m")
    return sheet


def invoice(rng: Random, chinese: bool, dpi: int) -> Drawn:
    """An invoice on A4 with a table of 5 to 15 rows."""
    label, sheet = LABELS[chinese], Drawn(210, 297, dpi)
    sheet.text(20, 28, rng.choice(SHOPS[chinese]), 16)
    sheet.text(20, 35, f"{rng.choice(STREETS[chinese])}  {_phone(rng)}", 9)
    sheet.text(190, 28, label["invoice"], 18, anchor="r")
    facts = (
        f"{label['number']}: {_number(rng)}",
        f"{label['date']}: {_date(rng, chinese)}",
        f"{label['account']}: {rng.randint(10**15, 10**16 - 1)}",
    )
    for i, fact in enumerate(facts):
        sheet.text(190, 45 + 6 * i, fact, 10, anchor="r")
    parties = (
        label["to"],
        rng.choice(PEOPLE[chinese]),
        rng.choice(SHOPS[chinese]),
        rng.choice(STREETS[chinese]),
    )
    for i, line in enumerate(parties):
        sheet.text(20, 50 + 6 * i, line, 10)
    rows, total = [label["head"].split("|")], Decimal(0)
    for i, name in enumerate(rng.sample(GOODS[chinese], rng.randint(5, 15)), 1):
        count, price = rng.randint(1, 40), _price(rng)
        total += count * price
        rows.append([str(i), name, str(count), f"{price}", f"{count * price}"])
    columns: list[tuple[float, Anchor]] = [(14, "m"), (86, "l"), (18, "r"), (24, "r"), (28, "r")]
    bottom = sheet.table(20, 82, columns, rows, points=10, face="hei", head="hei")
    tax = (total * 6 / 100).quantize(CENT)
    for i, (name, value) in enumerate((("subtotal", total), ("tax", tax), ("total", total + tax))):
        sheet.text(155, bottom + 9 + 7 * i, label[name], 11, anchor="r")
        sheet.text(188, bottom + 9 + 7 * i, f"{value:,.2f}", 11, anchor="r")
    sheet.text(20, bottom + 42, label["terms"], 9)
    return sheet


def letter(rng: Random, chinese: bool, dpi: int) -> Drawn:
    """A letter on A4 of four to six paragraphs."""
    label, sheet = LABELS[chinese], Drawn(210, 297, dpi)
    sheet.text(25, 30, rng.choice(SHOPS[chinese]), 13)
    sheet.text(25, 37, rng.choice(STREETS[chinese]), 10)
    sheet.text(185, 50, _date(rng, chinese), 10.5, anchor="r")
    sheet.text(25, 64, _filled(rng, label["re"], chinese), 11)
    sheet.text(25, 76, _filled(rng, label["dear"], chinese), 10.5)
    y = 86.0
    for _ in range(rng.randint(4, 6)):
        said = [_filled(rng, sentence, chinese) for sentence in rng.sample(SENTENCES[chinese], 3)]
        y = sheet.paragraph(25, y, 160, ("" if chinese else " ").join(said), points=10.5, face="hei") + 3
    sheet.text(25, y + 8, label["yours"], 10.5)
    sheet.text(25, y + 20, rng.choice(PEOPLE[chinese]), 10.5)
    return sheet


KINDS: tuple[Callable[[Random, bool, int], Drawn], ...] = (receipt, invoice, letter)


def _filled(rng: Random, sentence: str, chinese: bool) -> str:
    money = f"{'¥' if chinese else 'RM '}{rng.randint(100, 99999):,}.{rng.randint(0, 99):02}"
    return sentence.format(
        date=_date(rng, chinese),
        number=_number(rng),
        count=rng.randint(3, 480),
        money=money,
        person=rng.choice(PEOPLE[chinese]),
    )


def _date(rng: Random, chinese: bool) -> str:
    year, month, day = rng.randint(2023, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return f"{year}年{month}月{day}日" if chinese else f"{day:02}/{month:02}/{year}"


def _number(rng: Random) -> str:
    return f"{rng.choice('ABEKRTX')}{rng.randint(10, 99)}-{rng.randint(10**5, 10**6 - 1)}"


def _phone(rng: Random) -> str:
    return f"0{rng.randint(2, 9)}-5550 {rng.randint(0, 9999):04}"


def _price(rng: Random) -> Decimal:
    return Decimal(rng.randint(95, 9999)).scaleb(-2)
