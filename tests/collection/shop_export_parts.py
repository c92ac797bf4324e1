"""What exports of many shop systems have in common: orders with a discount, their worth, and how a table is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.collection.shop_exports import CANCELLED, PART, PRODUCTS, REFUNDED, Order

NAMES: Final = tuple(product[1] for product in PRODUCTS)
SKUS: Final = tuple(product[0] for product in PRODUCTS)
GONE: Final = (CANCELLED, REFUNDED)


@dataclass(frozen=True)
class Export:
    """What a system's file is, and what is to be read from it.

    Args:
        rows: the rows of an order.
        who: the customer of an order.
        worth: what an order was worth in the end.
        products: ids of the three products; empty where the file names none.
        currency: code; empty where the file does not say.
        clock: whether the file says the time of day.
        encoding: of the file.
        separator: of its cells.
        before: lines before the column names.
        after: lines behind the last row.
        quoted: whether every cell is quoted.
    """

    rows: Callable[[Order], Iterable[Mapping[str, object]]]
    who: Callable[[Order], str]
    worth: Callable[[Order], float]
    products: Sequence[str] = ()
    currency: str = ""
    clock: bool = True
    encoding: str = "utf-8"
    separator: str = ","
    before: str = ""
    after: str = ""
    quoted: bool = False

    def write(self, path: Path, made: Iterable[Order]) -> None:
        """Write the file of these orders."""
        rows = [row for one in made for row in self.rows(one)]
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL
        writer = csv.DictWriter(out, list(rows[0]), delimiter=self.separator, quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes((self.before + out.getvalue() + self.after).encode(self.encoding))


def number(one: Order) -> int:
    """Return the number of an order's customer, 0 to 39."""
    return int(one.customer[4:6])


def email(one: Order) -> str:
    """Return the e-mail of an order's customer."""
    return one.customer


def off(one: Order) -> float:
    """Return the discount: a tenth of every third order."""
    return round(one.total / 10, 2) if one.number % 3 == 0 else 0.0


def paid(one: Order) -> float:
    """Return what was asked for less the discount."""
    return round(one.total - off(one), 2)


def back(one: Order) -> float:
    """Return what was given back of it."""
    return {REFUNDED: paid(one), PART: round(paid(one) / 4, 2)}.get(one.fate, 0.0)


def left(one: Order) -> float:
    """Return the worth where the file tells what was given back."""
    return 0.0 if one.fate in GONE else round(paid(one) - back(one), 2)


def sold(one: Order) -> float:
    """Return the worth where the file tells nothing of a part that was given back."""
    return 0.0 if one.fate in GONE else paid(one)


def line(one: Order, at: int) -> float:
    """Return what the product at a place of the order cost, before the discount."""
    product, pieces = one.lines[at]
    return round(PRODUCTS[product][2] * pieces, 2)


def line_paid(one: Order, at: int) -> float:
    """Return what was paid for it; the shares of an order add up to the cent."""
    if at == len(one.lines) - 1:
        return round(paid(one) - sum(line_paid(one, before) for before in range(at)), 2)
    return round(line(one, at) * paid(one) / one.total, 2)


def line_back(one: Order, at: int) -> float:
    """Return what was given back of it."""
    share = {REFUNDED: 1.0, PART: 0.25}.get(one.fate, 0.0)
    return round(line_paid(one, at) * share, 2)


def lines_left(one: Order) -> float:
    """Return the worth where refunds are told product by product."""
    lost = sum(line_back(one, at) for at in range(len(one.lines)))
    return 0.0 if one.fate in GONE else round(paid(one) - lost, 2)


def returned(one: Order, at: int) -> bool:
    """Say whether a whole product came back: all of a refunded order, the first of several of one refunded in part."""
    return one.fate == REFUNDED or (one.fate == PART and at == 0 and len(one.lines) > 1)


def lines_kept(one: Order) -> float:
    """Return the worth where only states tell which products came back."""
    kept = sum(line_paid(one, at) for at in range(len(one.lines)) if not returned(one, at))
    return 0.0 if one.fate in GONE else round(kept, 2)


def state(one: Order, live: Sequence[str], cancelled: Sequence[str], refunded: str = "") -> str:
    """Return one of the words that a system has for what became of the order."""
    words = {CANCELLED: cancelled, REFUNDED: [refunded or cancelled[0]]}.get(one.fate, live)
    return words[one.number % len(words)]


def at(one: Order, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return the order's time as a system writes it."""
    return one.time.strftime(form)


def comma(value: float) -> str:
    """Return an amount as it is written where the comma marks decimals."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def by_product(one: Order) -> Iterable[tuple[int, int, int, str, str, float]]:
    """Yield place, product, pieces, SKU, name and price of each row of an order."""
    for place, (product, pieces) in enumerate(one.lines):
        yield place, product, pieces, *PRODUCTS[product]
