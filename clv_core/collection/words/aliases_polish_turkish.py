"""Names of canonical columns in Polish and Turkish exports.

Compared as those of :mod:`clv_core.collection.words.aliases` are, sure or likely alike.
"""

from __future__ import annotations

from typing import Final

from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    REFUND,
    UNIT_PRICE,
)

SURE_POLISH_TURKISH: Final[dict[str, str]] = {
    CUSTOMER_ID: """login_kupującego nick_kupującego login_klienta id_klienta id_kupującego numer_klienta nr_klienta
        kod_klienta müşteri_no müşteri_numarası müşteri_id müşteri_kodu""",
    EVENT_TIME: """data_zamówienia data_zakupu data_złożenia data_złożenia_zamówienia data_sprzedaży data_transakcji
        data_płatności sipariş_tarihi satış_tarihi satın_alma_tarihi işlem_tarihi fatura_tarihi""",
    AMOUNT: """wartość_zamówienia kwota_zamówienia kwota kwota_brutto wartość_brutto suma łączna_kwota do_zapłaty
        faturalanacak_tutar ödenen_tutar toplam_tutar genel_toplam sipariş_tutarı satış_tutarı tutar toplam""",
    ORDER_ID: """numer_zamówienia nr_zamówienia id_zamówienia numer_transakcji sipariş_numarası sipariş_no
        sipariş_id fatura_no""",
    PRODUCT_ID: "id_produktu kod_produktu indeks_produktu stok_kodu ürün_kodu ürün_id barkod",
    CATEGORY: "kategoria kategoria_produktu ürün_kategorisi",
    QUANTITY: "ilość liczba_sztuk sztuk adet miktar",
    UNIT_PRICE: "cena_jednostkowa cena_za_sztukę birim_fiyatı birim_fiyat",
    DISCOUNT: "rabat kwota_rabatu indirim_tutarı indirim",
    COUNTRY: "kraj ülke",
    ORDER_STATUS: "statü status_płatności sipariş_statüsü ödeme_durumu paket_durumu",
    REFUND: "kwota_zwrotu zwrócona_kwota iade_tutarı",
}

LIKELY_POLISH_TURKISH: Final[dict[str, str]] = {
    CUSTOMER_ID: "klient kupujący email_klienta email_kupującego alıcı müşteri e_posta eposta",
    EVENT_TIME: "data_utworzenia tarih",
    AMOUNT: "wartość razem",
    ORDER_ID: "zamówienie sipariş",
    PRODUCT_ID: "produkt nazwa_produktu towar ürün ürün_adı",
}

PRICES_POLISH_TURKISH: Final = "cena fiyat"
CURRENCIES_POLISH_TURKISH: Final = "waluta para_birimi"
