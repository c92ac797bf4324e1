"""The ledger of columns: what becomes of each column of a file, and which of those that nobody uses part the money.

A column is innocent when the figures say so, not when its name is unknown. What no reading uses is looked at by what
its values do to the amounts: do the rows of one value repeat the orders of another, are they their totals, taxes or
fees, do they give back what others sold? Then it is asked what these rows are. Words count where they say so in any
language, and only for values with a share of the money; a channel, a country or a category parts the money in no such
way. The name of the file, and of the sheet that a row stands on, are columns like others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from clv_core.collection.answers import ANY_VALUE, FILE, LEFT_OUT, RETURN, SALE, SHEET, Answers
from clv_core.collection.engine import T, V, name, text
from clv_core.collection.infer.columns.proposal import CLOCK, NUMBER, TIME, Proposal
from clv_core.collection.infer.event_names import are_means
from clv_core.collection.infer.log_table import CENT, LogTable
from clv_core.collection.infer.order_states import OF_OTHERS, is_named_status
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.state_words import FEW, are_codes, are_words, meaning_of
from clv_core.collection.store.manifest import ColumnAccount
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.contact_fields import contact_field
from clv_core.collection.vocabulary.order_statuses import CREDITS, REFUNDED, SOLD
from clv_core.columns import CATEGORY, CUSTOMER_ID, EVENT_TYPE, MONEY_TYPES, ORDER_ID, ORDER_STATUS, PRODUCT_ID
from clv_core.columns import RETURN as RETURN_EVENT
from clv_core.errors import Message, NeedsAnswer

SEEN_ROWS: Final = 20_000
"""Rows of which it is asked how many values a column has."""
JUDGED_ROWS: Final = 400_000
"""Rows of which it is asked how values part the money; of a larger file the first ones."""
MOST_ASKED: Final = 8
"""Values that are named in a question, the most frequent ones; a column of more kinds of rows has not been seen."""
FEWEST: Final = 10
"""Orders that have rows of two values, before what these do to each other is no accident (as with steps of orders)."""
HALF: Final = 0.5
"""Share of a value's orders that must have the other's rows too: of what was ordered, not all is paid or budgeted."""
MOST: Final = 0.9
"""Share of these orders in which a rule holds: a few are corrected by hand."""
DIFFERENT: Final = 5
"""Different amounts among them: where all prices are alike, any two stand in one ratio."""
RATIO: Final = 0.005
"""How far amounts may lie from one ratio, for roundings of prices below 2."""
MATTERS: Final = 0.01
"""Share of the money that a value must have before a word, or a mark, is asked about."""
LATER_HOURS: Final = 1
"""Hours by which a row that gives back comes after its sale, at least; lines of one order have one time."""

Kinds = dict[str, str]


@dataclass(frozen=True)
class Value:
    """What the rows with one value of a column come to.

    Args:
        word: the value; empty for blank cells.
        rows: with money.
        total: of their amounts.
        sold: of those above zero.
        back: how many are below zero.
        bare: how many name no product.
        orders: that have such rows.
        is_rest: in how many orders their sum is that of all other rows, the orders that have both, and how many
            different sums there are.
    """

    word: str
    rows: int
    total: float
    sold: float
    back: int
    bare: int
    orders: int = 0
    is_rest: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Pair:
    """Rows of two values in the same orders.

    Args:
        one: a value.
        other: another.
        orders: that have rows of both.
        same: orders in which both have one sum.
        rated: orders in which the sums stand in the usual ratio.
        amounts: different sums of ``one``.
        off: orders in which ``other`` is below zero.
        gives_back: orders in which ``other`` comes later and is no larger.
    """

    one: str
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
        """Say whether a value has sales that matter."""
        return value.sold > MATTERS * self.money

    def orders_of(self, word: str) -> int:
        """Return how many orders have rows of a value."""
        return next(value.orders for value in self.values if value.word == word)


# What values do to each other. Each returns the values whose rows may be no sales of their own.


def same_sums(parted: Parted) -> list[str]:
    """Rows of one value come to what others of their order do: totals beside lines, tenders, a sale told twice."""
    found = [
        word
        for pair in parted.pairs
        if _meet(parted, pair) and pair.same >= MOST * pair.orders
        for word in (pair.one, pair.other)
    ]
    return found + [value.word for value in parted.values if _is_rest(value)]


def _is_rest(value: Value) -> bool:
    """Say whether rows of a value come to what all other rows of their orders do."""
    same, both, amounts = value.is_rest
    return both >= max(FEWEST, HALF * value.orders) and amounts >= DIFFERENT and same >= MOST * both


def one_ratio(parted: Parted) -> list[str]:
    """They are one share of what others of their order come to: a tax, a fee, a budget."""
    return [
        pair.other
        for pair in parted.pairs
        if _meet(parted, pair)
        and pair.rated >= MOST * pair.orders
        and pair.orders >= HALF * parted.orders_of(pair.other)
    ]


def taken_off_each(parted: Parted) -> list[str]:
    """They are below zero in most orders: fees; a discount or a return is not in most."""
    return [
        pair.other
        for pair in parted.pairs
        if pair.orders >= max(FEWEST, MOST * parted.orders_of(pair.one)) and pair.off >= MOST * pair.orders
    ]


def given_back(parted: Parted) -> list[str]:
    """They are above zero, later and no larger than what others of their order come to, in few of those orders."""
    return [
        pair.other
        for pair in parted.pairs
        if pair.orders >= max(FEWEST, MOST * parted.orders_of(pair.other))
        and pair.gives_back >= MOST * pair.orders
        and parted.orders_of(pair.other) <= HALF * parted.orders_of(pair.one)
    ]


def without_product(parted: Parted) -> list[str]:
    """They name no product beside rows of the same orders that do."""
    if not parted.has_products:
        return []
    named = {value.word for value in parted.values if value.bare <= (1 - MOST) * value.rows}
    met = {pair.other for pair in parted.pairs if pair.one in named and pair.orders >= FEWEST}
    bare = [value for value in parted.values if value.word in met and value.bare >= MOST * value.rows]
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
    """The column is called one of states, and none of its words is known."""
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
"""Code of a doubt, ``rows_<code>`` -> the values whose rows are doubted. The first that finds some is asked about."""
OF_WORDS: Final = ("words_of_no_sale", "near_flags", "unknown_states")
"""Evidence that is no figure."""
OF_FILE: Final = "file_of_returns"
DOUBTS: Final = (*EVIDENCE, OF_FILE)
"""Codes of all doubts of the ledger."""
BEFORE_SCOPE: Final = ("words_of_no_sale", "given_back", OF_FILE)
"""Doubts that hold whether amounts are those of rows or of orders: a refund has the amount of its order too."""
REASONS: Final = ("said", "blank", "constant", "copy", "contact", "time", "figure", "own_code", "text", "label")
"""Why a column that is not used is harmless."""
HIDDEN: Final = (FILE, SHEET)
TICKS: Final = frozenset(("true", "x", "1", "y", "yes", "*", "✓", "t", "j", "ja", "s", "si", "oui", "是"))
"""A mark that stands beside blanks."""
OF_TOTALS: Final = (PRODUCT_ID, CATEGORY)
"""Columns that are used, and may hold "Order total" beside the names of what was bought."""
LONG: Final = 40
"""Letters of a usual cell, from which on a column holds free text."""


def _meet(parted: Parted, pair: Pair) -> bool:
    """Say whether two values stand in enough of the same orders, with enough different sums."""
    fewer = min(parted.orders_of(pair.one), parted.orders_of(pair.other))
    return pair.orders >= max(FEWEST, HALF * fewer) and pair.amounts >= DIFFERENT


def _no_sale(word: str, *, is_name: bool) -> bool:
    """Say whether a word, or one of those of a file's or sheet's name, is of no sale."""
    words = [word, *re.findall(r"[^\W\d_]+", word)] if is_name else [word]
    return any(meaning_of(one) not in (None, SOLD) or _gives_back(one) for one in words if one)


def _gives_back(word: str) -> bool:
    return meaning_of(word) == REFUNDED or EVENT_NAMES.get(fold(word)) == RETURN_EVENT or fold(word) in CREDITS


def row_kinds(answers: Answers, columns: Sequence[str], file: str) -> dict[str, dict[str, str]]:
    """Return source column -> its values -> what was said of their rows, sales aside, as far as a file has the column.

    Args:
        answers: what was said.
        columns: of the file.
        file: its name.
    """
    found: dict[str, dict[str, str]] = {}
    for key, meaning in answers.rows.items():
        column = _column_of(key, columns)
        value = key[len(column) + 1 :]
        if not column or meaning == SALE:
            continue
        if column == FILE:
            if value == ANY_VALUE or fold(value) in map(fold, re.findall(r"[^\W\d_]+", file)):
                found[FILE] = {ANY_VALUE: meaning}
        else:
            found.setdefault(column, {})[value] = meaning
    return found


def _column_of(key: str, columns: Sequence[str]) -> str:
    """Return the column that ``COLUMN=VALUE`` begins with, the longest of several; "" where the file lacks it."""
    return max((column for column in (*columns, FILE) if key.startswith(f"{column}=")), key=len, default="")


def account(
    log: LogTable, plan: ReadingPlan, notes: Iterable[Message] = ()
) -> tuple[tuple[ColumnAccount, ...], tuple[Message, ...]]:
    """Return what becomes of each column, in file order, and doubts about those that may part the money.

    Args:
        log: the file, with what each column seems to be.
        plan: how it is read.
        notes: what is said of the reading so far; a column that is asked about already is not asked about again.
    """
    used = _used(log, plan)
    asked = {str(note.params["column"]) for note in notes if note.code == "warning.status_unused"}
    said = {_column_of(key, log.columns) for key in log.answers.rows}
    columns = [column for column in log.source.own_columns if column not in used and column not in said]
    reasons, few = _few_valued(log, columns)
    labels = [plan.chosen[item] for item in OF_TOTALS if item in plan.chosen and plan.chosen[item] not in said]
    doubts = {column: doubt for column, doubt in _doubts(log, plan, few, labels) if column not in asked}
    if FILE not in said and (doubt := _doubt_of_file(log, plan)):
        doubts[FILE] = doubt
    accounts = []
    for column in (*log.source.own_columns, *([FILE] if FILE in doubts else [])):
        if column in doubts:
            accounts.append(ColumnAccount(column, "doubted", doubts[column].code.removeprefix(DOUBT)))
        elif column in used:
            accounts.append(ColumnAccount(column, "used", ", ".join(used[column])))
        else:
            accounts.append(
                ColumnAccount(column, "harmless", "said" if column in said else reasons.get(column, "label"))
            )
    return tuple(accounts), tuple(doubts.values())


DOUBT: Final = "warning.rows_"


def ask_before_scope(log: LogTable, plan: ReadingPlan) -> None:
    """Ask what rows are before it is asked whose amounts they have, where they may give back what others sold.

    Args:
        log: the file.
        plan: how it is read, each row for itself.

    Raises:
        NeedsAnswer: some may.
    """
    for doubt in account(log, plan)[1]:
        if doubt.code.removeprefix(DOUBT) in BEFORE_SCOPE:
            raise NeedsAnswer(doubt.code.removeprefix("warning."), **doubt.params)


def _used(log: LogTable, plan: ReadingPlan) -> dict[str, list[str]]:
    """Return the columns that a reading uses, and as what."""
    used: dict[str, list[str]] = {}
    roles = {
        "clock": (plan.clock,),
        "guest_email": (plan.guest_email,),
        "parent": (plan.parent,),
        "order_part": (plan.orders.part,),
        "order_end": plan.orders.ends,
        "order_status": plan.orders.others,
        "row_kind": plan.orders.kinds,
        **{canonical: (column,) for canonical, column in plan.chosen.items()},
    }
    made = {column: query for column, query in log.source.made}
    for role, columns in roles.items():
        for column in filter(None, columns):
            parts = [own for own in log.source.own_columns if name(own) in made[column]] if column in made else [column]
            for part in parts:
                used.setdefault(part, []).append(role)
    return used


def _few_valued(log: LogTable, columns: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return why columns are harmless, as far as their first rows tell, and those of few values."""
    if not columns:
        return {}, []
    each = ", ".join(
        f"approx_count_distinct({cell}), count({cell}), avg(length({cell})), bit_xor(hash({cell} || chr(31) || clv_at))"
        for cell in map(name, columns)
    )
    rows, *found = log.one(
        f"SELECT count(*), {each} FROM (SELECT {', '.join(map(name, columns))}, row_number() OVER () AS clv_at"
        f" FROM {log.first(SEEN_ROWS)})"
    )
    seen: dict[str, Proposal] = {item.column: item for item in log.proposals}
    reasons: dict[str, str] = {}
    few: list[str] = []
    signatures: set[int] = set()
    for at, column in enumerate(columns):
        distinct, filled, length, signature = found[4 * at : 4 * at + 4]
        samples = seen[column].samples if column in seen else ()
        if not filled:
            reasons[column] = "blank"
        elif signature in signatures:
            reasons[column] = "copy"
        elif contact_field(column):
            reasons[column] = "contact"
        elif distinct <= FEW:
            few.append(column)
            reasons[column] = "constant" if distinct == 1 and filled == rows else "label"
        elif samples and all(TIME.fullmatch(one) or CLOCK.fullmatch(one) for one in samples):
            reasons[column] = "time"
        elif samples and all(map(NUMBER.fullmatch, samples)):
            reasons[column] = "figure"
        elif column in seen and seen[column].never_repeats:
            reasons[column] = "own_code"
        else:
            reasons[column] = "text" if length > LONG else "label"
        signatures.add(signature)
    return reasons, few


def _doubts(
    log: LogTable, plan: ReadingPlan, free: Sequence[str], labels: Sequence[str]
) -> Iterable[tuple[str, Message]]:
    """Yield the columns whose values part the money, with what is to be asked of them.

    Where amounts are those of whole orders, their rows have shares of them, which say nothing of each other. Among
    products only a name that nearly every order has may be its total. Who said that there are no states, or no kinds
    of rows, is not asked for words.
    """
    columns = [*free, *labels]
    spared = set(OF_WORDS) if "" in {log.answers.mapping.get(one) for one in (ORDER_STATUS, EVENT_TYPE)} else set()
    if not columns or not plan.has_money:
        return
    order = f"coalesce({T}{ORDER_ID}, {V}time::DATE::VARCHAR)" if ORDER_ID in plan.chosen else f"{V}time::DATE::VARCHAR"
    product = f"{T}{PRODUCT_ID} IS NULL" if PRODUCT_ID in plan.chosen else "false"
    cells = ", ".join(f"coalesce(trim({name(column)}), '') AS c{at}" for at, column in enumerate(columns))
    kinds = ", ".join(map(text, MONEY_TYPES))
    log.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE clv_money AS SELECT hash(({T}{CUSTOMER_ID}, {order})) AS o, {V}value AS x,"
        f" {V}time AS t, {product} AS bare, {cells} FROM {plan.judged(log.first(JUDGED_ROWS))}"
        f" WHERE {V}value IS NOT NULL AND {V}type IN ({kinds}) AND coalesce({plan.reason}, 'repeated_amount') ="
        " 'repeated_amount'"
    )
    try:
        orders, *mixed = log.one(
            "SELECT (SELECT count(DISTINCT o) FROM clv_money), "
            + ", ".join(f"count(*) FILTER (l{at} <> h{at})" for at, _ in enumerate(columns))
            + " FROM (SELECT "
            + ", ".join(f"min(c{at}) AS l{at}, max(c{at}) AS h{at}" for at, _ in enumerate(columns))
            + " FROM clv_money GROUP BY o HAVING count(*) > 1)"
        )
        for at, column in enumerate(columns):
            is_mixed = mixed[at] >= FEWEST and not plan.orders.whole
            parted = _parted(log, column, f"c{at}", is_mixed=is_mixed, has_products=PRODUCT_ID in plan.chosen)
            if column in labels:
                found = _of_totals(parted, orders)
                doubt = _message("same_sums", parted, found) if found else None
            else:
                doubt = _doubt(parted, spared)
            if doubt is not None:
                doubt.params.update(_revenues(log, plan, column, doubt.params["choices"]))
                yield column, doubt
    finally:
        log.connection.execute("DROP TABLE clv_money")


def _of_totals(parted: Parted, orders: int) -> list[str]:
    """Return the one name among products that nearly all orders have and that comes to what their other rows do."""
    found = [value.word for value in parted.values if value.orders >= MOST * orders and _is_rest(value)]
    return found if len(found) == 1 else []


def _parted(log: LogTable, column: str, cell: str, *, is_mixed: bool, has_products: bool) -> Parted:
    """Return how a column of :func:`_doubts`' table parts the money; pairs where its values share orders."""
    rows = log.fetch(
        f"SELECT {cell}, count(*), sum(x), coalesce(sum(x) FILTER (x > 0), 0), count(*) FILTER (x < 0),"
        f" count(*) FILTER (bare) FROM clv_money GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {FEW}"
    )
    values = [
        Value(str(word), int(many), float(total), float(sold), int(back), int(bare))
        for word, many, total, sold, back, bare in rows
    ]
    every = tuple(value.word for value in values)
    if len(values) < 2 or not is_mixed:
        return Parted(column, values, every=every, has_products=has_products)
    listed = ", ".join(text(value.word) for value in values)
    sums = f"SELECT o, {cell} AS v, sum(x) AS s, min(t) AS t FROM clv_money GROUP BY 1, 2"
    log.connection.execute(f"CREATE OR REPLACE TEMP TABLE clv_sums AS {sums}")
    rest = log.fetch(
        f"SELECT v, count(*), count(*) FILTER (abs(whole - 2 * s) < {CENT} AND several), count(*) FILTER (several),"
        " approx_count_distinct(s) FILTER (several) FROM (SELECT *, sum(s) OVER (PARTITION BY o) AS whole,"
        f" count(*) OVER (PARTITION BY o) > 1 AS several FROM clv_sums) WHERE v IN ({listed}) GROUP BY 1"
    )
    of = {str(word): (int(orders), (int(same), int(both), int(amounts))) for word, orders, same, both, amounts in rest}
    pairs = log.fetch(
        "WITH met AS (SELECT a.v AS one, b.v AS other, a.s AS x, b.s AS y, a.t AS first, b.t AS later"
        f" FROM clv_sums a JOIN clv_sums b USING (o) WHERE a.v <> b.v AND a.s > 0 AND a.v IN ({listed})"
        f" AND b.v IN ({listed})), rates AS (SELECT one, other, median(y / x) AS rate FROM met GROUP BY 1, 2)"
        f" SELECT one, other, count(*), count(*) FILTER (abs(x - y) < {CENT}),"
        f" count(*) FILTER (y <> 0 AND abs(y - rate * x) < {CENT} + {RATIO} * abs(y)), approx_count_distinct(x),"
        f" count(*) FILTER (y < 0), count(*) FILTER (y BETWEEN {CENT} AND x + {CENT}"
        f" AND later >= first + INTERVAL {LATER_HOURS} HOUR)"
        " FROM met JOIN rates USING (one, other) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    log.connection.execute("DROP TABLE clv_sums")
    counted = []
    for one in values:
        orders, is_rest = of.get(one.word, (0, (0, 0, 0)))
        counted.append(replace(one, orders=orders, is_rest=is_rest))
    met = [Pair(str(one), str(other), *map(int, more)) for one, other, *more in pairs]
    return Parted(column, counted, met, every, has_products)


def _doubt(parted: Parted, spared: Collection[str]) -> Message | None:
    """Return the doubt about a column, None where its values part the money in no way."""
    if len(parted.values) < 2:
        return None
    for code, find in EVIDENCE.items():
        doubted = [] if code in spared else list(dict.fromkeys(find(parted)))
        if doubted:
            return _message(code, parted, doubted)
    return None


def _message(code: str, parted: Parted, doubted: list[str]) -> Message:
    values = [value for value in parted.values if value.word in doubted][:MOST_ASKED]
    values += [value for value in parted.values if value not in values][: MOST_ASKED - len(values)]
    options = choices(parted.column, values, doubted, code)
    params = {
        "column": parted.column,
        "values": [value.word or "–" for value in values if value.word in doubted],
        "first": next(value.word for value in values if value.word in doubted),
        "sum": sum(value.total for value in values if value.word in doubted),
        "choices": options,
    }
    return Message(f"{DOUBT}{code}", params)


def choices(column: str, values: Sequence[Value], doubted: Sequence[str], code: str) -> list[Kinds]:
    """Return what may be said of the values of a column, the likeliest first; the last is that all are sales.

    Args:
        column: its name.
        values: that are asked about.
        doubted: those whose rows may be no sales.
        code: of the evidence.
    """
    words = [value.word for value in values]
    back = [value.word for value in values if value.word in doubted and value.sold > 0]

    def of(chosen: Iterable[str], meaning: str) -> Kinds:
        return {f"{column}={word}": meaning for word in chosen}

    alone = [of([word for word in words if word != one], LEFT_OUT) for one in words if len(words) > 1]
    out = [of([word for word in words if word in doubted], LEFT_OUT)] if len(doubted) < len(words) else []
    each = [of([word], LEFT_OUT) for word in words if word in doubted]
    taken_off = [of(back, RETURN)] if 1 < len(back) < len(words) else []
    taken_off += [of([word], RETURN) for word in back]
    if code == "unknown_states" and len(words) <= MOST_COMBINED:
        each += [of(some, LEFT_OUT) for many in range(2, len(words)) for some in combinations(words, many)]
    ordered = [*taken_off, *out, *alone, *each] if code == "given_back" else [*out, *each, *alone, *taken_off]
    unique = list({tuple(sorted(one.items())): one for one in ordered if one}.values())
    return [*unique[:MOST_OPTIONS], {f"{column}={ANY_VALUE}": SALE}]


MOST_COMBINED: Final = 4
"""States of which all combinations are offered."""
MOST_OPTIONS: Final = 11


def _revenues(log: LogTable, plan: ReadingPlan, column: str, options: Sequence[Kinds]) -> Mapping[str, list[float]]:
    """Return what the log comes to by each option, in one pass over it; nothing where that takes a reading each.

    Where orders are read as wholes, or their totals left out, a row that is left out changes others.
    """
    if plan.orders.whole or plan.order_totals:
        return {}
    kinds = ", ".join(map(text, MONEY_TYPES))
    sums = log.fetch(
        f"SELECT coalesce(trim({name(column)}), ''), sum({V}value), coalesce(sum({V}value) FILTER ({V}value > 0), 0)"
        f" FROM {plan.judged(log.relation)} WHERE {plan.reason} IS NULL AND {V}type IN ({kinds}) GROUP BY 1"
    )

    def revenue(option: Kinds) -> float:
        come_to = 0.0
        for word, total, sold in sums:
            meaning = option.get(f"{column}={word}")
            come_to += 0.0 if meaning == LEFT_OUT else float(total) - 2 * float(sold) * (meaning == RETURN)
        return come_to

    return {"revenues": [round(revenue(option), 2) for option in options]}


def _doubt_of_file(log: LogTable, plan: ReadingPlan) -> Message | None:
    """Return the doubt about a file whose name says that it holds returns, and whose amounts are all above zero."""
    words = [word for word in re.findall(r"[^\W\d_]+", log.source.file.rpartition(".")[0]) if len(word) > 2]
    back = [word for word in words if _gives_back(word)]
    if not back or not plan.has_money:
        return None
    below, sold = log.one(
        f"SELECT count(*) FILTER ({V}value < 0), coalesce(sum({V}value) FILTER ({V}value > 0), 0)"
        f" FROM {plan.judged(log.first(JUDGED_ROWS))}"
    )
    if below or not sold:
        return None
    options = [{f"{FILE}={back[0]}": RETURN}, {f"{FILE}={back[0]}": SALE}]
    params = {"column": FILE, "file": log.source.file, "first": back[0], "sum": float(sold), "choices": options}
    return Message(f"{DOUBT}{OF_FILE}", params)
