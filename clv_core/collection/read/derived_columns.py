"""Columns made of others: a system writes into one cell, or into two, what the rest of the world has in one column.

:data:`RULES` are all that there are, in the order in which their columns stand behind those of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.parse import numbers
from clv_core.collection.parse.numbers import NumberReading
from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import CURRENCY, SURE_NAMES, fold
from clv_core.collection.vocabulary.row_types import BOOKED, OF_SERVICES, PAID
from clv_core.columns import AMOUNT, EVENT_TYPE, ORDER_ID
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
Columns = tuple[tuple[str, str], ...]
"""Names with their SQL."""


@dataclass(frozen=True)
class Table:
    """A file as it stands.

    Args:
        connection: the engine.
        relation: its table expression.
        columns: its own columns.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    columns: Sequence[str]

    def first(self, names: Iterable[str]) -> str:
        """Return the first column that has one of these names, spelling aside, or an empty text."""
        folded = set(map(fold, names))
        return next((column for column in self.columns if fold(column) in folded), "")

    def in_role(self, role: str) -> str:
        """Return the first column whose name stands for a canonical one, or an empty text."""
        return next((column for column in self.columns if role in column_roles(column)), "")

    def judge(self, *counts: str) -> tuple[Any, ...]:
        """Return what SQL aggregates give over the first rows."""
        return one(
            self.connection, f"SELECT {', '.join(counts)} FROM (SELECT * FROM {self.relation} LIMIT {JUDGED_ROWS})"
        )


def derived_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[Columns, tuple[Message, ...]]:
    """Return all columns made of a file's own with their SQL, and the notes on them.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    table = Table(connection, relation, columns)
    derived: Columns = ()
    notes: tuple[Message, ...] = ()
    for rule in RULES:
        columns_made, messages = rule(table)
        columns_made = tuple(item for item in columns_made if item[0] not in columns)
        derived += columns_made
        notes += messages if columns_made else ()
    return derived, notes


# Debit and credit, paid out and paid in, 借方 and 贷方: two columns of one amount, of which each row fills one.

MAX_BOTH: Final = 0.01
"""Share of rows that may fill both sides; more, and the two are not those of one amount."""
UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
LESS: Final = " - "
"""What stands between the names of the two columns in that of the one made of them."""


def _signed_sides(table: Table) -> tuple[Columns, tuple[Message, ...]]:
    """Return ``Credit - Debit``, above zero for what came in; where words leave the side of sales open, both ways."""
    made: list[tuple[str, str]] = []
    for out, into, is_plain in pairs(table.columns):
        cells = {column: f"trim({name(column)})" for column in (out, into)}
        filled = {column: _is_amount(column) for column in cells}
        counts = [f"count(*) FILTER ({how.join(filled.values())})" for how in (" OR ", " AND ")]
        for column, cell in cells.items():
            unreadable = f"{NumberReading().value(cell)} IS NULL"
            counts += [f"count(*) FILTER ({filled[column]}{also})" for also in ("", f" AND {_is_negative(cell)}")]
            counts.append(f"count(*) FILTER ({filled[column]} AND {unreadable})")
        rows, both, *sides = table.judge(*counts)
        if not rows or both > MAX_BOTH * rows or sides[2] or sides[5]:
            continue
        # A column that writes all its amounts below zero says no more by it than that it is the other side.
        negative = {column for column, at in ((out, 0), (into, 3)) if sides[at] and sides[at] == sides[at + 1]}
        for more, less in ((into, out),) if is_plain else ((out, into), (into, out)):
            made.append((more + LESS + less, _signed(more, less, negative)))
    return tuple(made), ()


def pairs(columns: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield what is called the column of what went out, that of what came in, and whether words say which is which."""
    names = {UNIT.sub("", column.casefold()): column for column in reversed(columns)}
    names |= {column.casefold(): column for column in columns}
    paired: set[str] = set()
    for column in columns:
        for words, is_plain in (*((pair, True) for pair in PAID), *((pair, False) for pair in BOOKED)):
            out, into = words
            other = re.sub(rf"(?<![^\W\d_]){re.escape(out)}(?![^\W\d_])", into, column.casefold(), count=1)
            other = other if out.isascii() else column.casefold().replace(out, into, 1)
            other = other if other in names else UNIT.sub("", other)
            partner = names.get(other, column) if other != column.casefold() else column
            if partner != column and not {column, partner} & paired:
                paired |= {column, partner}
                yield column, partner, is_plain or column.casefold().endswith(OF_SERVICES)


def _is_amount(column: str) -> str:
    """Return SQL that says whether a cell holds an amount other than nothing."""
    digits = f"translate(coalesce({name(column)}, ''), {text(numbers.DIGITS[0])}, {text(numbers.DIGITS[1])})"
    return f"regexp_matches({digits}, '[1-9]')"


def _is_negative(cell: str) -> str:
    return f"regexp_matches({cell}, {text(numbers.BELOW)})"


def _signed(more: str, less: str, negative: set[str]) -> str:
    """Return SQL for the text of ``more - less``; a row that fills both sides holds none that can be read."""
    cells = [f"trim({name(column)})" for column in (more, less)]
    turned = [
        f"CASE WHEN {_is_negative(cell)} THEN translate({cell}, '-−－()', '') ELSE '-' || {cell} END" for cell in cells
    ]
    added = turned[0] if more in negative else cells[0]
    taken = cells[1] if less in negative else turned[1]
    return (
        f"CASE WHEN {_is_amount(more)} AND {_is_amount(less)} THEN concat({cells[0]}, ' | ', {cells[1]})"
        f" WHEN {_is_amount(more)} THEN {added} WHEN {_is_amount(less)} THEN {taken}"
        f" ELSE coalesce({cells[0]}, {cells[1]}) END"
    )


# Etsy writes what is left of an order beside what it came to: what lies between them was given back.

REFUNDED: Final = "Order Total - Adjusted Order Total"


def _etsy_refunds(table: Table) -> tuple[Columns, tuple[Message, ...]]:
    total, left, net = (table.first([title]) for title in ("Order Total", "Adjusted Order Total", "Order Net"))
    if not (total and left and net):  # the third tells Etsy's files from others
        return (), ()
    total, rest = (f"try_cast({_number(column)} AS DECIMAL(18, 2))" for column in (total, left))
    blank, zeros = table.judge(f"count(*) FILTER ({rest} IS NULL)", f"count(*) FILTER ({rest} = 0 AND {total} > 0)")
    notes: tuple[Message, ...] = ()
    if zeros and not blank:
        rest, notes = f"nullif({rest}, 0)", (Message("warning.adjusted_zeros", {"column": left, "rows": zeros}),)
    return ((REFUNDED, f"coalesce({total} - {rest}, 0)::VARCHAR"),), notes


# Matomo tells its conversions by numbers: 0 is an order, -1 a cart that was left behind, others are goals.

GOALS: Final = ("idgoal", "id_goal", "goal_id")
GOAL_VALUES: Final = ("idorder", "revenue", "revenue_subtotal")
"""Columns of which such a file has one."""


def _matomo_goals(table: Table) -> tuple[Columns, tuple[Message, ...]]:
    """Return the kind of event: a cart has the money of what lies in it, and only the order was paid."""
    goals = table.first(GOALS)
    if not goals or not table.first(GOAL_VALUES):
        return (), ()
    cell = f"trim({name(goals)})"
    whole = f"count(try_cast({cell} AS BIGINT))"
    filled, integers, carts = table.judge(f"count({cell})", whole, f"count(*) FILTER ({cell} = '-1')")
    if not filled or integers < filled:
        return (), ()
    kinds = f"CASE {cell} WHEN '0' THEN 'purchase' WHEN '-1' THEN 'add_to_cart' ELSE 'goal' END"
    return ((f"{goals}.event_type", kinds),), (Message("warning.goal_numbers", {"column": goals, "carts": carts}),)


# Adobe Analytics writes the products of a hit into one cell, ``category;product;quantity;price;events;eVars``, several
# with commas between them. The price is that of all pieces, and revenue only where the hit is a purchase.

MIN_SHARE: Final = 0.95
PRODUCTS: Final = re.compile(r"(?i)prod(uct)?s?(_?list|_?string)?$")
"""What a column of product strings is called: products, product_list, post_product_list."""
ONE: Final = r"[^;,]*;[^;,]+(;[0-9.]*(;[0-9.]*(;[^;,]*(;[^;,]*)?)?)?)?;*"
STRING: Final = rf"{ONE}(,{ONE})*,?"
HITS: Final = ("event_list", "post_event_list", "events")
HIT_CODES: Final = {
    "purchase": ("1", "purchase"),
    "add_to_cart": ("12", "scadd"),
    "product_view": ("2", "prodview"),
    "begin_checkout": ("11", "sccheckout"),
    "cart_view": ("14", "scview"),
    "remove_from_cart": ("13", "scremove"),
}
"""Adobe's numbers and words for the events of a hit, the weightiest first."""
VISITOR: Final = tuple((f"{prefix}visid_high", f"{prefix}visid_low") for prefix in ("post_", ""))
"""Two columns that name a visitor together."""


def _adobe_products(table: Table) -> tuple[Columns, tuple[Message, ...]]:
    """Return what was paid, the pieces, the product, the kind of hit and the visitor."""
    for column in filter(PRODUCTS.search, table.columns):
        match = f"count(*) FILTER (regexp_full_match({name(column)}, {text(STRING)}))"
        filled, fit = table.judge(f"count({name(column)})", match)
        if filled and fit >= MIN_SHARE * filled:
            break
    else:
        return (), ()
    parts = f"list_filter(string_split({name(column)}, ','), p -> p <> '')"
    paid = f"list_sum(list_transform({parts}, p -> try_cast(split_part(p, ';', 4) AS DECIMAL(18, 2))))"
    pieces = f"list_sum(list_transform({parts}, p -> try_cast(split_part(p, ';', 3) AS BIGINT)))"
    made = [
        (f"{column}.amount", f"({paid})::VARCHAR"),
        (f"{column}.quantity", f"({pieces})::VARCHAR"),
        (f"{column}.product_id", f"CASE WHEN len({parts}) = 1 THEN split_part({parts}[1], ';', 2) END"),
    ]
    hits, order = table.first(HITS), table.in_role(ORDER_ID)
    by = hits or table.in_role(EVENT_TYPE) or order or column
    if hits:
        tokens = f"list_transform(string_split({name(hits)}, ','), e -> lower(split_part(trim(e), '=', 1)))"
        kinds = " ".join(
            f"WHEN list_has_any({tokens}, [{', '.join(map(text, words))}]) THEN {text(kind)}"
            for kind, words in HIT_CODES.items()
        )
        made.append((f"{by}.event_type", f"CASE {kinds} ELSE 'page_view' END"))
    elif not table.in_role(EVENT_TYPE):
        bought = f"{name(order)} IS NOT NULL" if order else f"{paid} > 0"
        made.append((f"{by}.event_type", f"CASE WHEN {bought} THEN 'purchase' ELSE 'product_view' END"))
    own = {column.lower(): column for column in table.columns}
    high, low = next(((own[a], own[b]) for a, b in VISITOR if {a, b} <= set(own)), ("", ""))
    made += [(f"{high}+{low}", f"nullif(concat_ws('_', {name(high)}, {name(low)}), '')")] if high else []
    return tuple(made), (Message("warning.product_strings", {"column": column, "amount": made[0][0], "by": by}),)


# Amounts in several currencies beside their exchange rate: what one unit of the row's currency is worth in the shop's,
# or the other way about, which nobody can tell from the file.

RATE: Final = re.compile(
    r"(?i)exchange.?rate|fx.?rate|currency.?rate|conversion.?rate|wechselkurs|taux.?de.?change|tipo.?de.?cambio"
    r"|tasso.?di.?cambio|taxa.?de.?câmbio|курс|汇率|匯率|為替|환율"
)
WAYS: Final = ("*", "/")


def _converted_amounts(table: Table) -> tuple[Columns, tuple[Message, ...]]:
    rate = next(filter(RATE.search, table.columns), None)
    code = next((column for column in table.columns if SURE_NAMES.get(fold(column)) == CURRENCY), None)
    amount = next((column for column in table.columns if SURE_NAMES.get(fold(column)) == AMOUNT), "")
    amount = amount or table.in_role(AMOUNT)
    if rate is None or code is None or not amount:
        return (), ()
    currencies = f"SELECT count(DISTINCT nullif(trim({name(code)}), '')) FROM {table.relation}"
    if one(table.connection, currencies)[0] < 2:
        return (), ()
    factor = f"nullif({_number(rate)}, 0)"
    return tuple((f"{amount} {way} {rate}", f"round({_number(amount)} {way} {factor}, 6)::VARCHAR") for way in WAYS), ()


def _number(column: str) -> str:
    return NumberReading().value(f"nullif(trim({name(column)}), '')")


RULES: Final[tuple[Callable[[Table], tuple[Columns, tuple[Message, ...]]], ...]] = (
    _signed_sides,
    _etsy_refunds,
    _matomo_goals,
    _adobe_products,
    _converted_amounts,
)
