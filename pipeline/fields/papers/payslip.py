"""Fields of a payslip: employer, employee, period, gross and net pay."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipeline.fields.labels import Wanted, checked, find_labelled
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("employer", "employee", "employee_number", "period", "date", "gross", "net")
_PERIOD = (
    r"[0-9]{4} ?年 ?[0-9]{1,2} ?月|[A-Za-zÀ-ÿ]{3,10}\.?,? [0-9]{4}|[0-9]{1,2}[./-][0-9]{4}(?![0-9])"
    r"|(?:(?:du|vom|from|dal) )?[0-9]{1,4}[./-][0-9]{1,2}(?:[./-][0-9]{2,4})?"
    r"(?: ?(?:-|to|bis|au|al|至) ?[0-9./-]{5,10})?"
)
_WANTED = (
    Wanted(
        "employer",
        "employer(?: name)?|company(?: name)?|arbeitgeber|firma|employeur|entreprise|azienda"
        "|datore di lavoro|empresa|werkgever|用人单位|单位名称|公司名称|单位|公司",
    ),
    Wanted(
        "employee_number",
        "employee (?:no|number|id)|staff (?:no|id)|personal-?(?:nr|nummer)|matricule|matricola|员工编号|工号",
        "code",
    ),
    Wanted(
        "employee",
        "employee(?: name)?|name of employee|arbeitnehmer|mitarbeiter|salari[eé]|dipendente"
        "|trabajador|werknemer|员工姓名|姓名|name",
    ),
    Wanted(
        "period",
        "pay period|payroll period|period|salary (?:slip )?for(?: the month of)?|month"
        "|abrechnungsmonat|abrechnungszeitraum|zeitraum|p[eé]riode(?: de paie)?|mese"
        "|periodo(?: de liquidaci[oó]n)?|工资月份|所属月份|发放月份|月份",
        "code",
        _PERIOD,
    ),
    Wanted(
        "date",
        "pay date|payment date|date of payment|auszahlungsdatum|date de paiement|fecha|data"
        "|发放日期|date|datum",
        "DATE",
    ),
    Wanted(
        "gross",
        "(?:total )?gross (?:pay|salary|earnings|wages)|total earnings|gesamtbrutto|bruttolohn"
        "|bruttogehalt|brutto|salaire brut|total devengado|retribuzione lorda|brutoloon"
        "|brutosalaris|应发工资|应发合计|应发金额|应发",
        "MONEY",
    ),
    Wanted(
        "net",
        "net (?:pay|salary|wages|amount)|take-?home(?: pay)?|auszahlungsbetrag|nettoverdienst"
        "|nettolohn|nettobezug|netto|net [aà] payer|l[ií]quido a percibir|netto in busta|nettoloon"
        "|nettosalaris|实发工资|实发金额|实发合计|实发",
        "MONEY",
    ),
    Wanted("", "department|designation|tax code|部门|岗位|扣款合计|total deductions"),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page. Net pay above gross pay is in doubt."""
    found = {one.name: one for one in find_labelled(rows_of(page), entities, _WANTED)}
    gross, net = found.get("gross"), found.get("net")
    if gross and net and Decimal(net.value or 0) > Decimal(gross.value or 0):
        for one in (gross, net):
            found[one.name] = checked(one, "sum_mismatch", factor=0.5)
    return list(found.values())
