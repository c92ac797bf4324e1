"""The same orders as shop systems and marketplaces of Europe and the Americas export them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.collection.shop_export_parts import (
    GONE,
    SKUS,
    Export,
    at,
    back,
    by_product,
    comma,
    email,
    left,
    line,
    line_paid,
    number,
    off,
    paid,
    sold,
    state,
)
from tests.collection.shop_exports import CANCELLED, PRODUCTS, REFUNDED, Order

Rows = Iterator[dict[str, object]]
MONTHS: Final = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()


def magento(one: Order) -> Rows:
    """One row an order that is only called an id; times of twelve hours, amounts with signs."""
    word = state(one, ["complete", "processing"], ["canceled", "pending", "holded"], "closed")
    yield {
        **{"ID": f"{one.number:09}", "Purchase Point": "Main Website"},
        **{"Purchase Date": at(one, "%b %d, %Y %I:%M:%S %p")},
        **{"Grand Total (Base)": f"${paid(one):,.2f}", "Grand Total (Purchased)": f"${paid(one):,.2f}", "Status": word},
        **{"Customer Email": one.customer, "Subtotal": f"${one.total:,.2f}", "Customer Name": "A B"},
        "Total Refunded": f"${back(one):,.2f}",
    }


def magento_items(one: Order) -> Rows:
    """One row a product; guests have an e-mail and no id."""
    word = state(one, ["complete"], ["canceled"], "closed")
    for _, _, pieces, sku, name, price in by_product(one):
        yield {
            **{"increment_id": f"{one.number:09}", "created_at": at(one), "status": word, "sku": sku, "name": name},
            **{"customer_id": "" if one.number % 5 == 0 else number(one) + 1, "customer_email": one.customer},
            **{"order_currency_code": "EUR", "grand_total": f"{paid(one):.4f}", "subtotal": f"{one.total:.4f}"},
            **{"total_refunded": f"{back(one):.4f}" if back(one) else "", "qty_ordered": f"{pieces:.4f}"},
            "price": f"{price:.4f}",
        }


def prestashop(one: Order) -> Rows:
    """One row an order, the customer's name shortened."""
    dead = ["Canceled", "Awaiting bank wire payment", "Payment error"]
    word = state(one, ["Delivered", "Payment accepted", "On backorder (paid)"], dead, "Refunded")
    yield {
        **{"ID": one.number + 1, "Reference": "KHWLILZLL", "New client": 0, "Customer": f"J. DOE{number(one):02}"},
        **{"Total": f"€{paid(one):,.2f}", "Payment": "Bank wire", "Status": word, "Date": at(one)},
    }


def shopware(one: Order) -> Rows:
    """One row a product, in German; an order counts where neither its state nor that of its payment says otherwise."""
    dead = one.fate == CANCELLED
    payment = ["Offen", "Komplett bezahlt", "Der Zahlungsvorgang wurde abgebrochen"][one.number % 3 if dead else 1]
    order = ["Abgebrochen", "Storniert / Abgelehnt", "Offen"][one.number % 3] if dead else "Komplett abgeschlossen"
    for _, _, pieces, sku, name, price in by_product(one):
        yield {
            **{"Bestellnummer": 10_000 + one.number, "Bestellzeit": at(one, "%d.%m.%Y %H:%M"), "Währung": "EUR"},
            **{"Kundennummer": 20_000 + number(one), "E-Mail": one.customer, "Betrag": comma(paid(one))},
            **{"Zahlungsstatus": "Wiedergutschrift" if one.fate == REFUNDED else payment, "Bestellstatus": order},
            **{"Artikelnummer": sku, "Artikelname": name, "Menge": pieces, "Preis": comma(price)},
        }


def bigcommerce(one: Order) -> Rows:
    """One row an order, day and clock apart."""
    dead = ["Cancelled", "Incomplete", "Declined", "Awaiting Payment"]
    yield {
        **{"Order ID": 100 + one.number, "Order Status": state(one, ["Completed", "Shipped"], dead, "Refunded")},
        **{"Order Date": at(one, "%m/%d/%Y"), "Order Time": at(one, "%H:%M:%S"), "Subtotal (inc tax)": one.total},
        **{"Order Total (inc tax)": paid(one), "Order Total (ex tax)": paid(one), "Customer ID": number(one) + 1},
        **{"Customer Name": "A B", "Customer Email": one.customer, "Order Currency Code": "USD"},
        "Refund Amount": back(one),
    }


def wix(one: Order) -> Rows:
    """One row a product; of the order, a total, what was refunded, and what is left of it."""
    word = state(one, ["Paid"], ["Unpaid", "Canceled"], "Fully refunded")
    for _, _, pieces, sku, name, price in by_product(one):
        yield {
            **{"Order number": 10_001 + one.number, "Date created": at(one, "%b %d, %Y")},
            **{"Time": at(one, "%I:%M:%S %p")},
            **{"Contact email": one.customer, "Item": name, "SKU": sku, "Qty": pieces, "Price": price},
            **{"Payment status": word, "Total": paid(one), "Currency": "EUR", "Refunded amount": back(one)},
            **{"Net amount": round(paid(one) - back(one), 2), "Fulfillment status": "Fulfilled"},
        }


def ebay(one: Order) -> Rows:
    """One row an order of one product, what its amounts are in before the sign."""
    if one.fate not in GONE:
        (product, pieces), total = one.lines[0], f"US ${line(one, 0):,.2f}"
        yield {
            **{"Sales Record Number": one.number, "Order Number": f"12-{one.number:05}", "Buyer Name": "Bob"},
            **{"Buyer Username": f"ebuyer_{number(one):02}", "Buyer Email": f"{one.number:04}@members.example.com"},
            **{"Item Number": 40_000 + product, "Item Title": PRODUCTS[product][1], "Quantity": pieces},
            **{"Sold For": f"US ${PRODUCTS[product][2]:,.2f}", "Total Price": total, "Sale Date": at(one, "%b-%d-%y")},
            **{"Paid On Date": at(one, "%b-%d-%y"), "Transaction ID": 10**12 + one.number},
        }


def ebay_paid(one: Order) -> float:
    return 0.0 if one.fate in GONE else line(one, 0)


def mercado(one: Order) -> Rows:
    """One row an order of one product; what the buyer paid, what the marketplace kept, and what the seller gets."""
    total, lost = line(one, 0), mercado_back(one)
    word = state(one, ["Entregado", "En camino"], ["Venta cancelada", "Cancelada por el comprador"])
    if one.fate == REFUNDED:
        word = "Devolución finalizada con reembolso al comprador"
    yield {
        **{"# de venta": 2 * 10**15 + one.number, "Fecha de venta": f"{one.time.day} de {MONTHS[one.time.month - 1]}"},
        **{"Estado": word, "Unidades": one.lines[0][1], "Ingresos por productos (ARS)": total},
        **{"Cargo por venta e impuestos (ARS)": -round(total * 0.13, 2), "Anulaciones y reembolsos (ARS)": -lost or ""},
        **{"Total (ARS)": round((total - lost) * 0.87, 2), "Título de la publicación": "-", "Canal de venta": "ML"},
        **{"Comprador": f"Juan P {number(one):02}", "DNI": 30_000_000 + number(one), "País": "Argentina"},
    } | {"Fecha de venta": f"{one.time.day} de {MONTHS[one.time.month - 1]} de {one.time:%Y %H:%M} hs."}


def mercado_back(one: Order) -> float:
    return line(one, 0) if one.fate in GONE else round(line(one, 0) / 4, 2) if one.fate == "part" else 0.0


def mercado_left(one: Order) -> float:
    return round(line(one, 0) - mercado_back(one), 2)


def baselinker(one: Order) -> Rows:
    """One row a product, in Polish."""
    word = state(one, ["Wysłane", "Nowe zamówienie"], ["Anulowane", "Nieopłacone"], "Zwrot")
    for _, _, pieces, sku, name, price in by_product(one):
        yield {
            **{"Numer zamówienia": one.number + 6 * 10**7, "Data zamówienia": at(one, "%d.%m.%Y %H:%M:%S")},
            **{"Login kupującego": f"login{number(one):02}", "E-mail": "x@allegro.pl", "Status": word},
            **{"Nazwa produktu": name, "SKU": sku, "Ilość": pieces, "Cena": comma(price), "Waluta": "PLN"},
            "Wartość zamówienia": comma(paid(one)),
        }


def trendyol(one: Order) -> Rows:
    """One row a product, in Turkish; what was asked for, taken off and invoiced."""
    word = state(one, ["Teslim Edildi", "Yeni"], ["İptal Edildi", "Tedarik Edilemedi"], "İade Edildi")
    for place, _, pieces, sku, name, price in by_product(one):
        rest = line(one, place) - line_paid(one, place)
        yield {
            **{"Paket No": 10**9 + one.number, "Sipariş Tarihi": at(one, "%d.%m.%Y %H:%M"), "Alıcı": "Ali K"},
            **{"Sipariş Numarası": 9 * 10**9 + one.number, "Ürün Adı": name, "Sipariş Statüsü": word},
            **{"E-Posta": f"pf{number(one):02}@mail.example.tr", "Stok Kodu": sku, "Adet": pieces},
            **{"Birim Fiyatı": comma(price), "Satış Tutarı": comma(line(one, place)), "İndirim Tutarı": comma(rest)},
            "Faturalanacak Tutar": comma(line_paid(one, place)),
        }


def lightspeed(one: Order) -> Rows:
    """One row a product sold at a till; what was asked for less a discount is what was paid."""
    if one.fate not in GONE:
        for place, _, pieces, sku, name, price in by_product(one):
            rest, total = line(one, place) - line_paid(one, place), line_paid(one, place)
            yield {
                **{"Date": at(one, "%m/%d/%Y %I:%M %p"), "Sale ID": 400 + one.number, "Item": name, "SKU": sku},
                **{"Customer": f"C{number(one)}", "Customer ID": number(one) + 1, "Qty": pieces, "Retail": price},
                **{"Subtotal": f"${line(one, place):,.2f}", "Discount": f"${rest:,.2f}", "Total": f"${total:,.2f}"},
            }


def toast(one: Order) -> Rows:
    """One row a check; it was voided, or not."""
    yield {
        **{"Location": "Main", "Order Id": 10**15 + one.number, "Customer ID": f"G{number(one)}", "Server": "Eve"},
        **{"Opened": at(one, "%m/%d/%y %I:%M %p"), "Discount Amount": off(one), "Amount": paid(one)},
        **{"Total": paid(one)},
        **{"Voided": str(one.fate in GONE).lower(), "Closed": at(one, "%m/%d/%y %I:%M %p"), "Duration": "0:30"},
    }


EBAY_END = "\r\n210,record(s) downloaded,\r\nSeller ID : shop\r\n"

WESTERN: Final[dict[str, Export]] = {
    "magento": Export(magento, email, left, currency="USD"),
    "magento_items": Export(magento_items, email, left, SKUS, "EUR"),
    "prestashop": Export(prestashop, lambda one: f"J. DOE{number(one):02}", sold, (), "EUR", separator=";"),
    "shopware": Export(
        shopware, lambda one: f"{20_000 + number(one)}", sold, SKUS, "EUR", encoding="cp1252", separator=";"
    ),
    "bigcommerce": Export(bigcommerce, lambda one: f"{number(one) + 1}", left, currency="USD"),
    "wix": Export(wix, email, left, [item[1] for item in PRODUCTS], "EUR"),
    "ebay": Export(
        *(ebay, lambda one: f"ebuyer_{number(one):02}", ebay_paid, ["40000", "40001", "40002"], "USD", False),
        *("utf-8-sig", ",", "," * 12 + "\r\n", EBAY_END, True),
    ),
    "mercado": Export(mercado, lambda one: f"{30_000_000 + number(one)}", mercado_left, (), "ARS"),
    "baselinker": Export(
        baselinker, lambda one: f"login{number(one):02}", sold, SKUS, "PLN", encoding="cp1250", separator=";"
    ),
    "trendyol": Export(trendyol, lambda one: f"pf{number(one):02}@mail.example.tr", sold, SKUS, separator=";"),
    "lightspeed": Export(lightspeed, lambda one: f"{number(one) + 1}", sold, [item[1] for item in PRODUCTS], "USD"),
    "toast": Export(toast, lambda one: f"G{number(one)}", sold),
}
"""Each system's file, from Magento to Toast's tills."""
