import pytest

from tests.unit.fields.slip import fields, values

HEAD = "BLUE GULL CAFE\n12 Sample Road\n05/22/2018 12:31\nSoup          $4.00\nBread         $2.50\n"


def parts(sums: str) -> tuple[str | None, str | None, str | None]:
    found = values(HEAD + sums)
    return found.get("subtotal"), found.get("tax"), found.get("tip")


SUMS = [
    ("Subtotal  $6.50\nTax  $0.50\nTotal  $7.00", ("6.50", "0.50", None)),
    ("Subtotal  $6.50\nState tax  $0.40\nCity tax  $0.10\nTotal  $7.00", ("6.50", "0.50", None)),
    ("Subtotal  $6.50\nGST 5%  $0.33\nPST 7%  $0.46\nTotal  $7.29", ("6.50", "0.79", None)),
    (
        "Gross sales  $8.00\nDiscount  -$1.50\nSubtotal  $6.50\nTax  $0.50\nTotal  $7.00",
        ("6.50", "0.50", None),
    ),
    ("Subtotal  $6.50\nService charge  $0.65\nGST 7%  $0.50\nTotal  $7.65", ("6.50", "0.50", None)),
    ("Subtotal  $6.50\nTax  $0.50\nGratuity  $1.00\nTotal  $8.00", ("6.50", "0.50", "1.00")),
    ("$6.50\nTax  $0.50\nTotal  $7.00", ("6.50", "0.50", None)),
    ("Subtotal  $6.50\n$0.50\nTotal  $7.00", ("6.50", "0.50", None)),
    ("Subtotal  $6.50\nTax  $0.00\nTotal  $6.50", ("6.50", "0.00", None)),
    ("Total  $6.50", (None, None, None)),
    ("Total  $6.50\nTax invoice", (None, None, None)),
]


@pytest.mark.parametrize(("sums", "wanted"), SUMS)
def test_subtotal_tax_and_tip(sums: str, wanted: tuple[str | None, ...]) -> None:
    assert parts(sums) == wanted


def test_a_table_of_rates_is_added_up() -> None:
    found = fields(
        "BLUE GULL MARKT\n22.05.2018\nSumme  36,40 €\nSteuer  Netto  MwSt  Brutto\n"
        "A 19%  10,00  1,90  11,90\nB 7%  22,90  1,60  24,50"
    )
    assert (found["tax"].value, found["tax"].checks) == ("3.50", ())
    assert found["tax"].confidence > 0.8


def test_taxes_that_do_not_fit_are_in_doubt() -> None:
    found = fields(HEAD + "Subtotal  $6.50\nTax  $0.90\nTotal  $7.00")["tax"]
    assert (found.value, found.checks) == ("0.90", ("sum_mismatch",))
    assert found.confidence < 0.6


def test_an_amount_of_more_than_half_of_the_total_is_no_tax() -> None:
    assert "tax" not in values(HEAD + "Total  $7.00\nVAT  $6.00")
    assert values(HEAD + "Incl. VAT  $6.50")["total"] == "6.50"


def test_proposed_tips_are_no_tip() -> None:
    assert parts("Total  $7.00\nSuggested tip\n15%  Tip  $1.05\n20%  Tip  $1.40")[2] is None
    assert parts("Total  $7.00\nTip guide: Tip  $1.05")[2] is None


def test_the_spans_of_added_taxes_are_all_located() -> None:
    found = fields(HEAD + "Subtotal  $6.50\nState tax  $0.40\nCity tax  $0.10\nTotal  $7.00")["tax"]
    assert len(found.boxes) == 2
    assert found.text == "$0.40\n$0.10"
