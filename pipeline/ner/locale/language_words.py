"""Common words of invoices and receipts, by language: data, which the spelling check skips."""

from __future__ import annotations

WORDS = {
    "en": "the and of to for with your you is this that by from on at be or are not all our no item items qty"
    " amount date invoice receipt payment paid due bill billing sales tax price unit quantity description subtotal"
    " number order customer address phone fax change cash card credit balance thank thanks please welcome cashier"
    " server table guest guests check store tel page terms period account shipping ship delivery discount rate"
    " issued total gross net charge charges service gratuity tip approved transaction goods sold exchange refund"
    " day days bank statement registration company",
    "de": "der die das und oder mit von für zu zum zur bei auf ist sind wir sie ihr ihre ihnen ihrer nicht den dem"
    " des ein eine einer rechnung rechnungen rechnungsnummer rechnungsdatum rechnungsnr betrag gesamtbetrag gesamt"
    " gesamtsumme summe zwischensumme endbetrag rechnungsbetrag zahlbetrag datum mwst ust umsatzsteuer"
    " mehrwertsteuer steuernummer netto brutto menge einzelpreis gesamtpreis preis stück stk artikel bezeichnung"
    " beschreibung kunde kundennummer kundennr lieferung lieferdatum lieferschein leistung zahlung zahlbar"
    " zahlungsziel fällig fälligkeit tage tagen innerhalb überweisung konto kontonummer bankverbindung blz straße"
    " str telefon bestellung bestellnummer bar gegeben rückgeld beleg quittung kasse vielen dank seite per aus nach",
    "fr": "le la les des du de et ou un une pour avec par sur dans est sont nous vous votre vos notre au aux ce"
    " facture factures montant montants tva ttc ht total  règlement échéance date client quantité qté"
    " prix unitaire désignation description remise commande livraison adresse téléphone tél paiement payer payé"
    " acompte solde net numéro référence espèces carte bancaire rendu monnaie merci bon votre visite siret rcs"
    " société banque chèque virement jours page taux article articles",
    "es": "el la los las de del un una para con por en es son su sus al factura facturas importe importes iva"
    " total subtotal base imponible fecha cliente cantidad precio unitario descripción concepto descuento pedido"
    " entrega dirección teléfono pago pagado vencimiento número cif nif domicilio efectivo tarjeta cambio gracias"
    " compra visita recibo venta tienda cuota banco cuenta transferencia días página",
    "it": "il lo la gli le di del della dei delle ed un una per con da in su al sono fattura fatture importo"
    " importi iva totale subtotale imponibile imposta data cliente quantità prezzo unitario descrizione sconto"
    " ordine consegna indirizzo telefono pagamento scadenza numero partita codice fiscale contanti resto grazie"
    " scontrino documento ricevuta via banca bonifico giorni pagina euro",
    "nl": "de het een en of van voor met op in is zijn wij uw ons onze te aan bij door niet factuur facturen"
    " factuurnummer factuurdatum bedrag totaal subtotaal totaalbedrag btw datum klant klantnummer aantal prijs"
    " stuks omschrijving korting bestelling levering adres telefoon betaling betaald vervaldatum nummer kvk"
    " rekening rekeningnummer contant wisselgeld bedankt bezoek bon kassa binnen dagen excl incl pagina",
    "pt": "os as de do da dos das ou um uma para com por em no na são seu sua ao fatura faturas factura"
    " valor valores iva total subtotal data cliente quantidade qtd preço unitário descrição desconto encomenda"
    " entrega morada endereço telefone pagamento vencimento número contribuinte nif cnpj cpf dinheiro cartão troco"
    " obrigado obrigada volte recibo venda loja banco conta transferência dias página nota fiscal",
}
