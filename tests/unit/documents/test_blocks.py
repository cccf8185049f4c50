"""Blocks side by side: read one whole after the other; tables and forms stay rows."""

import random
from collections.abc import Sequence

import pytest

from pipeline.documents.blocks import ALIGNED, _lined_up
from pipeline.documents.items import items_of
from pipeline.documents.layout import assemble, blocks_of
from pipeline.models import TextLine

WIDTH, HEIGHT = 1650, 2340


def line(text: str, left: float, top: float, *, cell: float = 14, height: float = 28) -> TextLine:
    right, bottom = left + cell * len(text), top + height
    return TextLine(
        text=text, box=((left, top), (right, top), (right, bottom), (left, bottom)), confidence=0.99
    )


def read(lines: Sequence[TextLine], width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    return assemble(lines[::-1], width, height)[0].split("\n")


def receipt(
    name: str, left: float, top: float = 200, *, pitch: float = 52, width: float = 620
) -> list[TextLine]:
    """Head in the middle, then labels left and amounts right."""
    head = [f"{name} STORE", f"{len(name)} Harbour Street", f"Date: 0{len(name)}/05/2024", f"{name} desk 7"]
    items = [("Flat white", "3.60"), ("Croissant", "2.90"), ("Juice", "4.10"), ("TOTAL", "10.60")]
    lines = [line(text, left + (width - 14 * len(text)) / 2, top + pitch * n) for n, text in enumerate(head)]
    for n, (label, amount) in enumerate(items, len(head)):
        lines += [
            line(label, left, top + pitch * n),
            line(amount, left + width - 14 * len(amount), top + pitch * n),
        ]
    return [*lines, line(f"{name} thanks you", left + 180, top + pitch * 8)]


def whole(rows: Sequence[str], *names: str) -> bool:
    """Whether the rows that hold the names come in their order, none in between."""
    seen = [next((name for name in names if name in row), None) for row in rows]
    order = [name for name in seen if name]
    return order == sorted(order, key=names.index) and set(order) == set(names)


@pytest.mark.parametrize("pitch", [52, 47])
@pytest.mark.parametrize("top", [200, 330, 480])
@pytest.mark.parametrize("gap", [60, 180])
def test_receipts_side_by_side(pitch: float, top: float, gap: float) -> None:
    lines = receipt("GREEN", 100) + receipt("TAXI", 720 + gap, top, pitch=pitch)
    rows = read(lines)
    assert whole(rows, "GREEN", "TAXI")
    assert "Flat white  3.60" in rows


@pytest.mark.parametrize("drop", [0, 17, 104])
def test_three_receipts_side_by_side(drop: float) -> None:
    lines = [
        text
        for n, name in enumerate(("GREEN", "TAXI", "HOTELS"))
        for text in receipt(name, 60 + 540 * n, 200 + drop * n, width=440)
    ]
    assert whole(read(lines), "GREEN", "TAXI", "HOTELS")


def test_a_heading_above_two_receipts_stays_above() -> None:
    lines = [line("Expenses of May, all receipts, department of heat and light, cost centre 4711", 300, 90)]
    lines += receipt("GREEN", 100) + receipt("TAXI", 900)
    rows = read(lines)
    assert rows[0].startswith("Expenses")
    assert whole(rows, "GREEN", "TAXI")
    assert [len(block) for block in blocks_of(lines, WIDTH, HEIGHT)] == [1, 13, 13]


def test_two_receipts_one_below_the_other_are_rows() -> None:
    rows = read(receipt("GREEN", 100) + receipt("TAXI", 100, 1200))
    assert whole(rows, "GREEN", "TAXI")


@pytest.mark.parametrize("digits", [True, False])
def test_the_pages_of_an_open_book(digits: bool) -> None:
    left = [f"{n} The L {n * 13 if digits else 'end'}" for n in range(1, 10)]
    right = [f"{n} The R {n * 13 if digits else 'end'}" for n in range(10, 19)]
    lines = [line(text, 200, 200 + 120 * n) for n, text in enumerate(left)]
    lines += [line(text, 1400, 200 + 120 * n) for n, text in enumerate(right)]
    assert read(lines, 2340, 1650) == left + right


def test_prose_beside_a_list() -> None:
    prose = [f"Prose {n:02d} that goes on and on to the edge of it" for n in range(24)]
    listed = [f"List {'abcdefghijklmno'[: n % 6 + 3]}" for n in range(10)]
    lines = [line(text, 100, 200 + 40 * n) for n, text in enumerate(prose)]
    lines += [line(text, 1000, 200 + 80 * n) for n, text in enumerate(listed)]
    assert whole(read(lines), "Prose", "List")


def table(columns: Sequence[tuple[float, Sequence[str]]], pitch: float = 60) -> list[TextLine]:
    return [
        line(text, left, 300 + pitch * n) for left, texts in columns for n, text in enumerate(texts) if text
    ]


GOODS = ["Item", "Printer paper", "Pencils", "Desk lamp", "Office chair", "Total"]
TABLES = {
    "prices": [(100, GOODS), (1200, ["Price", "12.00", "3.50", "48.00", "199.00", "262.50"])],
    "quantities": [
        (100, GOODS),
        (600, ["Qty", "10", "4", "1", "2", ""]),
        (900, ["Unit", "box", "pcs", "pcs", "pcs", ""]),
        (1250, ["Amount", "12.00", "3.50", "48.00", "199.00", "262.50"]),
    ],
    "words": [
        (100, ["Name", "Anna Berg", "Tom Hall", "Li Wei", "Eva Lund", "Max Ott"]),
        (700, ["City", "Bergen", "Leeds", "Wuhan", "Malmo", "Graz"]),
        (1250, ["Country", "Norway", "England", "China", "Sweden", "Austria"]),
    ],
    "form": [
        (100, ["Name:", "First name:", "Born in:", "Street:", "Town:", "Country:"]),
        (1000, ["Berg", "Anna", "Bergen", "Long Street 5", "Oslo", "Norway"]),
    ],
    "form of two": [
        (100, ["Buyer: ACME Ltd", "Tax no: GB 1234", "Bank: First Bank", "Street 5, Leeds", "Tel 0113 1234"]),
        (900, ["Seller: Berg AS", "Tax no: NO 4321", "Bank: Nordea", "Gate 7, Oslo", "Tel 0047 4321"]),
    ],
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("landscape", [False, True])
def test_a_table_is_rows(name: str, landscape: bool) -> None:
    columns = TABLES[name]
    size = (HEIGHT, WIDTH) if landscape else (WIDTH, HEIGHT)
    rows = read(table(columns), *size)
    assert rows == [
        "  ".join(filter(None, row)) for row in zip(*(texts for _, texts in columns), strict=True)
    ]


def test_receipt_with_an_address_beside_the_number_is_one_block() -> None:
    lines = [line(text, 100, 200 + 50 * n) for n, text in enumerate(("GREEN STORE", "Harbour 12", "Leeds"))]
    lines += [line(text, 900, 200 + 50 * n) for n, text in enumerate(("Invoice", "No 4711", "14 May 2024"))]
    lines += table([(100, GOODS), (900, ["Price", "12.00", "3.50", "48.00", "199.00", "262.50"])], 50)
    assert len(blocks_of(lines, WIDTH, HEIGHT)) == 1


def test_receipts_whose_amounts_are_in_the_lines_of_their_labels() -> None:
    """As OCR reads narrow receipts; all rows of the two line up."""

    def narrow(name: str, left: float, total: str) -> list[TextLine]:
        rows = [f"{name} BAKERY", "Date 2024-03-01", "Bread 3.20", "Milk 1.10", f"TOTAL {total}"]
        return [line(text, left, 200 + 52 * n) for n, text in enumerate(rows)]

    rows = read(narrow("NORTH", 100, "4.30") + narrow("HILL", 700, "100.00"), 1000, 700)
    assert [row for row in rows if row.startswith("TOTAL")] == ["TOTAL 4.30", "TOTAL 100.00"]
    assert whole(rows, "NORTH", "4.30", "HILL", "100.00")


def test_labelled_amounts_in_two_columns_without_heads_stay_rows() -> None:
    lines = [
        line(text, left, 200 + 52 * n)
        for left, rows in (
            (100, ["Net 10.00", "Tax 0.80", "Fee 1.00", "Total 11.80"]),
            (700, ["Paid 12.00", "Change 0.20", "Rounded 0.00", "Points 3.00"]),
        )
        for n, text in enumerate(rows)
    ]
    assert read(lines)[0] == "Net 10.00  Paid 12.00"


def test_rows_line_up_with_the_nearest_of_the_other_side() -> None:
    chance = random.Random(5)
    sides = [[items_of([line("words", 0, chance.random() * 900)]) for _ in range(n)] for n in (30, 70)]
    nearest = [min(abs(row[0].middle - other[0].middle) for other in sides[1]) for row in sides[0]]
    expected = sum(gap < ALIGNED * sides[0][0][0].height for gap in nearest) / 30
    assert _lined_up(*sides) == expected
