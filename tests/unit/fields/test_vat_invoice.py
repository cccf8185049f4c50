import pytest

from pipeline.fields import load
from pipeline.fields.filler import FIELDS
from pipeline.models import Field
from pipeline.settings import Settings
from tests.unit.fields.paper import entities, fields_of, page

FILLER = load(Settings())
BUYER_ID, SELLER_ID = "91119900MA00X1R280", "91119900MA00B7W93Q"
FORM = f"""
发票代码：1199261130        增值税专用发票      发票号码：00417365
                                        开票日期：2026年03月18日
购  名    称：云州星河样例科技有限公司                密 1*6<+81+574
买  纳税人识别号：{BUYER_ID}                码 -*0/968*62
方  地址、电话：云州市示范区试验路88号              区 2477</42*
货物或应税劳务、服务名称    数量   单价   金额     税率    税额
*纸制品*复印纸          10    100.00   1000.00   13%   130.00
合    计                    ¥1000.00        ¥130.00
价税合计（大写）   壹仟壹佰叁拾圆整      （小写）¥1130.00
销  名    称：云州蓝鲸虚构办公设备有限公司           备
售  纳税人识别号：{SELLER_ID}              注
收款人：林知远   复核：何雨桐   开票人：苏明哲
"""
DIGITAL = f"""
        电子发票（普通发票）              发票号码：26112000000012345678
                                  开票日期：2026年03月18日
购 名称：云州星河样例科技有限公司            销 名称：云州蓝鲸虚构办公设备有限公司
统一社会信用代码/纳税人识别号：{BUYER_ID}        统一社会信用代码/纳税人识别号：{SELLER_ID}
项目名称    规格型号   单位   数量   单价    金额    税率/征收率   税额
*纸制品*复印纸       箱    10   100.00   1000.00   13%      130.00
合    计                       ¥1000.00        ¥130.00
价税合计（大写）    壹仟壹佰叁拾圆整        （小写）¥1130.00
开票人：苏明哲
"""
VALUES = {
    "date": "2026-03-18",
    "buyer": "云州星河样例科技有限公司",
    "seller": "云州蓝鲸虚构办公设备有限公司",
    "buyer_tax_id": BUYER_ID,
    "seller_tax_id": SELLER_ID,
    "net": "1000.00",
    "tax": "130.00",
    "total": "1130.00",
}


def fields(text: str) -> dict[str, Field]:
    read = page(text)
    record = FILLER.fill([read], entities(read))
    assert record.document_type == "vat_invoice"
    assert tuple(f.name for f in record.fields) == FIELDS["vat_invoice"]
    return {f.name: f for f in record.fields}


@pytest.mark.parametrize(
    ("text", "code", "number"), [(FORM, "1199261130", "00417365"), (DIGITAL, None, "26112000000012345678")]
)
def test_the_form_and_the_fully_digital_invoice(text: str, code: str | None, number: str) -> None:
    found = fields(text)
    assert {name: f.value for name, f in found.items()} == {"code": code, "number": number} | VALUES
    assert {found[name].currency for name in ("net", "tax", "total")} == {"CNY"}
    assert all(f.confidence > 0.85 for f in found.values() if f.value)


def test_a_negative_invoice() -> None:
    text = FORM.replace("¥1000.00 ", "-¥1000.00 ").replace(" ¥130.00", " -¥130.00")
    for minus in ("（负数）", "负"):
        found = fields(text.replace("壹仟壹佰", f"{minus}壹仟壹佰").replace("¥1130.00", "¥-1130.00"))
        read = {name: found[name].value for name in ("net", "tax", "total")}
        assert read == {"net": "-1000.00", "tax": "-130.00", "total": "-1130.00"}
        assert all(found[name].confidence > 0.9 for name in read)


def test_contradicting_amounts_have_lower_confidence() -> None:
    right, wrong = fields(FORM), fields(FORM.replace("¥130.00", "¥180.00"))
    assert wrong["total"].value == "1130.00"
    for name in ("net", "tax", "total"):
        assert wrong[name].confidence < right[name].confidence
    assert wrong["tax"].confidence < 0.5


def test_capitals_and_sum_outvote_misread_digits() -> None:
    total = fields(FORM.replace("¥1130.00", "¥1180.00"))["total"]
    assert total.value == "1130.00"
    assert total.text == "壹仟壹佰叁拾圆整"
    assert total.confidence < 0.8


def test_capitals_that_disagree_lower_the_total() -> None:
    text = FORM.replace("合    计                    ¥1000.00        ¥130.00\n", "")
    agree, disagree = fields(text), fields(text.replace("壹仟壹佰叁拾", "贰仟壹佰叁拾"))
    assert disagree["total"].confidence < agree["total"].confidence


def test_tax_numbers_are_checked() -> None:
    found = fields(FORM.replace(BUYER_ID, "91119900MA00X1R281").replace(SELLER_ID, "119900123456789"))
    assert found["buyer_tax_id"].value == "91119900MA00X1R281"
    assert found["buyer_tax_id"].confidence < 0.5
    assert 0.5 < found["seller_tax_id"].confidence < 0.9


def test_a_buyer_without_a_tax_number() -> None:
    found = fields(FORM.replace(f"纳税人识别号：{BUYER_ID}", "纳税人识别号："))
    assert found["buyer_tax_id"].value is None
    assert found["seller_tax_id"].value == SELLER_ID


def test_an_exempt_invoice() -> None:
    text = FORM.replace("13%   130.00", "免税   ***").replace(
        "¥1000.00        ¥130.00", "¥1000.00        ***"
    )
    found = fields(text.replace("壹仟壹佰叁拾", "壹仟").replace("¥1130.00", "¥1000.00"))
    assert (found["net"].value, found["tax"].value, found["tax"].text) == ("1000.00", "0.00", "免税")


def test_what_is_missing_is_null() -> None:
    found = fields(
        "增值税普通发票\n购买方 纳税人识别号\n货物或应税劳务 税率 税额\n价税合计（大写）\n销售方 开票人"
    )
    assert {f.value for f in found.values()} == {None}


FLAT = """
电子发票（普通发票） 发票号码：
开票日期：
名称：  名称：
项目名称  规格型号  单位  数量  单价  金额  税率/征收率  税额
合计
价税合计（大写）  （小写）
31119000000000000005
2031年05月06日
云州星河样例科技有限公司
91119900MA00X1R280
云州蓝鲸虚构办公设备有限公司
91119900MA00B7W93Q
¥776.24  ¥7.76
¥784.00
"""


def test_a_digital_invoice_that_lost_its_layout() -> None:
    kind, found = fields_of(FLAT)
    assert kind == "vat_invoice"
    assert {name: field.value for name, field in found.items()} == {
        "number": "31119000000000000005",
        "date": "2031-05-06",
        "buyer": "云州星河样例科技有限公司",
        "seller": "云州蓝鲸虚构办公设备有限公司",
        "buyer_tax_id": "91119900MA00X1R280",
        "seller_tax_id": "91119900MA00B7W93Q",
        "net": "776.24",
        "tax": "7.76",
        "total": "784.00",
    }
    assert found["number"].checks == found["buyer"].checks == ("no_label",)


def test_amounts_that_do_not_add_up_are_not_taken_without_a_label() -> None:
    _, found = fields_of(FLAT.replace("¥784.00", "¥785.00"))
    assert not {"net", "tax", "total"} & found.keys()


def test_of_three_companies_without_labels_none_is_a_party() -> None:
    _, found = fields_of(FLAT + "海东样例物流有限公司\n")
    assert not {"buyer", "seller"} & found.keys()
