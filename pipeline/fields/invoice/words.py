"""What labels on invoices say, in seven languages: simplified text (`sheet.simplified`), one phrase a line.

A blank in a phrase stands for nothing, a blank or marks, so that `rechnungs nr` is Rechnungs-Nr. as well; NO, VAT, WITH
and WITHOUT stand for the words of `_GROUPS`. A label begins and ends where a word does.
"""

from __future__ import annotations

import re

_GROUPS = {
    "WITHOUT": (
        "(?:ohne|zzgl|exkl|excl|excluding|exclusive|exclusief|ex|exc|before|plus|sin|sem|senza|hors|net of|without"
        "|zonder)"
    ),
    "WITH": "(?:inkl|incl|inclusive|including|inclusief|mit|inc|con|com|comprese?|toutes|iva|btw)",
    "VAT": (
        "(?:mwst|mehrwertsteuer|ust|umsatzsteuer|vat|tva|iva|btw|igic|[csiu]?gst|hst|pst|qst|sales tax|steuer"
        "|tax(?:es|e)?|imposta|impuestos?)"
    ),
    "NO": "(?:nummer|number|numero|num|nro|nr|n[.]?o|n|#)",
}
_BLANK = r"(?:[ ]?[.:/'(-]{1,2}[ ]?|[ ])?"
"""A wide gap, two blanks, is not part of a label: the next column begins behind it."""
GAP = re.compile(r"[\s:.=>|*-]*(?:\([a-z0-9 /]{1,12}\))?[\s:.=>|*-]*")
"""What may stand between a label and its value."""


def words(text: str) -> re.Pattern[str]:
    """One pattern for the phrases of a text, which begin with a letter or #; of those that fit the first counts."""
    joined = "|".join(line.strip() for line in text.strip().splitlines())
    for name, group in _GROUPS.items():
        joined = joined.replace(name, group)
    joined = joined.replace(" ", _BLANK)
    # the look-ahead only saves time
    return re.compile(rf"(?=[a-z#])(?<![a-z0-9])(?:{joined})(?![a-z])")


CREDIT_NUMBER = words(r"""
    (?:[a-z]*gutschrifts?|rechnungs korrektur|korrektur(?:rechnung)?s?|storno(?:rechnung)?s?) NO
    credit (?:note|memo) NO
    (?:avoir|abono|nota (?:di|de) credito|creditnota|creditfactuur) NO
    NO (?:d |de |da |del |della )?(?:l )?(?:avoir|abono|nota (?:di|de) credito)
""")
NUMBER = words(r"""
    (?:[a-z]*(?<!ab)rechnungs?|(?<!ursprungs)beleg|faktura|faktur|dokument(?:en)?) NO
    (?:tax )?(?:invoice|inv|bill|document) (?:NO|id)
    pro ?forma NO
    (?:facture|piece) NO
    NO (?:de |du |de la )?(?:facture|piece)
    (?:factura|fattura|factuur|fatura) NO
    NO (?:de |da |della |del |di )?(?:la )?(?:factura|fattura|fatura|documento)
""")
_TITLE = (
    r"(?:rechnungs[ -]?korrektur|[a-z]*(?<!ab)rechnung|faktura|[a-z]*gutschrift|(?:tax |pro ?forma )?invoice"
    r"|credit (?:note|memo)|bill|facture|avoir|factura|abono|fattura|nota di credito|factuur|creditnota|creditfactuur"
    r"|fatura|nota de credito|liquidation)"
)
TITLED = re.compile(
    rf"(?=[a-z])(?<![a-z]){_TITLE}(?![a-z])(?:[\s]{{1,2}}(?:des|der|du|de la|of the|del|della) [a-z]{{2,30}})?"
    rf"(?:\s{{0,2}}\([^()]{{1,40}}\)){{0,2}}[\s.:-]{{0,3}}(?P<no>{_GROUPS['NO']}(?![a-z]))?"
)
"""The title of the paper, and its number behind it: Handelsrechnung (380) Nr. 471."""
REFERENCE = re.compile(
    r"(?:\b(?:zu|zur|fur|ihre|unsere|gemas|ursprung\w*|original|related|reference|against|corrects|corrected|previous"
    r"|origine|relatif|relative|annule|rectifie|rectifica|relativa|riferimento|betreft|referente)\b[^:]{0,12})$"
)
"""Before the number of another paper, such as of the invoice that a credit note corrects."""
BARE_NUMBER = words("""
    NO
    numero
    folio
""")
BARE_REFERENCE = words("""
    NO
    numero
    folio
    reference
    ref
""")
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
"""Behind a title, it is no number: Invoice 2024."""

ORDER = words(r"""
    (?:ihre )?bestell(?:ung)?s? NO
    (?:ihre |unsere )?bestellung
    (?:your |customer |purchase |client )?(?:order|po|p o) NO
    (?:your|purchase) order
    po(?=\s?[#:])
    (?:votre )?(?:bon de )?commande(?: client)? NO
    NO (?:de )?(?:votre )?(?:bon de )?commande
    (?:su )?pedido NO
    NO (?:de |del )?pedido
    (?:vs )?(?:vostro )?ordine(?: acquisto)? NO
    NO (?:d |dell |di )?ordine
    (?:uw )?(?:bestel|order|inkooporder) NO
    (?:nota de )?encomenda NO
""")
ORDER_OF_SELLER = words("""
    auftrags? NO
    (?:sales|job) order NO
    auftragsbestatigung
""")

DATE = words("""
    (?:[a-z]*rechnungs?|beleg|ausstellungs|faktura|fakturierungs|gutschrifts?) datum
    datum der (?:rechnung|ausstellung)
    (?:invoice|inv|bill|document|issue|issued|credit note) date
    date of (?:the )?(?:invoice|issue)
    issued (?:at|on)
    date (?:de )?(?:la )?(?:facture|facturation|emission|piece)
    date d emission
    emise? le
    facture du
    fecha (?:de )?(?:la )?(?:factura|emision|expedicion)
    data (?:della )?(?:fattura|documento|emissione)
    factuur datum
    data (?:da |de )?(?:fatura|emissao)
""")
AND_DATE = re.compile(r"\s?[/&+]\s?[a-z]{3,20}(?: of [a-z]{3,12})?")
"""A second label of the same date: Rechnungsdatum/Lieferdatum."""
BARE_DATE = words("""
    datum
    date
    fecha
    data
    den
    le
""")
DATED = re.compile(
    r"[\s,;]*(?:\([^()]{0,30}\)\s*)?"
    r"(?:vom|von|v|dated|date|of|from|du|del|van|de|datum|issued (?:at|on)|le|d d)?[\s.:,]*"
)
"""Between a number and the date of the same paper."""
PLACE = re.compile(r"[a-z][a-z .-]{1,30},\s*(?:den|le|the|am|a|de|li)?\s*|[a-z]{3,20},? den\s*")
"""Before the date of a letter: Kiel, 5 March 2024."""
OTHER_DATE = re.compile(
    r"(?:liefer|leistung|bestell|auftrag|versand|fallig|zahl|skonto|druck|vertrag|deliver|ship|order|due|print|payment"
    r"|period|livraison|echeance|commande|paiement|entrega|vencimiento|pedido|pago|consegna|scadenza|ordine|pagamento"
    r"|lever|verval|bestel|betaal|vencimento|encomenda|birth|start|end|begin|valid|gultig)\w*[\s./:-]*$"
)
"""Before `date`: the date of something else."""

DUE_DATE = words("""
    fallig(?:keit(?:s datum)?|keitstag)?(?: am| bis(?: zum)?)?
    zahlungs (?:ziel|termin|frist)(?: bis(?: zum)?)?
    zahlbar bis(?: zum| spatestens)?
    zu zahlen bis(?: zum)?
    (?:payment )?due(?: date| by| on)?
    (?:please )?(?:pay|payable|remit|payment)(?: by| until| before| on or before)
    (?:date d )?echeance
    date (?:limite )?de (?:paiement|reglement)
    (?:a payer|a regler|reglement|payable) (?:avant le|au plus tard le|jusqu'? ?au|le|au)
    (?:fecha (?:de )?)?vencimiento
    (?:data (?:di )?)?scadenza
    verval ?(?:datum|dag)
    (?:uiterste )?(?:betaal datum|betalen voor)
    (?:data (?:de )?)?vencimento
""")
DUE_SENTENCE = re.compile(
    r"(?<![a-z])(?:zahlbar|uberweisen|zahlen|begleichen|payable|pay|remit|transfer|payer|regler|pagar|betalen)(?![a-z])"
    r"[^;!?]{0,60}?(?<![a-z])(?:bis(?: zum)?|by|until|before|avant le|au plus tard le|antes del?|voor|ate)\s*"
    r"(?=$|[0-9a-z:])"
)
"""The date of payment in a sentence: please remit … until."""
DISCOUNT = re.compile(r"skonto|discount|escompte|descuento|sconto|korting|desconto|\bmit [0-9]")

DELIVERY = words("""
    (?:liefer|leistungs)(?: (?:und|oder|u) leistungs)? (?:datum|tag)
    datum der (?:lieferung|leistung)
    (?:geliefert|leistung erbracht) am
    (?:delivery|supply|service|shipping) date
    date of (?:delivery|supply|service)
    (?:delivered|shipped) on
    date (?:de )?(?:la )?(?:livraison|prestation|service)
    livre le
    fecha (?:de )?(?:la )?(?:entrega|operacion|prestacion)
    data (?:di |della )?consegna
    lever datum
    data (?:de |da )?entrega
""")
UNTIL = re.compile(r"\s*(?:-|–|bis|to|until|au|al|a|tot|ate|und|,)\s*$")
"""Between the two dates of a period."""
CURRENCY = words("""
    (?:rechnungs )?wahrung
    (?:invoice )?currency
    devise
    monnaie
    moneda
    valuta
    divisa
    moeda
""")

VAT_ID = words(r"""
    (?:ust|umsatzsteuer|mwst|vat|tva)(?: id| ident| identifikations?)?(?: (?:nr|no|nummer|number|intracom\w*|reg\w*))*
    uid(?: nr| nummer)?
    (?:numero|n|no) (?:de )?(?:identification )?tva(?: intracom\w*)?
    (?:nif|cif|n[.]i[.]f|c[.]i[.]f)
    (?:p|partita) iva
    (?:c f|codice fiscale)
    btw(?: (?:nr|nummer|id))*
    (?:nipc|contribuinte)(?: (?:n|no|nr))?
    (?:gst|abn|ein|tax)(?: (?:id|reg\w*|no|number|nr))*
""")
TAX_NUMBER = words("""
    steuer (?:nr|nummer)
    st nr
    fiscal (?:no|number|code)
    (?:siret|siren)(?: (?:n|no))?
    tax (?:no|number|id)
""")
"""Of numbers that only the tax office of one country knows."""
OF_BUYER = re.compile(
    r"(?:ihre?r?|your|votre|vos|client\w*|kunden?|customer|buyer|kaufers?|uw|su|del cliente|acquirente)[\s.:-]*$"
)
IBAN = words("iban(?: (?:nr|no|number))?")
BIC = words("(?:bic|swift)(?: (?:bic|swift|code|adresse|address))*")
