"""Fields of a delivery note (送货单, Lieferschein, bon de livraison, DDT, albarán, pakbon)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.receipt.company import find_company
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("number", "date", "order_number", "seller", "buyer")
_WANTED = (
    Wanted(
        "order_number",
        "订单编号|订单号|合同编号|采购单号|(?:your |customer |purchase )?order (?:no|number"
        "|ref)|p\\.?o\\.? (?:no"
        "|number)|bestell-?(?:nr|nummer)|auftrags-?(?:nr|nummer)|(?:n[o°] de )?commande(?: n[o°])?"
        "|ordine n|pedido(?: n[o°º])?|ordernummer",
        "code",
    ),
    Wanted(
        "number",
        "送货单号|出库单号|单据编号|发货单号|单号|编号|(?:delivery|dispatch) (?:note|order|docket) (?:no|number)"
        "|packing (?:slip|list) (?:no|number)|d/?o (?:no|number)|lieferschein[ -]?(?:nr|nummer)"
        "|bon de livraison n[o°]|d\\.?d\\.?t\\.? n|documento di trasporto n"
        "|albar[aá]n n[o°ºuú]m?(?:ero)?|pakbonnummer|guia de remessa n[o°º]",
        "code",
    ),
    Wanted(
        "number",
        "(?:delivery (?:note|docket)|packing (?:slip|list)|lieferschein|bon de livraison|d\\.?d\\.?t\\.?"
        "|documento di trasporto|albar[aá]n|pakbon|guia de remessa)(?=[ :#.]{1,3}[A-Z]{0,4}[ /-]?[0-9])",
        "code",
    ),
    Wanted("number", "number|nummer|n[o°º]|nr|no\\.?", "code"),
    Wanted(
        "date",
        "送货日期|出库日期|发货日期|单据日期|开单日期|delivery date|date of (?:delivery|issue)"
        "|ship(?:ping)? date"
        "|lieferdatum|date de livraison|data del trasporto",
        "DATE",
    ),
    Wanted("date", "日期|date|datum|fecha|data", "DATE"),
    Wanted(
        "seller",
        "供货单位|送货单位|发货单位|供应商|销货单位|supplier|seller|vendor|shipped from|sender"
        "|lieferant|absender"
        "|fournisseur|exp[eé]diteur|fornitore|mittente|proveedor|leverancier",
    ),
    Wanted(
        "buyer",
        "收货单位|购货单位|客户名称|客户|收货人|deliver to|delivered to|ship to"
        "|customer(?: name)?|consignee|buyer"
        "|sold to|lieferadresse|empfänger|kunde|livr[eé] [aà]|destinataire|client|destinatario"
        "|cliente|afleveradres|klant",
    ),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page. A seller without a label is in the head."""
    rows = rows_of(page)
    found = find_labelled(rows, entities, _WANTED)
    names = {one.name for one in found}
    company = find_company(rows, entities) if "seller" not in names else None
    buyer = next((one.value for one in found if one.name == "buyer"), None)
    if company is not None and company.value != buyer and company.confidence >= 0.8:
        found.append(
            structs.replace(company, name="seller", confidence=company.confidence * 0.9, checks=("no_label",))
        )
    return found
