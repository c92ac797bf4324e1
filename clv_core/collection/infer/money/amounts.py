"""Which of several amount columns is read: arithmetic within the rows shows how they are related."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.proposal import FRACTIONS, LIKELY, NAMED, filled
from clv_core.collection.infer.columns.propose import fits_by_name
from clv_core.collection.infer.log_table import CENT, MARKS, MIN_RULE_SHARE, LogTable
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, WITH_TAX, WITHOUT_TAX, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, DISCOUNT, EVENT_TYPE, ORDER_ID, PURCHASE, QUANTITY, REFUND, RETURN, UNIT_PRICE
from clv_core.errors import Message

_VOCABULARY: Final = load_vocabulary()

MIN_PARTS: Final = {REFUND: 3, DISCOUNT: 5}
"""Rows with a refund or a discount, before a sum that holds in them is no accident."""
POSTAGE: Final = re.compile(_VOCABULARY.pattern("amounts", "postage"))
"""What the name of a column of postage holds."""
LOWER: Final = {"warning.lower_amount": "p * q", "warning.lower_price": "p"}
"""What is charged for a line of q pieces at p: by the line, or by the piece."""
MIN_SAME_LINES: Final = 0.1
"""Share of lines of several pieces that cost no less than was charged; a cost or a tax is always less. A guess."""


def resolve_amount(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the amount before refunds and after discounts, and warnings.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    result, notes = dict(column_of), []
    unused = [item for item in log.proposals if item.column not in column_of.values()]
    candidates = [item.column for item in unused if item.money >= NAMED]
    if (
        AMOUNT not in column_of
        and {QUANTITY, UNIT_PRICE} <= set(column_of)
        and not {AMOUNT, UNIT_PRICE, DISCOUNT} & {*log.answers.mapping}
    ):
        numbers = [item.column for item in unused if item.money >= FRACTIONS]  # whatever it is called
        return result, () if DISCOUNT in column_of else _lower(log, column_of, numbers)
    if AMOUNT not in column_of or AMOUNT in log.answers.mapping:
        return result, ()
    if REFUND in column_of:
        amount, back = result[AMOUNT], result[REFUND]
        before = next((item for item in candidates if _reduced(log, back, item, amount)), None)
        if before is not None:
            result[AMOUNT] = before
            notes.append(Message("warning.amount_left", {"column": amount, "other": before, "refund": back}))
    if DISCOUNT in column_of:
        amount, off = result[AMOUNT], result[DISCOUNT]
        after = next((item for item in candidates if _is_less_by(log, DISCOUNT, off, amount, item)), None)
        if after is not None:
            result[AMOUNT] = after
            notes.append(Message("warning.amount_after", {"column": amount, "other": after, "discount": off}))
        elif sent := _with_postage(log, off, amount, candidates):
            result[AMOUNT] = sent[0]
            params = {"column": amount, "other": sent[0], "discount": off, "postage": sent[1]}
            notes.append(Message("warning.amount_with_postage", params))
        elif {QUANTITY, UNIT_PRICE} <= set(column_of) and _is_discount_not_taken_off(log, result, candidates):
            notes.append(Message("warning.discount_not_off", {"column": amount, "discount": off}))
    return result, tuple(notes)


def _lower(log: LogTable, column_of: Mapping[str, str], candidates: Sequence[str]) -> tuple[Message, ...]:
    """Return a warning about another column that is what was charged, or less: for the line, or for one piece."""
    price, pieces = column_of[UNIT_PRICE], column_of[QUANTITY]
    for other, decimal, (code, charged) in product(candidates, MARKS, LOWER.items()):
        rows = log.numbers(decimal, {"a": other, "p": price, "q": pieces})
        checked, less, above, several, same = log.fetch_one(
            f"SELECT count(*), count(*) FILTER (g <= -{CENT}), count(*) FILTER (g >= {CENT}), count(*) FILTER (q > 1),"
            f" count(*) FILTER (q > 1 AND abs(g) < {CENT})"
            f" FROM (SELECT a - {charged} AS g, q FROM {rows} WHERE a > 0 AND p > 0 AND q > 0)"
        )
        if (
            above <= (1 - MIN_RULE_SHARE) * checked
            and same >= max(1, MIN_SAME_LINES * several)
            and less >= MIN_PARTS[DISCOUNT]
        ):
            return (Message(code, {"column": other, "quantity": pieces, "price": price, "rows": int(less)}),)
    return ()


def _with_postage(log: LogTable, off: str, before: str, candidates: Sequence[str]) -> tuple[str, str] | None:
    """Return the amount that is ``before`` less the discount and with postage, and the column of postage, if any is."""
    posted = [column for column in log.columns if POSTAGE.search(column.casefold())]
    for after in candidates:
        for postage in posted:
            columns = (before, after, postage)
            if postage != after and _is_gap_zero(log, DISCOUNT, off, columns, "a - d + c - b"):
                return after, postage
    return None


def _is_discount_not_taken_off(log: LogTable, column_of: Mapping[str, str], candidates: Sequence[str]) -> bool:
    """Return whether amounts are quantity x unit price in discounted rows too, and no other price is higher by it."""
    amount, off, pieces, price = (column_of[column] for column in (AMOUNT, DISCOUNT, QUANTITY, UNIT_PRICE))
    if not _is_gap_zero(log, DISCOUNT, off, (amount, pieces, price), "a - b * c"):
        return False
    return not any(
        _is_gap_zero(log, DISCOUNT, off, (amount, pieces, item), gap)
        for item in candidates
        for gap in ("a - b * c + d", "a - c + d")
    )


def _reduced(log: LogTable, back: str, before: str, after: str) -> bool:
    """Return whether ``before`` less the refund is ``after``, and the two are one where nothing was paid back.

    A column that is the refund in rows of refunds alone, with nothing left of either, was never an amount.
    """
    if not _is_less_by(log, REFUND, back, before, after):
        return False
    return _is_gap_zero(log, REFUND, back, (before, after, after), "a - b", rows="coalesce(d, 0) = 0", fewest=0)


def _is_less_by(log: LogTable, kind: str, part: str, before: str, after: str) -> bool:
    """Return whether ``before`` less ``part`` is ``after``, in nearly all rows that have such a part."""
    return _is_gap_zero(log, kind, part, (before, after, after), "a - d - b")


def _is_gap_zero(
    log: LogTable,
    kind: str,
    part: str,
    columns: tuple[str, str, str],
    gap: str,
    *,
    rows: str = "d > 0",
    fewest: int | None = None,
) -> bool:
    """Return whether a gap between amounts is nothing in nearly all rows of a kind, in one reading of them.

    Args:
        log: the file.
        kind: canonical name of the part.
        part: its column.
        columns: what ``a``, ``b`` and ``c`` are in the gap.
        gap: SQL of these and of the part, ``d``.
        rows: SQL condition of the rows; those with a part above zero by default.
        fewest: as many there have to be; by default what makes it no accident.
    """
    least = MIN_PARTS[kind] if fewest is None else fewest
    for decimal in MARKS:
        numbers = log.numbers(decimal, dict(zip("abcd", (*columns, part), strict=True)))
        checked, true = log.fetch_one(
            f"SELECT count(*), count(*) FILTER (abs({gap}) < {CENT}) FROM (SELECT abs(COLUMNS(*)) FROM {numbers})"
            f" WHERE {rows} AND ({gap}) IS NOT NULL"
        )
        if checked >= least and true >= MIN_RULE_SHARE * checked:
            return True
    return False


MIN_DIFFERENT: Final = 3
"""Rows in which the two differ, before that is worth a word."""
NOT_PAID: Final = re.compile(
    rf"\b(?:{_VOCABULARY.pattern('amounts', 'not_paid')})\b|{_VOCABULARY.pattern('amounts', 'not_paid_within')}"
)
"""What the name of a column of money holds that is not what the customer paid."""
PAID: Final = re.compile(_VOCABULARY.pattern("amounts", "paid"))
"""What the name of an amount that was clearly paid holds."""
OF_FEES: Final = re.compile(rf"\b(?:{_VOCABULARY.pattern('amounts', 'gross_or_net')})\b")
"""Names of amounts before and after fees or taxes: what these are worth to a shop is its own matter."""
SUBTOTAL: Final = re.compile(_VOCABULARY.pattern("amounts", "subtotals"))


def other_total_warning(log: LogTable, column_of: Mapping[str, str], notes: Sequence[Message]) -> tuple[Message, ...]:
    """Return a warning about a total next to an amount of subtotals or lines, or the other way about.

    Args:
        log: the file.
        column_of: canonical name -> source column.
        notes: warnings so far; an amount column that they name is not named again.
    """
    if AMOUNT not in column_of or AMOUNT in log.answers.mapping:
        return ()
    amount = column_of[AMOUNT]
    named = [note.params for note in notes if note.params.get("canonical") == AMOUNT]
    spoken = {column for params in named for column in params.get("others", ())}
    spoken |= {str(note.params.get(key)) for note in notes for key in ("column", "other") if "other" in note.params}
    used = {*column_of.values(), *spoken}
    for item in log.proposals:
        called = fits_by_name(AMOUNT, item) or (item.money and _below(item.column))
        if item.column in used or not (item.samples and called):
            continue
        params: dict[str, object] = {"column": amount, "other": item.column}
        if _are_two(amount, item.column):
            differ = _rows(log, amount, item.column)
            code = "warning.other_total"
        elif ORDER_ID in column_of:
            params["order"] = column_of[ORDER_ID]
            differ = _orders(log, amount, item.column, column_of[ORDER_ID])
            code = "warning.other_order_total"
        else:
            continue
        if differ:
            return (Message(code, {**params, **differ}),)
    return ()


def without_cost(column_of: dict[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the columns without an amount that is called a cost, where quantity and unit price say what was paid."""
    amount = column_of.get(AMOUNT, "")
    if AMOUNT in mapping or not {QUANTITY, UNIT_PRICE} <= set(column_of) or not NOT_PAID.search(_words(amount)):
        return column_of
    return {canonical: column for canonical, column in column_of.items() if canonical != AMOUNT}


def rival_amounts(log: LogTable, column_of: Mapping[str, str], notes: Sequence[Message]) -> tuple[Message, ...]:
    """Return a doubt where the amount is a guess, and other columns are called amounts too.

    One that lies above or below it by a fee, tax or the like in a third column is none: what was paid is clear.

    Args:
        log: the file.
        column_of: canonical name -> source column.
        notes: warnings so far; an amount column that they name is no rival.
    """
    amount = next((item for item in log.proposals if item.column == column_of.get(AMOUNT)), None)
    if amount is None or amount.confidence > LIKELY or PAID.search(_words(amount.column)):
        return ()
    spoken = {str(note.params.get(key)) for note in notes for key in ("other", "discount", "refund")}
    named = [
        item.column for item in log.proposals if item.money > 0 and item.column not in {*column_of.values(), *spoken}
    ]
    between = [column for column in log.columns if NOT_PAID.search(_words(column))]
    rivals = [item.column for item in log.proposals if item.money >= NAMED and item.column in named]
    if OF_FEES.search(_words(amount.column)):
        rivals = [column for column in rivals if not OF_FEES.search(_words(column))]
    unexplained = [
        column
        for column in rivals
        if column not in between and not any(_differ_by(log, amount.column, column, fee) for fee in between)
    ]
    return (
        (Message("warning.rival_amounts", {"column": amount.column, "others": unexplained[:4]}),) if unexplained else ()
    )


def _differ_by(log: LogTable, amount: str, other: str, fee: str) -> bool:
    """Return whether two amounts differ by the value of a third column, in nearly all rows."""
    for decimal in MARKS:
        checked, parted = log.fetch_one(
            f"SELECT count(*), count(*) FILTER (abs(abs(a - b) - abs(c)) < {CENT})"
            f" FROM {log.numbers(decimal, {'a': amount, 'b': other, 'c': fee})} WHERE a + b IS NOT NULL AND c <> 0"
        )
        if checked >= MIN_DIFFERENT and parted >= MIN_RULE_SHARE * checked:
            return True
    return False


def _words(column: str) -> str:
    return re.sub(r"[\W_]+", " ", column.casefold())


def _rows(log: LogTable, amount: str, other: str) -> dict[str, float]:
    """Return in how many rows two amounts differ, and what both come to; nothing where they hardly do."""
    rows, amount_sum, other_sum = log.fetch_one(
        f"SELECT count(*) FILTER (abs(a - b) > {CENT}), sum(a), sum(b)"
        f" FROM {log.numbers('point', {'a': amount, 'b': other})} WHERE a + b IS NOT NULL"
    )
    return {"rows": int(rows), "sum": amount_sum, "other_sum": other_sum} if rows >= MIN_DIFFERENT else {}


def _orders(log: LogTable, amount: str, other: str, order: str) -> dict[str, float]:
    """Return in how many orders a value that is repeated on all lines is not their sum, and what both come to.

    Nothing where they hardly differ, or where the other is not the same on all lines of each order of several amounts.
    The inner query sums the lines of each order and takes the extremes of the other column; the outer one counts.
    """
    rows = log.numbers("point", {"a": amount, "b": other}, f"{name(order)} AS o")
    constant, several, orders, amount_sum, other_sum = log.fetch_one(
        "SELECT count(*) FILTER (lines > 1 AND low = high), count(*) FILTER (lines > 1),"
        f" count(*) FILTER (abs(own - high) > {CENT}), sum(own), sum(high) FROM (SELECT sum(a) AS own, min(b) AS low,"
        f" max(b) AS high, count(DISTINCT a) AS lines FROM {rows}"
        " WHERE o IS NOT NULL AND a + b IS NOT NULL GROUP BY o)"
    )
    is_total = several >= MIN_DIFFERENT and constant == several and orders >= MIN_DIFFERENT
    return {"orders": int(orders), "sum": amount_sum, "other_sum": other_sum} if is_total else {}


def _are_two(one_column: str, other: str) -> bool:
    """Return whether one of two columns is called a subtotal, or they are one name with taxes and without."""
    bare = [fold(WITHOUT_TAX.sub("", WITH_TAX.sub("", column))) for column in (one_column, other)]
    return _below(one_column) != _below(other) or bare[0] == bare[1]


def _below(column: str) -> bool:
    return bool(SUBTOTAL.search(_words(column)))


MIN_RETURNS: Final = 3
"""Returns without the amount, before that is no accident."""


def resolve_returns(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with an amount that returns have too, where the chosen one is blank in all of them.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    result = dict(column_of)
    if not {AMOUNT, EVENT_TYPE} <= set(column_of) or AMOUNT in log.answers.mapping:
        return result, ()
    kind, amount = column_of[EVENT_TYPE], column_of[AMOUNT]
    sold, back = ([row for row in log.rows if _is(row[kind], event)] for event in (PURCHASE, RETURN))
    if len(back) < MIN_RETURNS or filled(back, amount):
        return result, ()
    candidates = [
        item.column for item in log.proposals if item.money >= NAMED and item.column not in column_of.values()
    ]
    rows = [*sold, *back]
    complete = [column for column in candidates if len(filled(rows, column)) == len(rows)]
    if len(complete) != 1:
        return result, ()
    result[AMOUNT] = complete[0]
    params = {"column": amount, "other": complete[0], "rows": len(back)}
    return result, (Message("warning.amount_of_returns", params),)


def _is(event: Any, kind: str) -> bool:
    return event is not None and EVENT_NAMES.get(fold(str(event))) == kind
