import pytest

from tests.unit.fields.slip import values

REST = "\n05/22/2018 12:31\nSoup  $4.00\nTotal  $4.00"

ADDRESSES = [
    ("Blue Gull\n2503 N. Sample St\nSpringfield, IL 62701", "2503 N. Sample St Springfield, IL 62701"),
    (
        "Blue Gull\n21 Sample Park Village\nSpringfield, IL 62701",
        "21 Sample Park Village Springfield, IL 62701",
    ),
    ("Blue Gull\n79-19 Sample Ave,\nSpringfield, IL 62701", "79-19 Sample Ave, Springfield, IL 62701"),
    ("Blue Gull #744007\n870 W Sample St\nSpringfield, IL 62701", "870 W Sample St Springfield, IL 62701"),
    ("BLUE GULL\n6375SampleBlvd\nSpringfield,IL62701", "6375SampleBlvd Springfield,IL62701"),
    ("Blue Gull\n6375 South Sample Blvd\nTel (555) 555-0100", "6375 South Sample Blvd"),
    ("Blue Gull\nSpringfield, IL\nServer: Anna", "Springfield, IL"),
    ("Blue Gull\n33 Sample Street\nLondon ZZ1 3AN", "33 Sample Street London ZZ1 3AN"),
    ("Blue Gull\n1305 Sample Drive\nVancouver, BC V7T 1B6", "1305 Sample Drive Vancouver, BC V7T 1B6"),
    ("Blue Gull\n100 Sample Road\nStrathmere VIC 3041", "100 Sample Road Strathmere VIC 3041"),
    ("Blaue Möwe\nMusterstr. 2\n12345 Musterstadt\nTel. 030-5550009", "Musterstr. 2 12345 Musterstadt"),
    (
        "BLUE GULL SDN BHD\nNO 7, JALAN CONTOH\n00000 BANDAR CONTOH\nGST 000123",
        "NO 7, JALAN CONTOH 00000 BANDAR CONTOH",
    ),
    ("Blue Gull\nOrder 20052\nBill No: A21600, 53974, 53975", None),
    ("Blue Gull", None),
]


@pytest.mark.parametrize(("head", "address"), ADDRESSES)
def test_addresses(head: str, address: str | None) -> None:
    assert values(head + REST).get("address") == address
