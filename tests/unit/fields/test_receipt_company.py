import pytest

from pipeline.documents.layout import assemble
from pipeline.models import Page
from tests.unit.fields.paper import line
from tests.unit.fields.slip import values

REST = "\n05/22/2018 12:31\nSoup  $4.00\nTotal  $4.00"

HEADS = [
    ("Blue Gull\n12 Sample Road\nSpringfield, IL 62701", "Blue Gull"),
    ("Blue Gull\n2503 N. Sample St\nSpringfield, IL 62701", "Blue Gull"),
    ("BLUE GULL\nFish and chips\nSPRINGFIELD, IL 62701", "BLUE GULL"),
    ("Welcome to Blue Gull\n2503 N. Sample St", "Blue Gull"),
    ("2503 N. Sample St\nSpringfield, IL 62701\nBLUE GULL DINER", "BLUE GULL DINER"),
    ("BLUE GULL\nServer: Anna\nTable 21", "BLUE GULL"),
    ("Receipt\nBLUE GULL\nTable No 21", "BLUE GULL"),
    ("Gull AG - Musterweg 4-6 - 12345 Musterstadt\nKunde Ltd.", "Gull AG"),
    ("Blaue Möwe GmbH & Co. KG\nMusterstr. 4\n12345 Musterstadt", "Blaue Möwe GmbH & Co. KG"),
    ("Gaviota Azul S.L.\nCalle Ejemplo 4", "Gaviota Azul S.L."),
    ("HARBOUR HOTEL\nEasy does it", "HARBOUR HOTEL"),
    ("BLLUE GULL BAKERLES SDN BHD\nBakerles products", "BLLUE GULL BAKERLES SDN BHD"),
    ("BLUE GULLANIA BAKERLES SDN BHD\nthe Bakeries of the town", "BLUE GULLANIA BAKERIES SDN BHD"),
    ("12:31\n(800) 555-0100\n99.00", None),
]


@pytest.mark.parametrize(("head", "company"), HEADS)
def test_names(head: str, company: str | None) -> None:
    assert values(head + REST).get("company") == company


def test_a_neighbour_column_is_not_part_of_the_name() -> None:
    lines = [
        line("BLUE GULL SDN BHD", 20, 0),
        line("CUSTOMER: RED FOX", 700, 0),
        line("05/22/2018", 20, 30),
        line("Total", 20, 90),
        line("$4.00", 400, 90),
    ]
    text, placed = assemble(lines, 1500, 2000)
    assert (
        values(Page(number=1, width=1500, height=2000, text=text, lines=placed))["company"]
        == "BLUE GULL SDN BHD"
    )


def test_an_address_next_to_the_name() -> None:
    lines = [line("2503 SAMPLE ST.", 20, 0), line("BLUE GULL", 185, 0), line("SPRINGFIELD, IL 62701", 20, 30)]
    lines += [line("05/22/2018", 20, 60), line("Total", 20, 90), line("$4.00", 400, 90)]
    text, placed = assemble(lines, 1500, 2000)
    assert values(Page(number=1, width=1500, height=2000, text=text, lines=placed))["company"] == "BLUE GULL"
