"""How invoices head the blocks of parties, and what their lines are: simplified text, see `invoice_words`."""

from __future__ import annotations

import re

from pipeline.fields.invoice.words import words

SELLER = words("""
    verkaufer(?:in)?
    lieferant(?:in)?
    rechnungssteller(?:in)?
    rechnungsabsender
    leistungserbringer(?:in)?
    auftragnehmer(?:in)?
    seller
    supplier
    vendor
    provider
    (?:billed|issued|sold|invoice) (?:by|from)
    verkauft (?:von|durch)
    vendu par
    vendido por
    venduto da
    verkocht door
    fournisseur
    vendeur
    emetteur
    prestataire
    vendedor
    proveedor
    emisor
    fornitore
    cedente
    mittente
    leverancier
    verkoper
    fornecedor
    emitente
    prestador
""")
BUYER = words(r"""
    kaufer(?:in)?
    rechnungs ?(?:empfanger(?:in)?|adresse|anschrift)
    rechnung an
    leistungsempfanger(?:in)?
    auftraggeber(?:in)?
    kunde(?:in|n)?
    (?:bill(?:ed|ing)?|invoiced?|sold|charge) to(?: address)?
    buyer
    purchaser
    customer(?: name| details)?
    client(?:e)?
    (?:billing|invoice|invoicing) address
    factur[ee]e? a
    adresse (?:de )?(?:facturation|client)
    acheteur
    destinataire
    receptor
    exm[oa]s?[.]?(?:\(?[sa]s?\)?)?(?: sr[as]{0,2}[.]?(?:\(?[sa]s?\)?)?)?
    facturar a
    comprador
    datos (?:del )?cliente
    cessionario
    committente
    spett(?:\.? ?le|abile)?
    intestatario
    destinatario
    klant
    factuur ?adres
    factuur aan
    afnemer
    koper
    adquirente
    faturar a
    tomador
""")
OTHER = words("""
    abweichende[rn]? [a-z]+
    [a-z]*bevollmachtigter?(?: des verkaufers)?
    warenempfanger(?:in)?
    liefer ?(?:adresse|anschrift|an)
    (?:ship|deliver|delivery|shipped|remit|pay)(?:ed)? to(?: address)?
    (?:delivery|shipping|remittance) address
    (?:adresse de )?livraison
    livre a
    (?:direccion de )?entrega
    enviar a
    destinazione(?: merce)?
    lever ?adres
    afleveradres
    zahlungsempfanger
    payee
    beneficiary
    bankverbindung
    bank details
""")
SHORT = words("""
    an
    aan
    para
    to
    a
    from
    von
    de
    kunde
    client
""")
"""Headings only where a colon follows, and then a name or nothing."""
HEADING_REST = re.compile(r"\s*(?:[/(&][a-z /()&.'-]{0,40})?\s*(?::|$)\s*")
STOP = words("""
    bemerkung(?:en)?
    betreff
    pos(?:ition(?:en|sdaten)?)?
    menge
    artikel
    art nr
    beschreibung
    description
    bezeichnung
    leistung(?:en)?
    item
    qty
    quantity
    quantite
    designation
    cantidad
    descripcion
    descrizione
    omschrijving
    aantal
    descricao
    seite
    page
    sehr geehrte
    dear
    qualifizierung
    terms
""")
DATA = words("""
    gln
    nummer
    globale nummer
    lief nr
    (?:kunden|lieferanten|debitoren|kreditoren|mandats?) (?:nr|no|nummer|id)
    (?:customer|client|account|vendor|supplier|klant) (?:nr|no|nummer|number|id)
    (?:tel|telefon|fon|phone|fax|telefax|mobil|mobile|e mail|email|mail|internet|web|www|http)
    (?:ust|umsatzsteuer|mwst|vat|tva|nif|cif|iva|btw|steuer|tax|gst|p iva|partita iva)
    (?:siret|siren|kvk|hrb|hra|rcs|abteilung|nipc|rfc|cnpj|cpf|abn|acn|gstin|uin|org nr|ein|uid)
    (?:capital|stammkapital|kapital)(?: social)?(?: (?:de|of))? [0-9]
    (?:ansprechpartner|inh|inhaber|kontakt|contact|attn|z hd|zu handen|c o|att)
    (?:weee?|oko|wee) [a-z-]+
""")
NAME_KEY = words("""
    name
    firma
    company(?: name)?
    raison sociale
    societe
    ragione sociale
    denominazione
    razon social
    nombre
    nom
    nome
    naam
    bedrijf
    empresa
    firmenname
""")
ADDRESS_KEY = words("""
    anschrift
    adresse
    address
    direccion
    domicilio
    indirizzo
    sede
    adres
    morada
    endereco
    strasse
    street
""")
POSTCODE = re.compile(
    r"(?=[0-9A-Z])(?:(?<![0-9A-Za-z/])(?:[A-Z]{1,3}[ -]{0,3})?"
    r"(?:[0-9]{4,6} {0,2}[A-Z]?[a-z]*|[0-9]{4} ?[A-Z]{2}|[0-9]{3} ?[0-9]{2}|[0-9]{4}-[0-9]{3})"
    r" {0,2}[A-ZÄÖÜÉÈ'][\w'.() /-]{2,}"
    r"|(?<![0-9A-Za-z])[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}(?![0-9A-Za-z])"
    r"|(?<![A-Z])[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?![0-9]))"
)
"""Postcode and town; of Britain and the USA the postcode alone."""
_STREET_END = re.compile(
    r"(?<!\w)(?:st|str|street|road|rd|ave?|avenue|lane|ln|drive|dr|blvd|boulevard|way|court|ct|place|pl|terrace"
    r"|square|sq|parkway|pkwy|highway|hwy|close|crescent)\.?(?: ?#? ?[0-9]{1,4})?$",
    re.IGNORECASE,
)


def is_town(text: str) -> bool:
    """Whether a line has a postcode and a town: 1500 Monroe St is a street."""
    match = POSTCODE.search(text)
    return match is not None and not (match.start() == 0 and _STREET_END.search(text.rstrip(" .,")))


LEGAL = re.compile(
    r"(?<!\w)(?:GmbH(?: ?& ?Co\.?(?: ?KGa?A?| ?OHG)?)?|[gm]mbH|GMBH|AG|KGaA|KG|OHG|GbR|e\.? ?K(?:fm|fr)?\.?|UG|SE"
    r"|e\.? ?V\.?|e\.? ?G\.?|a\. ?G\.?|Ltd\.?|LTD\.?|Limited|LIMITED|Inc\.?|INC\.?|LLC|L\.L\.C\.|LLP|PLC|plc"
    r"|Corp\.?|CORP\.?|Corporation|Pty\.?|Company|Co\.|CO\.|Sdn\.? Bhd\.?|Pte\.?"
    r"|S\.?A\.?S?\.?U?|S\.?A\.?R\.?L\.?|Sarl|EURL|SCI|SNC|S\.?L\.?U?\.?|S\.? ?r\.? ?l\.?s?|S\.? ?p\.? ?A\.?"
    r"|S\.?n\.?c\.?|S\.?a\.?s\.?|B\.?V\.?(?:BA)?|N\.?V\.?|V\.?O\.?F\.?|Lda\.?|LDA|Unipessoal"
    r"|ApS|A/S|AB|Oy|OYJ|AS|Sp\. ?z ?o\. ?o\.|s\. ?r\. ?o\.|a\. ?s\.|Kft\.?|d\. ?o\. ?o\.)(?!\w)"
)
"""Legal forms of companies, as they are written."""
TITLE = re.compile(
    r"(?:(?:an|to|z ?hd|herrn?|frau|firma|familie|mr|mrs|ms|messrs|mme|mlle|m|monsieur|madame|societe|sr|sra|don|dona"
    r"|sig|sig ra|spett le|spettabile|dhr|mevr|de heer|exmo|exma|company|attn)\.?"
    r"(?:\s*(?:dr|prof|dipl|ing|med)\.?)*\s*:?)$"
)
"""A line that is only how somebody is addressed."""
ADDRESSED = re.compile(
    r"(?:(?P<company>firma|fa\.|messrs\.?)|herrn?|frau|mr\.?|mrs\.?|ms\.?|mme\.?|mlle\.?|m\.|monsieur|madame|sig\.|dhr\.|mevr\.)"
    r"\s+(?=\S)"
)
"""How somebody is addressed, before the name in the same line; `company`: before a name with a legal form too."""
NO_NAME = re.compile(
    r"(?:seite|page|rechnung|invoice|facture|factura|fattura|factuur|fatura|gutschrift|credit note|original|kopie|copy"
    r"|datum|date|tel|fax|www|deutschland|germany|france|united kingdom|usa)\b"
)
"""The beginning of a line that is no name."""
BEHIND_NAME = re.compile(
    r"[ ,]+(?:au capital|capital|kapital|stammkapital|sitz|registered|reg[.]? no|company no|hrb|hra|rcs|siren|siret"
    r"|tel[.:]|telefon|phone|fax|vat|ust|inh[.:])(?![a-z]).*"
)
"""What may follow a name in its line, and is not part of it."""
