"""ORG by legal form."""

from __future__ import annotations

import pytest

from pipeline.ner.patterns.organisations import find_organisations

HITS = [
    ("SUNRISE PAPER SDN BHD (1234567-W)", "SUNRISE PAPER SDN BHD"),
    ("Owned By: SUNRISE SUPPLY SDN. BHD.", "SUNRISE SUPPLY SDN. BHD."),
    ("MR. A.B.C. (M) SDNBHD", "MR. A.B.C. (M) SDNBHD"),
    ("99 FAST MART S/B (519999-X)", "99 FAST MART S/B"),
    ("99 FAST MART 5/B (519999-X)", "99 FAST MART 5/B"),
    ("NORTH CO. (M) BHD", "NORTH CO. (M) BHD"),
    ("thank you for shopping at Sunrise Paper Sdn Bhd", "Sunrise Paper Sdn Bhd"),
    ("signed by the Acme Widgets Ltd on Monday", "Acme Widgets Ltd"),
    ("ACME CO., LTD.", "ACME CO., LTD."),
    ("Acme, Inc.", "Acme, Inc."),
    ("ACME (S) PTE LTD", "ACME (S) PTE LTD"),
    ("Beispiel Werke GmbH", "Beispiel Werke GmbH"),
    ("SUNRISE ENTERPRISE\nNO 1", "SUNRISE ENTERPRISE"),
    ("RESTORAN PAGI INDAH", "RESTORAN PAGI INDAH"),
    ("名称：测试信息技术有限公司", "测试信息技术有限公司"),
    ("名称测试股份有限公司", "测试股份有限公司"),
    ("（甲方）某某贸易（上海）有限公司", "某某贸易（上海）有限公司"),
    ("他在测试制造有限责任公司工作", "测试制造有限责任公司"),
    ("开户行：测试银行城南支行", "测试银行城南支行"),
    ("某市第一医院\n检验报告", "某市第一医院"),
    ("王小明现任样例某某集团有限公司董事长", "样例某某集团有限公司"),
    ("王小明女士现为样例某某食品有限公司法定代表人", "样例某某食品有限公司"),
    ("其中，系样例某某机械有限公司控股股东", "样例某某机械有限公司"),
    ("控股股东为样例某某投资有限公司", "样例某某投资有限公司"),
    ("样例华为商贸有限公司", "样例华为商贸有限公司"),
    ("自2010年起历任样例某某股份有限公司经理", "样例某某股份有限公司"),
    ("本公司独立董事和样例某某咨询有限公司总经理", "样例某某咨询有限公司"),
    ("2001年3月样例某某有限公司成立", "样例某某有限公司"),
    ("就职于样例某某有限公司", "样例某某有限公司"),
    ("理工大学（原样例某某工业学院）", "样例某某工业学院"),
    ("任丘市样例有限公司", "任丘市样例有限公司"),
    ("Übermut & Söhne GmbH & Co. KG, Musterstadt", "Übermut & Söhne GmbH & Co. KG"),
    ("Musterhosting AG - Uferweg 40 - D-63571 Musterstadt", "Musterhosting AG"),
    ("Musterhosting AG  Vorstand: Erika Muster", "Musterhosting AG"),
    ("Erika Muster  Musterhosting AG", "Musterhosting AG"),
    ("Die Firma Muster Werke GmbH liefert", "Muster Werke GmbH"),
    ("Van den Voorbeeld Transport B.V.", "Van den Voorbeeld Transport B.V."),
    ("Transport van der Voorbeeld B.V.", "Transport van der Voorbeeld B.V."),
    ("Przykład Usługi sp. z o.o.", "Przykład Usługi sp. z o.o."),
    ("Příklad s.r.o., Praha", "Příklad s.r.o."),
    ("株式会社さんぷる商店 御中", "株式会社さんぷる商店"),
    ("お客様: 見本商事株式会社 様", "見本商事株式会社"),
    ("Managing Director of Acme Widgets Ltd", "Acme Widgets Ltd"),
    ("Director de Ejemplo Obras S.L.", "Ejemplo Obras S.L."),
    ("Payee Acme Widgets Ltd", "Acme Widgets Ltd"),
    ("Cliente Ejemplo Obras S.A.", "Ejemplo Obras S.A."),
    ("Monday Acme Widgets Ltd delivered", "Acme Widgets Ltd"),
    ("© 2024 Acme Widgets Ltd", "Acme Widgets Ltd"),
    ("2024 Widgets Ltd", "2024 Widgets Ltd"),
    ("Bank of Samples Ltd", "Bank of Samples Ltd"),
    ("经样例某某软件有限公司同意", "样例某某软件有限公司"),
    ("全资子公司样例某某贸易有限公司", "样例某某贸易有限公司"),
    ("申请人样例某某贸易有限公司", "样例某某贸易有限公司"),
    ("人人样例商业有限公司", "人人样例商业有限公司"),
    ("与样例某某物流有限公司签订合同", "样例某某物流有限公司"),
    ("收到样例某某电子有限公司交来货款", "样例某某电子有限公司"),
    ("zwischen der Musterhosting AG und", "Musterhosting AG"),
    ("Gesellschaft für Beispiele mbH", "Gesellschaft für Beispiele mbH"),
    ("Muster gGmbH", "Muster gGmbH"),
    ("Muster Bau e.K.", "Muster Bau e.K."),
    ("Muster Bau UG (haftungsbeschränkt)", "Muster Bau UG (haftungsbeschränkt)"),
    ("Versicherungsverein Musterstadt a.G.", "Versicherungsverein Musterstadt a.G."),
    ("Rechnung an Lieferant GmbH", "Lieferant GmbH"),
    ("Modelo Services SARL", "Modelo Services SARL"),
    ("SARL DURAND & CIE", "SARL DURAND & CIE"),
    ("Ejemplo Norte S.L.", "Ejemplo Norte S.L."),
    ("Esempio S.p.A., Milano", "Esempio S.p.A."),
    ("Esempio S.r.l.", "Esempio S.r.l."),
    ("Voorbeeld van Zaken B.V.", "Voorbeeld van Zaken B.V."),
    ("Eksempel ApS", "Eksempel ApS"),
    ("Exemplo Ltda", "Exemplo Ltda"),
    ("iSample Labs Ltd.", "iSample Labs Ltd."),
]
MISSES = [
    "SDN BHD",
    "ALAM) SDN BHD",
    "QTY UNIT AMT INC.",
    "TOTAL INC. GST",
    "speed limited to 50",
    "RESTAURANT ORDER CHIT NCR",
    "LOT 5/B JALAN",
    "we visited an enterprise",
    "有限公司",
    "建议到正规医院检查",
    "ACME\nLTD",
    "Acme  Ltd",
    "Las Vegas NV 89104",
    "Las Vegas, NV 89104",
    "RICE 10 KG",
    "Tomaten  KG",
    "EUR/KG",
    "1200 5th Ave SE",
    "PAID AS AGREED",
]


@pytest.mark.parametrize(("text", "span"), HITS)
def test_organisation(text: str, span: str) -> None:
    (mention,) = find_organisations(text)
    assert text[mention.start : mention.end] == span


@pytest.mark.parametrize("text", MISSES)
def test_no_organisation(text: str) -> None:
    assert list(find_organisations(text)) == []


def test_a_page_in_one_row_takes_steps_in_proportion() -> None:
    assert len(list(find_organisations("Acme Ltd, " * 20_000))) == 20_000


def test_two_companies_in_one_row_are_not_merged() -> None:
    text = "Acme, Inc. and Foo Bar GmbH"
    assert [text[m.start : m.end] for m in find_organisations(text)] == ["Acme, Inc.", "Foo Bar GmbH"]
