"""How the values of a column part the money, and which of their rows may be no sales of their own.

Each sign of :data:`EVIDENCE` looks at what the rows of one value do to those of others in the same orders. Words count
where they say so in any language, and only for values with a share of the money.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from clv_core.collection.answers import FILE, SHEET
from clv_core.collection.engine import text
from clv_core.collection.infer.event_names import are_means
from clv_core.collection.infer.log_table import CENT, LogTable
from clv_core.collection.infer.order_states import (
    MAX_STATUSES,
    OF_OTHERS,
    are_codes,
    are_words,
    is_named_status,
    meaning_of,
)
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import CREDITS, REFUNDED, SOLD
from clv_core.columns import RETURN

MIN_ORDERS: Final = 10
"""Orders that have rows of two values, before what these do to each other is no accident
(``order_steps.MIN_ORDERS``)."""
MIN_SHARED: Final = 0.5
"""Share of a value's orders that must have the other's rows too: of what was ordered, not all is paid or budgeted
(``order_steps.MIN_SHARED``)."""
MIN_HOLDING: Final = 0.9
"""Share of these orders in which a rule holds: a few are corrected by hand. A guess; it turned no log of
``tests/bench/known_logs`` wrong."""
MIN_AMOUNTS: Final = 5
"""Different amounts among them: where all prices are alike, any two stand in one ratio. A guess."""
MAX_RATIO_GAP: Final = 0.005
"""How far amounts may lie from one ratio, for roundings of prices below 2."""
MIN_MONEY_SHARE: Final = 0.01
"""Share of the money that a value must have before a word, or a mark, is asked about: as of all questions."""
MIN_HOURS_LATER: Final = 1
"""Hours by which a row that gives back comes after its sale, at least; lines of one order have one time. A guess."""


@dataclass(frozen=True)
class Value:
    """What the rows with one value of a column come to.

    Args:
        word: the value; empty for blank cells.
        rows: with money.
        total: of their amounts.
        sold: of those above zero.
        bare: how many name no product.
        orders: that have such rows.
        is_rest: in how many orders their sum is that of all other rows, the orders that have both, and how many
            different sums there are.
    """

    word: str
    rows: int
    total: float
    sold: float
    bare: int
    orders: int = 0
    is_rest: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Pair:
    """Rows of two values in the same orders.

    Args:
        word: a value.
        other: another.
        orders: that have rows of both.
        same: orders in which both have one sum.
        rated: orders in which the sums stand in the usual ratio.
        amounts: different sums of ``word``.
        off: orders in which ``other`` is below zero.
        gives_back: orders in which ``other`` comes later and is no larger.
    """

    word: str
    other: str
    orders: int
    same: int
    rated: int
    amounts: int
    off: int
    gives_back: int


@dataclass(frozen=True)
class Parted:
    """How the values of one column part the money.

    Args:
        column: its name.
        values: with money, the most frequent first.
        pairs: of two of them, both ways about.
        every: all values of the column, with money or without.
        has_products: whether the log names products.
    """

    column: str
    values: Sequence[Value]
    pairs: Sequence[Pair] = ()
    every: tuple[str, ...] = ()
    has_products: bool = False

    @property
    def money(self) -> float:
        """What all rows come to, each by its size."""
        return sum(abs(value.total) for value in self.values)

    def matters(self, value: Value) -> bool:
        """Return whether a value has sales that matter."""
        return value.sold > MIN_MONEY_SHARE * self.money

    def orders_of(self, word: str) -> int:
        """Return how many orders have rows of a value."""
        return next(value.orders for value in self.values if value.word == word)


# What values do to each other. Each returns the values whose rows may be no sales of their own.


def same_sums(parted: Parted) -> list[str]:
    """Rows of one value come to what others of their order do: totals of lines, tenders, a sale repeated."""
    equal_words = [
        word
        for pair in parted.pairs
        if _meet(parted, pair) and pair.same >= MIN_HOLDING * pair.orders
        for word in (pair.word, pair.other)
    ]
    return equal_words + [value.word for value in parted.values if _is_rest(value)]


def _is_rest(value: Value) -> bool:
    """Return whether rows of a value come to what all other rows of their orders do."""
    same, both, amounts = value.is_rest
    return both >= max(MIN_ORDERS, MIN_SHARED * value.orders) and amounts >= MIN_AMOUNTS and same >= MIN_HOLDING * both


def one_ratio(parted: Parted) -> list[str]:
    """They are one share of what others of their order come to: a tax, a fee, a budget."""
    return [
        pair.other
        for pair in parted.pairs
        if _meet(parted, pair)
        and pair.rated >= MIN_HOLDING * pair.orders
        and pair.orders >= MIN_SHARED * parted.orders_of(pair.other)
    ]


def taken_off_each(parted: Parted) -> list[str]:
    """They are below zero in most orders: fees; a discount or a return is not in most."""
    return [
        pair.other
        for pair in parted.pairs
        if pair.orders >= max(MIN_ORDERS, MIN_HOLDING * parted.orders_of(pair.word))
        and pair.off >= MIN_HOLDING * pair.orders
    ]


def given_back(parted: Parted) -> list[str]:
    """They are above zero, later and no larger than what others of their order come to, in few of those orders."""
    return [
        pair.other
        for pair in parted.pairs
        if pair.orders >= max(MIN_ORDERS, MIN_HOLDING * parted.orders_of(pair.other))
        and pair.gives_back >= MIN_HOLDING * pair.orders
        and parted.orders_of(pair.other) <= MIN_SHARED * parted.orders_of(pair.word)
    ]


def without_product(parted: Parted) -> list[str]:
    """They name no product where other rows of the same orders do."""
    if not parted.has_products:
        return []
    named = {value.word for value in parted.values if value.bare <= (1 - MIN_HOLDING) * value.rows}
    met = {pair.other for pair in parted.pairs if pair.word in named and pair.orders >= MIN_ORDERS}
    bare = [value for value in parted.values if value.word in met and value.bare >= MIN_HOLDING * value.rows]
    return [value.word for value in bare if parted.matters(value)]


def words_of_no_sale(parted: Parted) -> list[str]:
    """Words say in some language that rows with sales were called off, or give something back."""
    if are_means(value.word for value in parted.values) or OF_OTHERS.search(fold(parted.column)):
        return []
    is_name = parted.column in HIDDEN
    return [value.word for value in parted.values if parted.matters(value) and _no_sale(value.word, is_name=is_name)]


def near_flags(parted: Parted) -> list[str]:
    """They have a mark of their own in a column of N, Y and C, of 0, 1 and 2, or of a mark and blanks."""
    words = {word.lower() for word in parted.every}
    marks = words - {""}
    are_letters = {"y", "n"} <= marks and max(map(len, marks), default=0) == 1
    three = len(marks) in (3, 4) and (marks <= {"0", "1", "2", "3"} or are_letters)
    ticked = "" in words and len(marks) == 1 and marks <= TICKS
    if OF_OTHERS.search(fold(parted.column)) or not (three or ticked):
        return []
    usual = max(parted.values, key=lambda value: value.rows)
    return [value.word for value in parted.values if value is not usual and parted.matters(value)]


def unknown_states(parted: Parted) -> list[str]:
    """The column is named as one of states, and none of its words is in the vocabulary."""
    words = [word for word in parted.every if word]
    if not is_named_status(parted.column) or not (are_words(words) or are_codes(words)):
        return []
    if any(meaning_of(word) == SOLD for word in words):
        return []
    return [value.word for value in parted.values if value.word and parted.matters(value)]


EVIDENCE: Final[dict[str, Callable[[Parted], list[str]]]] = {
    "words_of_no_sale": words_of_no_sale,
    "given_back": given_back,
    "same_sums": same_sums,
    "one_ratio": one_ratio,
    "taken_off_each": taken_off_each,
    "without_product": without_product,
    "near_flags": near_flags,
    "unknown_states": unknown_states,
}
"""Code of a doubt, ``rows_<code>`` -> the values whose rows are doubted. The first that returns some is asked."""
OF_WORDS: Final = ("words_of_no_sale", "near_flags", "unknown_states")
"""Evidence that is no figure."""
HIDDEN: Final = (FILE, SHEET)
TICKS: Final = frozenset(("x", "1", "*", "✓", *load_vocabulary().entries("values", "ticks")))
"""Marks of a column that is blank otherwise."""


def _meet(parted: Parted, pair: Pair) -> bool:
    """Return whether two values stand in enough of the same orders, with enough different sums."""
    fewer = min(parted.orders_of(pair.word), parted.orders_of(pair.other))
    return pair.orders >= max(MIN_ORDERS, MIN_SHARED * fewer) and pair.amounts >= MIN_AMOUNTS


def _no_sale(word: str, *, is_name: bool) -> bool:
    """Return whether a word, or one of those of a file's or sheet's name, is of no sale."""
    words = [word, *re.findall(r"[^\W\d_]+", word)] if is_name else [word]
    return any(meaning_of(part) not in (None, SOLD) or gives_back(part) for part in words if part)


def gives_back(word: str) -> bool:
    """Return whether a word is of what came back."""
    return meaning_of(word) == REFUNDED or EVENT_NAMES.get(fold(word)) == RETURN or fold(word) in CREDITS


def totals_among(parted: Parted, orders: int) -> list[str]:
    """Return the one name among products that nearly all orders have and that comes to what their other rows do."""
    totals = [value.word for value in parted.values if value.orders >= MIN_HOLDING * orders and _is_rest(value)]
    return totals if len(totals) == 1 else []


def measure(log: LogTable, column: str, cell: str, *, is_mixed: bool, has_products: bool) -> Parted:
    """Return how a column parts the money; pairs where its values share orders.

    Args:
        log: the file, whose engine has the table ``clv_money``: of each row with money its order ``o``, amount ``x``,
            time ``t``, whether it names no product (``bare``), and the texts of columns.
        column: its name.
        cell: its name in that table.
        is_mixed: whether orders have rows of several of its values.
        has_products: whether the log names products.

    The table ``clv_sums`` has the sum and first time of each value in each order. ``rest`` compares each sum with that
    of all other rows of its order (the inner query adds the order's total and whether it has several values). ``pairs``
    joins the sums of two values in one order (``met``), takes the usual ratio of each pair of values (``rates``), and
    counts orders that follow it, or another rule.
    """
    rows = log.fetch(
        f"SELECT {cell}, count(*), sum(x), coalesce(sum(x) FILTER (x > 0), 0),"
        f" count(*) FILTER (bare) FROM clv_money GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_STATUSES}"
    )
    values = [
        Value(str(word), int(many), float(total), float(sold), int(bare)) for word, many, total, sold, bare in rows
    ]
    every = tuple(value.word for value in values)
    if len(values) < 2 or not is_mixed:
        return Parted(column, values, every=every, has_products=has_products)
    listed = ", ".join(text(value.word) for value in values)
    sums = f"SELECT o, {cell} AS v, sum(x) AS s, min(t) AS t FROM clv_money GROUP BY 1, 2"
    log.connection.execute(f"CREATE OR REPLACE TEMP TABLE clv_sums AS {sums}")
    rest = log.fetch(
        f"SELECT v, count(*), count(*) FILTER (abs(total - 2 * s) < {CENT} AND several), count(*) FILTER (several),"
        " approx_count_distinct(s) FILTER (several) FROM (SELECT *, sum(s) OVER (PARTITION BY o) AS total,"
        f" count(*) OVER (PARTITION BY o) > 1 AS several FROM clv_sums) WHERE v IN ({listed}) GROUP BY 1"
    )
    of = {str(word): (int(orders), (int(same), int(both), int(amounts))) for word, orders, same, both, amounts in rest}
    pairs = log.fetch(
        "WITH met AS (SELECT a.v AS one, b.v AS other, a.s AS x, b.s AS y, a.t AS first, b.t AS later"
        f" FROM clv_sums a JOIN clv_sums b USING (o) WHERE a.v <> b.v AND a.s > 0 AND a.v IN ({listed})"
        f" AND b.v IN ({listed})), rates AS (SELECT one, other, median(y / x) AS rate FROM met GROUP BY 1, 2)"
        f" SELECT one, other, count(*), count(*) FILTER (abs(x - y) < {CENT}),"
        f" count(*) FILTER (y <> 0 AND abs(y - rate * x) < {CENT} + {MAX_RATIO_GAP} * abs(y)),"
        f" approx_count_distinct(x), count(*) FILTER (y < 0), count(*) FILTER (y BETWEEN {CENT} AND x + {CENT}"
        f" AND later >= first + INTERVAL {MIN_HOURS_LATER} HOUR)"
        " FROM met JOIN rates USING (one, other) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    log.connection.execute("DROP TABLE clv_sums")
    counted = []
    for value in values:
        orders, is_rest = of.get(value.word, (0, (0, 0, 0)))
        counted.append(replace(value, orders=orders, is_rest=is_rest))
    met = [Pair(str(word), str(other), *map(int, more)) for word, other, *more in pairs]
    return Parted(column, counted, met, every, has_products)
