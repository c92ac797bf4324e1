"""What a column's name says that it is, unless its values say otherwise, and what values could be."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from clv_core.collection.infer.columns.proposal import (
    CERTAIN,
    CLOCK,
    EXACT,
    FRACTION,
    FRACTIONS,
    LIKELY,
    NUMBER,
    SLIGHTLY,
    SURE,
    TIME,
    Proposal,
)
from clv_core.collection.infer.customers import are_full_names, masked
from clv_core.collection.infer.event_names import are_event_names, are_kinds, are_means
from clv_core.collection.infer.state_words import CODE, has_words_of_its_own, tells
from clv_core.collection.vocabulary.column_names import (
    CUSTOMER_RANKS,
    EVENT_NAMES,
    KIND_NAMES,
    LIKELY_NAMES,
    PRICE,
    SURE_NAMES,
    WITH_TAX,
    WITHOUT_TAX,
    fold,
)
from clv_core.collection.vocabulary.order_statuses import NO, YES
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
    UNIT_PRICE,
    Kind,
)


def could_be(canonical: str, item: Proposal) -> bool:
    """Say whether a column's values could be a canonical one's, whatever it is called."""
    if not item.samples or item.canonical not in (None, canonical):
        return False
    if canonical == CUSTOMER_ID:
        no_id = masked(item.samples) or item.money >= FRACTIONS
        return not item.never_repeats and not no_id and share(TIME, list(item.samples)) == 0
    if READ[canonical].kind is Kind.NUMBER:
        return share(NUMBER, list(item.samples)) == 1 and share(TIME, list(item.samples)) == 0
    return fits(canonical, list(item.samples))


def fits(canonical: str, values: list[str], *, surely: bool = False) -> bool:
    """Say whether the values can be what the name says, or surely says."""
    if canonical == ORDER_STATUS:
        return tells(values, surely=surely)
    kind = READ[canonical].kind if canonical in READ else Kind.TEXT
    if kind is Kind.TIME:
        return share(TIME, values) > 0.5
    if kind is Kind.NUMBER:
        return share(NUMBER, values) > 0.5
    if canonical == EVENT_TYPE:
        return are_event_names(values) or are_kinds(values)
    return True


def share(pattern: re.Pattern[str], values: list[str]) -> float:
    """Return the share of values that a pattern matches as a whole, whatever width their letters have."""
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
"""Keys of nested objects that say nothing of what they hold, folded."""
OF_VISITORS: Final = frozenset(("device", "browser", "app", "appinfo", "geo", "platform"))
"""Keys of nested objects that tell of who visited, and with what, folded."""
UNIT: Final = re.compile(
    r"\s*([(\[（【［][^()\[\]（）【】［］]*[)\]）】］]|[/／_]\s*(?i:元|件|个|個|RMB|CNY|USD|EUR|GBP|JPY)"
    r"|[,，]\s*(?:(?i:руб\.?|грн\.?|тг\.?|шт\.?|zł|kč|kr)|元|件|RUB|UAH|KZT|USD|EUR|GBP|CNY|PLN|CZK|TRY|[₽€$£¥₹₴₸₺])|\s+руб\.?)\s*$"
)
"""What a name says at its end: in brackets a currency, a time zone, a remark; behind a slash or a comma a currency or a
piece."""


LONGEST_NAME: Final = 300
"""Characters; a longer name is a text, of a survey's question for example, and says nothing."""


def by_name(column: str, values: list[str]) -> tuple[str | None, float]:
    """Return what a column's name says that it is, unless its values say otherwise, and how sure that is."""
    if len(column) > LONGEST_NAME:
        return None, 0.0
    base = re.sub(r"\s\(\d+\)$", "", column)
    if has_words_of_its_own(base, values):
        return ORDER_STATUS, LIKELY
    if base in BY_NAME:
        return base, SURE - 2 * SLIGHTLY if base == EVENT_TYPE and values and share(CODE, values) == 1 else EXACT
    canonical, confidence = _by_words(base)
    if canonical is None or _belied(canonical, confidence, base, values):
        return None, 0.0
    if confidence < SURE and canonical == EVENT_TIME and values and share(TIME, values) == 1:
        return canonical, CERTAIN
    if canonical == CUSTOMER_ID and fold(base) in CUSTOMER_RANKS and are_full_names(values):
        return canonical, min(confidence, LIKELY)  # two people may have one name
    return canonical, confidence


def says(canonical: str, item: Proposal) -> bool:
    """Say whether a column's name and samples make it a canonical one, whatever was said of the others."""
    return item.canonical == canonical or by_name(item.column, list(item.samples))[0] == canonical


def last_key(column: str) -> str:
    """Return the last of the keys that lead to a nested value (``id`` of ``user.id``), any other name as it is."""
    return column.rpartition(".")[2] if KEYS.fullmatch(column) else column


def _belied(canonical: str, confidence: float, base: str, values: list[str]) -> bool:
    """Say whether a column's values are not what its name says."""
    if fold(base) in ORDER_NAMES and share(ORDER_NAMES[fold(base)], values) < 1:
        return True
    if canonical == REFUND and confidence < SURE and not any(map(FRACTION.fullmatch, values)):
        return True  # pieces, or whether
    if not values:
        return False
    if canonical == EVENT_TIME and 1 in (share(CLOCK, values), share(HOURS_AND_MINUTES, values)):
        return True  # a time of day is no time
    if canonical == AMOUNT and confidence < SURE and set(values) <= {"0", "1"}:
        return True  # it says whether, not how much
    if canonical == REFUND and {value.lower() for value in values} <= YES_OR_NO:
        return True
    if canonical == EVENT_TYPE and fold(base) in KIND_NAMES and not are_means(values):
        return not any(EVENT_NAMES.get(fold(value)) == PURCHASE for value in values) and not fits(canonical, values)
    weak = confidence < SURE or canonical == ORDER_STATUS
    return weak and not fits(canonical, values, surely=confidence >= CERTAIN)


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
