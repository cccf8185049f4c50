import pytest

from tests.unit.fields.slip import fields, values

DATES = [
    ("Invoice date 3 May 2018\nDue date 2 June 2018", "2018-05-03"),
    ("Service period 01.05.2018 - 31.05.2018\nDatum 14.06.2018", "2018-06-14"),
    ("01.05.2018-31.05.2018\n01.05.2018-31.05.2018\n01.05.2018-31.05.2018\nDatum: 14.06.2018", "2018-06-14"),
    ("Member since 25/12/2009\n22/05/2018 12:31", "2018-05-22"),
    ("22/05/2018 12:31\nValid until 25/12/2018", "2018-05-22"),
    ("Datum\n22.05.2018\nFällig\n25.06.2018", "2018-05-22"),
    ("Expires 25/12/2018", "2018-12-25"),
    ("no day", None),
]


@pytest.mark.parametrize(("text", "day"), DATES)
def test_the_documents_own_date(text: str, day: str | None) -> None:
    assert values(text).get("date") == day


def test_two_days_that_nothing_tells_apart() -> None:
    found = fields("22/05/2018\n25/05/2018")["date"]
    assert found.checks == ("contradiction",)
    assert found.confidence < fields("22/05/2018")["date"].confidence


def test_a_second_reading_is_kept_unless_the_page_settles_it() -> None:
    found = fields("03/04/2018 12:31")["date"]
    if found.other is not None:
        assert "ambiguous_date" in found.checks
    clear = fields("03/04/2018 12:31\n25/04/2018")["date"]
    assert clear.other is None
    assert "ambiguous_date" not in clear.checks
