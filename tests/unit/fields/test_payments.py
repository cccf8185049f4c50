"""Receipts for payments, papers of banks, bank statements and payslips. All of them are invented."""

import pytest

from tests.unit.fields.paper import fields_of, values_of

SHOUJU = """
收 款 收 据
No 0012345          入账日期：2031年05月06日
交款单位：云州星河样例科技有限公司   收款方式：转账
人民币（大写）壹万贰仟圆整   ￥12000.00
收款事由：设备押金
收款单位（盖章）：云州北光幻想系统有限公司
"""
RECEIVED = """
OFFICIAL RECEIPT
Receipt No: OR-5521    Date: 06 May 2031
Received with thanks from: Birchwood Clinics plc
The sum of: one thousand two hundred dollars
Being payment for: consulting in April
Amount: $1,200.00
Payment method: bank transfer
For and on behalf of: Alder Finch Consulting Ltd
"""
QUITTUNG = """
QUITTUNG
Nr. 4711
Betrag: 150,00 EUR
von: Anna Beispiel
für: Raummiete April
dankend erhalten
Datum: 06.05.2031
"""
HUIDAN = """
云州样例银行 电子回单
回单编号：YZ310506000123     回单类型：转账
付款人户名：云州星河样例科技有限公司   收款人户名：云州北光幻想系统有限公司
付款人账号：6200000000000001234   收款人账号：6200000000000005678
付款人开户行：云州样例银行示范支行   收款人开户行：海东样例银行港口支行
金额（大写）：壹万贰仟圆整   （小写）：￥12,000.00
交易日期：2031-05-06   用途：货款
电子回单专用章
"""
DEBIT = """
Sample Commercial Bank
DEBIT ADVICE
Our reference: DA-2031-0099
Value date: 06 May 2031
Payer: Birchwood Clinics plc
Debit account: 12345678
Beneficiary: Alder Finch Consulting Ltd
Beneficiary account: GB82WEST12345698765432
Amount: GBP 1,200.00
Remittance information: invoice AF-2041
"""
STATEMENT = """
Sample Commercial Bank
BANK STATEMENT
Account holder: Jane Doe
Account number: 12345678   Sort code: 00-00-00
Statement period: 01 May 2031 to 31 May 2031
Date  Description  Paid out  Paid in  Balance
Opening balance                       1,000.00
02 May 2031  Card payment  50.00        950.00
28 May 2031  Salary          2,000.00  2,950.00
Closing balance                       2,950.00
"""
KONTOAUSZUG = """
Musterbank eG
KONTOAUSZUG Nr. 5/2031
Kontoinhaber: Anna Beispiel
IBAN: DE89370400440532013000   BIC: MUSTDE00XXX
Zeitraum: 01.05.2031 - 31.05.2031
Buchungstag  Valuta  Vorgang  Betrag EUR
Alter Kontostand  1.000,00 EUR
02.05.2031  02.05.2031  Lastschrift Strom  -50,00
Neuer Kontostand  950,00 EUR
"""
DUIZHANGDAN = """
云州样例银行对账单
户名：云州星河样例科技有限公司   账号：6200000000000001234   币种：人民币
起止日期：2031-05-01 至 2031-05-31
交易日期  摘要  借方发生额  贷方发生额  余额
期初余额          10,000.00
2031-05-06  货款  2,000.00    8,000.00
期末余额          8,000.00
"""
PAYSLIP = """
PAYSLIP
Employer: Alder Finch Consulting Ltd
Employee name: Jane Doe       Employee no: 0042
Pay period: May 2031          Pay date: 31 May 2031
Basic pay             3,000.00
Overtime                200.00
Gross pay             £3,200.00
PAYE tax                500.00
Net pay               £2,700.00
"""
GEHALT = """
Gehaltsabrechnung
Arbeitgeber: Musterwerk Metallbau GmbH
Arbeitnehmer: Anna Beispiel     Personalnummer: 0042
Abrechnungsmonat: Mai 2031   Steuerklasse 1
Gesamtbrutto             3.200,00
Lohnsteuer                 500,00
Auszahlungsbetrag        2.100,00
"""
GONGZI = """
工资条
单位：云州星河样例科技有限公司
姓名：安可心   工号：0042   月份：2031年5月
基本工资  绩效  应发工资  公积金  个税  实发工资
8000.00  2000.00  10000.00  1200.00  290.00  8510.00
"""

CASES = [
    (
        SHOUJU,
        "payment_receipt",
        {
            "number": "0012345",
            "date": "2031-05-06",
            "payer": "云州星河样例科技有限公司",
            "payee": "云州北光幻想系统有限公司",
            "reason": "设备押金",
            "method": "转账",
            "total": "12000.00",
        },
    ),
    (
        RECEIVED,
        "payment_receipt",
        {
            "number": "OR-5521",
            "date": "2031-05-06",
            "payer": "Birchwood Clinics plc",
            "payee": "Alder Finch Consulting Ltd",
            "reason": "consulting in April",
            "method": "bank transfer",
            "total": "1200.00",
        },
    ),
    (
        QUITTUNG,
        "payment_receipt",
        {
            "number": "4711",
            "date": "2031-05-06",
            "payer": "Anna Beispiel",
            "reason": "Raummiete April",
            "total": "150.00",
        },
    ),
    (
        HUIDAN,
        "bank_advice",
        {
            "bank": "云州样例银行",
            "number": "YZ310506000123",
            "date": "2031-05-06",
            "payer": "云州星河样例科技有限公司",
            "payer_account": "6200000000000001234",
            "payer_bank": "云州样例银行示范支行",
            "payee": "云州北光幻想系统有限公司",
            "payee_account": "6200000000000005678",
            "payee_bank": "海东样例银行港口支行",
            "purpose": "货款",
            "amount": "12000.00",
        },
    ),
    (
        DEBIT,
        "bank_advice",
        {
            "bank": "Sample Commercial Bank",
            "number": "DA-2031-0099",
            "date": "2031-05-06",
            "payer": "Birchwood Clinics plc",
            "payer_account": "12345678",
            "payee": "Alder Finch Consulting Ltd",
            "payee_account": "GB82WEST12345698765432",
            "purpose": "invoice AF-2041",
            "amount": "1200.00",
        },
    ),
    (
        STATEMENT,
        "bank_statement",
        {
            "bank": "Sample Commercial Bank",
            "holder": "Jane Doe",
            "account": "12345678",
            "period_start": "2031-05-01",
            "period_end": "2031-05-31",
            "opening": "1000.00",
            "closing": "2950.00",
        },
    ),
    (
        KONTOAUSZUG,
        "bank_statement",
        {
            "bank": "Musterbank eG",
            "holder": "Anna Beispiel",
            "account": "DE89370400440532013000",
            "period_start": "2031-05-01",
            "period_end": "2031-05-31",
            "opening": "1000.00",
            "closing": "950.00",
            "currency": "EUR",
        },
    ),
    (
        DUIZHANGDAN,
        "bank_statement",
        {
            "bank": "云州样例银行",
            "holder": "云州星河样例科技有限公司",
            "account": "6200000000000001234",
            "period_start": "2031-05-01",
            "period_end": "2031-05-31",
            "opening": "10000.00",
            "closing": "8000.00",
            "currency": "CNY",
        },
    ),
    (
        PAYSLIP,
        "payslip",
        {
            "employer": "Alder Finch Consulting Ltd",
            "employee": "Jane Doe",
            "employee_number": "0042",
            "period": "May 2031",
            "date": "2031-05-31",
            "gross": "3200.00",
            "net": "2700.00",
        },
    ),
    (
        GEHALT,
        "payslip",
        {
            "employer": "Musterwerk Metallbau GmbH",
            "employee": "Anna Beispiel",
            "employee_number": "0042",
            "period": "Mai 2031",
            "gross": "3200.00",
            "net": "2100.00",
        },
    ),
    (
        GONGZI,
        "payslip",
        {
            "employer": "云州星河样例科技有限公司",
            "employee": "安可心",
            "employee_number": "0042",
            "period": "2031年5月",
            "gross": "10000.00",
            "net": "8510.00",
        },
    ),
]


@pytest.mark.parametrize(("paper", "kind", "values"), CASES)
def test_all_values_that_are_printed_are_found_and_no_others(
    paper: str, kind: str, values: dict[str, str]
) -> None:
    assert values_of(paper) == (kind, values)


def test_net_pay_above_gross_pay_is_in_doubt() -> None:
    _, found = fields_of(PAYSLIP.replace("£2,700.00", "£3,700.00"))
    assert (found["net"].checks, found["gross"].checks) == (("sum_mismatch",), ("sum_mismatch",))


def test_a_statement_of_an_overdrawn_account_has_a_negative_balance() -> None:
    _, found = values_of(
        STATEMENT.replace("Closing balance                       2,950.00", "Closing balance  -50.00")
    )
    assert (found["opening"], found["closing"]) == ("1000.00", "-50.00")


def test_a_debit_balance_is_negative() -> None:
    _, found = values_of(
        """
RELEVÉ DE COMPTE
Titulaire : Anna Beispiel
du 01/05/2031 au 31/05/2031
Date  Libellé  Débit  Crédit
Solde précédent au 30/04/2031  22,15 €
Solde débiteur au 31/05/2031  278,96 €
"""
    )
    assert (found["opening"], found["closing"]) == ("22.15", "-278.96")
    assert (found["period_start"], found["period_end"]) == ("2031-05-01", "2031-05-31")
    assert found["holder"] == "Anna Beispiel"


SIDES = """
Sample Bank
Transfer confirmation
Payer                                 Payee
Name: Birchwood Clinics plc           Name: Alder Finch Ltd
Account: 12345678                     Account: 87654321
Amount: USD 1,200.00
"""
STACKED = """
海东样例银行电子回单
付款人
户名：云州星河样例科技有限公司
账号：6200000000000001234
收款人
户名：云州北光幻想系统有限公司
账号：6200000000000005678
交易金额：12,000.00
"""


def test_labels_that_are_printed_once_for_each_side() -> None:
    kind, found = values_of(SIDES)
    assert kind == "bank_advice"
    assert (found["payer"], found["payer_account"]) == ("Birchwood Clinics plc", "12345678")
    assert (found["payee"], found["payee_account"]) == ("Alder Finch Ltd", "87654321")


def test_sides_one_below_the_other() -> None:
    kind, found = values_of(STACKED)
    assert kind == "bank_advice"
    assert (found["payer"], found["payer_account"]) == ("云州星河样例科技有限公司", "6200000000000001234")
    assert (found["payee"], found["payee_account"]) == ("云州北光幻想系统有限公司", "6200000000000005678")


@pytest.mark.parametrize(("paper", "name"), [(SHOUJU, "total"), (HUIDAN, "amount")])
def test_capital_numerals_contradict_the_digits(paper: str, name: str) -> None:
    _, right = fields_of(paper)
    _, wrong = fields_of(paper.replace("壹万贰仟", "壹万叁仟"))
    assert (right[name].checks, wrong[name].checks) == ((), ("capitals_mismatch",))
    assert wrong[name].confidence < right[name].confidence


def test_the_period_of_a_statement_below_its_heading() -> None:
    _, found = values_of(
        """
Sample Savings Bank
Statement of Account
Account Name        Account Number     Statement Period
Jane Doe            12345678           01 May 2031 to 31 May 2031
01 May 2031  Opening Balance                            1,000.00
31 May 2031  Closing Balance                            950.00
"""
    )
    assert (found["holder"], found["account"]) == ("Jane Doe", "12345678")
    assert (found["period_start"], found["period_end"]) == ("2031-05-01", "2031-05-31")


def test_the_only_date_of_a_receipt_needs_no_label() -> None:
    paper = "收款收据\nNO. 0007781      2031年02月20日\n今收到：云州星河样例科技有限公司\n金额：￥3000.00"
    _, fields = fields_of(paper)
    assert (fields["date"].value, fields["date"].checks) == ("2031-02-20", ("no_label",))
    _, fields = fields_of(paper + "\n2031年02月21日")
    assert "date" not in fields or fields["date"].value is None
