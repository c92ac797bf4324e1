"""What a request says that is scored all the same, and may not be meant: it becomes warnings of the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from clv_core.collection.customers.values import NUMBER, TEXT
from clv_core.collection.mapping.kinds.event_names import taken_for
from clv_core.columns import EVENT_TYPE, EVENT_TYPES
from clv_core.deployment.api.model_info import ModelInfo
from clv_core.deployment.api.request_events import unpriced
from clv_core.deployment.api.schemas import Customer
from clv_core.deployment.timeliness import untimely
from clv_core.errors import Message

MOST_NAMES: Final = 5
NAME_CHARACTERS: Final = 40
"""What is repeated of a request is short."""


def noticed(model: ModelInfo, as_of: date, customers: Sequence[Customer], tomorrow: date) -> list[Message]:
    """Return warnings of a request.

    Args:
        model: who answers.
        as_of: midnight that was asked for.
        customers: as they were sent.
        tomorrow: the next midnight of the log's time zone; what lies beyond is the future.
    """
    return [
        *_types(model, customers),
        *_unpriced(customers),
        *_attributes(model, customers),
        *_twice(customers),
        *_days(model, as_of, tomorrow),
    ]


def _types(model: ModelInfo, customers: Sequence[Customer]) -> list[Message]:
    sent = Counter(event.get(EVENT_TYPE) for one in customers for event in one["events"])
    known = {*EVENT_TYPES, *model.log_types}
    unknown = Counter(
        {name: count for name, count in sent.items() if name and taken_for(name.strip(), {}) not in known}
    )
    if not unknown:
        return []
    names = ", ".join(f"{name[:NAME_CHARACTERS]} ({count})" for name, count in unknown.most_common(MOST_NAMES))
    more = ", …" if len(unknown) > MOST_NAMES else ""
    said = {"events": unknown.total(), "names": names + more, "known": ", ".join(sorted(known))[:400]}
    return [Message("warning.service_types", said)]


def _unpriced(customers: Sequence[Customer]) -> list[Message]:
    counts = [sum(map(unpriced, one["events"])) for one in customers]
    if not any(counts):
        return []
    said = {"events": sum(counts), "customers": sum(count > 0 for count in counts)}
    return [Message("warning.service_unpriced", said)]


def _attributes(model: ModelInfo, customers: Sequence[Customer]) -> list[Message]:
    """Return a warning of attributes whose values are not of the kind that the model learned: they count as unknown."""
    sent = [one.get("attributes") or {} for one in customers]
    found = []
    for code, learned, other in (("texts", NUMBER, str), ("numbers", TEXT, (int, float))):
        names = [name for name, kind in model.attributes.items() if kind == learned]
        counts = {name: sum(isinstance(one.get(name), other) for one in sent) for name in names}
        if off := [name for name, count in counts.items() if count]:
            said = {"names": off, "values": sum(counts.values())}
            found.append(Message(f"warning.service_attribute_{code}", said))
    return found


def _twice(customers: Sequence[Customer]) -> list[Message]:
    often = Counter(one["customer_id"] for one in customers)
    if len(often) == len(customers):
        return []
    again = [who for who, count in often.items() if count > 1]
    return [Message("warning.service_twice", {"ids": len(again), "first": again[0][:NAME_CHARACTERS]})]


def _days(model: ModelInfo, as_of: date, tomorrow: date) -> list[Message]:
    future = [Message("warning.service_future", {"as_of": as_of.isoformat()})] if as_of > tomorrow else []
    return future + untimely(model.cutoff, model.horizon_days, as_of)
