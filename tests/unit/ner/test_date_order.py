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
        ("03/04/2018", ("de",), "JP", "dmy"),
        ("03/04/2018", ("es",), "US", "mdy"),
        ("03/04/2018", ("es",), None, "dmy"),
        ("03/04/2018", ("fr",), "CA", None),
        ("05/13 - 06/02/2014", (), None, "mdy"),
        ("13/05 bis 02/06/2014", (), None, "dmy"),
    ],
)
def test_by_dates_language_and_country(
    page: str, languages: tuple[str, ...], country: str | None, order: str | None
) -> None:
    assert date_order(page, languages, country) == order
