"""From a request's events to the columns that features are computed from, by the rules that ingest applies to a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import SkipValidation

from clv_core.collection.customers import NUMBER, TEXT
from clv_core.collection.infer import event_type_of
from clv_core.collection.infer.plan import UNPRICED
from clv_core.collection.parse import EARLIEST
from clv_core.columns import (
    AMOUNT,
    DISCOUNT,
    EVENT_TYPE,
    EVENT_TYPES,
    MONEY_TYPES,
    ORDER_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    RATING_EVENT,
    RETURN,
    REVIEW,
    REVIEW_TEXT,
    UNIT_PRICE,
)
from clv_core.deployment.api.model_info import ModelInfo
from clv_core.deployment.api.schemas import MAX_NUMBER, Customer, Event
from clv_core.deployment.scoring_warnings import staleness_warnings
from clv_core.errors import Message, NotEnoughData, Refused
from clv_core.features import DAY_SECONDS, NUMBERS, VOCABULARIES, Events, day_of

EPOCH: Final = datetime(1970, 1, 1)
FIRST_DAY: Final = EARLIEST
LAST_DAY: Final = date(2200, 1, 1)
"""Times outside are default values of databases and typing errors."""
FIRST_SECOND, LAST_SECOND = (day_of(day) * DAY_SECONDS for day in (FIRST_DAY, LAST_DAY))
FIELDS: Final = (*NUMBERS, *VOCABULARIES.values(), ORDER_ID, REVIEW_TEXT)
"""Fields of an event that features are computed from."""
TYPE_AT: Final = FIELDS.index(EVENT_TYPE)
MAX_NAMES: Final = 5
"""Unknown event types that a warning lists."""
MAX_NAME_CHARACTERS: Final = 40
"""How much of a text of the request a warning repeats."""


@dataclass(frozen=True)
class CustomerEvents:
    """A customer's events that count.

    Args:
        seconds: since 1970-01-01 in the log's time zone, [n].
        events: :data:`FIELDS` of each, with resolved type and amount, None where missing, [n].
        attributes: by name.
    """

    seconds: SkipValidation[list[int]]  # between processes: checking each value took 3% of a request
    events: SkipValidation[list[tuple[Any, ...]]]
    attributes: SkipValidation[dict[str, Any]]


def next_midnight(moment: datetime, zone: str) -> date:
    """Return the first midnight after a moment, in a time zone."""
    return moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)


def read_customer(customer: Customer, zone: str, as_of: date, event_types: str) -> CustomerEvents:
    """Return the events of a customer that count.

    Args:
        customer: as it was sent.
        zone: IANA name of the log's time zone.
        as_of: midnight; later events do not count.
        event_types: what the model reads, as in :class:`~clv_core.config.TrainConfig`.

    Raises:
        NotEnoughData: there is no event, none before ``as_of``, or none but purchases without an amount.
        Refused: a time or an amount is out of range.
    """
    if not FIRST_DAY <= as_of <= LAST_DAY:
        raise Refused("service_as_of", as_of=as_of.isoformat(), first=FIRST_DAY.year, last=LAST_DAY.year)
    sent = customer["events"]
    if not sent:
        raise NotEnoughData("service_events_missing")
    local, cutoff, earlier = ZoneInfo(zone), day_of(as_of) * DAY_SECONDS, 0
    seconds: list[int] = []
    events: list[tuple[Any, ...]] = []
    for number, event in enumerate(sent, 1):
        second = _second(event["event_time"], local, number)
        if second < cutoff:
            earlier += 1
            resolved = _resolve(event, number)
            if resolved is not None and reads_event(resolved, event_types):
                seconds.append(second)
                events.append(row_of(resolved))
    if not earlier:
        raise NotEnoughData("service_events_later", events=len(sent), as_of=as_of.isoformat())
    if all(event[TYPE_AT] == UNPRICED for event in events):
        raise NotEnoughData("service_no_event", events=len(sent), as_of=as_of.isoformat())
    return CustomerEvents(seconds, events, customer.get("attributes") or {})


def event_columns(customers: Sequence[CustomerEvents]) -> Events:
    """Return the events of customers, each with at least one, as columns."""
    events = [event for customer in customers for event in customer.events]
    counts = [len(customer.events) for customer in customers]
    column = dict(zip(FIELDS, zip(*events, strict=True), strict=True))
    numbers = {name: np.array(column[name], np.float64) for name in NUMBERS if set(column[name]) != {None}}
    return Events(
        len(customers),
        np.repeat(np.arange(len(customers)), counts),
        np.array([second for customer in customers for second in customer.seconds], np.int64),
        numbers,
        {name: _strip(column[source]) for name, source in VOCABULARIES.items()},
        [order or "" for order in _strip(column[ORDER_ID])],
        _strip(column[REVIEW_TEXT]),
    )


def row_of(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return :data:`FIELDS` of an event, None where missing."""
    return tuple(map(event.get, FIELDS))


def second_of(time: datetime) -> int:
    """Return a naive time in seconds since 1970-01-01."""
    since = time - EPOCH
    return since.days * DAY_SECONDS + since.seconds


def reads_event(event: dict[str, Any], event_types: str) -> bool:
    """Return whether a model reads an event; fields of it that the model does not read are removed."""
    if event_types == "purchases":
        return event[EVENT_TYPE] in MONEY_TYPES
    if event_types == "unrated":
        event.pop(RATING, None)
        event.pop(REVIEW_TEXT, None)
        return event[EVENT_TYPE] not in (RATING_EVENT, REVIEW)
    return True


def request_warnings(model: ModelInfo, as_of: date, customers: Sequence[Customer], tomorrow: date) -> list[Message]:
    """Return warnings of a request that is scored although it may not be meant.

    Args:
        model: that predicts.
        as_of: midnight of the prediction.
        customers: as they were sent.
        tomorrow: the next midnight of the log's time zone; what lies beyond is the future.
    """
    return [
        *_unknown_types(model, customers),
        *_unpriced(customers),
        *_attribute_kinds(model, customers),
        *_repeated_ids(customers),
        *([Message("warning.service_future", {"as_of": as_of.isoformat()})] if as_of > tomorrow else []),
        *staleness_warnings(model.cutoff, model.horizon_days, as_of),
    ]


def _unknown_types(model: ModelInfo, customers: Sequence[Customer]) -> list[Message]:
    sent = Counter(event.get(EVENT_TYPE) for customer in customers for event in customer["events"])
    types = {*EVENT_TYPES, *model.log_types}
    unknown = Counter({name: count for name, count in sent.items() if name and _event_type(name) not in types})
    if not unknown:
        return []
    names = ", ".join(f"{name[:MAX_NAME_CHARACTERS]} ({count})" for name, count in unknown.most_common(MAX_NAMES))
    more = ", …" if len(unknown) > MAX_NAMES else ""
    params = {"events": unknown.total(), "names": names + more, "known": ", ".join(sorted(types))[:400]}
    return [Message("warning.service_types", params)]


def _unpriced(customers: Sequence[Customer]) -> list[Message]:
    counts = [sum(map(_is_unpriced, customer["events"])) for customer in customers]
    if not any(counts):
        return []
    params = {"events": sum(counts), "customers": sum(count > 0 for count in counts)}
    return [Message("warning.service_unpriced", params)]


def _attribute_kinds(model: ModelInfo, customers: Sequence[Customer]) -> list[Message]:
    """Return a warning of attribute values of another kind than in training: they count as unknown."""
    sent = [customer.get("attributes") or {} for customer in customers]
    warnings = []
    for code, trained, other in (("texts", NUMBER, str), ("numbers", TEXT, (int, float))):
        names = [name for name, kind in model.attributes.items() if kind == trained]
        counts = {name: sum(isinstance(attributes.get(name), other) for attributes in sent) for name in names}
        if off := [name for name, count in counts.items() if count]:
            params = {"names": off, "values": sum(counts.values())}
            warnings.append(Message(f"warning.service_attribute_{code}", params))
    return warnings


def _repeated_ids(customers: Sequence[Customer]) -> list[Message]:
    counts = Counter(customer["customer_id"] for customer in customers)
    repeated = [customer for customer, count in counts.items() if count > 1]
    if not repeated:
        return []
    return [Message("warning.service_twice", {"ids": len(repeated), "first": repeated[0][:MAX_NAME_CHARACTERS]})]


def _second(time: datetime | date, local: tzinfo, number: int) -> int:
    """Return a time, or the midnight of a date, in seconds since 1970-01-01 in the log's time zone."""
    if not isinstance(time, datetime):
        time = datetime.combine(time, datetime.min.time())
    try:
        second = second_of(time if time.tzinfo is None else time.astimezone(local).replace(tzinfo=None))
    except OverflowError:
        second = FIRST_SECOND - 1
    if not FIRST_SECOND <= second < LAST_SECOND:
        raise Refused("service_time", event=number, first=FIRST_DAY.year, last=LAST_DAY.year)
    return second


def _resolve(event: Event, number: int) -> dict[str, Any] | None:
    """Return an event with the type and amount that ingest would give it; None where it would reject the row."""
    resolved: dict[str, Any] = dict(event)
    named = resolved.get(EVENT_TYPE)
    kind = resolved[EVENT_TYPE] = _event_type(named or PURCHASE)
    if kind not in MONEY_TYPES:
        return resolved
    amount = _amount(resolved)
    if amount is None:
        resolved[EVENT_TYPE] = UNPRICED
        return resolved if named and kind == PURCHASE else None
    if abs(amount) > MAX_NUMBER:
        raise Refused("service_amount", event=number, type=kind, largest=MAX_NUMBER)
    if amount < 0 or (not named and (resolved.get(QUANTITY) or 0) < 0):
        kind = resolved[EVENT_TYPE] = RETURN
    resolved[AMOUNT] = -abs(amount) if kind == RETURN else amount
    return resolved


def _amount(event: Mapping[str, Any]) -> float | None:
    """Return an event's amount, else quantity x unit price, nearer to zero by the discount; None without either."""
    amount, price, quantity = (event.get(name) for name in (AMOUNT, UNIT_PRICE, QUANTITY))
    if amount is not None or price is None:
        return amount
    gross, discount = price * (1 if quantity is None else quantity), event.get(DISCOUNT) or 0
    return float(gross + abs(discount) if gross < 0 else gross - discount)


def _is_unpriced(event: Event) -> bool:
    """Return whether an event is a purchase, by its type or by default, without an amount."""
    return _event_type(event.get(EVENT_TYPE) or PURCHASE) == PURCHASE and _amount(event) is None


@lru_cache(maxsize=4096)
def _event_type(name: str) -> str:
    return event_type_of(name.strip(), {})


def _strip(texts: tuple[str | None, ...]) -> list[str | None]:
    """Return texts without spaces around them; None where nothing is left."""
    stripped: dict[str | None, str | None] = {text: text.strip() or None for text in set(texts) if text}
    return [stripped.get(text) for text in texts] if stripped else [None] * len(texts)
