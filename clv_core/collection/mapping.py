"""Which source column is which canonical column, proposed from names and values, with a confidence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from clv_core.collection.aliases import (
    CURRENCY,
    EVENT_NAMES,
    LIKELY_NAMES,
    MISSING,
    PREFERRED_NAMES,
    PRICE,
    SURE_NAMES,
    fold,
)
from clv_core.collection.order_states import tells
from clv_core.collection.split_columns import CLOCK
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_STATUS,
    QUANTITY,
    READ,
    UNIT_PRICE,
    Kind,
)
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError

EXACT: Final = 0.99
SURE: Final = 0.95
CERTAIN: Final = 0.9
"""A likely name, and values that are nothing else; from here on there is nothing to warn of."""

LIKELY: Final = 0.7
SLIGHTLY: Final = 0.01
"""What a name with a unit loses against the bare name."""

BY_VALUES: Final = 0.5
ENOUGH_IDS: Final = 20
"""So many different ids, and no repetition, are those of orders rather than of customers."""
ORDER_NAME: Final = re.compile(r"#\s?\w*-?\d+\S*")
"""What a column that is only called "name" must hold to be that of orders: #1001."""
IDENTITY: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
MAKERS: Final = (QUANTITY, UNIT_PRICE, DISCOUNT)
"""Columns that the amount is made from where there is none."""

ENOUGH: Final = 0.6
"""Below this confidence the person is asked."""

NUMBER: Final = re.compile(
    r"\(?[\s$€£¥₹]*[+-]?([A-Z]{3}\s|[A-Z]{1,2}\$)?[\s$€£¥₹]*"
    r"\d[\d.,' \u00a0]*([eE][+-]?\d+)?[\s\w$€£¥]{0,5}\)?[-–—]{0,2}"
)
TIME: Final = re.compile(
    r"\d{1,4}[-/.年]\s?(\d{1,2}|[A-Za-z]{3,9})[-/.月]\s?\d{1,4}.*|(19|20)\d{6}|1\d{9}(\d{3})?(\.\d+)?"
    r"|([A-Za-z]{3,9},? )?(\d{1,2}[ /-][A-Za-z]{3,9}[ /-]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})\b.*"
    r"|(19|20)\d{6}[T ]?\d\d:?\d\d.*"
)
TIME_NAME: Final = re.compile(r"(?i:date|time|timestamp|[_ ]at|日期|时间|時間)$|[a-z]At$")
UNIT: Final = re.compile(
    r"\s*([(\[（【［][^()\[\]（）【】［］]*[)\]）】］]|[/／_]\s*(?i:元|件|个|個|RMB|CNY|USD|EUR|GBP|JPY))\s*$"
)
"""What a name says at its end: in brackets a currency, a time zone, a remark; behind a slash a currency or a piece."""


@dataclass(frozen=True)
class Proposal:
    """What one source column seems to be.

    Args:
        column: the source column.
        canonical: the canonical column, ``price``, ``currency``, or None for an extra.
        confidence: 0 to 1; 1 where the person said so.
        samples: a few different values.
        never_repeats: whether many values were seen, and none twice.
    """

    column: str
    canonical: str | None
    confidence: float
    samples: tuple[str, ...] = ()
    never_repeats: bool = False


def propose(columns: tuple[str, ...], rows: list[dict[str, Any]], answers: Mapping[str, str]) -> list[Proposal]:
    """Return one proposal a source column, in file order.

    Args:
        columns: source columns.
        rows: sample rows as text.
        answers: canonical name -> source column, as the person said; they outrank everything. An empty column says that
            there is none: what would be taken for it stays an extra.

    Raises:
        UsageError: an answer names a canonical or a source column that there is not.
    """
    answered = _answers(columns, answers)
    proposals: list[Proposal] = []
    for column in columns:
        values = [str(row[column]).strip() for row in rows if row.get(column) is not None]
        values = [value for value in values if value.lower() not in MISSING]
        samples = tuple(dict.fromkeys(value[:80] for value in values))[:5]
        canonical, confidence = answered.get(column), 1.0
        if canonical is None:
            canonical, confidence = _by_name(column, values)
        if canonical in answers and column not in answered:
            canonical, confidence = None, 0.0
        never_repeats = ENOUGH_IDS <= len(values) == len(set(values))
        proposals.append(Proposal(column, canonical, confidence, samples, never_repeats))
    return _by_values(proposals, rows)


def choose(proposals: list[Proposal], file: str) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return canonical -> source column, and what is to be said about it.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    chosen: dict[str, str] = {}
    notes: list[Message] = []
    found = ", ".join(item.column for item in proposals[:40])
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        if not tied or tied[0].confidence < ENOUGH:
            continue
        best = tied[0] if len(tied) == 1 else _preferred(canonical, tied)
        if best is None and canonical in (IDENTITY if AMOUNT in chosen else (*IDENTITY, *MAKERS)):
            names = ", ".join(item.column for item in tied)
            raise NeedsAnswer("two_columns", canonical=canonical, columns=names, first=tied[0].column)
        if best is not None and len(tied) > 1:
            others = ", ".join(item.column for item in tied if item is not best)
            params = {"canonical": canonical, "column": best.column, "others": others}
            notes.append(Message("warning.one_of_several", params))
        best = best or tied[0]
        chosen[canonical] = best.column
        if len(tied) == 1 and best.confidence < CERTAIN:
            params = {"canonical": canonical, "column": best.column}
            notes.append(Message("warning.mapped_by_guess", params))
    own = next((item for item in proposals if item.column == chosen.get(CUSTOMER_ID)), None)
    if own is not None and own.never_repeats and own.confidence < SURE and fold(own.column) == "id":
        del chosen[CUSTOMER_ID]  # it is one of rows: everybody would have bought once
    for canonical in (CUSTOMER_ID, EVENT_TIME):
        if canonical not in chosen:
            guess = next((p.column for p in proposals if p.canonical == canonical), "")
            raise NeedsAnswer("missing_column", canonical=canonical, found=found, guess=guess or "COLUMN", file=file)
    if not {AMOUNT, PRICE, UNIT_PRICE, EVENT_TYPE} & set(chosen):
        raise Refused("no_amount", found=found, file=file)
    return chosen, tuple(notes)


def could_be(canonical: str, item: Proposal) -> bool:
    """Say whether a column's values could be a canonical one's, whatever it is called."""
    if not item.samples or item.canonical not in (None, canonical):
        return False
    if canonical == CUSTOMER_ID:
        return not item.never_repeats and _share(TIME, list(item.samples)) == 0
    if READ[canonical].kind is Kind.NUMBER:
        return _share(NUMBER, list(item.samples)) == 1 and _share(TIME, list(item.samples)) == 0
    return _fits(canonical, list(item.samples))


def taken(proposals: list[Proposal]) -> list[Proposal]:
    """Return the proposals with one column for each canonical one, others as extras; several where nothing tells."""
    found = list(proposals)
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        best = _preferred(canonical, tied) if len(tied) > 1 else None
        stay = tied if best is None else [best]
        found = [
            replace(item, canonical=None, confidence=0.0)
            if item.canonical == canonical and not any(item is other for other in stay)
            else item
            for item in found
        ]
    return found


def _likeliest(canonical: str, proposals: list[Proposal]) -> list[Proposal]:
    """Return the columns that are most likely a canonical one, equally good, in file order."""
    confidence = max((item.confidence for item in proposals if item.canonical == canonical), default=0.0)
    return [item for item in proposals if item.canonical == canonical and item.confidence == confidence]


def _preferred(canonical: str, tied: list[Proposal]) -> Proposal | None:
    """Return the one of equally good columns that is better still, if there is one."""
    tied = [item for item in tied if item.samples] or tied
    if len(tied) == 1:
        return tied[0]
    if canonical == CUSTOMER_ID:
        tied = [item for item in tied if not item.never_repeats]
        return tied[0] if len(tied) == 1 else None
    named = {fold(UNIT.sub("", item.column)): item for item in reversed(tied)}
    return next((named[known] for known in PREFERRED_NAMES.get(canonical, ()) if known in named), None)


def _answers(columns: tuple[str, ...], answers: Mapping[str, str]) -> dict[str, str]:
    known = {column.lower(): column for column in columns}
    result: dict[str, str] = {}
    for canonical, column in answers.items():
        if canonical not in READ:
            raise UsageError("map_canonical", canonical=canonical[:60], known=", ".join(READ))
        if not column:
            continue
        source = column if column in columns else known.get(column.strip().lower())
        if source is None:
            raise UsageError("map_column", canonical=canonical, column=column[:60], found=", ".join(columns[:40]))
        result[source] = canonical
    return result


def _by_name(column: str, values: list[str]) -> tuple[str | None, float]:
    base = re.sub(r"\s\(\d+\)$", "", column)
    if base in BY_NAME:
        return base, EXACT
    canonical, confidence = _by_alias(base)
    if canonical is None and UNIT.search(base):
        canonical, confidence = _by_alias(UNIT.sub("", base))
        confidence -= SLIGHTLY
    if canonical is None and "." in base:
        canonical, confidence = SURE_NAMES.get(fold(base.rpartition(".")[2])), CERTAIN
    if canonical is None:
        return None, 0.0
    if (confidence < SURE or canonical == ORDER_STATUS) and values and not _fits(canonical, values):
        return None, 0.0
    if canonical == EVENT_TIME and values and _share(CLOCK, values) == 1:
        return None, 0.0  # a time of day is no time
    if fold(base) == "name" and _share(ORDER_NAME, values) < 1:
        return None, 0.0
    if confidence < SURE and canonical == EVENT_TIME and values and _share(TIME, values) == 1:
        return canonical, CERTAIN
    return canonical, confidence


def _by_alias(name: str) -> tuple[str | None, float]:
    key = fold(name)
    return (SURE_NAMES[key], SURE) if key in SURE_NAMES else (LIKELY_NAMES.get(key), LIKELY)


def _fits(canonical: str, values: list[str]) -> bool:
    """Say whether the values can be what the name says."""
    if canonical == ORDER_STATUS:
        return tells(values)
    kind = READ[canonical].kind if canonical in READ else Kind.TEXT
    if kind is Kind.TIME:
        return _share(TIME, values) > 0.5
    if kind is Kind.NUMBER:
        return _share(NUMBER, values) > 0.5
    if canonical == EVENT_TYPE:
        return sum(fold(value) in EVENT_NAMES for value in values) > 0.5 * len(values)
    return True


def _share(pattern: re.Pattern[str], values: list[str]) -> float:
    plain = [unicodedata.normalize("NFKC", value) for value in values]
    return sum(bool(pattern.fullmatch(value)) for value in plain) / max(len(values), 1)


def _by_values(proposals: list[Proposal], rows: list[dict[str, Any]]) -> list[Proposal]:
    """Propose the one column that looks like times, where no name says so.

    With the confidence of a guess; where its name ends like a time's, it is likely.
    """
    if any(item.canonical == EVENT_TIME for item in proposals) or not rows:
        return proposals
    timely = [item for item in proposals if item.canonical is None and item.samples]
    timely = [item for item in timely if _share(TIME, list(item.samples)) == 1]
    named = [item for item in timely if TIME_NAME.search(item.column)]
    found, confidence = (named, LIKELY) if named else (timely, BY_VALUES)
    if len(found) != 1:
        return proposals
    return [
        replace(item, canonical=EVENT_TIME, confidence=confidence) if item is found[0] else item for item in proposals
    ]
