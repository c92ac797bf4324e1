"""The questions for columns that a log needs and nothing tells, all at once, and what is offered as the answer."""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.mapping.columns.money import WORTH_ASKING
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.kinds.sides import both_ways
from clv_core.collection.mapping.proposals.by_values import could_be
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, PRICE, fold
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, QUANTITY, UNIT_PRICE
from clv_core.errors import NeedsAnswer, Refused

CUSTOMERS: Final = re.compile(
    r"(?i)customer|client|buyer|shopper|visitor|visid|user|member|kunde|klant|顾客|客户|会员|买家|手机|e-?mail"
)
"""What the name of a column is likely to hold that is offered as the customer."""
OF_CUSTOMERS: Final = re.compile(
    r"(?i)agent|accept|group|type|segment|class|tier|level|status|consent|opt|country|state|region|province|city|zip|postal|age$|gender|组|类型|等级|级别|性别"
)
"""And what it holds where it says something about her instead."""
OF_PIECE: Final = re.compile(
    r"(?i)unit|unid|each|per_?piece|stück|einzel|pi[eè]ce|peça|pieza|pezzo|birim|单价|単価|단가"
)
OF_ALL: Final = re.compile(r"(?i)tot(?:al)?(?![a-z])|gesamt|summe|toplam|总|総|合計|합계")
MAX_PRICES: Final = 3
"""Columns that are offered as the price of one piece."""
UNREADABLE: Final = "\ufffd"
"""Stands in a text for bytes that are none in its encoding."""


def ask_missing(proposals: list[Proposal], chosen: dict[str, str], file: str) -> None:
    """Ask for the columns that are needed and missing, all at once."""
    missing = {
        canonical: next((item.column for item in proposals if item.canonical == canonical and item.samples), "COLUMN")
        for canonical in (CUSTOMER_ID, EVENT_TIME)
        if canonical not in chosen
    }
    if missing.get(CUSTOMER_ID) == "COLUMN":
        missing[CUSTOMER_ID] = likely_customer(proposals) or "COLUMN"
    money = bool({AMOUNT, PRICE, UNIT_PRICE, EVENT_TYPE} & set(chosen))
    garbled = [item.column for item in proposals if UNREADABLE in item.column]
    if garbled and (missing or not money):
        raise NeedsAnswer("names_unreadable", columns=garbled[:12], file=file)
    least = WORTH_ASKING if _tells_behaviour(proposals) else 0.0
    if not missing:
        if not money:
            ask_amount(proposals, file, quantity=chosen.get(QUANTITY, ""), least=least)
        return
    found = [item.column for item in proposals[:40]]
    if not money and (offered := money_columns(proposals, least=WORTH_ASKING)):
        missing[AMOUNT] = offered[0]
    first, guess = next(iter(missing.items()))
    hidden = next((item for item in proposals if item.masked), None)
    if list(missing) == [CUSTOMER_ID] and hidden is not None:
        params = {"column": hidden.column, "example": hidden.samples[0][:40]}
        raise NeedsAnswer("customers_masked", canonical=first, found=found, file=file, **params)
    if list(missing) == [EVENT_TIME] and not any(could_be(EVENT_TIME, item) for item in proposals):
        raise NeedsAnswer("no_time_column", canonical=EVENT_TIME, found=found, file=file)
    if len(missing) == 1:
        raise NeedsAnswer("missing_column", canonical=first, found=found, guess=guess, file=file)
    pairs = [f"{canonical}={column}" for canonical, column in missing.items()]
    options = " ".join(f'--map "{pair}"' if " " in pair else f"--map {pair}" for pair in pairs)
    raise NeedsAnswer(
        "missing_columns", canonical=first, missing=list(missing), found=found, options=options, file=file
    )


def ask_amount(proposals: list[Proposal], file: str, *, quantity: str = "", least: float = 0.0) -> None:
    """Ask which column the amount is, or the price of one piece, or refuse a log that holds none.

    Args:
        proposals: what each column seems to be.
        file: what the person calls it.
        quantity: the column of pieces, by which a price can be multiplied; empty where there is none.
        least: how much must speak for a column to be offered.

    Raises:
        NeedsAnswer: columns of numbers could be it.
        Refused: none could.
    """
    found = money_columns(proposals, least=least)
    both = both_ways([item.column for item in proposals])
    if both is not None and both[0] in found:
        raise NeedsAnswer("which_side", canonical=AMOUNT, columns=list(both), first=both[0], second=both[1])
    if not found:
        raise Refused("no_amount", found=[item.column for item in proposals[:40]], file=file)
    offered = found[:12]
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
    """Return the column that may name the customer though no name says so, "" where there is none."""
    named = [item for item in proposals if item.canonical is None and CUSTOMERS.search(item.column)]
    named = [item for item in named if not OF_CUSTOMERS.search(item.column)]
    return next((item.column for item in named if item.samples and not item.money and not item.never_repeats), "")


def _tells_behaviour(proposals: list[Proposal]) -> bool:
    """Say whether a column's values are names of events, whatever it is called."""
    return any(
        len(item.samples) > 1 and all(fold(value) in EVENT_NAMES for value in item.samples[:2])
        for item in proposals
        if item.canonical in (None, EVENT_TYPE)
    )
