"""Evidence of the order of day, month and year."""

from __future__ import annotations

import pytest

from pipeline.ner.locale.days import date_order


@pytest.mark.parametrize(
    ("page", "languages", "country", "order"),
    [
        ("25/12/2018", (), None, "dmy"),
        ("12/25/2018", (), None, "mdy"),
        ("12/25/2018", (), "DE", "mdy"),
        ("25/12/2018 12/25/2018", (), None, None),
        ("03/04/2018", (), None, None),
        ("03/04/2018", (), "US", "mdy"),
        ("03/04/2018", (), "MY", "dmy"),
        ("03/04/2018", (), "JP", "ymd"),
        ("03/04/2018", (), "CA", None),
        ("03/04/2018", (), "XX", None),
        ("03/04/2018", ("de",), None, "dmy"),
        ("03/04/2018", ("fr", "en"), None, None),
        ("17-06-18", ("zh",), None, "ymd"),
        ("17-06-2018", ("zh",), None, "dmy"),
        ("10.15.20", (), None, None),
        ("03/04/2018 CALL (512) 555-0134", (), None, "mdy"),
        ("03/04/2018 CALL 416-555-0134 HST 13%", (), None, None),
        ("03/04/2018 Toronto M5V 2T6 416-555-0134", (), None, None),
        ("03/04/2018 AUSTIN,TX78701", (), None, "mdy"),
        ("03/04/2018 trans ID 12345", (), None, None),
    ],
)
def test_by_dates_country_language_and_address(
    page: str, languages: tuple[str, ...], country: str | None, order: str | None
) -> None:
    assert date_order(page, languages, country) == order
