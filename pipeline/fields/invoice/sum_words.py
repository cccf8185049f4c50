"""Labels of the amounts of an invoice, by kind and weight; the first that fits counts.

`carried` and `other` are amounts that are none of the record: sums of a page, of discounts, of quantities.
"""

from __future__ import annotations

import re

from pipeline.fields.invoice.words import words

LABELS: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    (
        "carried",
        0.0,
        words("""
            (?:zwischen )?ubertrag
            (?:carried|brought) (?:forward|over)
            a reporter
            report
            suma y sigue
            suma anterior
            (?:a )?riportare
            riporto
            transport(?:eren)?
            a transportar
        """),
    ),
    (
        "other",
        0.0,
        words(r"""
            (?:gesamt(?:betrag|summe)?|summe|total)(?: der| des| of)?(?: sum| total)? (?:zuschlage|abschlage|rabatte?)
            (?:summe|total)(?: der| of)? (?:allowances?|charges?|discounts?|remises?|positionen|menge|gewicht|weight)
            total (?:quantity|qty|items|savings|pages|hours)
            positions (?:summe|betrag)
            (?:line|item) total
            rechnungs rabatt\w*
            rabatt(?:betrag)?
            skonto(?:betrag)?
            remise
            descuento
            sconto
            korting
            desconto
            basisbetrag
            versicherungssteuer
            versand(?:kosten)?
            fracht(?:betrag)?
            (?:shipping|handling|delivery|postage|freight|service|packing)(?: (?:and|&) [a-z]+)?(?: charges?)?
            (?:shipping|handling|delivery|service) (?:costs?|fees?)
            (?:porto|verpackung|mindermengenzuschlag|bearbeitungsgebuhr)(?:skosten)?
            (?:less )?(?:discounts?|allowances?|surcharges?)
            frais de port
            offene zahlungen
            rundung(?:sbetrag)?
            rounding
            VAT (?:satz|rate|%)
            (?:taux|tipo|aliquota|percentuale) (?:de )?(?:VAT)?
        """),
    ),
    (
        "prepaid",
        0.9,
        words("""
            (?:erhaltene |geleistete |abzgl |abzuglich )?(?:anzahlung|vorauszahlung|abschlagszahlung)(?:en)?
            (?:bereits |schon )?(?:gezahlt|bezahlt|erhalten|beglichen)(?:er betrag)?
            (?:less )?(?:amounts? (?:already )?paid|already paid|paid to date|prepaid(?: amount)?)
            (?:less )?(?:prepayments?|deposits?)
            payments? received
            paid(?: on)?
            (?:down payment|advance payment|advance)
            payments?(?: made)?
            (?:deja )?(?:verse|regle|paye)e?
            acomptes?(?: verse)?s?
            (?:menos )?(?:anticipos?|pagado|a cuenta)
            acconti?o?(?: versato)?
            (?:aanbetaling|vooruitbetaald|reeds betaald|voorschot)
            (?:adiantamentos?|valor pago)
        """),
    ),
    (
        "due",
        0.9,
        words("""
            zahl betrag
            zahlungs betrag
            (?:noch )?zu zahlen(?:der)?(?: betrag)?
            (?:offener |offene |ihr )(?:betrag|forderung|rest)
            rest betrag
            (?:noch )?offen
            zu uberweisen(?:der)?(?: betrag)?
            (?:total |amount |balance |net )(?:now )?(?:due|payable|outstanding|owing)(?: now)?
            (?:total )?amount to (?:be )?pa(?:y|id)
            due (?:payable|amount|total)
            total amount due
            please pay
            net a payer
            (?:reste|montant|total|solde|somme) (?:a (?:payer|regler)|dua?|du)
            solde(?: du)?
            (?:importe|total|saldo|liquido) a pagar
            (?:netto|totale|importo|saldo) (?:a|da) pagare
            (?:totaal )?(?:nog )?te (?:betalen|voldoen)(?: bedrag)?
            openstaand(?: bedrag)?
            (?:total|valor|montante|saldo) a pagar
        """),
    ),
    (
        "net",
        0.9,
        words("""
            (?:[a-z]*(?:summe|betrag)|gesamt|sub totaa?le?|total|totaal|totale) WITHOUT (?:[0-9]{1,2} % )?VAT
            (?:amount|importe|importo|montant|bedrag) WITHOUT (?:[0-9]{1,2} % )?VAT
            (?:total|montant|sous total|somme) (?:de la )?(?:facture )?(?:net )?(?:ht|hors tax(?:e|es))
            (?:rechnungs|gesamt)?(?:summe|betrag|gesamt|wert) netto
            netto (?:betrag|summe|gesamt|wert|rechnungsbetrag|total|totaal|bedrag)?
            (?:total|totale) netto
            nettogesamt(?:betrag|summe)?
            (?:invoice )?(?:total net|net total|net amou?n?t|net value|net sum|net price total)
            (?:total )?taxable (?:amount|value|supplies)
            untaxed (?:amount|total)
            (?:amount|total) untaxed
            net(?: ht)?
            base imponible
            maatstaf(?: van heffing)?
            (?:totale )?imponibile
            base tributavel
            total (?:i?liquido|neto)
            (?:importe )?neto
            ht
        """),
    ),
    (
        "net",
        0.65,
        words("""
            zwischen ?(?:summe|total)
            sub total
            sous total
            subtotaal
            sub totale
            warenwert
        """),
    ),
    (
        "total",
        0.92,
        words(r"""
            (?:[a-z]*(?:summe|betrag)|gesamt|total|totaal|totale)(?: [a-z]+)? WITH (?:[0-9]{1,2} % )?VAT
            (?:[a-z]*(?:summe|betrag)|gesamt) WITH gesetzl\w* VAT
            (?:amount|importe|importo|montant|bedrag)(?: [a-z]+)? WITH (?:[0-9]{1,2} % )?VAT
            (?:total|totale|montant|importe|importo) (?:WITH|VAT) (?:compris\w*|incluid\w*|inclus\w*)
            (?:total|montant|somme) (?:de la )?(?:facture )?(?:net )?(?:ttc|toutes taxes comprises)
            brutto (?:betrag|summe|gesamt|wert|rechnungsbetrag|total)?
            (?:summe|gesamt(?:betrag|summe)?|rechnungsbetrag|betrag) brutto
            gross (?:amount|total|value|sum)
            (?:invoice|grand|overall) total
            total (?:de la |da |della )?(?:invoice|factura|fattura|fatura|facture|rechnung|documento|geral|general)
            (?:total )?ttc
            totale? (?:documento|fattura)
            factuur (?:bedrag|totaal)
            (?:rechnungs|gesamt|end|gutschrifts?)(?: rechnungs)? (?:end)?(?:betrag|summe)
        """),
    ),
    (
        "tax",
        0.9,
        words("""
            (?:total|totale?|totaal|summe|gesamt|montant|importe|importo|cuota|valor|bedrag) (?:de |der |of |l )?VAT
            (?:plus|add|zzgl|zuzugl|zuzuglich|and) (?:gesetzl\\w* )?(?:[0-9]{1,2}(?:[.,][0-9]{1,2})? % )?VAT
            VAT(?:er)? (?:gesamt|total|totaal|betrag|amount|bedrag|summe)
            VAT
        """),
    ),
    (
        "total",
        0.6,
        words("""
            gesamt
            summe
            endpreis
            gesamtpreis
            totals?(?: (?:amount|price|importe|bedrag|eur|usd|gbp|chf))?
            gross
            brutto
            (?:importe|importo) totale?
            amount
            totale
            totaal(?: bedrag)?
            betrag
            montant(?: total)?
            importe
            valor total
        """),
    ),
)
"""Kind, weight and pattern."""
PAID = re.compile(
    r"(?<![a-z])(?:bereits (?:bezahlt|beglichen|gezahlt)|betrag dankend erhalten|paid in full|already paid"
    r"|payment received|deja (?:paye|regle)e?|facture acquittee|pagad[oa]|gia pagat[oa]|reeds (?:betaald|voldaan)"
    r"|keine aufforderung zur zahlung)(?![a-z])"
)
"""The paper says that it is paid."""
