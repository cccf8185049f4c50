import pytest

from tests.unit.fields.slip import fields, values

SUMS = "Soup  $4.00\nTotal  $4.00\n"

PHONES = [
    ("BLUE GULL CAFE\nTel: 03-5550 0009  Fax: 03-5550 0008\n" + SUMS, "0355500009"),
    ("BLUE GULL CAFE\nFax: 03-5550 0008\n" + SUMS, None),
    ("BLUE GULL CAFE\n" + SUMS, None),
    ("BLUE GULL CAFE\nTel: 000-0000 0000\n" + SUMS, None),
    ("BLUE GULL CAFE\nTel: 03-5550 0009\n" + SUMS + "Survey: call 03-5550 0007", "0355500009"),
]


@pytest.mark.parametrize(("text", "phone"), PHONES)
def test_phones(text: str, phone: str | None) -> None:
    assert values(text).get("phone") == phone


TIMES = [
    ("BLUE GULL CAFE\n22/05/2018 12:31\n", "12:31"),
    ("BLUE GULL CAFE\nOpen 8:00 to 21:00\n22/05/2018\n12:31\n", "12:31"),
    ("BLUE GULL CAFE\nOpened 22/05/2018 12:31\nClosed 22/05/2018 13:05\n", "13:05"),
    ("BLUE GULL CAFE\nOpen 8:00 to 21:00\n22/05/2018\n", None),
    ("BLUE GULL CAFE\nTime: 9:05 PM\n", "21:05"),
]


@pytest.mark.parametrize(("head", "time"), TIMES)
def test_times(head: str, time: str | None) -> None:
    assert values(head + SUMS).get("time") == time


def test_several_times_lower_the_confidence() -> None:
    one = fields("BLUE GULL CAFE\n22/05/2018 12:31\n" + SUMS)["time"]
    two = fields("BLUE GULL CAFE\n22/05/2018 12:31\n22/05/2018 13:05\n" + SUMS)["time"]
    assert one.confidence > two.confidence
    assert (one.checks, two.checks) == ((), ("contradiction",))
