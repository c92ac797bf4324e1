"""One source column for each canonical one: the best of several, or a question for all that are missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.proposal import (
    CERTAIN,
    MIN_CONFIDENCE,
    SLIGHTLY,
    SURE,
    TIME,
    WORTH_ASKING,
    Proposal,
)
from clv_core.collection.infer.columns.propose import UNIT, could_be, last_key, share
from clv_core.collection.infer.debit_credit import ledger_sides
from clv_core.collection.infer.log_table import MIN_RULE_SHARE, SEARCHED_ROWS, LogTable
from clv_core.collection.vocabulary.column_names import CURRENCY, EVENT_NAMES, PREFERRED_NAMES, PRICE, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    READ,
    REFUND,
    UNIT_PRICE,
)
from clv_core.errors import Message, NeedsAnswer, Refused

_VOCABULARY: Final = load_vocabulary()

CUSTOMERS: Final = re.compile(f"(?i){_VOCABULARY.pattern('customer_ids', 'columns')}")
"""What the name of a column is likely to hold that is offered as the customer."""
OF_CUSTOMERS: Final = re.compile(f"(?i){_VOCABULARY.pattern('customer_ids', 'traits')}")
"""And what it holds where it is an attribute of customers instead."""
OF_PIECE: Final = re.compile(f"(?i){_VOCABULARY.pattern('prices', 'of_piece')}")
OF_ALL: Final = re.compile(f"(?i){_VOCABULARY.pattern('prices', 'of_all')}")
MAX_PRICES: Final = 3
"""Columns that are offered as the price of one piece."""
MAX_KINDS: Final = 10
"""Up to as many different values are types, states or means of payment; more may be customers. A guess."""
UNREADABLE: Final = "\ufffd"
"""Replaces bytes that are invalid in a text's encoding."""


MAX_OFFERED: Final = 3
"""Columns that are offered as a missing one, each with the revenue that it gives."""


def ask_missing(proposals: list[Proposal], column_of: dict[str, str], file: str) -> None:
    """Ask for the columns that are needed and missing, all at once."""
    missing = {
        canonical: next((item.column for item in proposals if item.canonical == canonical and item.samples), "COLUMN")
        for canonical in (CUSTOMER_ID, EVENT_TIME)
        if canonical not in column_of
    }
    name_match = next((item for item in proposals if item.column == missing.get(CUSTOMER_ID)), None)
    if CUSTOMER_ID in missing and (name_match is None or name_match.never_repeats):
        missing[CUSTOMER_ID] = likely_customer(proposals) or _only_returning(proposals) or missing[CUSTOMER_ID]
    money = bool({AMOUNT, PRICE, UNIT_PRICE, EVENT_TYPE} & set(column_of))
    garbled = [item.column for item in proposals if UNREADABLE in item.column]
    if garbled and (missing or not money):
        raise NeedsAnswer("names_unreadable", columns=garbled[:12], file=file)
    least = WORTH_ASKING if _has_event_names(proposals) else 0.0
    if not missing:
        if not money:
            ask_amount(proposals, file, quantity=column_of.get(QUANTITY, ""), least=least)
        return
    file_columns = [item.column for item in proposals[:40]]
    if not money and (offered := money_columns(proposals, least=WORTH_ASKING)):
        missing[AMOUNT] = offered[0]
    first, guess = next(iter(missing.items()))
    hidden = next((item for item in proposals if item.masked), None)
    if list(missing) == [CUSTOMER_ID] and hidden is not None:
        params = {"column": hidden.column, "example": hidden.samples[0][:40]}
        raise NeedsAnswer("customers_masked", canonical=first, found=file_columns, file=file, **params)
    if list(missing) == [EVENT_TIME] and not any(could_be(EVENT_TIME, item) for item in proposals):
        raise NeedsAnswer("no_time_column", canonical=EVENT_TIME, found=file_columns, file=file)
    if len(missing) == 1:
        free = likeliest_first(first, [item for item in proposals if item.column not in column_of.values()])
        free = [item for item in free if first != CUSTOMER_ID or not _unlike_customers(item)[0]]
        likely = [item.column for item in free if could_be(first, item) and item.column != guess]
        columns = [*([guess] if guess != "COLUMN" else []), *likely][:MAX_OFFERED]
        raise NeedsAnswer(
            "missing_column", canonical=first, found=file_columns, guess=guess, file=file, columns=columns
        )
    pairs = [f"{canonical}={column}" for canonical, column in missing.items()]
    options = " ".join(f'--map "{pair}"' if " " in pair else f"--map {pair}" for pair in pairs)
    raise NeedsAnswer(
        "missing_columns",
        canonical=first,
        missing=list(missing),
        found=file_columns,
        options=options,
        file=file,
        guesses={} if "COLUMN" in missing.values() else missing,
    )


def ask_amount(proposals: list[Proposal], file: str, *, quantity: str = "", least: float = 0.0) -> None:
    """Ask which column the amount is, or the price of one piece, or refuse a log that holds none.

    Args:
        proposals: what each column seems to be.
        file: what the person calls it.
        quantity: the column of pieces, by which a price can be multiplied; empty without one.
        least: money likelihood from which on a column is offered.

    Raises:
        NeedsAnswer: columns of numbers could be it.
        Refused: none could.
    """
    candidates = money_columns(proposals, least=least)
    both = ledger_sides([item.column for item in proposals])
    if both is not None and both[0] in candidates:
        raise NeedsAnswer("which_side", canonical=AMOUNT, columns=list(both), first=both[0], second=both[1])
    if not candidates:
        raise Refused("no_amount", found=[item.column for item in proposals[:40]], file=file)
    offered = candidates[:12]
    pieces = [column for column in offered if OF_PIECE.search(column)]
    prices = (pieces or [column for column in offered if not OF_ALL.search(column)]) if quantity else []
    raise NeedsAnswer(
        "which_amount",
        canonical=AMOUNT,
        columns=offered,
        prices=prices[:MAX_PRICES],
        quantity=quantity,
        guess=offered[0],
        file=file,
    )


def money_columns(proposals: list[Proposal], *, least: float = 0.0) -> list[str]:
    """Return the columns without a meaning that could be amounts: prices of one piece behind the others, the likeliest
    first, and of equals the last one.
    """
    likely = [item for item in reversed(proposals) if item.canonical is None and item.money > 0]
    likely = [item for item in likely if item.money >= least]
    return [item.column for item in sorted(likely, key=lambda item: (bool(OF_PIECE.search(item.column)), -item.money))]


def likely_customer(proposals: list[Proposal]) -> str:
    """Return the column that may be the customer though its name is not certain, "" without one."""
    named = [item for item in proposals if item.canonical is None and _is_named(item)]
    named = [item for item in named if item.samples and not item.money and not item.never_repeats]
    return next((item.column for item in sorted(named, key=_unlike_customers)), "")


def _only_returning(proposals: list[Proposal]) -> str:
    """Return the one column without a meaning whose values are many and return, "" where none or several are so."""
    free = [item for item in proposals if item.canonical is None and could_be(CUSTOMER_ID, item) and not item.money]
    candidates = [item.column for item in free if not _unlike_customers(item)[0]]
    return candidates[0] if len(candidates) == 1 else ""


def likeliest_first(canonical: str, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return the columns as they are offered as a canonical one: those that could be it first.

    As the customer, these are those with many values that return, those called so before others, and of equals that
    with most different ones.
    """

    def against(item: Proposal) -> tuple[bool | int, ...]:
        if canonical != CUSTOMER_ID:
            return item.canonical != canonical, not could_be(canonical, item)
        is_called = item.canonical == canonical and not item.never_repeats
        return not is_called, not could_be(canonical, item), *_unlike_customers(item)

    return sorted(proposals, key=against)


def _is_named(item: Proposal) -> bool:
    return bool(CUSTOMERS.search(item.column)) and not OF_CUSTOMERS.search(item.column)


def _unlike_customers(item: Proposal) -> tuple[bool, bool, bool, int]:
    """Return what a column's values have against being customers, the weightiest first, to sort by."""
    is_few = not MAX_KINDS < item.distinct < item.cells
    return is_few, not _is_named(item), item.money > 0, -item.distinct


def _has_event_names(proposals: list[Proposal]) -> bool:
    """Return whether a column's values are names of events, whatever it is called."""
    return any(
        len(item.samples) > 1 and all(fold(value) in EVENT_NAMES for value in item.samples[:2])
        for item in proposals
        if item.canonical in (None, EVENT_TYPE)
    )


IDENTITY: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
MAKERS: Final = (QUANTITY, UNIT_PRICE, DISCOUNT)
"""Columns that the amount is made from where there is none."""
SHARED: Final = (ORDER_ID, PRODUCT_ID, CATEGORY)
"""What several rows have in common: a column that never repeats numbers the rows."""
MAX_TIE_GAP: Final = SLIGHTLY + 1e-9
"""Confidences this close are a tie: a unit in a name decides nothing; the rest is rounding."""
ONE_INSTANT: Final = frozenset(map(fold, ("timestamp", "time_stamp", "datetime", "date_time", "ts")))
"""Names under which a record has one instant twice: in seconds, and as text."""


def choose(proposals: list[Proposal], file: str) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return canonical -> source column, and warnings.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    column_of: dict[str, str] = {}
    notes: list[Message] = []
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        if not tied or tied[0].confidence < MIN_CONFIDENCE:
            continue
        best = tied[0] if len(tied) == 1 else preferred(canonical, tied)
        if best is None and canonical in (IDENTITY if AMOUNT in column_of else (*IDENTITY, *MAKERS)):
            names = [item.column for item in tied]
            raise NeedsAnswer("two_columns", canonical=canonical, columns=names, first=tied[0].column)
        best = best or tied[0]
        column_of[canonical] = best.column
        if canonical not in READ:
            continue  # a price has its own note once it is settled whose it is
        if len(tied) > 1:
            other_columns = [item.column for item in tied if item is not best]
            params = {"canonical": canonical, "column": best.column, "others": other_columns}
            notes.append(Message("warning.one_of_several", params))
        elif best.confidence < CERTAIN:
            params = {"canonical": canonical, "column": best.column}
            notes.append(Message("warning.mapped_by_guess", params))
    customer = next((item for item in proposals if item.column == column_of.get(CUSTOMER_ID)), None)
    if customer is not None and customer.never_repeats and customer.confidence < SURE and fold(customer.column) == "id":
        del column_of[CUSTOMER_ID]  # it is one of rows: everybody would have bought once
    if customer is not None and not customer.samples and customer.confidence < 1 and likely_customer(proposals):
        del column_of[CUSTOMER_ID]  # nobody is named there, and another column may do so
    _order_by_row(proposals, column_of)
    ask_missing(proposals, column_of, file)
    return column_of, tuple(notes)


def resolve_ties(proposals: list[Proposal]) -> list[Proposal]:
    """Return the proposals with one column for each canonical one, others as extras; ties without a winner remain."""
    result = list(proposals)
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        best = preferred(canonical, tied) if len(tied) > 1 else None
        stay = tied if best is None else [best]
        result = [
            replace(item, canonical=None, confidence=0.0)
            if item.canonical == canonical and not any(item is other for other in stay)
            else item
            for item in result
        ]
    return result


def _order_by_row(proposals: list[Proposal], column_of: dict[str, str]) -> None:
    """Take a column that is only called an id for that of orders, where no other is and each row is one order."""
    if ORDER_ID in column_of or EVENT_TYPE in column_of or not {ORDER_STATUS, REFUND} & set(column_of):
        return
    ids = [item for item in proposals if fold(item.column) == "id" and item.never_repeats]
    if len(ids) == 1 and ids[0].column not in column_of.values():
        column_of[ORDER_ID] = ids[0].column


def _likeliest(canonical: str, proposals: list[Proposal]) -> list[Proposal]:
    """Return the columns that are most likely a canonical one, ignoring units in names, in file order.

    A blank one counts only where the others are blank too.
    """
    named = [item for item in proposals if item.canonical == canonical]
    named = [item for item in named if item.samples] or named
    confidence = max((item.confidence for item in named), default=0.0)
    return [item for item in named if item.confidence >= confidence - MAX_TIE_GAP]


def preferred(canonical: str, tied: list[Proposal]) -> Proposal | None:
    """Return the one of about equally good columns that is better still, if there is one."""
    tied = [item for item in tied if item.samples] or tied
    if len(tied) == 1:
        return tied[0]
    if canonical == CUSTOMER_ID:
        tied = [item for item in tied if not item.never_repeats]
        tied = [item for item in tied if len(item.samples) == max(len(other.samples) for other in tied)]
        tied = [item for item in tied if item.rank == min(other.rank for other in tied)]
        return tied[0] if len(tied) == 1 else None
    if canonical == EVENT_TIME and {fold(last_key(item.column)) for item in tied} <= ONE_INSTANT:
        return tied[0]
    if canonical in SHARED:
        tied = [item for item in tied if not item.never_repeats] or tied
    named = {fold(last_key(UNIT.sub("", item.column))): item for item in reversed(tied)}
    match = next((named[key] for key in PREFERRED_NAMES.get(canonical, ()) if key in named), None)
    surest = [item for item in tied if item.confidence == max(other.confidence for other in tied)]
    return match or (surest[0] if len(surest) == 1 else None)


MIN_CUSTOMERS: Final = 10
"""Customers with several orders, before it is no accident that each has one date."""
MIN_VARYING: Final = 0.5
"""Share of these customers who have several times in another column, before it may be that of events. A guess."""


def ask_time(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Ask for the time where the chosen one never differs between the orders of a customer, and others do.

    The inner queries read the first rows and flag, by customer with several orders, which time columns vary; the outer
    one counts these customers by column.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: there are such columns.
    """
    used = set(column_of.values())
    free = [item for item in log.proposals if item.samples and item.column not in used]
    other_times = [
        item for item in free if item.canonical in (None, EVENT_TIME) and share(TIME, list(item.samples)) == 1
    ]
    if EVENT_TIME in log.answers.mapping or not other_times:
        return dict(column_of), ()
    column = column_of[EVENT_TIME]
    times = [name(column), *(name(item.column) for item in other_times)]
    ordered = (
        f"min({name(column_of[ORDER_ID])}) < max({name(column_of[ORDER_ID])})"
        if ORDER_ID in column_of
        else "count(*) > 1"
    )
    each = ", ".join(f"min({time}) < max({time}) AS t{place}" for place, time in enumerate(times))
    varying = ", ".join(f"count(*) FILTER (t{place})" for place in range(len(times)))
    customers, with_several, *rest = log.fetch_one(
        f"SELECT count(*), {varying} FROM (SELECT {each} FROM (SELECT * FROM {log.relation}"
        f" LIMIT {SEARCHED_ROWS}) GROUP BY {name(column_of[CUSTOMER_ID])} HAVING {ordered})"
    )
    if customers < MIN_CUSTOMERS or with_several > (1 - MIN_RULE_SHARE) * customers:
        return dict(column_of), ()
    varied = [
        item.column for item, several in zip(other_times, rest, strict=True) if several >= MIN_VARYING * customers
    ]
    if varied:
        raise NeedsAnswer("two_columns", canonical=EVENT_TIME, columns=[*varied, column], first=varied[0])
    return dict(column_of), ()
