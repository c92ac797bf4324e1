"""Names of canonical columns and event types in German, French, Spanish, Italian and Dutch logs.

Compared as those of :mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import (
    AMOUNT,
    CART,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    REFUND,
    RETURN,
    REVIEW_TEXT,
    UNIT_PRICE,
    VIEW,
)

SURE_EUROPEAN: Final[dict[str, str]] = {
    CUSTOMER_ID: """kundennummer kunden_nr kundennr kunden_id kundenid kunde käufernummer käufer_id benutzer_id
        id_client numéro_client numero_client code_client identifiant_client id_cliente cliente_id numero_cliente
        código_cliente codigo_cliente codice_cliente klantnummer klant_nr klant_id klantcode""",
    EVENT_TIME: """bestelldatum bestellzeit bestellzeitpunkt bestellt_am kaufdatum kaufzeitpunkt rechnungsdatum
        fakturadatum auftragsdatum data_de_venda data_da_venda
        belegdatum buchungsdatum zeitstempel date_commande date_de_commande date_achat date_facture horodatage
        fecha_pedido fecha_de_pedido fecha_compra fecha_factura data_ordine data_acquisto data_fattura
        besteldatum orderdatum factuurdatum verkoopdatum aankoopdatum""",
    EVENT_TYPE: "vorgangsart ereignis ereignistyp type_événement tipo_evento",
    AMOUNT: """betrag gesamtbetrag gesamtpreis gesamtsumme summe endbetrag bestellwert bestellsumme rechnungsbetrag
        nettobetrag bruttobetrag nettowert nettoumsatz umsatz zeilenbetrag positionsbetrag gesamtpreis_brutto montant
        montant_total prix_total montant_ht montant_ttc preço_total
        importe importe_total monto importo importo_totale totale totaal totaalbedrag
        totaalprijs orderbedrag bestelbedrag factuurbedrag bedrag""",
    ORDER_ID: """bestellnummer bestell_nr bestellnr bestell_id auftragsnummer auftrags_nr verkaufsbeleg rechnungsnummer
        belegnummer référence_commande reference_commande
        numéro_commande numero_commande id_commande numéro_facture numero_facture número_pedido numero_pedido id_pedido
        número_factura numero_factura numero_ordine id_ordine numero_fattura bestelnummer ordernummer
        factuurnummer bonnummer""",
    PRODUCT_ID: """artikelnummer artikel_nr artikelnr artikel_id artikel produktnummer produkt_id produktid
        référence_produit reference_produit id_produit id_producto código_producto codigo_producto codice_prodotto
        artikelcode productnummer productcode""",
    CATEGORY: "kategorie warengruppe produktkategorie produktgruppe catégorie categorie categoría categoria",
    QUANTITY: """menge fakturierte_menge anzahl stückzahl stueckzahl stück quantité quantite cantidad quantità quantita
        aantal""",
    UNIT_PRICE: """einzelpreis stückpreis stueckpreis prix_unitaire precio_unitario prezzo_unitario stuksprijs
        eenheidsprijs prijs_per_stuk""",
    DISCOUNT: "rabatt rabattbetrag remise montant_remise descuento sconto korting kortingsbedrag",
    RATING: "bewertung sterne bewertung_sterne évaluation calificación puntuación valutazione",
    REVIEW_TEXT: "bewertungstext kommentar rezension commentaire avis comentario reseña commento recensione",
    CHANNEL: "vertriebskanal verkaufskanal kanal herkunft canal canal_de_vente canal_de_venta canale",
    COUNTRY: "lieferland rechnungsland pays país pais paese",
    ORDER_STATUS: """bestellstatus auftragsstatus zahlungsstatus statut_commande statut_de_la_commande
        état_de_la_commande etat_de_la_commande état_commande
        etat_commande estado_pedido
        estado_del_pedido stato_ordine""",
    REFUND: """erstattungsbetrag rückerstatteter_betrag erstatteter_betrag erstattet rückerstattung montant_remboursé
        importe_reembolsado importo_rimborsato""",
}

LIKELY_EUROPEAN: Final[dict[str, str]] = {
    CUSTOMER_ID: """käufer auftraggeber debitor debitorennummer benutzer acheteur nom_du_client
        email_client email_acheteur cliente comprador acquirente
        klant koper e_mailadres emailadres
        absender_e_mail_adresse de_l'adresse_email adresse_email_de_l'expéditeur
        correo_electrónico_del_remitente indirizzo_email_mittente van_e_mailadres""",
    EVENT_TIME: "datum zeitpunkt erstellt erstellt_am fecha data",
    EVENT_TYPE: "vorgang art",
    AMOUNT: """wert erlös preis_gesamt valeur valor brutto avant_commission bruto lordo betrag_in_hw
        betrag_in_hauswährung""",
    ORDER_ID: """bestellung auftrag rechnung beleg commande facture pedido factura ordine fattura transaktionscode
        numéro_de_transaction id_de_transacción codice_transazione référence bestelling""",
    PRODUCT_ID: """produkt artikelname artikelbezeichnung produktname bezeichnung produit produits producto prodotto
        productnaam""",
    COUNTRY: "land",
    ORDER_STATUS: "positionsstatus statut état etat estado stato",
}

EVENTS_EUROPEAN: Final[dict[str, str]] = {
    VIEW: "aufruf seitenaufruf produktansicht",
    CART: "warenkorb in_den_warenkorb ajout_au_panier",
    PURCHASE: "verkauf kauf bestellung gekauft achat commande vente compra venta pedido acquisto vendita ordine",
    RETURN: """retoure retouren rückgabe rücksendung erstattung gutschrift storno stornierung retour remboursement
        annulation devolución devolucion reembolso reso rimborso""",
}

PRICES_EUROPEAN: Final = "preis prix precio prezzo prijs"
CURRENCIES_EUROPEAN: Final = "währung währg waehrung devise monnaie moneda divisa valuta"
