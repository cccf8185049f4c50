"""What labels on invoices say, in seven languages: simplified text (`sheet.simplified`) by field.

A blank in a phrase stands for up to three blanks or marks, so that `rechnungs nr` is Rechnungs-Nr. as well. A label
begins and ends where a word does.
"""

from __future__ import annotations

import re

_NO = r"(?:nummer|number|numero|num|nro|nr|no|n|#)"
_TITLE = (
    r"(?:rechnungs[ -]?korrektur|[a-z]*(?<!ab)rechnung|faktura|[a-z]*gutschrift|(?:tax |pro ?forma )?invoice|credit (?:note|memo)|bill"
    r"|facture|avoir|factura|abono|fattura|nota di credito|factuur|creditnota|creditfactuur|fatura|nota de credito)"
)
GAP = re.compile(r"[\s:.=>|*-]*(?:\([a-z0-9 /]{1,12}\))?[\s:.=>|*-]*")
"""What may stand between a label and its value."""


def words(*phrases: str) -> re.Pattern[str]:
    """One pattern for several phrases, the first that fits counts."""
    joined = "|".join(phrases).replace(" ?", " ").replace(" ", r"[\s.:/'-]{0,3}")
    return re.compile(rf"(?<![a-z0-9])(?:{joined})(?![a-z])")


CREDIT_NUMBER = words(
    rf"(?:[a-z]*gutschrifts?|rechnungs korrektur|korrektur(?:rechnung)?s?|storno(?:rechnung)?s?) {_NO}",
    rf"credit (?:note|memo) {_NO}",
    rf"(?:avoir|abono|nota (?:di|de) credito|creditnota|creditfactuur) {_NO}",
    rf"{_NO} (?:d |de |da |del |della )?(?:l )?(?:avoir|abono|nota (?:di|de) credito)",
)
NUMBER = words(
    rf"(?:[a-z]*(?<!ab)rechnungs?|(?<!ursprungs)beleg|faktura|faktur|dokument(?:en)?) {_NO}",
    rf"(?:tax )?(?:invoice|inv|bill|document) {_NO}",
    r"invoice id",
    rf"(?:facture|piece) {_NO}",
    rf"{_NO} (?:de |du |de la )?(?:facture|piece)",
    rf"(?:factura|fattura|factuur|fatura) {_NO}",
    rf"{_NO} (?:de |da |della |del |di )?(?:la )?(?:factura|fattura|fatura|documento)",
)
TITLED = re.compile(
    rf"(?<![a-z]){_TITLE}(?![a-z])(?:[\s]{{1,2}}(?:des|der|du|de la|of the|del|della) [a-z]{{2,30}})?"
    rf"(?:\s{{0,2}}\([^()]{{1,40}}\)){{0,2}}[\s.:-]{{0,3}}(?P<no>{_NO}(?![a-z]))?"
)
"""The title of the paper, and its number behind it: Handelsrechnung (380) Nr. 471."""
REFERENCE = re.compile(
    r"(?:\b(?:zu|zur|fur|ihre|unsere|gemas|ursprung\w*|original|related|reference|against|corrects|corrected|previous"
    r"|origine|relatif|relative|annule|rectifie|rectifica|relativa|riferimento|betreft|referente)\b[^:]{0,12})$"
)
"""Before the number of another paper, such as of the invoice that a credit note corrects."""
BARE_NUMBER = words(_NO, "numero", "reference", "ref")

ORDER = words(
    rf"(?:ihre )?bestell(?:ung)?s? ?{_NO}",
    r"(?:ihre |unsere )?bestellung(?:snummer)?",
    rf"(?:your |customer |purchase |client )?(?:order|po|p o) {_NO}",
    r"(?:your|purchase) order",
    r"po",
    rf"(?:votre )?(?:bon de )?commande(?: client)? {_NO}",
    rf"{_NO} (?:de )?(?:votre )?(?:bon de )?commande",
    rf"(?:su )?pedido {_NO}",
    rf"{_NO} (?:de |del )?pedido",
    rf"(?:vs )?(?:vostro )?ordine(?: acquisto)? {_NO}",
    rf"{_NO} (?:d |dell |di )?ordine",
    r"(?:uw )?(?:bestel|order|inkooporder) ?(?:nummer|nr)",
    rf"(?:nota de )?encomenda {_NO}",
)
ORDER_OF_SELLER = words(rf"auftrags? ?{_NO}", rf"(?:sales|job) order {_NO}", r"auftragsbestatigung")

DATE = words(
    r"(?:[a-z]*rechnungs?|beleg|ausstellungs|faktura|fakturierungs|gutschrifts?) ?datum",
    r"datum der (?:rechnung|ausstellung)",
    r"(?:invoice|inv|bill|document|issue|issued|credit note) date",
    r"date of (?:the )?(?:invoice|issue)",
    r"issued (?:at|on)",
    r"date (?:de )?(?:la )?(?:facture|facturation|emission|piece)",
    r"date d emission",
    r"emise? le",
    r"facture du",
    r"fecha (?:de )?(?:la )?(?:factura|emision|expedicion)",
    r"data (?:della )?(?:fattura|documento|emissione)",
    r"factuur ?datum",
    r"data (?:da |de )?(?:fatura|emissao)",
)
BARE_DATE = words(r"datum", r"date", r"fecha", r"data", r"den", r"le")
DATED = re.compile(
    r"[\s,;]*(?:\([^()]{0,30}\)\s*)?(?:vom|von|v|dated|date|of|from|du|del|van|de|datum|issued (?:at|on)|le|d d)?[\s.:,]*"
)
"""Between a number and the date of the same paper."""
OTHER_DATE = re.compile(
    r"(?:liefer|leistung|bestell|auftrag|versand|fallig|zahl|skonto|druck|vertrag|deliver|ship|order|due|print|payment|period"
    r"|livraison|echeance|commande|paiement|entrega|vencimiento|pedido|pago|consegna|scadenza|ordine|pagamento|lever|verval"
    r"|bestel|betaal|vencimento|encomenda|birth|start|end|begin|valid|gultig)\w*[\s./:-]*$"
)
"""Before `date`: the date of something else."""

DUE_DATE = words(
    r"fallig(?:keit(?:s ?datum)?|keitstag)?(?: am| bis(?: zum)?)?",
    r"zahlungs ?(?:ziel|termin|frist)(?: bis(?: zum)?)?",
    r"zahlbar bis(?: zum| spatestens)?",
    r"zu zahlen bis(?: zum)?",
    r"(?:payment )?due(?: date| by| on)?",
    r"(?:please )?(?:pay|payable|remit|payment)(?: by| until| before| on or before)",
    r"(?:date d )?echeance",
    r"date (?:limite )?de (?:paiement|reglement)",
    r"(?:a payer|reglement|payable) (?:avant le|au plus tard le|le|au)",
    r"(?:fecha (?:de )?)?vencimiento",
    r"(?:data (?:di )?)?scadenza",
    r"verval ?datum",
    r"(?:uiterste )?(?:betaal ?datum|betalen voor)",
    r"(?:data (?:de )?)?vencimento",
)
DUE_SENTENCE = re.compile(
    r"(?<![a-z])(?:zahlbar|uberweisen|zahlen|begleichen|payable|pay|remit|transfer|payer|regler|pagar|betalen)(?![a-z])"
    r"[^;!?]{0,60}?(?<![a-z])(?:bis(?: zum)?|by|until|before|avant le|au plus tard le|antes del?|voor|ate)\s*(?=$|[0-9a-z:])"
)
"""The date of payment in a sentence: please remit … until."""
DISCOUNT = re.compile(r"skonto|discount|escompte|descuento|sconto|korting|desconto|\bmit [0-9]")

DELIVERY = words(
    r"(?:liefer|leistungs)(?: ?(?:und|oder|u) ?leistungs)? ?(?:datum|tag)",
    r"datum der (?:lieferung|leistung)",
    r"(?:geliefert|leistung erbracht) am",
    r"(?:delivery|supply|service|shipping) date",
    r"date of (?:delivery|supply|service)",
    r"(?:delivered|shipped) on",
    r"date (?:de )?(?:la )?(?:livraison|prestation|service)",
    r"livre le",
    r"fecha (?:de )?(?:la )?(?:entrega|operacion|prestacion)",
    r"data (?:di |della )?consegna",
    r"lever ?datum",
    r"data (?:de |da )?entrega",
)
UNTIL = re.compile(r"\s*(?:-|–|bis|to|until|au|al|a|tot|ate|und|,)\s*$")
"""Between the two dates of a period."""
CURRENCY = words(
    r"(?:rechnungs ?)?wahrung",
    r"(?:invoice )?currency",
    r"devise",
    r"monnaie",
    r"moneda",
    r"valuta",
    r"divisa",
    r"moeda",
)
