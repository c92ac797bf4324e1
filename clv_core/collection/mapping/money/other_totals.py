"""A subtotal beside a total, an amount without taxes beside one with them, lines beside the total of their order.

Where they differ it is said.

What postage, taxes and tips are worth to a shop is its own matter; one of the two is read, and the other may be meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.money import NAMED
from clv_core.collection.mapping.columns.proposed import LIKELY, Proposal
from clv_core.collection.mapping.proposals.by_name import says
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import WITH_TAX, WITHOUT_TAX, fold
from clv_core.columns import AMOUNT, ORDER_ID, QUANTITY, UNIT_PRICE
from clv_core.errors import Message

JUDGED_ROWS: Final = 20_000
FEWEST: Final = 3
"""Rows in which the two differ, before that is worth a word."""
CENT: Final = 0.011
NEARLY_ALL: Final = 0.95
NOT_PAID: Final = re.compile(
    r"\b(?:costs?|cogs|margin|profit|fees?|commission|tax(?:es)?|vat|duty|shipping|postage|freight|delivery|discount|coupon"
    r"|voucher|promotion|rebate|tips?|balance|due|budget|limit|deposit|list|msrp|rrp|average|avg|lifetime|refund(?:ed)?"
    r"|kosten|gewinn|marge|steuer|versand|rabatt|coûts?|frais|remise|taxe|costo|coste|custo|impuesto|envío|descuento"
    r"|desconto|frete|sconto|spedizione)\b|成本|利润|毛利|佣金|税|运费|优惠|折扣|余额|原価|送料|割引|原价|吊牌价"
)
"""What the name of a column of money holds that is not what the customer paid."""
PAID: Final = re.compile(
    r"total|amount|amt|paid|payment|revenue|sales|spen[dt]|turnover|betrag|umsatz|montant|importe|monto|金额|金額|实付|支付|合计|合計|總計|総計"
)
"""What the name of an amount holds that says clearly enough that it is what was paid."""
OF_FEES: Final = re.compile(r"\b(?:gross|net|brutto|netto|bruto|brut|lordo|líquido|liquido|neto)\b")
"""Names of amounts before and after fees or taxes: what these are worth to a shop is its own matter."""
SUBTOTAL: Final = re.compile(r"sub ?total|zwischensumme|sous ?total|totale parziale|ara toplam|小[计計]|소계|подытог")


def told_other_total(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
    notes: Sequence[Message],
) -> tuple[Message, ...]:
    """Return what is to be said of a total beside the amount that is a subtotal or lines, or the other way about.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; of an amount that was said nothing is.
        notes: what is said so far; a column that was spoken of as another amount is not again.
    """
    if AMOUNT not in chosen or AMOUNT in mapping:
        return ()
    own = chosen[AMOUNT]
    named = [note.params for note in notes if note.params.get("canonical") == AMOUNT]
    spoken = {column for params in named for column in params.get("others", ())}
    spoken |= {str(note.params.get(key)) for note in notes for key in ("column", "other") if "other" in note.params}
    used = {*chosen.values(), *spoken}
    for item in proposals:
        called = says(AMOUNT, item) or (item.money and _below(item.column))
        if item.column in used or not (item.samples and called):
            continue
        params: dict[str, object] = {"column": own, "other": item.column}
        if _are_two(own, item.column):
            differ = _rows(connection, source, own, item.column)
            code = "warning.other_total"
        elif ORDER_ID in chosen:
            params["order"] = chosen[ORDER_ID]
            differ = _orders(connection, source, own, item.column, chosen[ORDER_ID])
            code = "warning.other_order_total"
        else:
            continue
        if differ:
            return (Message(code, {**params, **differ}),)
    return ()


def without_cost(chosen: dict[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the columns without an amount that is called a cost, where quantity and unit price say what was paid."""
    own = chosen.get(AMOUNT, "")
    if AMOUNT in mapping or not {QUANTITY, UNIT_PRICE} <= set(chosen) or not NOT_PAID.search(_words(own)):
        return chosen
    return {canonical: column for canonical, column in chosen.items() if canonical != AMOUNT}


def rival_amounts(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    notes: Sequence[Message],
) -> tuple[Message, ...]:
    """Return a doubt where the amount is a guess, and other columns are called amounts too.

    One that lies above or below it by a fee, tax or the like in a third column is none: what was paid is known.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        notes: what is said so far; a column that was spoken of as another amount is no rival.
    """
    own = next((item for item in proposals if item.column == chosen.get(AMOUNT)), None)
    if own is None or own.confidence > LIKELY or PAID.search(_words(own.column)):
        return ()
    spoken = {str(note.params.get(key)) for note in notes for key in ("other", "discount", "refund")}
    named = [item.column for item in proposals if item.money > 0 and item.column not in {*chosen.values(), *spoken}]
    between = [column for column in source.columns if NOT_PAID.search(_words(column))]
    rivals = [item.column for item in proposals if item.money >= NAMED and item.column in named]
    if OF_FEES.search(_words(own.column)):
        rivals = [column for column in rivals if not OF_FEES.search(_words(column))]
    others = [
        column
        for column in rivals
        if column not in between and not any(_parted(connection, source, own.column, column, fee) for fee in between)
    ]
    return (Message("warning.rival_amounts", {"column": own.column, "others": others[:4]}),) if others else ()


def _parted(connection: duckdb.DuckDBPyConnection, source: Source, own: str, other: str, fee: str) -> bool:
    """Say whether two amounts differ by what stands in a third column, in nearly all rows."""
    for decimal in ("point", "comma"):
        a, b, c = number_cells((own, other, fee), decimal)
        told, parted = one(
            connection,
            f"SELECT count(*), count(*) FILTER (abs(abs(a - b) - abs(c)) < {CENT}) FROM (SELECT {a} AS a, {b} AS b,"
            f" {c} AS c FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE a IS NOT NULL AND b IS NOT NULL AND c <> 0",
        )
        if told >= FEWEST and parted >= NEARLY_ALL * told:
            return True
    return False


def _words(column: str) -> str:
    return re.sub(r"[\W_]+", " ", column.casefold())


def _rows(connection: duckdb.DuckDBPyConnection, source: Source, own: str, other: str) -> dict[str, float]:
    """Return in how many rows two amounts differ, and what both come to; nothing where they hardly do."""
    mine, theirs = number_cells((own, other), "point")
    rows, ours, others = one(
        connection,
        f"SELECT count(*) FILTER (abs(a - b) > {CENT}), sum(a), sum(b) FROM (SELECT {mine} AS a, {theirs} AS b"
        f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE a IS NOT NULL AND b IS NOT NULL",
    )
    return {"rows": int(rows), "sum": ours, "other_sum": others} if rows >= FEWEST else {}


def _orders(
    connection: duckdb.DuckDBPyConnection, source: Source, own: str, other: str, order: str
) -> dict[str, float]:
    """Return in how many orders what stands on all lines is not their sum, and what both come to.

    Nothing where they hardly differ, or where the other is not the same on all lines of each order of several amounts.
    """
    mine, theirs = number_cells((own, other), "point")
    alike, several, orders, ours, others = one(
        connection,
        "SELECT count(*) FILTER (lines > 1 AND low = high), count(*) FILTER (lines > 1),"
        f" count(*) FILTER (abs(own - high) > {CENT}), sum(own), sum(high) FROM (SELECT sum(a) AS own, min(b) AS low,"
        f" max(b) AS high, count(DISTINCT a) AS lines FROM (SELECT {name(order)} AS o, {mine} AS a, {theirs} AS b"
        f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE o IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL"
        " GROUP BY o)",
    )
    told = several >= FEWEST and alike == several and orders >= FEWEST
    return {"orders": int(orders), "sum": ours, "other_sum": others} if told else {}


def _are_two(one_column: str, other: str) -> bool:
    """Say whether one of two columns is called a subtotal, or they are one name with taxes and without."""
    bare = [fold(WITHOUT_TAX.sub("", WITH_TAX.sub("", column))) for column in (one_column, other)]
    return _below(one_column) != _below(other) or bare[0] == bare[1]


def _below(column: str) -> bool:
    return bool(SUBTOTAL.search(_words(column)))
