"""Which of several amounts is the one to read: sums within the rows tell what stands between them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.proposal import FRACTIONS, LIKELY, NAMED, filled
from clv_core.collection.infer.columns.propose import says
from clv_core.collection.infer.log_table import CENT, MARKS, NEARLY_ALL, LogTable
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
SAME: Final = 0.1
"""Share of lines of several pieces that cost no less than was charged; a cost or a tax is always less."""


def settle_amount(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the amount before refunds and after discounts, and what is to be said of it.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    found, notes = dict(chosen), []
    unused = [item for item in log.proposals if item.column not in chosen.values()]
    others = [item.column for item in unused if item.money >= NAMED]
    if (
        AMOUNT not in chosen
        and {QUANTITY, UNIT_PRICE} <= set(chosen)
        and not {AMOUNT, UNIT_PRICE, DISCOUNT} & {*log.answers.mapping}
    ):
        numbers = [item.column for item in unused if item.money >= FRACTIONS]  # whatever it is called
        return found, () if DISCOUNT in chosen else _lower(log, chosen, numbers)
    if AMOUNT not in chosen or AMOUNT in log.answers.mapping:
        return found, ()
    if REFUND in chosen:
        amount, back = found[AMOUNT], found[REFUND]
        before = next((item for item in others if _reduced(log, back, item, amount)), None)
        if before is not None:
            found[AMOUNT] = before
            notes.append(Message("warning.amount_left", {"column": amount, "other": before, "refund": back}))
    if DISCOUNT in chosen:
        amount, off = found[AMOUNT], found[DISCOUNT]
        after = next((item for item in others if _holds(log, DISCOUNT, off, amount, item)), None)
        if after is not None:
            found[AMOUNT] = after
            notes.append(Message("warning.amount_after", {"column": amount, "other": after, "discount": off}))
        elif sent := _with_postage(log, off, amount, others):
            found[AMOUNT] = sent[0]
            params = {"column": amount, "other": sent[0], "discount": off, "postage": sent[1]}
            notes.append(Message("warning.amount_with_postage", params))
        elif {QUANTITY, UNIT_PRICE} <= set(chosen) and _asked_for(log, found, others):
            notes.append(Message("warning.discount_not_off", {"column": amount, "discount": off}))
    return found, tuple(notes)


def _lower(log: LogTable, chosen: Mapping[str, str], others: Sequence[str]) -> tuple[Message, ...]:
    """Return what is to be said of another column that is what was charged, or less: of the line, or of one piece."""
    price, pieces = chosen[UNIT_PRICE], chosen[QUANTITY]
    for other, decimal, (code, charged) in product(others, MARKS, LOWER.items()):
        rows = log.numbers(decimal, {"a": other, "p": price, "q": pieces})
        told, less, above, several, same = log.one(
            f"SELECT count(*), count(*) FILTER (g <= -{CENT}), count(*) FILTER (g >= {CENT}), count(*) FILTER (q > 1),"
            f" count(*) FILTER (q > 1 AND abs(g) < {CENT})"
            f" FROM (SELECT a - {charged} AS g, q FROM {rows} WHERE a > 0 AND p > 0 AND q > 0)"
        )
        if above <= (1 - NEARLY_ALL) * told and same >= max(1, SAME * several) and less >= MIN_PARTS[DISCOUNT]:
            return (Message(code, {"column": other, "quantity": pieces, "price": price, "rows": int(less)}),)
    return ()


def _with_postage(log: LogTable, off: str, before: str, others: Sequence[str]) -> tuple[str, str] | None:
    """Return the amount that is ``before`` less the discount and with postage, and the column of postage, if any is."""
    posted = [column for column in log.columns if POSTAGE.search(column.casefold())]
    for after in others:
        for postage in posted:
            columns = (before, after, postage)
            if postage != after and _true(log, DISCOUNT, off, columns, "a - d + c - b"):
                return after, postage
    return None


def _asked_for(log: LogTable, chosen: Mapping[str, str], others: Sequence[str]) -> bool:
    """Say whether amounts are quantity x unit price in rows with a discount too, and no other price is higher by it."""
    amount, off, pieces, price = (chosen[column] for column in (AMOUNT, DISCOUNT, QUANTITY, UNIT_PRICE))
    if not _true(log, DISCOUNT, off, (amount, pieces, price), "a - b * c"):
        return False
    return not any(
        _true(log, DISCOUNT, off, (amount, pieces, item), gap)
        for item in others
        for gap in ("a - b * c + d", "a - c + d")
    )


def _reduced(log: LogTable, back: str, before: str, after: str) -> bool:
    """Say whether ``before`` less the refund is ``after``, and the two are one where nothing was paid back.

    What was asked back is the refund and nothing is left of either in rows of refunds alone: it was never an amount.
    """
    if not _holds(log, REFUND, back, before, after):
        return False
    return _true(log, REFUND, back, (before, after, after), "a - b", rows="coalesce(d, 0) = 0", fewest=0)


def _holds(log: LogTable, kind: str, part: str, before: str, after: str) -> bool:
    """Say whether ``before`` less ``part`` is ``after``, in nearly all rows that have such a part."""
    return _true(log, kind, part, (before, after, after), "a - d - b")


def _true(
    log: LogTable,
    kind: str,
    part: str,
    columns: tuple[str, str, str],
    gap: str,
    *,
    rows: str = "d > 0",
    fewest: int | None = None,
) -> bool:
    """Say whether a gap between amounts is nothing in nearly all rows of a kind, in one reading of them.

    Args:
        log: the file.
        kind: canonical name of the part.
        part: its column.
        columns: what ``a``, ``b`` and ``c`` are in the gap.
        gap: SQL of these and of the part, ``d``.
        rows: SQL that tells the rows; those with a part above zero by default.
        fewest: as many there have to be; by default what makes it no accident.
    """
    least = MIN_PARTS[kind] if fewest is None else fewest
    for decimal in MARKS:
        numbers = log.numbers(decimal, dict(zip("abcd", (*columns, part), strict=True)))
        told, true = log.one(
            f"SELECT count(*), count(*) FILTER (abs({gap}) < {CENT}) FROM (SELECT abs(COLUMNS(*)) FROM {numbers})"
            f" WHERE {rows} AND ({gap}) IS NOT NULL"
        )
        if told >= least and true >= NEARLY_ALL * told:
            return True
    return False


MIN_DIFFERENT: Final = 3
"""Rows in which the two differ, before that is worth a word."""
NOT_PAID: Final = re.compile(
    rf"\b(?:{_VOCABULARY.pattern('amounts', 'not_paid')})\b|{_VOCABULARY.pattern('amounts', 'not_paid_within')}"
)
"""What the name of a column of money holds that is not what the customer paid."""
PAID: Final = re.compile(_VOCABULARY.pattern("amounts", "paid"))
"""What the name of an amount holds that says clearly enough that it is what was paid."""
OF_FEES: Final = re.compile(rf"\b(?:{_VOCABULARY.pattern('amounts', 'gross_or_net')})\b")
"""Names of amounts before and after fees or taxes: what these are worth to a shop is its own matter."""
SUBTOTAL: Final = re.compile(_VOCABULARY.pattern("amounts", "subtotals"))


def other_total_warning(log: LogTable, chosen: Mapping[str, str], notes: Sequence[Message]) -> tuple[Message, ...]:
    """Return what is to be said of a total beside the amount that is a subtotal or lines, or the other way about.

    Args:
        log: the file.
        chosen: canonical name -> source column.
        notes: what is said so far; a column that was spoken of as another amount is not again.
    """
    if AMOUNT not in chosen or AMOUNT in log.answers.mapping:
        return ()
    own = chosen[AMOUNT]
    named = [note.params for note in notes if note.params.get("canonical") == AMOUNT]
    spoken = {column for params in named for column in params.get("others", ())}
    spoken |= {str(note.params.get(key)) for note in notes for key in ("column", "other") if "other" in note.params}
    used = {*chosen.values(), *spoken}
    for item in log.proposals:
        called = says(AMOUNT, item) or (item.money and _below(item.column))
        if item.column in used or not (item.samples and called):
            continue
        params: dict[str, object] = {"column": own, "other": item.column}
        if _are_two(own, item.column):
            differ = _rows(log, own, item.column)
            code = "warning.other_total"
        elif ORDER_ID in chosen:
            params["order"] = chosen[ORDER_ID]
            differ = _orders(log, own, item.column, chosen[ORDER_ID])
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


def rival_amounts(log: LogTable, chosen: Mapping[str, str], notes: Sequence[Message]) -> tuple[Message, ...]:
    """Return a doubt where the amount is a guess, and other columns are called amounts too.

    One that lies above or below it by a fee, tax or the like in a third column is none: what was paid is known.

    Args:
        log: the file.
        chosen: canonical name -> source column.
        notes: what is said so far; a column that was spoken of as another amount is no rival.
    """
    own = next((item for item in log.proposals if item.column == chosen.get(AMOUNT)), None)
    if own is None or own.confidence > LIKELY or PAID.search(_words(own.column)):
        return ()
    spoken = {str(note.params.get(key)) for note in notes for key in ("other", "discount", "refund")}
    named = [item.column for item in log.proposals if item.money > 0 and item.column not in {*chosen.values(), *spoken}]
    between = [column for column in log.columns if NOT_PAID.search(_words(column))]
    rivals = [item.column for item in log.proposals if item.money >= NAMED and item.column in named]
    if OF_FEES.search(_words(own.column)):
        rivals = [column for column in rivals if not OF_FEES.search(_words(column))]
    others = [
        column
        for column in rivals
        if column not in between and not any(_parted(log, own.column, column, fee) for fee in between)
    ]
    return (Message("warning.rival_amounts", {"column": own.column, "others": others[:4]}),) if others else ()


def _parted(log: LogTable, own: str, other: str, fee: str) -> bool:
    """Say whether two amounts differ by what stands in a third column, in nearly all rows."""
    for decimal in MARKS:
        told, parted = log.one(
            f"SELECT count(*), count(*) FILTER (abs(abs(a - b) - abs(c)) < {CENT})"
            f" FROM {log.numbers(decimal, {'a': own, 'b': other, 'c': fee})} WHERE a + b IS NOT NULL AND c <> 0"
        )
        if told >= MIN_DIFFERENT and parted >= NEARLY_ALL * told:
            return True
    return False


def _words(column: str) -> str:
    return re.sub(r"[\W_]+", " ", column.casefold())


def _rows(log: LogTable, own: str, other: str) -> dict[str, float]:
    """Return in how many rows two amounts differ, and what both come to; nothing where they hardly do."""
    rows, ours, others = log.one(
        f"SELECT count(*) FILTER (abs(a - b) > {CENT}), sum(a), sum(b)"
        f" FROM {log.numbers('point', {'a': own, 'b': other})} WHERE a + b IS NOT NULL"
    )
    return {"rows": int(rows), "sum": ours, "other_sum": others} if rows >= MIN_DIFFERENT else {}


def _orders(log: LogTable, own: str, other: str, order: str) -> dict[str, float]:
    """Return in how many orders what stands on all lines is not their sum, and what both come to.

    Nothing where they hardly differ, or where the other is not the same on all lines of each order of several amounts.
    """
    rows = log.numbers("point", {"a": own, "b": other}, f"{name(order)} AS o")
    alike, several, orders, ours, others = log.one(
        "SELECT count(*) FILTER (lines > 1 AND low = high), count(*) FILTER (lines > 1),"
        f" count(*) FILTER (abs(own - high) > {CENT}), sum(own), sum(high) FROM (SELECT sum(a) AS own, min(b) AS low,"
        f" max(b) AS high, count(DISTINCT a) AS lines FROM {rows}"
        " WHERE o IS NOT NULL AND a + b IS NOT NULL GROUP BY o)"
    )
    told = several >= MIN_DIFFERENT and alike == several and orders >= MIN_DIFFERENT
    return {"orders": int(orders), "sum": ours, "other_sum": others} if told else {}


def _are_two(one_column: str, other: str) -> bool:
    """Say whether one of two columns is called a subtotal, or they are one name with taxes and without."""
    bare = [fold(WITHOUT_TAX.sub("", WITH_TAX.sub("", column))) for column in (one_column, other)]
    return _below(one_column) != _below(other) or bare[0] == bare[1]


def _below(column: str) -> bool:
    return bool(SUBTOTAL.search(_words(column)))


MIN_RETURNS: Final = 3
"""Returns without the amount, before that is no accident."""


def settle_returns(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with an amount that returns have too, where the chosen one is blank in all of them.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    found = dict(chosen)
    if not {AMOUNT, EVENT_TYPE} <= set(chosen) or AMOUNT in log.answers.mapping:
        return found, ()
    kind, amount = chosen[EVENT_TYPE], chosen[AMOUNT]
    sold, back = ([row for row in log.rows if _is(row[kind], event)] for event in (PURCHASE, RETURN))
    if len(back) < MIN_RETURNS or filled(back, amount):
        return found, ()
    others = [item.column for item in log.proposals if item.money >= NAMED and item.column not in chosen.values()]
    told = [*sold, *back]
    whole = [column for column in others if len(filled(told, column)) == len(told)]
    if len(whole) != 1:
        return found, ()
    found[AMOUNT] = whole[0]
    params = {"column": amount, "other": whole[0], "rows": len(back)}
    return found, (Message("warning.amount_of_returns", params),)


def _is(event: Any, kind: str) -> bool:
    return event is not None and EVENT_NAMES.get(fold(str(event))) == kind
