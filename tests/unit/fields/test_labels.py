import time

import pytest
from msgspec import structs

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.printed import plain_number
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, PageLocale
from tests.unit.fields.paper import entities, page

WANTED = (
    Wanted("number", "slip no|单号", "code"),
    Wanted("date", "日期|date", "DATE"),
    Wanted("name", "姓名|name"),
    Wanted("total", "合计|total", "MONEY"),
    Wanted("", "remarks"),
)


def find(
    text: str, wanted: tuple[Wanted, ...] = WANTED, locale: PageLocale | None = None
) -> dict[str, Field]:
    one = structs.replace(page(text), locale=locale)
    return {field.name: field for field in find_labelled(rows_of(one), entities(one), wanted)}


def test_a_value_stands_behind_its_label() -> None:
    found = find("Slip no: A-12  Date: 06 May 2031\nName: Anna Beispiel\nTotal: EUR 12.50")
    values = {name: field.value for name, field in found.items()}
    assert values == {"number": "A-12", "date": "2031-05-06", "name": "Anna Beispiel", "total": "12.50"}
    assert (found["total"].currency, found["name"].text) == ("EUR", "Anna Beispiel")


def test_a_value_stands_below_its_label_at_the_same_place_of_the_row() -> None:
    found = find("Slip no    Date            Name\nA-12       06 May 2031     Anna Beispiel")
    values = {name: field.value for name, field in found.items()}
    assert values == {"number": "A-12", "date": "2031-05-06", "name": "Anna Beispiel"}


def test_a_value_stands_below_its_label_in_its_column() -> None:
    found = find("Slip no             Name\n                    Anna Beispiel")
    assert {name: field.value for name, field in found.items()} == {"name": "Anna Beispiel"}


def test_no_value_is_taken_from_far_below_or_from_another_label() -> None:
    assert find("Name:\nRemarks: none") == {}
    assert find("Name\n\n\n\n\nAnna Beispiel") == {}
    assert "name" not in find("Name:\nDate: 06 May 2031")


def test_a_value_ends_where_the_next_label_begins() -> None:
    assert find("姓名：安可心 日期：2031-05-06")["name"].value == "安可心"
    assert find("Name: Anna Beispiel Ward: 4")["name"].value == "Anna Beispiel"


def test_the_characters_of_a_label_may_be_spaced() -> None:
    assert find("姓    名：安可心")["name"].value == "安可心"
    assert find("合 计：12.50")["total"].value == "12.50"


def test_the_label_is_a_whole_word() -> None:
    assert find("Surname: Beispiel") == {}
    assert find("开票日期：2031-05-06") == {}


def test_a_word_of_prose_is_no_label_where_a_colon_is_required() -> None:
    wanted = (Wanted("name", "from", colon=True),)
    assert find("from today on", wanted) == {}
    assert find("From: Anna Beispiel", wanted)["name"].value == "Anna Beispiel"


def test_two_values_of_one_label_contradict_each_other() -> None:
    once, twice = find("Total: EUR 12.50"), find("Total: EUR 12.50\nTotal: EUR 13.50")
    assert (twice["total"].value, twice["total"].checks) == ("12.50", ("contradiction",))
    assert twice["total"].confidence < once["total"].confidence
    assert find("Total: EUR 12.50\nTotal: EUR 12.50")["total"].checks == ()


def test_the_first_entry_that_is_found_counts() -> None:
    wanted = (Wanted("total", "grand total", "MONEY"), Wanted("total", "total", "MONEY"))
    assert find("Total: EUR 9.00\nGrand total: EUR 12.50", wanted)["total"].value == "12.50"


def test_an_ambiguous_date_says_so() -> None:
    one = page("Date: 04/03/2031")
    date = Entity(
        page=1,
        type="DATE",
        text="04/03/2031",
        value="2031-03-04",
        other="2031-04-03",
        currency=None,
        confidence=0.9,
        start=6,
        end=16,
        boxes=(),
        engine="x",
    )
    (found,) = find_labelled(rows_of(one), [date], WANTED)
    assert (found.value, found.other, found.checks) == ("2031-03-04", "2031-04-03", ("ambiguous_date",))


def test_a_poorly_read_line_says_so() -> None:
    one = page("Name: Anna Beispiel")
    one = structs.replace(one, lines=tuple(structs.replace(line, confidence=0.6) for line in one.lines))
    (found,) = find_labelled(rows_of(one), [], WANTED)
    assert found.checks == ("low_ocr",)


@pytest.mark.parametrize(
    ("printed", "decimal", "value"),
    [
        ("1.234,56", ",", "1234.56"),
        ("1,234.56", ".", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("0", None, "0"),
        ("-12,50", ",", "-12.50"),
        ("1,234.56", ",", None),
        ("1.2.3", None, None),
    ],
)
def test_plain_numbers(printed: str, decimal: str | None, value: str | None) -> None:
    assert plain_number(printed, decimal) == value


def test_a_number_without_a_currency_is_an_amount_by_its_label() -> None:
    found = find("Total: 3.200,00", locale=PageLocale(decimal=",", currency="EUR"))["total"]
    assert (found.value, found.currency) == ("3200.00", "EUR")


def test_a_code_is_no_date_and_has_a_digit() -> None:
    assert find("Slip no: 06.05.2031") == {}
    assert find("Slip no: pending") == {}


def test_thousands_of_labels_are_searched_in_linear_time() -> None:
    one = page("\n".join(f"Total: {n}.50  Name: a{n}" for n in range(4000)))
    rows = rows_of(one)
    started = time.process_time()
    find_labelled(rows, [], WANTED)
    assert time.process_time() - started < 10


HEADINGS = (
    Wanted("fare", "票价", "MONEY"),
    Wanted("tax", "税额", "MONEY"),
    Wanted("total", "合计", "MONEY"),
)


def test_a_line_of_headings_names_the_amounts_below_it_in_their_order() -> None:
    found = find("票价 税率 税额 合计\nCNY 80.00 9% CNY 7.20 CNY 87.20", HEADINGS)
    assert {name: field.value for name, field in found.items()} == {
        "fare": "80.00",
        "tax": "7.20",
        "total": "87.20",
    }


def test_a_line_of_headings_names_nothing_if_there_are_more_or_fewer_amounts() -> None:
    assert find("票价 税额 合计\nCNY 80.00 CNY 87.20", HEADINGS) == {}
    assert find("票价 税额 合计\nCNY 80.00 CNY 7.20 CNY 0.00 CNY 87.20", HEADINGS) == {}


def test_a_text_has_a_letter() -> None:
    assert find("Name: 12345") == {}


def test_a_pattern_limits_the_value() -> None:
    wanted = (Wanted("place", "from", "text", "[A-Z][a-z]+"),)
    assert find("From: Sampleton 10:30", wanted)["place"].value == "Sampleton"
    assert find("From: 10:30 Sampleton", wanted) == {}


def test_a_general_label_behind_another_word_names_something_else() -> None:
    wanted = (Wanted("number", "number|no", "code"), Wanted("date", "date", "DATE"))
    assert find("Customer no: 4711\nExpiry date: 06 May 2031", wanted) == {}
    found = find("No: 4712\nDate: 06 May 2031", wanted)
    assert {name: field.value for name, field in found.items()} == {"number": "4712", "date": "2031-05-06"}


def test_letters_before_the_digits_belong_to_a_number() -> None:
    found = find("Slip no: DN 20331")
    assert found["number"].value == "DN 20331"
