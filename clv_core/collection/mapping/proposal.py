"""Which source column is which canonical column, proposed from names and values, with a confidence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.mapping.column_words import CODE, are_own_words
from clv_core.collection.mapping.customer_names import are_full_names, masked, rank, says_the_same
from clv_core.collection.mapping.event_names import are_event_names
from clv_core.collection.mapping.kind_columns import of_kinds
from clv_core.collection.mapping.money_columns import FRACTION, FRACTIONS, money_likelihood
from clv_core.collection.mapping.order_states import tells
from clv_core.collection.mapping.proposed import (
    CERTAIN,
    EXACT,
    LIKELY,
    MOST_SAMPLES,
    NUMBER,
    SLIGHTLY,
    SURE,
    TIME,
    Proposal,
)
from clv_core.collection.words.aliases import (
    CUSTOMER_RANKS,
    LIKELY_NAMES,
    MISSING,
    PRICE,
    SURE_NAMES,
    fold,
)
from clv_core.collection.words.flag_words import NO, YES
from clv_core.collection.words.split_columns import CLOCK
from clv_core.collection.words.tax_words import WITH_TAX, WITHOUT_TAX
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_STATUS,
    READ,
    REFUND,
    UNIT_PRICE,
    Kind,
)
from clv_core.errors import UsageError

BY_VALUES: Final = 0.5
YES_OR_NO: Final = frozenset(word for word in (*YES, *NO) if not word.isdigit())
ENOUGH_IDS: Final = 20
"""So many different ids, and no repetition, are those of orders rather than of customers."""
ORDER_NAMES: Final = {
    "name": re.compile(r"#\s?\w*-?\d+\S*"),
    "reference": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
    "référence": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
    "ref": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
}
"""What a column that is only called so must hold to be that of orders: #1001, S00123."""
TIME_NAME: Final = re.compile(r"(?i:date|time|timestamp|[_ ]at|日期|时间|時間)$|[a-z]At$")
HOURS_AND_MINUTES: Final = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
KEYS: Final = re.compile(r"[\w$@-]+(\.[\w$@-]+)+")
WRAPPERS: Final = ("data", "attributes", "properties", "relationships", "payload", "eventproperties", "context")
"""Keys of nested objects that say nothing of what they hold, folded."""
OF_VISITORS: Final = frozenset(("device", "browser", "app", "appinfo", "geo", "platform"))
"""Keys of nested objects that tell of who visited, and with what, folded."""
UNIT: Final = re.compile(
    r"\s*([(\[（【［][^()\[\]（）【】［］]*[)\]）】］]|[/／_]\s*(?i:元|件|个|個|RMB|CNY|USD|EUR|GBP|JPY)"
    r"|[,，]\s*(?:(?i:руб\.?|грн\.?|тг\.?|шт\.?|zł|kč|kr)|元|件|RUB|UAH|KZT|USD|EUR|GBP|CNY|PLN|CZK|TRY|[₽€$£¥₹₴₸₺])|\s+руб\.?)\s*$"
)
"""What a name says at its end: in brackets a currency, a time zone, a remark; behind a slash or a comma a currency or a
piece."""


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
        samples = tuple(dict.fromkeys(value[:80] for value in values))[:MOST_SAMPLES]
        canonical, confidence = answered.get(column), 1.0
        if canonical is None:
            canonical, confidence = _by_name(column, values)
        if canonical in answers and column not in answered:
            canonical, confidence = None, 0.0
        hidden = canonical == CUSTOMER_ID and confidence < 1 and masked(values)
        if hidden:
            canonical, confidence = None, 0.0
        never_repeats = ENOUGH_IDS <= len(values) == len(set(values))
        money = money_likelihood(column, values)
        weaker = rank(column, values) if canonical == CUSTOMER_ID else 0
        proposals.append(Proposal(column, canonical, confidence, samples, never_repeats, money, hidden, weaker))
    proposals = _by_values(_named_twice(proposals, rows), rows)
    return of_kinds(proposals, rows, told=EVENT_TYPE in answers)


def could_be(canonical: str, item: Proposal) -> bool:
    """Say whether a column's values could be a canonical one's, whatever it is called."""
    if not item.samples or item.canonical not in (None, canonical):
        return False
    if canonical == CUSTOMER_ID:
        no_id = masked(item.samples) or item.money >= FRACTIONS
        return not item.never_repeats and not no_id and _share(TIME, list(item.samples)) == 0
    if READ[canonical].kind is Kind.NUMBER:
        return _share(NUMBER, list(item.samples)) == 1 and _share(TIME, list(item.samples)) == 0
    return _fits(canonical, list(item.samples))


def last_key(column: str) -> str:
    """Return the last of the keys that lead to a nested value (``id`` of ``user.id``), any other name as it is."""
    return column.rpartition(".")[2] if KEYS.fullmatch(column) else column


def says(canonical: str, item: Proposal) -> bool:
    """Say whether a column's name and samples make it a canonical one, whatever was said of the others."""
    return item.canonical == canonical or _by_name(item.column, list(item.samples))[0] == canonical


def _answers(columns: tuple[str, ...], answers: Mapping[str, str]) -> dict[str, str]:
    known = {column.lower(): column for column in columns}
    result: dict[str, str] = {}
    for canonical, column in answers.items():
        if canonical not in READ:
            raise UsageError("map_canonical", canonical=canonical[:60], known=list(READ))
        if not column:
            continue
        source = column if column in columns else known.get(column.strip().lower())
        if source is None:
            raise UsageError("map_column", canonical=canonical, column=column[:60], found=list(columns[:40]))
        result[source] = canonical
    return result


def _by_name(column: str, values: list[str]) -> tuple[str | None, float]:
    """Return what a column's name says that it is, unless its values say otherwise, and how sure that is."""
    base = re.sub(r"\s\(\d+\)$", "", column)
    if are_own_words(base, values):
        return ORDER_STATUS, LIKELY
    if base in BY_NAME:
        return base, SURE - 2 * SLIGHTLY if base == EVENT_TYPE and values and _share(CODE, values) == 1 else EXACT
    canonical, confidence = _by_words(base)
    if canonical is None or _belied(canonical, confidence, base, values):
        return None, 0.0
    if confidence < SURE and canonical == EVENT_TIME and values and _share(TIME, values) == 1:
        return canonical, CERTAIN
    if canonical == CUSTOMER_ID and fold(base) in CUSTOMER_RANKS and are_full_names(values):
        return canonical, min(confidence, LIKELY)  # two people may have one name
    return canonical, confidence


def _belied(canonical: str, confidence: float, base: str, values: list[str]) -> bool:
    """Say whether a column's values are not what its name says."""
    if fold(base) in ORDER_NAMES and _share(ORDER_NAMES[fold(base)], values) < 1:
        return True
    if canonical == REFUND and confidence < SURE and not any(map(FRACTION.fullmatch, values)):
        return True  # pieces, or whether
    if not values:
        return False
    if canonical == EVENT_TIME and 1 in (_share(CLOCK, values), _share(HOURS_AND_MINUTES, values)):
        return True  # a time of day is no time
    if canonical == AMOUNT and confidence < SURE and set(values) <= {"0", "1"}:
        return True  # it says whether, not how much
    if canonical == REFUND and {value.lower() for value in values} <= YES_OR_NO:
        return True
    weak = confidence < SURE or canonical == ORDER_STATUS
    return weak and not _fits(canonical, values, surely=confidence >= CERTAIN)


def _by_words(base: str) -> tuple[str | None, float]:
    """Return what a name says by itself, without the unit at its end, or as the path to a nested value."""
    canonical, confidence = _by_alias(base)
    if canonical is None and UNIT.search(base):
        canonical, confidence = _by_alias(UNIT.sub("", base))
        confidence -= SLIGHTLY
    if canonical is None:
        canonical, confidence = _by_taxed(base)
    if canonical is None and "." in base:
        canonical, confidence = _by_path(base)
    return canonical, confidence


def _by_taxed(base: str) -> tuple[str | None, float]:
    """Return what a name of money says without what it says of taxes; what the buyer paid is with them."""
    for pattern, less in ((WITH_TAX, SLIGHTLY), (WITHOUT_TAX, 3 * SLIGHTLY)):
        canonical, confidence = _by_alias(pattern.sub("", base))
        if pattern.search(base) and canonical in (AMOUNT, UNIT_PRICE, PRICE):
            return canonical, confidence - less
    return None, 0.0


def _by_path(path: str) -> tuple[str | None, float]:
    """Return what a value's key says with the one above it, or by itself: ``user.id``, ``properties.$value``."""
    keys = [key for key in path.split(".") if fold(key) not in WRAPPERS] or path.split(".")
    for name in (keys[-1], "_".join(keys[-2:])):
        if SURE_NAMES.get(fold(name)) == CATEGORY and OF_VISITORS & set(map(fold, keys[:-1])):
            continue  # of the device, not of what was bought
        if fold(name) in SURE_NAMES:
            return SURE_NAMES[fold(name)], CERTAIN
    likely = LIKELY_NAMES.get(fold(keys[-1]))
    return (likely, LIKELY) if likely in (AMOUNT, EVENT_TIME, EVENT_TYPE) else (None, 0.0)


def _by_alias(name: str) -> tuple[str | None, float]:
    key = fold(name)
    return (SURE_NAMES[key], SURE) if key in SURE_NAMES else (LIKELY_NAMES.get(key), LIKELY)


def _fits(canonical: str, values: list[str], *, surely: bool = False) -> bool:
    """Say whether the values can be what the name says, or surely says."""
    if canonical == ORDER_STATUS:
        return tells(values, surely=surely)
    kind = READ[canonical].kind if canonical in READ else Kind.TEXT
    if kind is Kind.TIME:
        return _share(TIME, values) > 0.5
    if kind is Kind.NUMBER:
        return _share(NUMBER, values) > 0.5
    if canonical == EVENT_TYPE:
        return are_event_names(values)
    return True


def _share(pattern: re.Pattern[str], values: list[str]) -> float:
    plain = [unicodedata.normalize("NFKC", value) for value in values]
    return sum(bool(pattern.fullmatch(value)) for value in plain) / max(len(values), 1)


def _named_twice(proposals: list[Proposal], rows: list[dict[str, Any]]) -> list[Proposal]:
    """Return the proposals, those of the same customers as one before them, or one of a surer kind, marked so."""
    people = sorted((item for item in proposals if item.canonical == CUSTOMER_ID), key=lambda item: item.rank)
    same: dict[str, str] = {}
    for at, item in enumerate(people):
        before = (other for other in people[:at] if other.column not in same)
        found = next((one.column for one in before if says_the_same(rows, one.column, item.column)), "")
        if found:
            same[item.column] = found
    return [replace(item, same_as=same[item.column]) if item.column in same else item for item in proposals]


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
