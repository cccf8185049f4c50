"""Medical bills. All of them are invented."""

import pytest

from tests.unit.fields.paper import fields_of, values_of

HOSPITAL = """
云州市医疗住院收费票据（电子）
票据代码：11990131       票据号码：0001234567
交款人统一社会信用代码：119900********0028  校验码：ab12cd
交款人：安可心           开票日期：2031-05-09
项目名称  金额（元）  项目名称  金额（元）
床位费  300.00  护理费  120.00
西药费  1,080.50  手术费  2,500.00
金额合计（大写）肆仟元伍角整 （小写）4,000.50
业务流水号：310509001  病历号：Z001  住院号：310501  住院科别：骨科
住院时间：2031-05-01 至 2031-05-09
医保统筹基金支付：2,800.00  其他支付：0.00  个人账户支付：200.50  个人现金支付：1,000.00
个人自付：900.00  个人自费：100.00
收款单位（章）：云州市示范医院  复核人：甲  收款人：乙
"""
PATIENT = """
SAMPLETON GENERAL HOSPITAL
PATIENT BILL
Bill No: HB-00812        Bill date: 12 March 2031
Patient name: Jane Doe   MRN: 55512
Date of admission: 08 March 2031
Ward: Orthopaedics
Room charges            1,200.00
Laboratory                300.00
Total charges:          $1,500.00
Insurance paid:         $1,100.00
Patient pays:             $400.00
"""

CASES = [
    (
        HOSPITAL,
        "medical_bill",
        {
            "code": "11990131",
            "number": "0001234567",
            "check_code": "ab12cd",
            "date": "2031-05-09",
            "payer": "安可心",
            "institution": "云州市示范医院",
            "department": "骨科",
            "total": "4000.50",
            "fund": "2800.00",
            "account": "200.50",
            "cash": "1000.00",
            "own": "100.00",
        },
    ),
    (
        PATIENT,
        "medical_bill",
        {
            "number": "HB-00812",
            "date": "2031-03-12",
            "visit_date": "2031-03-08",
            "payer": "Jane Doe",
            "institution": "SAMPLETON GENERAL HOSPITAL",
            "department": "Orthopaedics",
            "total": "1500.00",
            "fund": "1100.00",
            "cash": "400.00",
        },
    ),
]


@pytest.mark.parametrize(("paper", "kind", "values"), CASES)
def test_all_values_that_are_printed_are_found_and_no_others(
    paper: str, kind: str, values: dict[str, str]
) -> None:
    assert values_of(paper) == (kind, values)


def test_parts_that_exceed_the_total_are_in_doubt() -> None:
    _, right = fields_of(HOSPITAL)
    _, wrong = fields_of(HOSPITAL.replace("2,800.00", "3,800.00"))
    assert right["total"].checks == ()
    assert {wrong[name].checks for name in ("total", "fund", "account", "cash")} == {("sum_mismatch",)}
    assert wrong["total"].confidence < right["total"].confidence


def test_it_has_no_net_and_no_tax() -> None:
    kind, found = fields_of(HOSPITAL)
    assert kind == "medical_bill"
    assert not {"net", "tax"} & found.keys()
    assert found["account"].currency == "CNY"
