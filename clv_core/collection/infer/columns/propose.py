"""Which source column is which canonical column, proposed from names and values, with a confidence.

A column's name comes first (:func:`by_name`), unless its values contradict it. Then columns without a meaning are
searched for those that only their values identify: times, types of rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.proposal import (
    CERTAIN,
    CLOCK,
    EXACT,
    FRACTION,
    FRACTIONS,
    LIKELY,
    MAX_SAMPLES,
    NUMBER,
    SLIGHTLY,
    SURE,
    TIME,
    Proposal,
    different,
    money_likelihood,
)
from clv_core.collection.infer.customers import are_full_names, masked, rank
from clv_core.collection.infer.event_names import are_event_names, are_kinds, are_means, is_payment_ledger
from clv_core.collection.infer.order_states import CODE, are_statuses, is_flag_or_stage
from clv_core.collection.vocabulary.column_names import (
    CUSTOMER_RANKS,
    EVENT_NAMES,
    KIND_NAMES,
    LIKELY_NAMES,
    MISSING,
    PRICE,
    SURE_NAMES,
    WITH_TAX,
    WITHOUT_TAX,
    fold,
)
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import NEITHER, NO, ROW_TYPE_COLUMNS, ROW_TYPE_NOUNS, YES
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_STATUS,
    PURCHASE,
    READ,
    REFUND,
    RETURN,
    UNIT_PRICE,
    Kind,
)
from clv_core.errors import UsageError


def propose(columns: tuple[str, ...], rows: Sequence[TextRow], answers: Mapping[str, str]) -> list[Proposal]:
    """Return one proposal a source column, in file order.

    Args:
        columns: source columns.
        rows: sample rows as text.
        answers: canonical name -> source column, as answered; they outrank everything. An empty column means that
            there is none: what would be taken for it stays an extra.

    Raises:
        UsageError: an answer names a canonical or a source column that there is not, or two name one source column.
    """
    answered = _answers(columns, answers)
    proposals: list[Proposal] = []
    for column in columns:
        cells = [cell for row in rows if (cell := row.get(column)) is not None]
        texts = {cell: str(cell).strip() for cell in dict.fromkeys(cells)}
        present = {cell: text for cell, text in texts.items() if text.lower() not in MISSING}
        values = [present[cell] for cell in cells if cell in present]
        samples = tuple(islice(dict.fromkeys(value[:80] for value in present.values()), MAX_SAMPLES))
        canonical, confidence = answered.get(column), 1.0
        if canonical is None:
            canonical, confidence = by_name(column, values)
        if canonical in answers and column not in answered:
            canonical, confidence = None, 0.0
        hidden = canonical == CUSTOMER_ID and confidence < 1 and masked(values)
        if hidden:
            canonical, confidence = None, 0.0
        filled, distinct = len(values), len(set(values))
        never_repeats = MIN_ROW_IDS <= filled == distinct
        money = money_likelihood(column, values)
        weaker = rank(column, values) if canonical == CUSTOMER_ID else 0
        item = Proposal(column, canonical, confidence, samples, never_repeats, money, hidden, weaker, filled, distinct)
        proposals.append(item)
    proposals = _by_values(proposals, rows)
    return proposals if EVENT_TYPE in answers else _by_kind(_by_documents(proposals, rows))


def _answers(columns: tuple[str, ...], answers: Mapping[str, str]) -> dict[str, str]:
    by_lower_name = {column.lower(): column for column in columns}
    result: dict[str, str] = {}
    for canonical, column in answers.items():
        if canonical not in READ:
            raise UsageError("map_canonical", canonical=canonical[:60], known=list(READ))
        if not column:
            continue
        source = column if column in columns else by_lower_name.get(column.strip().lower())
        if source is None:
            raise UsageError("map_column", canonical=canonical, column=column[:60], found=list(columns[:40]))
        if source in result:
            raise UsageError("map_twice", column=source[:60], first=result[source], second=canonical)
        result[source] = canonical
    return result


MAX_DOCUMENT_TYPES: Final = 12
"""Different words; a column with more is hardly one of document types. A guess."""


def _by_documents(proposals: list[Proposal], rows: Sequence[TextRow]) -> list[Proposal]:
    """Propose the event type column that holds a ledger's documents, payments among invoices."""
    for at, item in enumerate(proposals):
        could_be = item.canonical in (None, EVENT_TYPE, ORDER_STATUS) and item.confidence < 1
        if not (could_be and fold(item.column) in ROW_TYPE_COLUMNS):
            continue
        words = set(different(rows, item.column))
        if len(words) <= MAX_DOCUMENT_TYPES and is_payment_ledger(words):
            remaining = [
                replace(other, canonical=None, confidence=0.0)
                if other.canonical == EVENT_TYPE and other.confidence <= SURE
                else other
                for other in proposals
            ]
            documents = replace(item, canonical=EVENT_TYPE, confidence=SURE)
            return [*remaining[:at], documents, *remaining[at + 1 :]]
    return proposals


def _by_kind(proposals: list[Proposal]) -> list[Proposal]:
    """Propose the column whose words separate sales from returns, where no column is named an event type."""
    if any(item.canonical == EVENT_TYPE or fold(item.column) in ROW_TYPE_COLUMNS for item in proposals):
        return proposals
    for at, item in enumerate(proposals):
        words = set(map(fold, item.samples)) if len(item.samples) < MAX_SAMPLES else set()
        if (
            item.canonical is None
            and words - NEITHER <= ROW_TYPE_NOUNS
            and {EVENT_NAMES.get(word) for word in words - NEITHER} == {PURCHASE, RETURN}
        ):
            return [*proposals[:at], replace(item, canonical=EVENT_TYPE, confidence=LIKELY), *proposals[at + 1 :]]
    return proposals


BY_VALUES: Final = 0.5
"""Confidence of a guess by values alone: below ``MIN_CONFIDENCE``, so that it is asked."""
MIN_ROW_IDS: Final = 20
"""So many different ids, and no repetition, are those of orders rather than of customers."""
TIME_NAME: Final = re.compile(f"(?i)(?:{load_vocabulary().pattern('dates', 'time_columns')})$")


def _by_values(proposals: list[Proposal], rows: Sequence[TextRow]) -> list[Proposal]:
    """Propose the one column that looks like times, where none is named so.

    With the confidence of a guess; where its name ends like a time's, it is likely.
    """
    if any(item.canonical == EVENT_TIME for item in proposals) or not rows:
        return proposals
    timely = [item for item in proposals if item.canonical is None and item.samples]
    timely = [item for item in timely if share(TIME, list(item.samples)) == 1]
    named = [item for item in timely if TIME_NAME.search(item.column)]
    candidates, confidence = (named, LIKELY) if named else (timely, BY_VALUES)
    if len(candidates) != 1:
        return proposals
    return [
        replace(item, canonical=EVENT_TIME, confidence=confidence) if item is candidates[0] else item
        for item in proposals
    ]


def could_be(canonical: str, item: Proposal) -> bool:
    """Return whether a column's values could be a canonical one's, whatever it is called."""
    if not item.samples or item.canonical not in (None, canonical):
        return False
    if canonical == CUSTOMER_ID:
        no_id = masked(item.samples) or item.money >= FRACTIONS
        return not item.never_repeats and not no_id and share(TIME, list(item.samples)) == 0
    if READ[canonical].kind is Kind.NUMBER:
        return share(NUMBER, list(item.samples)) == 1 and share(TIME, list(item.samples)) == 0
    return fits(canonical, list(item.samples))


def fits(canonical: str, values: list[str], *, surely: bool = False) -> bool:
    """Return whether the values can be a canonical column's; ``surely`` where its name leaves no doubt."""
    if canonical == ORDER_STATUS:
        return are_statuses(values, surely=surely)
    kind = READ[canonical].kind if canonical in READ else Kind.TEXT
    if kind is Kind.TIME:
        return share(TIME, values) > 0.5
    if kind is Kind.NUMBER:
        return share(NUMBER, values) > 0.5
    if canonical == EVENT_TYPE:
        return are_event_names(values) or are_kinds(values)
    return True


def share(pattern: re.Pattern[str], values: list[str]) -> float:
    """Return the share of values that fully match a pattern, after NFKC normalisation."""
    plain = [unicodedata.normalize("NFKC", value) for value in values]
    return sum(bool(pattern.fullmatch(value)) for value in plain) / max(len(values), 1)


YES_OR_NO: Final = frozenset(word for word in (*YES, *NO) if not word.isdigit())
ORDER_NAMES: Final = {
    "name": re.compile(r"#\s?\w*-?\d+\S*"),
    "reference": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
    "référence": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
    "ref": re.compile(r"(?=\D*\d\D*\d)[\w#/.-]{4,}"),
}
"""What a column that is only called so must hold to be that of orders: #1001, S00123."""
HOURS_AND_MINUTES: Final = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
KEYS: Final = re.compile(r"[\w$@-]+(\.[\w$@-]+)+")
WRAPPERS: Final = ("data", "attributes", "properties", "relationships", "payload", "eventproperties", "context")
"""Keys of nested objects that do not describe their content, folded."""
OF_VISITORS: Final = frozenset(("device", "browser", "app", "appinfo", "geo", "platform"))
"""Keys of nested objects that describe the visitor and the device, folded."""
UNIT: Final = re.compile(
    r"\s*([(\[（【［][^()\[\]（）【】［］]*[)\]）】］]|[/／_]\s*(?i:元|件|个|個|RMB|CNY|USD|EUR|GBP|JPY)"
    r"|[,，]\s*(?:(?i:руб\.?|грн\.?|тг\.?|шт\.?|zł|kč|kr)|元|件|RUB|UAH|KZT|USD|EUR|GBP|CNY|PLN|CZK|TRY|[₽€$£¥₹₴₸₺])|\s+руб\.?)\s*$"
)
"""The end of a name: in brackets a currency, a time zone, a remark; behind a slash or a comma a currency or a piece."""


MAX_NAME_LENGTH: Final = 300
"""Characters; a longer name is a text, of a survey's question for example, and is ignored."""


def by_name(column: str, values: list[str]) -> tuple[str | None, float]:
    """Return the canonical column of a name, unless its values contradict it, with a confidence."""
    if len(column) > MAX_NAME_LENGTH:
        return None, 0.0
    base = re.sub(r"\s\(\d+\)$", "", column)
    if is_flag_or_stage(base, values):
        return ORDER_STATUS, LIKELY
    if base in BY_NAME:
        return base, SURE - 2 * SLIGHTLY if base == EVENT_TYPE and values and share(CODE, values) == 1 else EXACT
    canonical, confidence = _by_words(base)
    if canonical is None or _contradicts_name(canonical, confidence, base, values):
        return None, 0.0
    if confidence < SURE and canonical == EVENT_TIME and values and share(TIME, values) == 1:
        return canonical, CERTAIN
    if canonical == CUSTOMER_ID and fold(base) in CUSTOMER_RANKS and are_full_names(values):
        return canonical, min(confidence, LIKELY)  # two people may have one name
    return canonical, confidence


def fits_by_name(canonical: str, item: Proposal) -> bool:
    """Return whether a column's name and samples make it a canonical one, regardless of the other columns."""
    return item.canonical == canonical or by_name(item.column, list(item.samples))[0] == canonical


def last_key(column: str) -> str:
    """Return the last of the keys that lead to a nested value (``id`` of ``user.id``), any other name as it is."""
    return column.rpartition(".")[2] if KEYS.fullmatch(column) else column


def _contradicts_name(canonical: str, confidence: float, base: str, values: list[str]) -> bool:
    """Return whether a column's values contradict its name."""
    if fold(base) in ORDER_NAMES and share(ORDER_NAMES[fold(base)], values) < 1:
        return True
    if canonical == REFUND and confidence < SURE and not any(map(FRACTION.fullmatch, values)):
        return True  # pieces, or a flag
    if not values:
        return False
    if canonical == EVENT_TIME and 1 in (share(CLOCK, values), share(HOURS_AND_MINUTES, values)):
        return True  # a time of day is no time
    if canonical == AMOUNT and confidence < SURE and set(values) <= {"0", "1"}:
        return True  # a flag, no sum
    if canonical == REFUND and {value.lower() for value in values} <= YES_OR_NO:
        return True
    if canonical == EVENT_TYPE and fold(base) in KIND_NAMES and not are_means(values):
        return not any(EVENT_NAMES.get(fold(value)) == PURCHASE for value in values) and not fits(canonical, values)
    weak = confidence < SURE or canonical == ORDER_STATUS
    return weak and not fits(canonical, values, surely=confidence >= CERTAIN)


def _by_words(base: str) -> tuple[str | None, float]:
    """Return the canonical column of a name as it is, without the unit at its end, or as the path to a nested value."""
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
    """Return the canonical column of a money name without its words for taxes; what the buyer paid includes them."""
    for pattern, less in ((WITH_TAX, SLIGHTLY), (WITHOUT_TAX, 3 * SLIGHTLY)):
        canonical, confidence = _by_alias(pattern.sub("", base))
        if pattern.search(base) and canonical in (AMOUNT, UNIT_PRICE, PRICE):
            return canonical, confidence - less
    return None, 0.0


def _by_path(path: str) -> tuple[str | None, float]:
    """Return the canonical column of a path by its last key, alone or with the one above: ``user.id``."""
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
