import pytest

from pipeline.documents.layout import assemble
from pipeline.models import Page
from tests.unit.fields.paper import line, page
from tests.unit.fields.slip import fields, values

HEAD = "BLUE GULL CAFE\n12 Sample Road\n05/22/2018 12:31\nSoup          $4.00\nBread         $2.50\n"

LABELS = [
    ("Subtotal  $6.50\nTax  $0.50\nTotal  $7.00", "7.00"),
    ("Subtotal  $6.50\nTax  $0.50\nBalance Due  $7.00", "7.00"),
    ("Subtotal  $6.50\nTax  $0.50\nDINE IN Total  $7.00", "7.00"),
    ("Items sold: 2      TOTAL  $6.50", "6.50"),
    ("$6.50 Total", "6.50"),
    ("Food  $6.50\nTax  $0.50\nPayment  $7.00\nCash  $20.00\nChange Due  $13.00", "7.00"),
    ("Total savings  $9.00\nTotal  $6.50", "6.50"),
    ("Total tax  $0.50\nTotal  $7.00", "7.00"),
    ("Total\n$6.50", "6.50"),
    ("$6.50\nTotal", "6.50"),
    ("Somme  6,50 €\nIncl. 10% TVA  0,59 €", "6.50"),
    ("Summe  6,50 €\nMwSt 7%  0,43 €", "6.50"),
    ("Gesamtbetrag EUR  6,50", "6.50"),
    ("Zu zahlen  6,50 €\nGegeben  10,00 €\nRückgeld  3,50 €", "6.50"),
    ("Total TTC  6,50 €\nRendu  3,50 €", "6.50"),
    ("A PAYER  6,50 €", "6.50"),
    ("Total a pagar  6,50 €\nEntregado  10,00 €\nCambio  3,50 €", "6.50"),
    ("Totaal  € 6,50", "6.50"),
    ("Total geral  6,50 €", "6.50"),
    ("Jumlah (RM)  6.50", "6.50"),
    ("Total $6.50\nGratuity 18%  $1.17\nGratuity 20%  $1.30", "6.50"),
]


@pytest.mark.parametrize(("sums", "total"), LABELS)
def test_labels_of_many_languages(sums: str, total: str) -> None:
    assert values(HEAD + sums)["total"] == total


def test_amounts_with_a_comma() -> None:
    assert (
        values("BLUE GULL\n22.05.2018\nPane  2,50\nPasta  4,00\nTOTALE EURO  6,50\nCONTANTE  6,50")["total"]
        == "6.50"
    )


def test_nothing_is_guessed() -> None:
    assert "total" not in values(HEAD)
    assert "total" not in values(HEAD + "Cash  $20.00")
    assert "total" not in values(HEAD + "Total")


def test_a_payment_is_the_total_if_it_is_the_only_amount() -> None:
    assert values("BRIDGE PLAZA\n22.05.2018 10:09\nLane 6\nTOLL PAID: $5.00\nReceipt")["total"] == "5.00"


def test_an_amount_without_a_label_is_the_total_if_the_parts_above_make_it() -> None:
    found = fields(HEAD + "Subtotal  $6.50\nTax  $0.50\n$7.00")["total"]
    assert (found.value, found.checks) == ("7.00", ("no_label",))
    assert "total" not in values(HEAD + "Subtotal  $6.50\nTax  $0.50\n$8.00")


def test_an_amount_with_an_unknown_label_is_the_total_if_all_above_add_up() -> None:
    assert values(HEAD + "Qwert  $6.50")["total"] == "6.50"
    assert "total" not in values(HEAD + "Qwert  $6.40")


def test_a_total_that_contradicts_the_parts_or_the_payment_says_so() -> None:
    good = fields(HEAD + "Subtotal  $6.50\nTax  $0.50\nTotal  $7.00")["total"]
    bad = fields(HEAD + "Subtotal  $6.50\nTax  $0.50\nTotal  $9.00")["total"]
    assert (good.checks, bad.checks) == ((), ("sum_mismatch",))
    assert good.confidence > bad.confidence
    paid = fields(HEAD + "Total  $6.50\nCash  $20.00\nChange  $10.00")["total"]
    assert paid.checks == ("payment_mismatch",)
    assert paid.confidence < 0.6


def test_a_total_below_the_price_of_a_thing_is_in_doubt() -> None:
    assert fields("BLUE GULL\nChair  $40.00\nTotal  $4.00")["total"].checks == ("sum_mismatch",)
    assert fields("BLUE GULL\nChair  $40.00\nCoupon  -$36.00\nTotal  $4.00")["total"].checks == ()


def test_a_vague_label_is_enough_if_the_payment_agrees() -> None:
    assert fields(HEAD + "Amount  $6.50")["total"].checks == ("no_label",)
    assert fields(HEAD + "Amount  $6.50\nVisa  $6.50")["total"].checks == ()


def test_rounding_to_coins_is_no_contradiction() -> None:
    rounded = fields(HEAD + "Subtotal  RM6.52\nRounding Adj  -0.02\nRounded Total  RM6.50")["total"]
    assert (rounded.value, rounded.checks) == ("6.50", ())


def test_a_line_for_a_tip_that_is_filled_in_by_hand() -> None:
    slip = fields("BLUE GULL CAFE\nAmount  $23.20\nTip\nTotal\nSignature")["total"]
    assert slip.value == "23.20"
    assert "tip_open" in slip.checks
    printed = fields(HEAD + "Subtotal  $6.50\nTip  $1.00\nTotal  $7.50")["total"]
    assert (printed.value, printed.checks) == ("7.50", ())


def test_a_total_that_is_printed_with_a_dash_is_not_negative() -> None:
    assert values(HEAD + "Total  -$6.50\nVisa  $6.50")["total"] == "6.50"


def skewed(by: float) -> Page:
    """A receipt whose amounts are printed `by` pixels below their labels."""
    rows = ["Subtotal", "Tax", "Total", "Thank you"]
    lines = [line("BLUE GULL CAFE", 20, 0), line("05/22/2018", 20, 30)]
    lines += [line(text, 20, 100 + 30 * n) for n, text in enumerate(rows)]
    amounts = ["$6.50", "$0.50", "$7.00"]
    lines += [line(text, 400, 100 + 30 * n + by) for n, text in enumerate(amounts)]
    text, placed = assemble(lines, 1500, 2000)
    return Page(number=1, width=1500, height=2000, text=text, lines=placed)


@pytest.mark.parametrize("by", [-40, -30, -15, 0, 15, 30, 40])
def test_amounts_printed_higher_or_lower_than_their_labels(by: float) -> None:
    found = values(skewed(by))
    assert (found.get("subtotal"), found.get("tax"), found["total"]) == ("6.50", "0.50", "7.00")


def test_all_labels_above_all_amounts() -> None:
    text = "BLUE GULL CAFE\n05/22/2018\nSubtotal\nTax\nTotal\n$6.50\n$0.50\n$7.00\nThank you"
    found = values(page(text))
    assert (found["subtotal"], found["tax"], found["total"]) == ("6.50", "0.50", "7.00")


def test_an_amount_keeps_its_own_label() -> None:
    assert "total" not in values("BLUE GULL CAFE\nSubtotal  339\nGST 5%  $16.95\nGrand Total  356")
