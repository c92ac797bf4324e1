"""The same orders as shop systems and a marketplace export them, and what they were truly worth."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

PRODUCTS: Final = (("LS-01", "Linen shirt", 49.0), ("WS-02", "Wool socks", 12.5), ("CB-03", "Bag, canvas", 35.2))
BEGIN: Final = datetime(2024, 1, 3, 9, 5)
SHOP: Final = "shop@example.com"
SOLD, PART, REFUNDED, CANCELLED = "sold", "part", "refunded", "cancelled"


@dataclass(frozen=True)
class Order:
    """One order: what was asked for, and what became of it."""

    number: int
    customer: str
    time: datetime
    lines: tuple[tuple[int, int], ...]
    fate: str

    @property
    def total(self) -> float:
        """What was asked for."""
        return round(sum(PRODUCTS[product][2] * pieces for product, pieces in self.lines), 2)

    @property
    def back(self) -> float:
        """What was paid back."""
        return {REFUNDED: self.total, PART: round(self.total / 4, 2)}.get(self.fate, 0.0)

    @property
    def worth(self) -> float:
        """What was left of it."""
        return 0.0 if self.fate == CANCELLED else round(self.total - self.back, 2)


def orders(count: int = 240) -> list[Order]:
    """Return orders of 40 customers, most of them sold."""
    draw, found = random.Random(7), []
    for number in range(count):
        products = draw.sample(range(len(PRODUCTS)), draw.choices([1, 2, 3], [5, 3, 2])[0])
        lines = tuple((product, draw.randint(1, 3)) for product in products)
        fate = draw.choices([SOLD, PART, REFUNDED, CANCELLED], [85, 4, 4, 7])[0]
        time = BEGIN + timedelta(minutes=draw.randint(0, 60 * 24 * 300))
        found.append(Order(number, f"user{draw.randrange(40):02}@example.com", time, lines, fate))
    return found


def shopify(path: Path, made: list[Order]) -> None:
    """One row a product; what is said of the order, but for who and when, stands in its first row only."""
    states = {SOLD: "paid", PART: "partially_refunded", REFUNDED: "refunded", CANCELLED: "voided"}

    def each(one: Order) -> dict[str, object]:
        return {"Name": f"#{1001 + one.number}", "Email": one.customer, "Created at": _with_offset(one)}

    def first(one: Order) -> dict[str, object]:
        total = {"Subtotal": f"{one.total:.2f}", "Total": f"{one.total + 4.9:.2f}"}
        money = {**total, "Refunded Amount": f"{one.back:.2f}"}
        place = {"Currency": "EUR", "Shipping": "4.90", "Shipping Country": "DE", "Accepts Marketing": "yes"}
        state = {"Financial Status": states[one.fate], "Paid at": _with_offset(one), "Id": 5_000_000 + one.number}
        return {**money, **place, **state}

    _by_product(path, made, each, first)


def squarespace(path: Path, made: list[Order]) -> None:
    """One row a product; even who bought, and when, stands in the order's first row only."""

    def each(one: Order) -> dict[str, object]:
        return {"Order ID": f"{one.number:05}"}

    def first(one: Order) -> dict[str, object]:
        state = {REFUNDED: "REFUNDED", CANCELLED: "CANCELED"}.get(one.fate, "PAID")
        about = {"Email": one.customer, "Financial Status": state, "Currency": "USD"}
        money = {"Subtotal": one.total, "Total": one.total + 5, "Amount Refunded": one.back}
        return {**about, **money, "Paid at": _with_offset(one), "Created at": _with_offset(one)}

    _by_product(path, made, each, first)


Cells = Callable[[Order], dict[str, object]]


def _by_product(path: Path, made: list[Order], each: Cells, first: Cells) -> None:
    """Write a row a product with cells that all rows of an order have, and those that only its first one has."""
    rows = []
    for one in made:
        for place, (product, pieces) in enumerate(one.lines):
            sku, name, price = PRODUCTS[product]
            line = {"Lineitem quantity": pieces, "Lineitem name": name, "Lineitem price": price, "Lineitem sku": sku}
            rows.append({**each(one), **(first(one) if place == 0 else {}), **line})
    _write(path, list(rows[0]), rows)


def _with_offset(one: Order) -> str:
    return f"{one.time:%Y-%m-%d %H:%M:%S} +0000"


def taobao(path: Path, made: list[Order]) -> None:
    """One row an order, in Chinese and its own encoding."""
    names = "订单编号,买家会员名,总金额,买家实际支付金额,订单状态,订单创建时间,订单付款时间,宝贝标题,退款金额"
    rows = []
    for one in made:
        time, id_ = f"{one.time:%Y-%m-%d %H:%M:%S}", f'="{33 * 10**14 + one.number}"'
        paid, state = (0, "交易关闭") if one.fate == CANCELLED else (one.total, "交易成功")
        rows.append((id_, one.customer, one.total, paid, state, time, time, "-", one.back))
    _write_values(path, names, rows, "gb18030")


def woocommerce(path: Path, made: list[Order]) -> None:
    """One row a product; what the order came to is repeated in each."""
    names = (
        "Order Number,Order Status,Order Date,Email (Billing),Order Subtotal Amount,Order Refund Amount,"
        "Order Total Amount,SKU,Item Name,Quantity (- Refund),Item Cost"
    )
    states = {SOLD: "Completed", PART: "Completed", REFUNDED: "Refunded", CANCELLED: "Pending payment"}
    rows = []
    for one in made:
        for product, pieces in one.lines:
            sku, name, price = PRODUCTS[product]
            about = (one.number + 50, states[one.fate], f"{one.time:%Y-%m-%d %H:%M}", one.customer)
            rows.append((*about, one.total, one.back, one.total, sku, name, pieces, price))
    _write_values(path, names, rows, "utf-8-sig")


def stripe(path: Path, made: list[Order]) -> None:
    """One row a payment, its own state, and what was refunded of it."""
    names = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Email"
    states = {SOLD: "Paid", PART: "Paid", REFUNDED: "Refunded", CANCELLED: "Failed"}
    rows = []
    for one in made:
        values = f"ch_{one.number:08}", f"{one.time:%Y-%m-%d %H:%M:%S}", one.total, one.back, "usd", states[one.fate]
        rows.append((*values, one.customer, one.customer))
    _write_values(path, names, rows)


def amazon(path: Path, made: list[Order]) -> None:
    """One row a product, its price that of all its pieces; a quarter off is a promotion."""
    names = "amazon-order-id,purchase-date,order-status,product-name,sku,quantity,currency,item-price,item-tax,"
    names += "shipping-price,item-promotion-discount,ship-country,buyer-email"
    states = {REFUNDED: "Shipped - Returned to Seller", CANCELLED: "Cancelled"}
    rows = []
    for one in made:
        about = f"305-{one.number:07}-0000001", f"{one.time:%Y-%m-%dT%H:%M:%S}+00:00"
        state = states.get(one.fate, "Shipped - Delivered to Buyer")
        for product, pieces in one.lines:
            sku, name, price = PRODUCTS[product]
            total, count = price * pieces, 0 if one.fate == CANCELLED else pieces
            off = f"{total / 4:.2f}" if one.fate == PART else ""
            money = ("EUR", f"{total:.2f}", "0.00", "4.90", off)
            rows.append((*about, state, name, sku, count, *money, "DE", one.customer))
    _write_values(path, names, rows, separator="\t")


def paypal(path: Path, made: list[Order]) -> None:
    """One row a payment, day and clock apart; money that goes back is a row below zero that the shop sends."""
    names = "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Net,From Email Address,To Email Address,Transaction ID"
    rows = []
    for one in made:
        status = "Denied" if one.fate == CANCELLED else "Completed"
        payments = [(one.total, one.customer, SHOP)] + ([(-one.back, SHOP, one.customer)] if one.back else [])
        for number, (gross, sender, receiver) in enumerate(payments):
            day, clock = f"{one.time:%m/%d/%Y}", f"{one.time:%H:%M:%S}"
            values = (day, clock, "PST", "-", "Payment" if gross > 0 else "Refund", status, "EUR", gross, gross * 0.97)
            rows.append((*values, sender, receiver, f"T{one.number}-{number}"))
    _write_values(path, names, rows)


SYSTEMS: Final[dict[str, Callable[[Path, list[Order]], None]]] = {
    "shopify": shopify,
    "squarespace": squarespace,
    "taobao": taobao,
    "woocommerce": woocommerce,
    "stripe": stripe,
}


def _write_values(
    path: Path, names: str, rows: list[tuple[object, ...]], encoding: str = "utf-8", separator: str = ","
) -> None:
    columns = names.split(",")
    _write(path, columns, [dict(zip(columns, row, strict=True)) for row in rows], encoding, separator)


def _write(
    path: Path, names: list[str], rows: list[dict[str, object]], encoding: str = "utf-8", separator: str = ","
) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, names, delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
