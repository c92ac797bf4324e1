"""From what was sent to the columns that features are made of, by the rules of reading a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from clv_core.collection.mapping.kinds.event_names import taken_for
from clv_core.collection.mapping.plan.names import UNPRICED
from clv_core.collection.values.times import EARLIEST
from clv_core.columns import (
    AMOUNT,
    DISCOUNT,
    EVENT_TYPE,
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
from clv_core.deployment.api.schemas import LARGEST, Customer, Event
from clv_core.errors import ClvError, NotEnoughData, Refused
from clv_core.features.few_customers import Events
from clv_core.features.lines import NUMBERS, VOCABULARIES
from clv_core.features.relations import DAY_SECONDS, day_of

EPOCH: Final = datetime(1970, 1, 1)
FIRST_DAY: Final = EARLIEST
LAST_DAY: Final = date(2200, 1, 1)
"""Times outside are default values of databases and slips, not events."""
READ: Final = (*NUMBERS, *VOCABULARIES.values(), ORDER_ID, REVIEW_TEXT)
"""Fields of an event that features are made of."""
TYPE_AT: Final = READ.index(EVENT_TYPE)
FIRST_SECOND, LAST_SECOND = (day_of(day) * DAY_SECONDS for day in (FIRST_DAY, LAST_DAY))


@dataclass(frozen=True)
class Person:
    """A customer as she was read.

    Args:
        customer_id: as it was sent.
        seconds: of the events that count, since 1970-01-01 in the log's time zone.
        events: what is read of the same events, type and amount settled: :data:`READ` of each.
        attributes: by name.
        error: why she cannot be scored; None where she can.
    """

    customer_id: str
    seconds: list[int]
    events: list[tuple[Any, ...]]
    attributes: dict[str, Any]
    error: ClvError | None = None


def next_midnight(moment: datetime, zone: str) -> date:
    """Return the first midnight after a moment, in a time zone."""
    return moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)


def read_customer(customer: Customer, zone: str, as_of: date, event_types: str) -> Person:
    """Return what counts of a customer's events; who has nothing but purchases without an amount cannot be scored.

    Args:
        customer: as it was sent.
        zone: IANA name of the log's time zone.
        as_of: midnight; later events do not count.
        event_types: what the model reads, as :class:`~clv_core.config.TrainConfig` has it.
    """
    who, attributes = customer["customer_id"], customer.get("attributes") or {}
    local, cutoff = ZoneInfo(zone), day_of(as_of) * DAY_SECONDS
    seconds: list[int] = []
    events: list[tuple[Any, ...]] = []
    try:
        if not FIRST_DAY <= as_of <= LAST_DAY:
            raise Refused("service_as_of", as_of=as_of.isoformat(), first=FIRST_DAY.year, last=LAST_DAY.year)
        if not customer["events"]:
            raise NotEnoughData("service_events_missing")
        earlier = 0
        for number, event in enumerate(customer["events"], 1):
            second = _second(event["event_time"], local, number)
            if second < cutoff:
                earlier += 1
                settled = _settled(event, number)
                if settled is not None and wanted(settled, event_types):
                    seconds.append(second)
                    events.append(row_of(settled))
        if not earlier:
            raise NotEnoughData("service_events_later", events=len(customer["events"]), as_of=as_of.isoformat())
        if all(event[TYPE_AT] == UNPRICED for event in events):
            raise NotEnoughData("service_no_event", events=len(customer["events"]), as_of=as_of.isoformat())
    except ClvError as error:
        return Person(who, [], [], attributes, error)
    return Person(who, seconds, events, attributes)


def columns_of(people: Sequence[Person]) -> Events:
    """Return the events of people, each with at least one, as columns."""
    events = [event for person in people for event in person.events]
    counts = [len(person.events) for person in people]
    column = dict(zip(READ, zip(*events, strict=True), strict=True))
    numbers = {name: np.array(column[name], np.float64) for name in NUMBERS if set(column[name]) != {None}}
    return Events(
        len(people),
        np.repeat(np.arange(len(people)), counts),
        np.array([second for person in people for second in person.seconds], np.int64),
        numbers,
        {name: _clean(column[source]) for name, source in VOCABULARIES.items()},
        [order or "" for order in _clean(column[ORDER_ID])],
        _clean(column[REVIEW_TEXT]),
    )


def _second(time: datetime | date, local: tzinfo, number: int) -> int:
    """Return a time, or the midnight of a date, in whole seconds since 1970-01-01 on the log's clock."""
    if not isinstance(time, datetime):
        time = datetime.combine(time, datetime.min.time())
    try:
        second = second_of(time if time.tzinfo is None else time.astimezone(local).replace(tzinfo=None))
    except OverflowError:
        second = FIRST_SECOND - 1
    if not FIRST_SECOND <= second < LAST_SECOND:
        raise Refused("service_time", event=number, first=FIRST_DAY.year, last=LAST_DAY.year)
    return second


def row_of(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return :data:`READ` of an event, None where it says nothing."""
    return tuple(map(event.get, READ))


def second_of(time: datetime) -> int:
    """Return a naive time in whole seconds since 1970-01-01."""
    since = time - EPOCH
    return since.days * DAY_SECONDS + since.seconds


def _settled(event: Event, number: int) -> dict[str, Any] | None:
    """Return an event with its type and amount as a log's reader would settle them; None where it sets a row aside."""
    settled: dict[str, Any] = dict(event)
    named = settled.get(EVENT_TYPE)
    kind = settled[EVENT_TYPE] = _kind(named or PURCHASE)
    if kind not in MONEY_TYPES:
        return settled
    amount = _amount(settled)
    if amount is None:
        settled[EVENT_TYPE] = UNPRICED
        return settled if named and kind == PURCHASE else None
    if abs(amount) > LARGEST:
        raise Refused("service_amount", event=number, type=kind, largest=LARGEST)
    if amount < 0 or (not named and (settled.get(QUANTITY) or 0) < 0):
        kind = settled[EVENT_TYPE] = RETURN
    settled[AMOUNT] = -abs(amount) if kind == RETURN else amount
    return settled


def _amount(event: Mapping[str, Any]) -> float | None:
    """Return an event's amount, else quantity x unit price, nearer to zero by the discount; None where neither is."""
    amount, price, quantity = (event.get(name) for name in (AMOUNT, UNIT_PRICE, QUANTITY))
    if amount is not None or price is None:
        return amount
    gross, off = price * (1 if quantity is None else quantity), event.get(DISCOUNT) or 0
    return float(gross + abs(off) if gross < 0 else gross - off)


def unpriced(event: Event) -> bool:
    """Say whether an event is a purchase, by its name or for want of one, and says no amount."""
    return _kind(event.get(EVENT_TYPE) or PURCHASE) == PURCHASE and _amount(event) is None


def wanted(event: dict[str, Any], event_types: str) -> bool:
    """Say whether a model reads an event; what it does not read of it is taken out."""
    if event_types == "purchases":
        return event[EVENT_TYPE] in MONEY_TYPES
    if event_types == "unrated":
        event.pop(RATING, None)
        event.pop(REVIEW_TEXT, None)
        return event[EVENT_TYPE] not in (RATING_EVENT, REVIEW)
    return True


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    return taken_for(name.strip(), {})


def _clean(texts: tuple[str | None, ...]) -> list[str | None]:
    """Return texts without spaces around them; None where nothing is left."""
    clean: dict[str | None, str | None] = {text: text.strip() or None for text in set(texts) if text}
    return [clean.get(text) for text in texts] if clean else [None] * len(texts)
