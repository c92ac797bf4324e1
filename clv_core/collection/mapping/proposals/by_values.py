"""What a column's values could be, whatever it is called, or make doubtful of its name."""

from __future__ import annotations

import re
import unicodedata

from clv_core.collection.mapping.columns.money import FRACTIONS
from clv_core.collection.mapping.columns.proposed import NUMBER, TIME, Proposal
from clv_core.collection.mapping.customers.names import masked
from clv_core.collection.mapping.kinds.event_names import are_event_names, are_kinds
from clv_core.collection.mapping.states.meanings import tells
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, ORDER_STATUS, READ, Kind


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
