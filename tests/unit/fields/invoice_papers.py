"""Invented invoices and credit notes in several languages and layouts."""

GERMAN = """
                                                              Nordlicht Lampen GmbH
                                                              Hafenweg 7
Nordlicht Lampen GmbH - Hafenweg 7 - 24103 Kiel              24103 Kiel
Firma                                                         Tel. 0431 555 010
Muster & Sohn KG                                              USt-IdNr. DE136695976
Frau Erika Beispiel
Lindenallee 12
50667 Köln

Rechnung Nr. 2024-0815                                        Kiel, 25.03.2024
Kundennummer 4711
Pos  Bezeichnung            Menge     Einzelpreis     Gesamt
1    Lampe                  2         50,00           100,00
2    Kabel                  10        3,50            35,00
                                      Zwischensumme   135,00
                                      zzgl. 19% MwSt. 25,65
                                      Gesamtbetrag    160,65
Zahlbar bis 24.04.2024 ohne Abzug. Bei Zahlung bis 31.03.2024 2% Skonto.
Bankverbindung: IBAN DE02 1203 0000 0000 2020 51   BIC BYLADEM1001
"""
ENGLISH = """
Bright Widgets Ltd                                     INVOICE
12 Orchard Lane
Leeds LS1 4AP
VAT No. GB 123 4567 82

Bill To:                  Ship To:                     Invoice No:    INV-00123
Acme Retail Inc           Acme Warehouse               Invoice Date:  23/04/2024
99 King Street            5 Dock Road                  Due Date:      23/05/2024
London W1A 1AA            Dover CT16 1AA               PO Number:     PO-7788

Description               Qty      Unit Price      Amount
Widget                    10       12.00           120.00
Gadget                    1        30.00           30.00
                                   Subtotal        150.00
                                   VAT 20%         30.00
                                   Total           £180.00
                                   Amount Paid     50.00
                                   Balance Due     £130.00
"""
FRENCH = """
LAMPES DU MIDI SARL
35 rue d'ici
75018 PARIS
Tél : 01 99 00 00 00
N° TVA : FR 40 303265045

                                            FACTURE N° FA-2017-0008
                                            Date : 13/11/2017
Facturé à
MA JOLIE BOUTIQUE
12 avenue du Port
69001 LYON

Désignation        Qté      P.U. HT      Total HT
Lampe              20       4,55         91,00
Ampoule            30       2,60         78,00
                            Total HT     169,00
                            TVA 20 %     33,80
                            Total TTC    202,80
                            Acompte      50,00
                            Net à payer  152,80
Échéance : 13/12/2017
IBAN : FR76 3000 6000 0112 3456 7890 189  BIC : AGRIFRPP
"""
SPANISH = """
Talleres Luna S.L.
Calle Mayor 3
28013 Madrid
CIF: B12345674
FACTURA Nº F2024/17
Fecha: 15/02/2024
Cliente:
Hotel Sol S.A.
Avenida del Mar 20
29016 Málaga
NIF: A58818501
Concepto       Cantidad      Precio      Importe
Reparación     1             1.000,00    1.000,00
Base imponible     1.000,00
IVA 21%            210,00
Total factura      1.210,00
Vencimiento: 15/03/2024
"""
ITALIAN = """
Officina Rossi S.r.l.
Via Roma 10
20121 Milano
P. IVA 01234567897
Spett.le
Bianchi S.p.A.
Via Verdi 5
10121 Torino
Fattura n. 45/2024 del 15/01/2024
Descrizione      Quantità      Prezzo      Importo
Ricambi          2             250,00      500,00
Imponibile       500,00
IVA 22%          110,00
Totale documento 610,00
Scadenza: 14/02/2024
"""
DUTCH = """
Bloem B.V.
Gracht 1
1012 AB Amsterdam
BTW-nr: NL001234567B01
Factuuradres
Tulp N.V.
Dam 20
3011 CD Rotterdam
Factuurnummer: 2024001
Factuurdatum: 17-01-2024
Vervaldatum: 16-02-2024
Omschrijving     Aantal     Prijs     Bedrag
Bollen           100        1,50      150,00
Subtotaal excl. btw   150,00
BTW 9%                13,50
Totaal incl. btw      163,50
Te betalen            163,50
"""
PORTUGUESE = """
Padaria Sol Lda
Rua do Ouro 8
1100-061 Lisboa
NIF: 501964843
Cliente
Café Azul Unipessoal Lda
Rua Azul 1
4000-001 Porto
Fatura n.º FT 2024/55
Data: 22/05/2024
Total sem IVA     200,00
IVA 23%           46,00
Total a pagar     246,00
Vencimento: 21/06/2024
"""
AMERICAN = """
Green Garden Supplies LLC
500 Elm St
Springfield, IL 62701
Invoice Number     Invoice Date     Due Date       Customer ID
10045              06/15/2024       07/15/2024     C-77
Sold To
Blue House Corp
77 Pine Ave
Chicago, IL 60601
Item      Description      Qty     Price     Total
A1        Soil             10      9.99      99.90
A2        Rake             2       15.05     30.10
Subtotal      Sales Tax      Total
$130.00       $10.40         $140.40
"""
KEYED = """
Handelsrechnung (380) Nr. HR-77 vom 25.06.2018
Währung:                          EUR
Liefer- und Leistungsdatum:       23.06.2018
Bestellung:                       2018-4711
Verkäufer
Nummer:                           549910
Name:                             Werkzeug Nord GmbH
Anschrift:                        Lager 20
                                  DE 80333 München
USt.-Id.-Nr.:                     DE136695976
Käufer/Leistungsempfänger
Name:                             Bau Süd AG
Anschrift:                        Kundenweg 15
                                  DE 69876 Frankfurt
Umsatzsteueraufschlüsselung
Art (Kategorie)    Warenwert    Basisbetrag    Steuersatz [%]    Steuerbetrag
Umsatzsteuer (S)                113,03         7                 7,91
Umsatzsteuer (S)                64,46          19                12,25
Belegsummen
Positionssumme                    180,76
Gesamtbetrag der Zuschläge        5,80
Gesamtbetrag der Abschläge        -9,07
Rechnungssumme ohne USt.          177,49
Steuerbetrag                      20,16
Bruttosumme                       197,65
Erhaltene Anzahlungen             -50,00
Zahlbetrag                        147,65
"""
CREDIT_NOTE = """
Nordlicht Lampen GmbH - Hafenweg 7 - 24103 Kiel
Muster & Sohn KG
Lindenallee 12
50667 Köln
Gutschrift Nr. GS-99                                  Datum: 27.03.2024
zu Rechnung Nr. 2024-0815 vom 25.03.2024
Lampe defekt            -1       50,00      -50,00
Nettobetrag             -50,00
USt 19%                 -9,50
Gutschriftsbetrag brutto -59,50
"""
BRITISH = """
                                   HARBOUR PLUMBING LTD
                                   Unit 4, Quay Road, Bristol BS1 6XY
                                   Tel: 0117 496 0000  Email: info@harbour.example
INVOICE
To: Mrs A Jones                    Invoice No.   2291
    7 Hill View                    Date          24th March 2024
    Bath BA1 2QQ                   Your Ref      AJ/01
Description                                       Net      VAT     Gross
Boiler service                                    80.00    16.00   96.00
Parts                                             20.00    4.00    24.00
                                   Totals         100.00   20.00   120.00
Terms: 14 days. VAT Reg No. 123 4567 82. Sort code 20-00-00 Account 12345678
"""
TABLE_OF_SUMS = """
Factuur
Factuurnummer   Factuurdatum   Vervaldatum   Klantnummer
20240017        15-02-2024     16-03-2024    553
Aan:
Jansen Bouw B.V.
Dorpsstraat 5
3511 AB Utrecht
Omschrijving     Bedrag excl.   BTW %   BTW      Bedrag incl.
Advies           € 1.000,00     21%     € 210,00  € 1.210,00
Totaal           € 1.000,00             € 210,00  € 1.210,00
Wij verzoeken u het bedrag over te maken op NL91ABNA0417164300
"""
PAID_IN_PART = """
Harbour Robotics Inc.
250 Executive Park Blvd
San Francisco CA 94134
                                        Deco Home Ltd
                                        77 Santa Barbara Rd
                                        Pleasant Hill CA 94523
Invoice INV/2023/03/0008
Invoice Date:        Due Date:         Source:
03/20/2023           04/30/2023        S00011
Description          Quantity      Unit Price     Taxes      Amount
Desk Stand           1.00          1,500.00       15%        $ 1,500.00
Untaxed Amount       $ 1,500.00
Tax 15%              $ 225.00
Total                $ 1,725.00
Paid on 03/21/2023   $ 725.00
Amount Due           $ 1,000.00
"""
