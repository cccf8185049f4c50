"""Contracts and delivery notes. All of them are invented."""

import pytest

from pipeline.fields.papers import delivery_note
from tests.unit.fields.paper import entities, page, values_of

VERTRAG = """
Dienstleistungsvertrag
Vertragsnummer: DV-2031-7
zwischen
Auftraggeber: Musterwerk Metallbau GmbH
und
Auftragnehmer: Beispiel Beratung AG
§ 1 Vertragsgegenstand
Der Auftragnehmer berät den Auftraggeber.
§ 2 Vergütung
Gesamtvergütung: 12.000,00 EUR
Datum: 06.05.2031
"""
HETONG = """
房屋租赁合同
合同编号：YZ-31-07
出租方（甲方）：云州星河样例科技有限公司
承租方（乙方）：安可心
第一条 租赁期限
第二条 租金
合同总金额：人民币12,000.00元
第三条 违约责任
签订日期：2031年05月06日
"""
DELIVERY = """
Alder Finch Supplies Ltd
DELIVERY NOTE
Delivery note no: DN-5521    Date: 06 May 2031
Your order no: PO-7781
Deliver to: Birchwood Clinics plc
Item  Description  Quantity delivered
1     Paper A4     10
Received in good condition
"""
LIEFERSCHEIN = """
Musterwerk Metallbau GmbH
LIEFERSCHEIN
Lieferschein-Nr.   Datum        Bestellnummer
LS-3312            06.05.2031   B-991
Lieferadresse: Beispiel Beratung AG
Pos. Bezeichnung Menge Gewicht
"""
SONGHUODAN = """
送货单
单号：SH310506-01   送货日期：2031年05月06日
收货单位：云州星河样例科技有限公司   订单编号：PO-7781
供货单位：云州蓝鲸虚构办公设备有限公司
货物名称  规格  数量  单位
复印纸  A4  10  箱
收货人签字
"""

CASES = [
    (
        VERTRAG,
        "contract",
        {
            "number": "DV-2031-7",
            "date": "2031-05-06",
            "party_a": "Musterwerk Metallbau GmbH",
            "party_b": "Beispiel Beratung AG",
            "amount": "12000.00",
        },
    ),
    (
        HETONG,
        "contract",
        {
            "number": "YZ-31-07",
            "date": "2031-05-06",
            "party_a": "云州星河样例科技有限公司",
            "party_b": "安可心",
            "amount": "12000.00",
        },
    ),
    (
        DELIVERY,
        "delivery_note",
        {
            "number": "DN-5521",
            "date": "2031-05-06",
            "order_number": "PO-7781",
            "seller": "Alder Finch Supplies Ltd",
            "buyer": "Birchwood Clinics plc",
        },
    ),
    (
        LIEFERSCHEIN,
        "delivery_note",
        {
            "number": "LS-3312",
            "date": "2031-05-06",
            "order_number": "B-991",
            "seller": "Musterwerk Metallbau GmbH",
            "buyer": "Beispiel Beratung AG",
        },
    ),
    (
        SONGHUODAN,
        "delivery_note",
        {
            "number": "SH310506-01",
            "date": "2031-05-06",
            "order_number": "PO-7781",
            "seller": "云州蓝鲸虚构办公设备有限公司",
            "buyer": "云州星河样例科技有限公司",
        },
    ),
]


@pytest.mark.parametrize(("paper", "kind", "values"), CASES)
def test_all_values_that_are_printed_are_found_and_no_others(
    paper: str, kind: str, values: dict[str, str]
) -> None:
    assert values_of(paper) == (kind, values)


def test_a_label_inside_a_longer_one_is_not_a_label() -> None:
    _, found = values_of(
        """
Fournitures Exemplaires SARL
BON DE LIVRAISON N° BL-2031-55
Date : 06/05/2031
Commande n° : C-991
Livré à : Atelier Test SAS
"""
    )
    assert (found["number"], found["order_number"]) == ("BL-2031-55", "C-991")
    assert (found["date"], found["buyer"]) == ("2031-05-06", "Atelier Test SAS")


def test_the_date_and_parties_of_an_agreement_in_prose() -> None:
    kind, found = values_of(
        """
LEASE AGREEMENT
This Lease Agreement is made on 6 May 2031 by and between
Landlord: Birchwood Estates Ltd
Tenant: Jane Doe
The tenant pays the rent to the landlord.
Governing law: Sample State
"""
    )
    assert kind == "contract"
    assert found == {"date": "2031-05-06", "party_a": "Birchwood Estates Ltd", "party_b": "Jane Doe"}


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Lieferschein Nr. LS-7788", "LS-7788"),
        ("Lieferschein LS 7788", "LS 7788"),
        ("Bon de livraison n° 7788", "7788"),
        ("DELIVERY NOTE\nCustomer no: 12", None),
        ("LIEFERSCHEIN\n12 Kartons", None),
    ],
)
def test_the_number_of_a_delivery_note_is_its_own(title: str, number: str | None) -> None:
    one = page(title + "\nDelivery address: Fern Ltd")
    found = {field.name: field.value for field in delivery_note.find(one, entities(one))}
    assert found.get("number") == number
