"""Items of receipts without headings, and those with them."""

from pipeline.fields.items import Found
from tests.unit.fields.sheets import read as read_as
from tests.unit.fields.sheets import rows


def read(sheet: str) -> Found:
    return read_as(sheet, kind="receipt")


def test_names_and_amounts_in_rows() -> None:
    sheet = """
Corner Bakery
Tel 555-0101
Sourdough loaf              6.50
2 Croissant                 5.00
Oat milk 1L                 2.25 A
SUBTOTAL                    13.75
TAX                         1.10
TOTAL                       14.85
"""
    items = read(sheet).items
    assert rows(items, "description", "quantity", "amount") == [
        ("Sourdough loaf", None, "6.50"),
        ("Croissant", "2", "5.00"),
        ("Oat milk 1L", None, "2.25"),
    ]
    assert min(item.confidence for item in items) > 0.7


def test_quantity_and_price_on_the_row_of_the_amount() -> None:
    sheet = """
Copper wire
9400000012345
2 x 3.50                    7.00
Switch
9400000054321
1.500 KG x 4.00             6.00
TOTAL                       13.00
"""
    assert rows(read(sheet).items, "description", "quantity", "unit", "unit_price", "amount") == [
        ("Copper wire", "2", None, "3.50", "7.00"),
        ("Switch", "1.500", "KG", "4.00", "6.00"),
    ]


def test_quantity_and_price_below_the_item() -> None:
    sheet = """
Paper towels                RM5.00 s
02 X RM 2.50
Soap                        RM1.20 s
TOTAL                       RM6.20
"""
    assert rows(read(sheet).items, "description", "quantity", "unit_price", "amount") == [
        ("Paper towels", "2", "2.50", "5.00"),
        ("Soap", None, None, "1.20"),
    ]


def test_a_discount_among_the_items_is_negative() -> None:
    sheet = """
Teapot                      20.00
Loyalty offer               -2.00
TOTAL                       18.00
"""
    items = read(sheet).items
    assert rows(items, "description", "amount") == [("Teapot", "20.00"), ("Loyalty offer", "-2.00")]
    assert items[0].confidence > 0.7


def test_dates_times_and_labels_name_no_item() -> None:
    sheet = """
Order 7 9/12/2023           19:05
Server: Kim                 1.00
03/04/2023                  2.00
Soup                        4.00
TOTAL                       4.00
"""
    assert rows(read(sheet).items, "description") == [("Soup",)]


def test_what_is_below_the_total_is_no_item() -> None:
    sheet = """
Soup                        4.00
TOTAL                       4.00
Points earned today         4.00
Gift card left              20.00
"""
    assert rows(read(sheet).items, "description") == [("Soup",)]


def test_labels_run_together() -> None:
    sheet = """
Soup                        4.00
SALESTAX                    0.40
GRATUITY                    1.00
AMTDUE                      5.40
"""
    assert rows(read(sheet).items, "description") == [("Soup",)]


def test_a_receipt_with_headings() -> None:
    sheet = """
Item                 Qty    Price     Total
Socks                3      4.00      12.00
Scarf                1      9.00      9.00
Total                                 21.00
"""
    items = read(sheet).items
    assert rows(items, "description", "quantity", "unit_price", "amount") == [
        ("Socks", "3", "4.00", "12.00"),
        ("Scarf", "1", "9.00", "9.00"),
    ]


def test_nothing_but_a_total() -> None:
    assert read("Thank you\nTOTAL                       4.00\n").items == ()
