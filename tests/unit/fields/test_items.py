"""Line items of invoices: headings, columns, rows that wrap, pages, sums."""

import pytest
from msgspec import structs

from pipeline.documents.layout import assemble
from pipeline.fields.items import Found, find_items
from pipeline.models import Field, Page
from pipeline.ner.locale import localised
from tests.unit.fields.paper import line, page
from tests.unit.fields.sheets import read, rows

GERMAN = """
Rechnung 4711 vom 03.05.2024
Pos    Bezeichnung                 Menge      Einzelpreis    MwSt %     Betrag
1      Gartenstuhl Eiche           4 Stk      129,90         19         519,60
       wetterfest geölt
2      Lieferung frei Haus         1          49,00          19         49,00
                                   Zwischensumme                        568,60
                                   zzgl. 19 % MwSt                      108,03
                                   Gesamtbetrag                         676,63
"""


def test_german_invoice() -> None:
    items = read(GERMAN).items
    assert rows(items, "description", "quantity", "unit", "unit_price", "amount", "tax_rate") == [
        ("Gartenstuhl Eiche wetterfest geölt", "4", "Stk", "129.90", "519.60", "19"),
        ("Lieferung frei Haus", "1", None, "49.00", "49.00", "19"),
    ]
    assert [(item.page, item.row) for item in items] == [(1, 1), (1, 2)]


def test_an_item_has_a_rectangle_for_each_of_its_rows() -> None:
    first, second = read(GERMAN).items
    assert (len(first.boxes), len(second.boxes)) == (2, 1)
    assert first.boxes[0][0][1] < first.boxes[1][0][1] < second.boxes[0][0][1]


ENGLISH = """
Description                    Qty    Unit price    Amount
Oak table 180 cm               1      1,250.00      1,250.00
Bench, set of 2                2      210.50        421.00
Subtotal                                            1,671.00
VAT 20 %                                            334.20
Total due                                           2,005.20
"""


def test_english_invoice_with_numbers_in_its_descriptions() -> None:
    assert rows(read(ENGLISH).items, "description", "quantity", "unit_price", "amount") == [
        ("Oak table 180 cm", "1", "1250.00", "1250.00"),
        ("Bench, set of 2", "2", "210.50", "421.00"),
    ]


FRENCH = """
Désignation                 Quantité    P.U. HT      Montant HT
Chaise pliante              12          1 024,50     12 294,00
Transport                   1           80,00        80,00
Total HT                                             12 374,00
TVA 20 %                                             2 474,80
"""

CHINESE = """
货物或应税劳务、服务名称                  规格型号      单 位     数 量     单 价       金 额         税 率       税 额
*家具*会议桌                       A-180     张       2       1500.00   3000.00     13%       390.00
*家具*办公椅                       B-7       把       10      260.00    2600.00     13%       338.00
合 计                                                               ¥5600.00              ¥728.00
"""


def test_grouping_by_spaces() -> None:
    assert rows(read(FRENCH).items, "description", "quantity", "unit_price", "amount") == [
        ("Chaise pliante", "12", "1024.50", "12294.00"),
        ("Transport", "1", "80.00", "80.00"),
    ]


def test_chinese_vat_invoice() -> None:
    items = read(CHINESE, kind="vat_invoice").items
    assert rows(items, "description", "unit", "quantity", "unit_price", "amount", "tax_rate") == [
        ("*家具*会议桌", "张", "2", "1500.00", "3000.00", "13"),
        ("*家具*办公椅", "把", "10", "260.00", "2600.00", "13"),
    ]


@pytest.mark.parametrize(
    "headings",
    [
        "Descripción                 Cantidad    Precio       Importe",
        "Descrizione                 Quantità    Prezzo       Importo",
        "Omschrijving                Aantal      Prijs        Bedrag",
        "Descrição                   Quantidade  Preço        Valor",
    ],
)
def test_headings_of_other_languages(headings: str) -> None:
    sheet = headings + "\nMesa 4711                   3           10,00        30,00\n"
    assert rows(read(sheet).items, "description", "quantity", "unit_price", "amount") == [
        ("Mesa 4711", "3", "10.00", "30.00")
    ]


STACKED = """
                                             Line
Item      Description         Unit           amount
no.                           price    Qty   excl. VAT
1         Felt pads           2.00     8     16.00
2         Wood oil            14.50    2     29.00
"""


def test_headings_stacked_in_several_rows() -> None:
    assert rows(read(STACKED).items, "description", "unit_price", "quantity", "amount") == [
        ("Felt pads", "2.00", "8", "16.00"),
        ("Wood oil", "14.50", "2", "29.00"),
    ]


def test_amount_may_be_the_quantity_where_a_total_follows() -> None:
    sheet = """
Amount    Product              Price      Total
3.00      Balcony box          7.50       22.50
"""
    assert rows(read(sheet).items, "quantity", "description", "amount") == [("3.00", "Balcony box", "22.50")]


def test_the_table_goes_on_where_the_next_page_repeats_its_headings() -> None:
    head = "Description                    Qty    Price     Amount\n"
    first = (
        head
        + "Lamp A                         1      20.00     20.00\nCarried forward                             20.00\n"
    )
    second = (
        "Page 2 of 2\n"
        + head
        + "Brought forward                             20.00\nLamp B                         2      10.00     20.00\n"
    )
    items = read(first, second).items
    assert rows(items, "page", "row", "description", "amount") == [
        (1, 1, "Lamp A", "20.00"),
        (2, 2, "Lamp B", "20.00"),
    ]


def test_the_table_goes_on_without_headings_on_the_next_page() -> None:
    first = """
Description                    Qty    Price     Amount
Lamp A                         1      20.00     20.00
"""
    second = """
Lantern Works, page 2
Lamp B                         2      10.00     20.00
Total                                       40.00
"""
    assert rows(read(first, second).items, "page", "description") == [(1, "Lamp A"), (2, "Lamp B")]


def test_after_its_total_the_table_does_not_go_on() -> None:
    first = ENGLISH
    second = "Terms\nInterest of 8 % from       1      day         2,005.20\n"
    assert len(read(first, second).items) == 2


def test_a_table_of_taxes_is_no_table_of_items() -> None:
    sheet = (
        ENGLISH
        + """
VAT rate      Taxable amount      VAT amount
20 %          1,671.00            334.20
"""
    )
    assert len(read(sheet).items) == 2


def test_an_item_may_be_named_like_a_sum() -> None:
    sheet = """
Description                    Qty    Price     Amount
Total care shampoo             2      4.00      8.00
Tax return 2023                1      90.00     90.00
"""
    assert rows(read(sheet).items, "description") == [("Total care shampoo",), ("Tax return 2023",)]


def test_rows_that_add_up_are_surer() -> None:
    added = read(ENGLISH).items
    missing = read(ENGLISH.replace("421.00", "412.00")).items
    assert min(item.confidence for item in added) > 0.9
    assert max(item.confidence for item in missing) < 0.85


def test_the_net_of_the_record_is_a_sum_too() -> None:
    sheet = "\n".join(ENGLISH.splitlines()[:4])
    alone = read(sheet).items
    known = read(sheet, fields=[Field(name="net", value="1671.00", confidence=0.9)]).items
    assert known[0].confidence > alone[0].confidence


def test_quantity_times_price_that_is_not_the_amount_lowers_it() -> None:
    sheet = """
Description                    Qty    Price     Amount
Lamp A                         3      20.00     60.00
Lamp B                         3      20.00     66.00
"""
    right, wrong = read(sheet).items
    assert right.confidence - wrong.confidence > 0.2


def test_a_delivery_note_has_no_amounts() -> None:
    sheet = """
Article no    Description              Quantity
A-100         Hinge, brass             250 pcs
A-200         Screw 4 x 40             1,000 pcs
"""
    assert rows(read(sheet, kind="delivery_note").items, "description", "quantity", "unit", "amount") == [
        ("Hinge, brass", "250", "pcs", None),
        ("Screw 4 x 40", "1000", "pcs", None),
    ]


@pytest.mark.parametrize("kind", ["other", "contract", "id_card"])
def test_other_documents_have_no_items(kind: str) -> None:
    assert read(ENGLISH, kind=kind) == Found()


def test_prose_has_no_items() -> None:
    sheet = """
The amount and the price of each item are in the description below.
We sold 3 tables at 20.00 and 2 chairs at 10.00 in the year 2023.
"""
    assert read(sheet).items == ()


def test_no_pages() -> None:
    assert find_items("invoice", (), (), ()) == Found()


def test_a_page_with_many_amounts_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.fields.items import values

    calls = 0
    number_of = values.number_of

    def counted(text: str, decimal: str | None) -> values.Number | None:
        nonlocal calls
        calls += 1
        return number_of(text, decimal)

    for module in ("statement", "goods"):
        monkeypatch.setattr(f"pipeline.fields.items.{module}.number_of", counted)
    head = "Description          Qty    Price     Amount\n"
    counts = []
    for size in (200, 800):
        calls = 0
        body = "Lamp                 1      20.00     20.00\n" * size
        assert len(read(head + body).items) == size
        counts.append(calls)
    assert counts[1] < 5 * counts[0]


def test_a_figure_in_running_text_is_in_no_column() -> None:
    sheet = """
Description                         Qty       Price       Amount
Shelf                               1         30.00       30.00
delivered together with order number 12 and the 4 boxes of order 13 in May
Board                               2         5.00        10.00
"""
    shelf, board = read(sheet).items
    assert shelf.description == (
        "Shelf delivered together with order number 12 and the 4 boxes of order 13 in May"
    )
    assert (board.quantity, board.amount) == ("2", "10.00")


def test_hostile_pages_are_read_without_an_error() -> None:
    heads = ["Description Qty Price Amount", "Date Debit Credit Balance", "# # # #", "数量 单价 金额"]
    tails = ["- - - -", "1.2.3.4,5 ((( )))", "99999999999999999999.99", ".,.,.,", "%%%", "0" * 500]
    for kind in ("invoice", "bank_statement", "receipt"):
        for head in heads:
            for tail in tails:
                sheet: Page = page(f"{head}\n{tail}\n1 x {tail} {tail}\n")
                fields = [Field(name="total", value="not a number"), Field(name="opening", value="NaN")]
                find_items(kind, localised([sheet]), (), fields)


def test_two_tables_next_to_each_other() -> None:
    names, counts = "项目名称        数量/单位", "金额(元)"
    head = f"{names}      {counts}        {names}      {counts}"
    sheet = f"""
{head}
检查费          1.00/项        120.00         化验费          2.00/项        80.00
西药费          1.00/项        50.00
金额合计(小写) 250.00
"""
    items = read(sheet, kind="medical_bill").items
    assert rows(items, "description", "quantity", "unit", "amount") == [
        ("检查费", "1.00", "/项", "120.00"),
        ("西药费", "1.00", "/项", "50.00"),
        ("化验费", "2.00", "/项", "80.00"),
    ]


def test_a_unit_without_a_space_behind_its_number() -> None:
    sheet = """
Description                    Qty    Price     Amount
Potatoes 2kg bag               3pcs   4.00      12.00
"""
    assert rows(read(sheet).items, "description", "quantity", "unit") == [("Potatoes 2kg bag", "3", "pcs")]


def test_names_and_amounts_without_headings_if_they_add_up() -> None:
    sheet = """
Dear Ms Winter, for my work in May I charge
Concept for the garden              600.00
Planting plan                       250.00
Total                               850.00
"""
    assert rows(read(sheet).items, "description", "amount") == [
        ("Concept for the garden", "600.00"),
        ("Planting plan", "250.00"),
    ]
    assert read(sheet.replace("850.00", "900.00")).items == ()


def test_a_sum_on_another_page_counts() -> None:
    sheet = "\n".join(ENGLISH.splitlines()[:4])
    summed = read(sheet, "Summary\nSum of positions      1,671.00\n").items
    assert summed[0].confidence > read(sheet).items[0].confidence


def test_a_heading_with_its_currency_is_one_column() -> None:
    sheet = """
Item            Unit price (EUR)     Qty     Amount (EUR)
Bolt M8         0.12                 100     12.00
"""
    assert rows(read(sheet).items, "description", "unit_price", "quantity", "amount") == [
        ("Bolt M8", "0.12", "100", "12.00")
    ]


def test_an_unknown_heading_over_the_widest_column_is_the_description() -> None:
    sheet = """
Datum          Gewerk                             Stunden     Satz        Betrag in EUR
03.02.2024     Dachstuhl                          3,5         95,00       332,50
"""
    (item,) = read(sheet).items
    assert (item.date, item.description, item.unit_price) == ("2024-02-03", "Dachstuhl", "95.00")


def test_a_discount_among_the_rows_does_not_end_the_table() -> None:
    sheet = """
Pos   Artikel            Menge   Einzelpreis   Gesamtpreis
1     Lampe              2       50,00         100,00
      Rabatt 10 %                              -10,00
2     Kabel              1       5,00          5,00
Zwischensumme                                  95,00
"""
    assert rows(read(sheet).items, "description", "amount") == [
        ("Lampe", "100.00"),
        ("Rabatt 10 %", "-10.00"),
        ("Kabel", "5.00"),
    ]


NAMED_ABOVE = """
Item                 Qty      Rate           Amount
Annual licence
A-1000               1        900.00         900.00
Support plan gold
A-2000               2        50.00          100.00
Total                                        1,000.00
"""


def test_names_above_or_below_the_row_of_the_article_number() -> None:
    above = [("Annual licence A-1000", "900.00"), ("Support plan gold A-2000", "100.00")]
    assert rows(read(NAMED_ABOVE).items, "description", "amount") == above
    head, first, one, second, two, total = NAMED_ABOVE.strip().splitlines()
    items = read("\n".join((head, one, first, two, second, total))).items
    below = [("A-1000 Annual licence", "900.00"), ("A-2000 Support plan gold", "100.00")]
    assert rows(items, "description", "amount") == below


def test_dates_in_running_text_stay_there() -> None:
    sheet = """
Description                         Qty       Price       Amount
Massage                             3         30.00       90.00
on 11.09.2018; 14.09.2018; 19.09.2018; 24.09.2018; 27.09.2018, each 2 hours
"""
    (item,) = read(sheet).items
    assert item.description == (
        "Massage on 11.09.2018; 14.09.2018; 19.09.2018; 24.09.2018; 27.09.2018, each 2 hours"
    )


FLAT = """
项目名称  规格型号  单位  数量  单价  金额  税率/征收率  税额
*家具*会议桌  张  2  1500.00  3000.00  13%  390.00
*家具*办公椅  3260.123456789  780.37  13%  101.45
*运输服务*送货
50.00  免税  ***
合 计  ¥3830.37  ¥491.45
"""


def test_a_vat_invoice_whose_columns_are_lost_is_read_by_its_figures() -> None:
    items = read(FLAT, kind="vat_invoice", fields=[Field(name="net", value="3830.37")]).items
    assert rows(items, "description", "unit", "quantity", "unit_price", "amount", "tax_rate") == [
        ("*家具*会议桌", "张", "2", "1500.00", "3000.00", "13"),
        ("*家具*办公椅", None, "3", "260.123456789", "780.37", "13"),
        ("*运输服务*送货", None, None, None, "50.00", None),
    ]
    assert min(item.confidence for item in items) > 0.9


def test_a_rate_that_does_not_explain_the_tax_is_no_row() -> None:
    sheet = FLAT.replace("390.00", "399.00")
    items = read(sheet, kind="vat_invoice", fields=[Field(name="net", value="3830.37")]).items
    assert all(item.confidence < 0.9 for item in items)


def test_units_that_were_read_as_one_word_from_top_to_bottom() -> None:
    sheet = page("""
名称                          单位      数量      单价      金额
扫描仪                                  4         10.00     40.00
复印纸                                  20        2.00      40.00
""")
    down = line("台箱", 300, 30)
    lines = [*sheet.lines, structs.replace(down, box=((300, 30), (320, 30), (320, 80), (300, 80)))]
    text, placed = assemble(lines, sheet.width, sheet.height)
    whole = structs.replace(sheet, text=text, lines=placed)
    items = find_items("invoice", localised([whole]), (), ()).items
    assert rows(items, "description", "unit") == [("扫描仪", "台"), ("复印纸", "箱")]


def test_a_sum_without_a_space_behind_its_label() -> None:
    sheet = """
Description                    Qty    Price     Amount
Paper 80g A4                   3      4.00      12.00
Total (EUR):12.00
"""
    (item,) = read(sheet).items
    assert item.description == "Paper 80g A4"
    assert item.confidence > 0.9


@pytest.mark.parametrize("label", ["Maatstaf van heffing", "Goods value", "Anything"])
def test_a_row_that_adds_up_those_above_it_is_a_sum_whatever_it_is_called(label: str) -> None:
    items = read(f"""
Description                    Qty    Price       Amount
Oak table                      2      120.00      240.00
Bench                          1      60.00       60.00
{label}                                           300.00
Freight                                           18.00
""").items
    assert rows(items, "description", "amount") == [("Oak table", "240.00"), ("Bench", "60.00")]


def test_a_heading_with_unit_and_currency_is_a_price_where_the_products_fit() -> None:
    items = read("""
Goods                          Qty    Unit EUR    Amount EUR
Jumper                         60     42.00       2,520.00
""").items
    assert rows(items, "quantity", "unit_price", "amount") == [("60", "42.00", "2520.00")]


def test_what_was_delivered_counts_and_not_what_was_ordered() -> None:
    items = read(
        """
Code       Description         Ordered     Delivered
HT-22      Clamp 60 cm         12          10
HT-23      Saw                 5           5
""",
        kind="delivery_note",
    ).items
    assert rows(items, "description", "quantity") == [("Clamp 60 cm", "10"), ("Saw", "5")]


def test_the_head_of_the_next_page_is_not_part_of_the_last_item() -> None:
    head = "Pos    Bezeichnung       Menge     Einzel     Gesamt\n"
    first = page(head + "1      Ersatzteil A      3         12,00      36,00\n")
    second = page(
        "Fichte GmbH   Rechnung: 778812     2          3\n\n\n"
        + head
        + "2      Ersatzteil B      3         12,00      36,00\n",
        number=2,
    )
    items = find_items("invoice", localised([first, second]), (), ()).items
    assert rows(items, "description") == [("Ersatzteil A",), ("Ersatzteil B",)]
