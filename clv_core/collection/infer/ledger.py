"""The ledger of columns: what each column of a file is used for, and which unused ones separate sales from other rows.

A column is harmless by its figures, not because its name is unknown. An unused column is judged by what its values do
to the amounts: do the rows of one value repeat the orders of another, are they their totals, taxes or fees, do they
give back what others sold? Then the user is asked what these rows are. Words of the vocabularies count for values with
a share of the money only; a channel, a country or a category has no such effect on the money
(:mod:`clv_core.collection.infer.column_evidence`). The name of the file, and of a row's sheet, are columns like others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from clv_core.collection.answers import ANY_VALUE, FILE, LEFT_OUT, RETURN, SALE, Answers
from clv_core.collection.engine import T, V, name, text
from clv_core.collection.infer.column_evidence import (
    EVIDENCE,
    MIN_ORDERS,
    OF_WORDS,
    Parted,
    Value,
    gives_back,
    measure,
    totals_among,
)
from clv_core.collection.infer.columns.proposal import CLOCK, NUMBER, TIME, Proposal
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.order_states import MAX_STATUSES
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.store.manifest import ColumnAccount
from clv_core.collection.vocabulary.column_names import contact_field, fold
from clv_core.columns import CATEGORY, CUSTOMER_ID, EVENT_TYPE, MONEY_TYPES, ORDER_ID, ORDER_STATUS, PRODUCT_ID
from clv_core.errors import Message, NeedsAnswer

SEEN_ROWS: Final = 20_000
"""First rows in which the values of a column are counted: a limit of time."""
JUDGED_ROWS: Final = 400_000
"""First rows in which the effect of values on the money is measured: a limit of time."""
MAX_ASKED_VALUES: Final = 8
"""Values that are named in a question, the most frequent ones; a column of more kinds of rows has not been seen."""
Kinds = dict[str, str]
"""``COLUMN=VALUE`` -> the meaning of its rows."""
OF_FILE: Final = "file_of_returns"
DOUBTS: Final = (*EVIDENCE, OF_FILE)
"""Codes of all doubts of the ledger."""
BEFORE_SCOPE: Final = ("words_of_no_sale", "given_back", OF_FILE)
"""Doubts that hold whether amounts are those of rows or of orders: a refund has the amount of its order too."""
OF_TOTALS: Final = (PRODUCT_ID, CATEGORY)
"""Columns that are used, and may have "Order total" among the names of products."""
MIN_TEXT_LENGTH: Final = 40
"""Letters of a usual cell, from which on a column holds free text."""


def row_kinds(answers: Answers, columns: Sequence[str], file: str) -> dict[str, dict[str, str]]:
    """Return source column -> its values -> the answered meaning of their rows, except sales, for columns of a file.

    Args:
        answers: of the user.
        columns: of the file.
        file: its name.
    """
    kinds: dict[str, dict[str, str]] = {}
    for key, meaning in answers.rows.items():
        column = _column_of(key, columns)
        value = key[len(column) + 1 :]
        if not column or meaning == SALE:
            continue
        if column == FILE:
            if value == ANY_VALUE or fold(value) in map(fold, re.findall(r"[^\W\d_]+", file)):
                kinds[FILE] = {ANY_VALUE: meaning}
        else:
            kinds.setdefault(column, {})[value] = meaning
    return kinds


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
        notes: warnings so far; a column that they ask about is not asked about again.
    """
    used = _used(log, plan)
    already_asked = {str(note.params["column"]) for note in notes if note.code == "warning.status_unused"}
    answered = {_column_of(key, log.columns) for key in log.answers.rows}
    columns = [column for column in log.source.own_columns if column not in used and column not in answered]
    reasons, few = _few_valued(log, columns)
    labels = [
        plan.column_of[item] for item in OF_TOTALS if item in plan.column_of and plan.column_of[item] not in answered
    ]
    doubts = {column: doubt for column, doubt in _doubts(log, plan, few, labels) if column not in already_asked}
    if FILE not in answered and (doubt := _doubt_of_file(log, plan)):
        doubts[FILE] = doubt
    accounts = []
    for column in (*log.source.own_columns, *([FILE] if FILE in doubts else [])):
        if column in doubts:
            accounts.append(ColumnAccount(column, "doubted", doubts[column].code.removeprefix(DOUBT)))
        elif column in used:
            accounts.append(ColumnAccount(column, "used", ", ".join(used[column])))
        else:
            accounts.append(
                ColumnAccount(column, "harmless", "said" if column in answered else reasons.get(column, "label"))
            )
    return tuple(accounts), tuple(doubts.values())


DOUBT: Final = "warning.rows_"


def ask_before_scope(log: LogTable, plan: ReadingPlan) -> None:
    """Ask what rows are, where they may give back what others sold, before the scope of their amounts is asked.

    Args:
        log: the file.
        plan: how it is read, each row for itself.

    Raises:
        NeedsAnswer: some may.
    """
    for doubt in account(log, plan)[1]:
        code = doubt.code.removeprefix(DOUBT)
        if code in BEFORE_SCOPE:
            raise NeedsAnswer(f"rows_{code}", **doubt.params)


def _used(log: LogTable, plan: ReadingPlan) -> dict[str, list[str]]:
    """Return the columns that a reading uses, and as what."""
    used: dict[str, list[str]] = {}
    roles = {
        "clock": (plan.clock,),
        "guest_email": (plan.guest_email,),
        "parent": (plan.parent,),
        "order_part": (plan.orders.part,),
        "order_end": plan.orders.ends,
        "order_status": plan.orders.other_states,
        "row_kind": plan.orders.kinds,
        **{canonical: (column,) for canonical, column in plan.column_of.items()},
    }
    made = {column: query for column, query in log.source.made}
    for role, columns in roles.items():
        for column in filter(None, columns):
            parts = (
                [original for original in log.source.own_columns if name(original) in made[column]]
                if column in made
                else [column]
            )
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
    rows, *measures = log.fetch_one(
        f"SELECT count(*), {each} FROM (SELECT {', '.join(map(name, columns))}, row_number() OVER () AS clv_at"
        f" FROM {log.first(SEEN_ROWS)})"
    )
    seen: dict[str, Proposal] = {item.column: item for item in log.proposals}
    reasons: dict[str, str] = {}
    few: list[str] = []
    signatures: set[int] = set()
    for at, column in enumerate(columns):
        distinct, filled, length, signature = measures[4 * at : 4 * at + 4]
        samples = seen[column].samples if column in seen else ()
        if not filled:
            reasons[column] = "blank"
        elif signature in signatures:
            reasons[column] = "copy"
        elif contact_field(column):
            reasons[column] = "contact"
        elif distinct <= MAX_STATUSES:
            few.append(column)
            reasons[column] = "constant" if distinct == 1 and filled == rows else "label"
        elif samples and all(TIME.fullmatch(sample) or CLOCK.fullmatch(sample) for sample in samples):
            reasons[column] = "time"
        elif samples and all(map(NUMBER.fullmatch, samples)):
            reasons[column] = "figure"
        elif column in seen and seen[column].never_repeats:
            reasons[column] = "own_code"
        else:
            reasons[column] = "text" if length > MIN_TEXT_LENGTH else "label"
        signatures.add(signature)
    return reasons, few


def _doubts(
    log: LogTable, plan: ReadingPlan, free: Sequence[str], labels: Sequence[str]
) -> Iterable[tuple[str, Message]]:
    """Yield the columns whose values separate sales from other rows, each with a question.

    Where amounts are order totals, their rows have shares of them, which prove nothing about each other. Among products
    only a name that nearly every order has may be its total. After the answer that there are no states, or no kinds of
    rows, no question is about words.

    ``clv_money`` has the order, amount, time and cells of each row with money. The query about it groups rows by order
    and takes the extremes of each column; around that it counts the orders in which these differ.
    """
    columns = [*free, *labels]
    spared = (
        set(OF_WORDS)
        if "" in {log.answers.mapping.get(canonical) for canonical in (ORDER_STATUS, EVENT_TYPE)}
        else set()
    )
    if not columns or not plan.has_money:
        return
    order = (
        f"coalesce({T}{ORDER_ID}, {V}time::DATE::VARCHAR)" if ORDER_ID in plan.column_of else f"{V}time::DATE::VARCHAR"
    )
    product = f"{T}{PRODUCT_ID} IS NULL" if PRODUCT_ID in plan.column_of else "false"
    cells = ", ".join(f"coalesce(trim({name(column)}), '') AS c{at}" for at, column in enumerate(columns))
    kinds = ", ".join(map(text, MONEY_TYPES))
    log.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE clv_money AS SELECT hash(({T}{CUSTOMER_ID}, {order})) AS o, {V}value AS x,"
        f" {V}time AS t, {product} AS bare, {cells} FROM {plan.judged(log.first(JUDGED_ROWS))}"
        f" WHERE {V}value IS NOT NULL AND {V}type IN ({kinds}) AND coalesce({plan.reason}, 'repeated_amount') ="
        " 'repeated_amount'"
    )
    try:
        orders, *mixed = log.fetch_one(
            "SELECT (SELECT count(DISTINCT o) FROM clv_money), "
            + ", ".join(f"count(*) FILTER (l{at} <> h{at})" for at, _ in enumerate(columns))
            + " FROM (SELECT "
            + ", ".join(f"min(c{at}) AS l{at}, max(c{at}) AS h{at}" for at, _ in enumerate(columns))
            + " FROM clv_money GROUP BY o HAVING count(*) > 1)"
        )
        for at, column in enumerate(columns):
            is_mixed = mixed[at] >= MIN_ORDERS and not plan.orders.whole
            parted = measure(log, column, f"c{at}", is_mixed=is_mixed, has_products=PRODUCT_ID in plan.column_of)
            if column in labels:
                totals = totals_among(parted, orders)
                doubt = _message("same_sums", parted, totals) if totals else None
            else:
                doubt = _doubt(parted, spared)
            if doubt is not None:
                doubt.params.update(_revenues(log, plan, column, doubt.params["choices"]))
                yield column, doubt
    finally:
        log.connection.execute("DROP TABLE clv_money")


def _doubt(parted: Parted, spared: Collection[str]) -> Message | None:
    """Return the doubt about a column, None without evidence."""
    if len(parted.values) < 2:
        return None
    for code, find in EVIDENCE.items():
        doubted = [] if code in spared else list(dict.fromkeys(find(parted)))
        if doubted:
            return _message(code, parted, doubted)
    return None


def _message(code: str, parted: Parted, doubted: list[str]) -> Message:
    values = [value for value in parted.values if value.word in doubted][:MAX_ASKED_VALUES]
    values += [value for value in parted.values if value not in values][: MAX_ASKED_VALUES - len(values)]
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
    """Return the possible answers about the values of a column, the likeliest first; the last is that all are sales.

    Args:
        column: its name.
        values: that the question is about.
        doubted: those whose rows may be no sales.
        code: of the evidence.
    """
    words = [value.word for value in values]
    back = [value.word for value in values if value.word in doubted and value.sold > 0]

    def of(selected: Iterable[str], meaning: str) -> Kinds:
        return {f"{column}={word}": meaning for word in selected}

    alone = [of([other for other in words if other != word], LEFT_OUT) for word in words if len(words) > 1]
    out = [of([word for word in words if word in doubted], LEFT_OUT)] if len(doubted) < len(words) else []
    each = [of([word], LEFT_OUT) for word in words if word in doubted]
    taken_off = [of(back, RETURN)] if 1 < len(back) < len(words) else []
    taken_off += [of([word], RETURN) for word in back]
    if code == "unknown_states" and len(words) <= MAX_COMBINED:
        each += [of(some, LEFT_OUT) for many in range(2, len(words)) for some in combinations(words, many)]
    ordered = [*taken_off, *out, *alone, *each] if code == "given_back" else [*out, *each, *alone, *taken_off]
    unique = list({tuple(sorted(option.items())): option for option in ordered if option}.values())
    return [*unique[:MAX_OPTIONS], {f"{column}={ANY_VALUE}": SALE}]


MAX_COMBINED: Final = 4
"""States of which all combinations are offered."""
MAX_OPTIONS: Final = 11
"""Answers that a question offers, besides that all are sales."""


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
    """Return the doubt about a file that is named after returns, and whose amounts are all above zero."""
    words = [word for word in re.findall(r"[^\W\d_]+", log.source.file.rpartition(".")[0]) if len(word) > 2]
    back = [word for word in words if gives_back(word)]
    if not back or not plan.has_money:
        return None
    below, sold = log.fetch_one(
        f"SELECT count(*) FILTER ({V}value < 0), coalesce(sum({V}value) FILTER ({V}value > 0), 0)"
        f" FROM {plan.judged(log.first(JUDGED_ROWS))} WHERE {plan.reason} IS NULL"
    )
    if below or not sold:
        return None
    options = [{f"{FILE}={back[0]}": RETURN}, {f"{FILE}={back[0]}": SALE}]
    params = {"column": FILE, "file": log.source.file, "first": back[0], "sum": float(sold), "choices": options}
    return Message(f"{DOUBT}{OF_FILE}", params)
