"""Adobe Analytics writes the products of a hit into one cell: ``category;product;quantity;price;events;eVars``.

Several products are separated by commas; the price is that of all pieces. Columns are made of what was paid, the pieces
and the product, and one of the kind of hit: a price is revenue only where the hit is a purchase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import EVENT_TYPE, ORDER_ID
from clv_core.errors import Message

JUDGED_ROWS: Final = 2_000
NEARLY_ALL: Final = 0.95
NAMED: Final = re.compile(r"(?i)prod(uct)?s?(_?list|_?string)?$")
"""What a column of product strings is called: products, product_list, post_product_list."""
ONE: Final = r"[^;,]*;[^;,]+(;[0-9.]*(;[0-9.]*(;[^;,]*(;[^;,]*)?)?)?)?;*"
STRING: Final = rf"{ONE}(,{ONE})*,?"
EVENTS: Final = frozenset(map(fold, ("event_list", "post_event_list", "events")))
CODES: Final = {
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

Made = tuple[tuple[str, str], ...]


def of_product_strings(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[Made, tuple[Message, ...]]:
    """Return the columns made of a column of product strings with their SQL, and what is to be said.

    Args:
        connection: the engine.
        relation: table expression of the file.
        columns: the file's own.
    """
    known = {column.lower(): column for column in columns}
    strings = next((column for column in columns if NAMED.search(column) and _are(connection, relation, column)), "")
    if not strings:
        return (), ()
    parts = f"list_filter(string_split({name(strings)}, ','), p -> p <> '')"
    paid = f"list_sum(list_transform({parts}, p -> try_cast(split_part(p, ';', 4) AS DECIMAL(18, 2))))"
    pieces = f"list_sum(list_transform({parts}, p -> try_cast(split_part(p, ';', 3) AS BIGINT)))"
    product = f"CASE WHEN len({parts}) = 1 THEN split_part({parts}[1], ';', 2) END"
    made = [
        (f"{strings}.amount", f"({paid})::VARCHAR"),
        (f"{strings}.quantity", f"({pieces})::VARCHAR"),
        (f"{strings}.product_id", product),
    ]
    kind, by = _kind(known, strings, paid)
    made += [(f"{by}.event_type", kind)] if kind else []
    high, low = next(((known[a], known[b]) for a, b in VISITOR if {a, b} <= set(known)), ("", ""))
    made += [(f"{high}+{low}", f"nullif(concat_ws('_', {name(high)}, {name(low)}), '')")] if high else []
    told = Message("warning.product_strings", {"column": strings, "amount": made[0][0], "by": by})
    return tuple(item for item in made if item[0] not in columns), (told,)


def _are(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Say whether nearly all of a column's values are product strings."""
    filled, fit = one(
        connection,
        f"SELECT count({name(column)}), count(*) FILTER (regexp_full_match({name(column)}, {text(STRING)}))"
        f" FROM (SELECT * FROM {relation} LIMIT {JUDGED_ROWS})",
    )
    return bool(filled and fit >= NEARLY_ALL * filled)


def _kind(known: Mapping[str, str], strings: str, paid: str) -> tuple[str, str]:
    """Return SQL for the kind of hit and the column that tells it: "" where a column of events says it already."""
    columns = list(known.values())
    events = next((column for column in columns if fold(column) in EVENTS), "")
    if events:
        tokens = f"list_transform(string_split({name(events)}, ','), e -> lower(split_part(trim(e), '=', 1)))"
        cases = "".join(
            f" WHEN list_has_any({tokens}, [{', '.join(map(text, words))}]) THEN {text(kind)}"
            for kind, words in CODES.items()
        )
        return f"CASE{cases} ELSE 'page_view' END", events
    named = [column for column in columns if EVENT_TYPE in (_means(column))]
    if named:
        return "", named[0]
    order = next((column for column in columns if ORDER_ID in _means(column)), "")
    bought = f"{name(order)} IS NOT NULL" if order else f"{paid} > 0"
    return f"CASE WHEN {bought} THEN 'purchase' ELSE 'product_view' END", order or strings


def _means(column: str) -> set[str | None]:
    return {SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column))}
