"""Fields of a contract: its number, date, parties and amount."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("number", "date", "party_a", "party_b", "amount")
_NOTE = r"(?: ?\([^()\n]{1,16}\))?"
_FIRST = (
    "甲方|出租方|出卖人|发包人|发包方|委托方|采购方|需方|买方|用人单位|party a|landlord"
    "|lessor|buyer|purchaser|client"
    "|employer|auftraggeber|vermieter|käufer|arbeitgeber|bailleur|arrendador|locatore"
)
_SECOND = (
    "乙方|承租方|买受人|承包人|承包方|受托方|供货方|供方|卖方|劳动者|party b|tenant|lessee"
    "|seller|supplier|contractor"
    "|employee|auftragnehmer|mieter|verkäufer|arbeitnehmer|locataire|preneur|arrendatario"
    "|conduttore"
)
_WANTED = (
    Wanted(
        "number",
        "合同编号|协议编号|合同号|contract (?:no|number)|agreement (?:no|number)|vertragsnummer|vertrag nr"
        "|contrat n[o°]|contrato n[o°º]",
        "code",
    ),
    Wanted(
        "date",
        "签订日期|签订时间|签署日期|签约日期|合同日期|date of (?:contract|agreement)"
        "|contract date|effective date"
        "|signed on|made (?:and entered into )?(?:on|as of)|dated(?: as of)?|vertragsdatum|fait le",
        "DATE",
    ),
    Wanted("party_a", f"(?:{_FIRST}){_NOTE}", colon=True),
    Wanted("party_b", f"(?:{_SECOND}){_NOTE}", colon=True),
    Wanted(
        "amount",
        r"合同总价款?|费用合计|价款合计|服务费总额|合同总金额|合同金额|价税合计|合同价款|合同总额|总价款"
        r"|contract (?:price|sum|amount|value)"
        r"|total (?:price|fee|contract (?:price|sum|amount))|auftragssumme|gesamtvergütung"
        r"|gesamtpreis|kaufpreis|prix total|precio total",
        "MONEY",
    ),
    Wanted("date", "日期|date|datum", "DATE", colon=True),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    return find_labelled(rows_of(page), entities, _WANTED)
