"""Amounts of invoices: which of the labelled ones are chosen, and when none is."""

import sys

import pytest
from msgspec import structs

from pipeline.fields.invoice.amounts import find_amounts
from pipeline.fields.invoice.figures import figures_of
from pipeline.fields.sheet import Sheet
from pipeline.models import Field, PageLocale
from pipeline.ner.locale import localised
from tests.unit.fields.paper import entities, page


def amounts(text: str) -> dict[str, Field]:
    shown = localised([page(text)])[0]
    return {field.name: field for field in find_amounts([Sheet(shown, entities(shown))])}


def values(text: str) -> dict[str, str | None]:
    return {name: field.value for name, field in amounts(text).items()}


def test_of_several_totals_the_one_that_adds_up_is_chosen() -> None:
    have = values("Total items   900.00\nNet   100.00\nVAT   19.00\nTotal   119.00\nTotal weight   12.00")
    assert (have["net"], have["tax"], have["total"]) == ("100.00", "19.00", "119.00")


def test_taxes_of_several_rates_add_up_to_one() -> None:
    have = amounts("Net total   300.00\nVAT 20%   40.00\nVAT 5%   5.00\nGrand total   345.00")
    assert have["tax"].value == "45.00"
    assert (have["tax_20"].value, have["tax_5"].value) == ("40.00", "5.00")
    assert have["tax"].confidence < have["total"].confidence


def test_an_exempt_invoice_needs_no_tax() -> None:
    have = amounts("Nettobetrag   50,00\nGesamtbetrag   50,00")
    assert have["net"].value == have["total"].value == "50.00"
    assert "tax" not in have


def test_prepayments_leave_the_rest() -> None:
    assert (
        values("Total TTC   202,80\nTotal HT   169,00\nTVA   33,80\nAcompte   50,00\nNet à payer   152,80")[
            "due"
        ]
        == "152.80"
    )


def test_a_rest_that_does_not_fit_is_doubtful() -> None:
    due = amounts(
        "Total HT   169,00\nTVA   33,80\nTotal TTC   202,80\nAcompte   50,00\nNet à payer   150,80"
    )["due"]
    assert due.checks == ("sum_mismatch",)
    assert due.confidence < 0.5


def test_an_amount_that_is_due_already_is_not_asked_for_twice() -> None:
    text = "Net   100.00\nVAT   19.00\nTotal   119.00"
    assert values(text)["due"] == "119.00"
    assert "due" not in values(text + "\nPaid in full. Thank you.")


def test_each_amount_has_its_own_currency() -> None:
    have = amounts("Net   GBP 100.00\nVAT   GBP 19.00\nTotal   GBP 119.00\nTotal   EUR 140.00")
    assert have["total"].value == "119.00"
    assert have["currency"].value == have["total"].currency == "GBP"


def test_columns_of_sums_below_their_headings() -> None:
    text = """
Goods          Net amount     VAT amount     VAT %     Grand total
326.50         321.40         61.07          19.0      382.47
130.70         127.59         8.93           7.0       136.52
457.20         448.99         70.00          EUR       518.99
"""
    have = values(text)
    assert (have["net"], have["tax"], have["total"]) == ("448.99", "70.00", "518.99")
    assert (have["net_19"], have["tax_7"]) == ("321.40", "8.93")


def test_the_last_row_of_such_a_table_may_have_a_label() -> None:
    text = """
Rate     Net        VAT       Gross amount
20%      100.00     20.00     120.00
5%       10.00      0.50      10.50
Total    110.00     20.50     130.50
"""
    have = values(text)
    assert (have["net"], have["tax"], have["total"]) == ("110.00", "20.50", "130.50")


def test_charges_between_net_and_total() -> None:
    have = amounts("Subtotal   100.00\nShipping   10.00\nTax   8.80\nTotal   118.80")
    assert (have["tax"].value, have["total"].value) == ("8.80", "118.80")
    assert have["total"].confidence > 0.9
    assert have["net"].confidence < 0.5


def test_a_tax_that_is_contained_in_the_total_confirms_it() -> None:
    have = amounts("Rechnungsbetrag inkl. 19% MwSt.   119,00 EUR\ndarin enthaltene MwSt.   19,00 EUR")
    other = amounts("Rechnungsbetrag inkl. 19% MwSt.   119,00 EUR\ndarin enthaltene MwSt.   18,00 EUR")
    assert (have["tax"].value, have["total"].value) == ("19.00", "119.00")
    assert have["tax"].confidence > 0.9
    assert other["tax"].checks == ("no_sum",)


def test_an_amount_less_a_cash_discount_is_not_due() -> None:
    assert values("Rechnungsbetrag   119,00\nZahlbetrag abzüglich 2% Skonto   116,62")["due"] == "119.00"


def test_the_same_sums_in_two_currencies_are_a_contradiction() -> None:
    have = amounts("Net USD 100.00   EUR 92.00\nVAT USD 20.00   EUR 18.40\nTotal USD 120.00   EUR 110.40")
    assert have["total"].checks == ("contradiction",)
    assert have["total"].confidence < 0.5
    assert have["currency"].confidence < 0.5


@pytest.mark.parametrize("label", ["Total (incl. VAT)", "Total amount, VAT included", "Total incl. VAT"])
def test_a_label_of_several_words_is_one(label: str) -> None:
    assert values(f"{label}   119.00")["total"] == "119.00"


def test_an_item_table_is_no_table_of_sums() -> None:
    text = """
Item        VAT      Price       Total
Lamp        7%       160.00      160.00
Net total: 496.00
VAT total: 75.04
Due payable: 571.04
"""
    have = values(text)
    assert (have["net"], have["tax"], have["total"], have["due"]) == ("496.00", "75.04", "571.04", "571.04")


@pytest.mark.parametrize(
    "text", ["", "Total", "Net  VAT  Total", "Total   n/a", "VAT 20%", "Total   -", "100.00"]
)
def test_nothing_is_guessed(text: str) -> None:
    assert not {"net", "tax", "total", "due"} & set(values(text))


@pytest.mark.parametrize(("grouping", "expected"), [(" ", ["2100.00"]), (None, []), (".", [])])
def test_a_blank_is_a_grouping_mark_only_where_the_page_says_so(
    grouping: str | None, expected: list[str]
) -> None:
    shown = structs.replace(page("Netto 2 100,00"), locale=PageLocale(decimal=",", grouping=grouping))
    assert [str(figure.value) for figure in figures_of(Sheet(shown, []), 0)] == expected


def test_two_general_labels_with_different_amounts_are_a_contradiction() -> None:
    total = amounts("Total   100.00\nTotal   120.00")["total"]
    assert total.checks == ("contradiction",)
    assert total.confidence < 0.5


def test_a_total_in_two_currencies_leaves_the_currency_in_doubt() -> None:
    found = amounts("Total USD   840.00\nExchange rate   0.9200\nTotal EUR   772.80")
    assert found["total"].checks == found["currency"].checks == ("contradiction",)
    assert found["currency"].confidence < 0.5


def test_taxes_by_rate_make_up_the_total_without_a_sum_of_the_nets() -> None:
    found = amounts("""
Gesamtbetrag EUR     228,50
MwSt-Satz    Netto     MwSt     Brutto
7%           177,57    12,43    190,00
19%           32,35     6,15     38,50
""")
    assert found["total"].value == "228.50"
    assert found["tax"].value == "18.58"
    assert (found["tax_7"].value, found["tax_19"].value) == ("12.43", "6.15")
    assert "net" not in found


@pytest.mark.parametrize(
    ("row", "name"),
    [("Zwischentotal", "net"), ("Maatstaf van heffing", "net"), ("Gutschriftbetrag", "total")],
)
def test_labels_of_sums(row: str, name: str) -> None:
    assert amounts(f"{row}   EUR 12.50")[name].value == "12.50"


@pytest.mark.parametrize("row", ["Total 1.00 ", "Net 1.00  VAT 2.00  Total 3.00\n", "1.00 "])
def test_a_page_of_amounts_takes_steps_in_proportion(row: str) -> None:
    def steps(count: int) -> int:
        shown = localised([page(row * count)])[0]
        sheet = Sheet(shown, entities(shown))
        calls = 0

        def count_call(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count_call)
        try:
            find_amounts([sheet])
        finally:
            sys.setprofile(None)
        return calls

    few, many = steps(50), steps(500)
    assert many < 20 * few + 2000


def test_long_runs_of_letters_and_digits_are_read_at_once() -> None:
    for text in ("a" * 50_000, "1" * 50_000, "1." * 25_000, "total " * 8_000, "invoice (" * 5_000):
        assert not amounts(text)
