"""Transactions of bank statements: signs, dates, balances."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from pipeline.fields.items import Found, days
from pipeline.fields.items.balances import Balances, weighed
from pipeline.models import Field
from tests.unit.fields.sheets import read as read_as
from tests.unit.fields.sheets import rows


def read(*sheets: str) -> Found:
    return read_as(*sheets, kind="bank_statement")


DEBIT_CREDIT = """
Statement of account from 2024-01-01 to 2024-01-31
Date        Details                     Debit      Credit      Balance
            Opening balance                                    100.00
02/01       Rent January                80.00                  20.00
15/01       Salary                                 1,500.00    1,520.00
            ACME payroll
31/01       Card payment 4711           20.50                  1,499.50
            Closing balance                                    1,499.50
"""


def test_columns_decide_the_sign() -> None:
    found = read(DEBIT_CREDIT)
    assert rows(found.items, "date", "description", "amount", "balance") == [
        ("2024-01-02", "Rent January", "-80.00", "20.00"),
        ("2024-01-15", "Salary ACME payroll", "1500.00", "1520.00"),
        ("2024-01-31", "Card payment 4711", "-20.50", "1499.50"),
    ]
    assert found.warnings == ()
    assert min(item.confidence for item in found.items) > 0.9


def test_a_statement_that_does_not_add_up_says_so() -> None:
    found = read(DEBIT_CREDIT.replace("20.50  ", "25.50  "))
    assert len(found.warnings) == 1
    assert found.warnings[0] == (
        "The statement does not add up as read: "
        "opening balance 100.00 + transactions 1394.50 is not the closing balance 1499.50."
    )
    assert max(item.confidence for item in found.items) < 0.6


def test_balances_that_do_not_follow_are_reported_without_an_opening_balance() -> None:
    rows_only = [line for line in DEBIT_CREDIT.splitlines() if "balance  " not in line]
    assert read("\n".join(rows_only)).warnings == ()
    wrong = "\n".join(rows_only).replace("1,520.00", "1,620.00")
    assert read(wrong).warnings == (
        "The statement does not add up as read: balances of its rows do not follow from their amounts.",
    )


GERMAN = """
Kontoauszug 12 vom 30.11.2023
Buchung     Wert        Verwendungszweck             Soll        Haben
            Alter Saldo per 31.10.2023                           1.000,00
04.11.      04.11.      Miete November               700,00
28.11.      29.11.      Gehalt                                   2.400,00
            Neuer Saldo per 30.11.2023                           2.700,00
"""


def test_german_statement() -> None:
    found = read(GERMAN)
    assert rows(found.items, "date", "description", "amount") == [
        ("2023-11-04", "Miete November", "-700.00"),
        ("2023-11-28", "Gehalt", "2400.00"),
    ]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [("80.00-", "1,500.00"), ("80.00 DR", "1,500.00 CR"), ("-80.00", "+1,500.00"), ("(80.00)", "1,500.00")],
)
def test_one_column_of_amounts_with_marks(first: str, second: str) -> None:
    sheet = f"""
Date            Description                 Amount
2024-01-02      Rent                        {first}
2024-01-15      Salary                      {second}
"""
    assert rows(read(sheet).items, "date", "amount") == [
        ("2024-01-02", "-80.00"),
        ("2024-01-15", "1500.00"),
    ]


def test_balances_tell_the_sign_where_nothing_else_does() -> None:
    sheet = """
Date            Description                 Amount      Balance
2024-01-01      Opening balance                         100.00
2024-01-02      Rent                        80.00       20.00
2024-01-15      Salary                      1,500.00    1,520.00
"""
    found = read(sheet)
    assert rows(found.items, "amount") == [("-80.00",), ("1500.00",)]
    assert found.warnings == ()


def test_newest_first() -> None:
    sheet = """
Date            Description                 Debit       Credit      Balance
2024-01-15      Salary                                  1,500.00    1,520.00
2024-01-02      Rent                        80.00                   20.00
"""
    found = read(sheet)
    assert found.warnings == ()
    assert found.items[0].confidence > 0.9


def test_a_row_without_a_date_has_that_of_the_row_above() -> None:
    sheet = """
Date            Description                 Debit       Credit
2024-01-15      Salary                                  1,500.00
                Refund                                  12.00
2024-01-16      Rent                        80.00
"""
    assert rows(read(sheet).items, "date", "amount") == [
        ("2024-01-15", "1500.00"),
        ("2024-01-15", "12.00"),
        ("2024-01-16", "-80.00"),
    ]


def test_the_year_of_a_day_is_that_of_the_nearest_date() -> None:
    sheet = """
Statement period 2023-12-15 to 2024-01-14
Date        Details                     Debit      Credit
28 Dec      Groceries                   30.00
05 Jan      Refund                                 10.00
"""
    assert rows(read(sheet).items, "date") == [("2023-12-28",), ("2024-01-05",)]


def test_a_day_without_any_year_has_no_date() -> None:
    sheet = """
Date        Details                     Debit      Credit
28 Dec      Groceries                   30.00
"""
    (item,) = read(sheet).items
    assert item.date is None
    assert item.confidence < 0.7


def test_transactions_go_on_over_pages() -> None:
    head = "Date        Details                     Debit      Credit     Balance\n"
    first = (
        "Period 2024-01-01 to 2024-01-31\n"
        + head
        + "01/01       Balance brought forward                           100.00\n"
        "02/01       Rent                        80.00                 20.00\n"
        "            Balance carried forward                           20.00\n"
    )
    second = (
        head + "            Balance brought forward                           20.00\n"
        "16/01       Refund                                 5.00       25.00\n"
        "            Closing balance                                   25.00\n"
    )
    found = read(first, second)
    assert rows(found.items, "page", "row", "amount", "balance") == [
        (1, 1, "-80.00", "20.00"),
        (2, 2, "5.00", "25.00"),
    ]
    assert found.warnings == ()


def test_a_table_of_fees_below_the_transactions_is_not_read_as_such() -> None:
    sheet = (
        DEBIT_CREDIT
        + """
Fees of this month          Count      Amount
Returned direct debit       2          5.00
"""
    )
    found = read(sheet)
    assert len(found.items) == 3
    assert found.warnings == ()


def test_without_headings_balances_tell_the_sign() -> None:
    sheet = """
Your account in January 2024, 2024-01-01 to 2024-01-31
              Previous balance                                 100.00
02/01/2024    Rent January                        80.00         20.00
15/01/2024    Salary                           1,500.00      1,520.00
              ACME payroll
31/01/2024    Card payment 4711                   20.50      1,499.50
"""
    found = read(sheet)
    assert rows(found.items, "date", "description", "amount", "balance") == [
        ("2024-01-02", "Rent January", "-80.00", "20.00"),
        ("2024-01-15", "Salary ACME payroll", "1500.00", "1520.00"),
        ("2024-01-31", "Card payment 4711", "-20.50", "1499.50"),
    ]
    assert found.warnings == ()


def test_without_headings_and_signs_the_rows_are_unsure() -> None:
    sheet = """
02/01/2024    Rent January                        80.00
15/01/2024    Salary                           1,500.00
31/01/2024    Card payment 4711                   20.50
"""
    found = read(sheet)
    assert max((item.confidence for item in found.items), default=0) < 0.5


def test_two_dates_and_amounts_are_no_statement() -> None:
    assert read("Due 02/01/2024    80.00\n02/01/2024    Invoice 7    80.00\n").items == ()


def test_sections_say_which_side_of_the_account_it_is() -> None:
    sheet = """
Account summary for January 2024, printed 2024-02-01
Beginning balance                                 100.00
Deposits and additions
Date          Description                         Amount
01/15         Salary                              1,500.00
01/20         Refund                              10.00
Total deposits and additions                      1,510.00
Electronic withdrawals
Date          Description                         Amount
01/02         Rent                                80.00
01/31         Phone                               20.00
Total electronic withdrawals                      100.00
"""
    assert rows(read(sheet).items, "description", "amount") == [
        ("Salary", "1500.00"),
        ("Refund", "10.00"),
        ("Rent", "-80.00"),
        ("Phone", "-20.00"),
    ]


def test_many_dates_on_the_page_do_not_make_each_row_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def counted(day: days.Day, known: Sequence[date]) -> date | None:
        seen.append(len(known))
        return days.with_year(day, known)

    monkeypatch.setattr("pipeline.fields.items.statement.with_year", counted)
    others = "\n".join(f"2024-01-{day:02} 2023-05-{day:02}" for day in range(1, 29))
    head = "Date        Details                     Debit      Credit\n28 Dec      Groceries                   30.00\n"
    read(f"{head}\n{others}")
    assert max(seen) == 4


def test_two_accounts_are_not_added_up() -> None:
    second = (
        DEBIT_CREDIT.replace("100.00", "300.00").replace("1,499.50", "7.00").replace("Salary", "Interest")
    )
    found = read(DEBIT_CREDIT, second)
    assert len(found.items) == 6
    assert found.warnings == ()


def test_the_record_may_have_the_balances() -> None:
    sheet = "\n".join(line for line in DEBIT_CREDIT.splitlines() if "balance  " not in line)
    sheet = sheet.replace("20.00", "").replace("1,520.00", "").replace("1,499.50", "")
    opening, closing = Field(name="opening", value="100.00"), Field(name="closing", value="1499.50")
    assert read(sheet).items[0].confidence < 0.9
    right = read_as(sheet, kind="bank_statement", fields=[opening, closing])
    assert right.warnings == ()
    assert right.items[0].confidence > 0.9
    wrong = read_as(sheet, kind="bank_statement", fields=[opening, structs.replace(closing, value="1.00")])
    assert "closing balance 1.00" in wrong.warnings[0]


def test_the_period_of_the_record_gives_the_year() -> None:
    sheet = """
Printed on 2025-06-07
Date        Details                     Debit      Credit
28 Dec      Groceries                   30.00
05 Jan      Refund                                 10.00
"""
    period = [
        Field(name="period_start", value="2023-12-15"),
        Field(name="period_end", value="2024-01-14"),
    ]
    found = read_as(sheet, kind="bank_statement", fields=period)
    assert rows(found.items, "date") == [("2023-12-28",), ("2024-01-05",)]


def test_soll_and_haben_behind_the_amount() -> None:
    sheet = """
Kontoauszug Nr. 3/2024 vom 31.03.2024
Bu-Tag    Wert      Vorgang                                  Umsatz in EUR
                    Alter Kontostand vom 29.02.2024          1.200,00 H
04.03.    04.03.    Lastschrift Stadtwerke                   150,00 S
15.03.    15.03.    Gehalt                                   2.000,00 H
                    Neuer Kontostand vom 31.03.2024          3.050,00 H
"""
    found = read(sheet)
    assert rows(found.items, "date", "amount") == [("2024-03-04", "-150.00"), ("2024-03-15", "2000.00")]
    assert found.warnings == ()


def test_several_transactions_of_a_day_with_one_balance() -> None:
    sheet = """
Account statement 1 March 2024 to 31 March 2024
Date         Payment type and details          Paid out      Paid in      Balance
29 Feb 24    BALANCE BROUGHT FORWARD                                      1,200.00
01 Mar 24    DD COUNCIL                        150.00
             ACME PAYROLL                                    2,000.00     3,050.00
04 Mar 24    CARD SUPERMARKET
             LONDON GB                         35.20
             CASH HIGH ST                      50.00                      2,964.80
31 Mar 24    BALANCE CARRIED FORWARD                                      2,964.80
"""
    found = read(sheet)
    assert rows(found.items, "date", "description", "amount") == [
        ("2024-03-01", "DD COUNCIL", "-150.00"),
        ("2024-03-01", "ACME PAYROLL", "2000.00"),
        ("2024-03-04", "CARD SUPERMARKET LONDON GB", "-35.20"),
        ("2024-03-04", "CASH HIGH ST", "-50.00"),
    ]
    assert found.warnings == ()


def balance(name: str, value: str) -> Field:
    return Field(name=name, value=value, confidence=0.7)


def test_balances_that_add_up_are_surer() -> None:
    found = weighed(
        {"opening": balance("opening", "100.00"), "closing": balance("closing", "90.00")},
        Balances(Decimal(100), Decimal(90), fit=True),
    )
    assert (found["opening"].confidence, found["closing"].confidence) == (0.85, 0.85)
    assert found["opening"].checks == ()


def test_balances_that_do_not_add_up_need_a_look() -> None:
    found = weighed({"closing": balance("closing", "90.00")}, Balances(Decimal(100), Decimal(90), fit=False))
    assert found["closing"].checks == ("sum_mismatch",)
    assert found["closing"].needs_review


def test_a_balance_of_the_record_that_the_rows_contradict() -> None:
    found = weighed({"closing": balance("closing", "9.00")}, Balances(Decimal(100), Decimal(90), fit=True))
    assert found["closing"].checks == ("contradiction",)
    assert found["closing"].confidence < 0.5


def test_without_a_sum_the_record_stays() -> None:
    fields = {"closing": balance("closing", "9.00")}
    assert weighed(fields, Balances()) == fields


def test_letters_for_debit_and_credit_may_have_a_column_of_their_own() -> None:
    found = read("""
Bu-Tag   Wert     Verwendungszweck                    Betrag EUR
                  alter Kontostand vom 30.04.2031         500,00  H
02.05.   02.05.   Gehalt                                2.100,00  H
06.05.   06.05.   Lastschrift Stadtwerke                   88,50  S
                  neuer Kontostand vom 31.05.2031       2.511,50  H
""")
    assert rows(found.items, "description", "amount") == [
        ("Gehalt", "2100.00"),
        ("Lastschrift Stadtwerke", "-88.50"),
    ]
    assert found.warnings == ()
