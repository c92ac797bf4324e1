"""What customers do in the shop, up to the lines of a log.

Day by day moods change, visits happen, carts are bought, and a bad experience may end it (:func:`walk`). Then visits
become products looked at, carts, orders, returns, ratings and reviews (:func:`trade`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core import columns
from clv_core.collection.simulate.channels import SEEKERS_DISCOUNTS
from clv_core.collection.simulate.population import COUNTRIES, FAVOURITE, Population, mood_chances
from clv_core.collection.simulate.shop import (
    BUY,
    CART,
    CATEGORIES,
    CURIOUS,
    DISCOUNTS,
    EXTRA_LINES,
    EXTRA_VIEWS,
    GONE,
    KEEN,
    LEAVE_WHEN_BAD,
    MOODS,
    PER_CELL,
    POPULARITY,
    QUIET,
    RETURN_DAYS,
    RETURN_WHEN_BAD,
    RETURN_WHEN_GOOD,
    VISIT,
    Floats,
    Shift,
    discount_chance,
    season,
)
from clv_core.collection.simulate.simulation import START, SimulationPlan

Ints = NDArray[np.int64]


Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Visits:
    """v visits in order of days.

    Args:
        customer: position of the customer, int64 [v].
        day: days since the log's start, int64 [v].
        mood: mood at the visit, int64 [v].
        carted: whether something went into the cart, bool [v].
        bought: whether the cart was bought, bool [v].
        bad: whether the order was a bad experience, bool [v].
        mood_at_cutoff: each customer's mood when the cutoff's day begins, -1 before her first visit, int64 [n].
    """

    customer: Ints
    day: Ints
    mood: Ints
    carted: Flags
    bought: Flags
    bad: Flags
    mood_at_cutoff: Ints


def walk(plan: SimulationPlan, people: Population, shift: Shift, random: np.random.Generator) -> Visits:
    """Return all visits of all customers; the loop is over days, each day is one step for everybody.

    Args:
        plan: size of the log.
        people: the customers.
        shift: the regime change, if any.
        random: source of chance.
    """
    mood = np.full(plan.customers, -1, np.int64)
    at_cutoff = mood
    edges = np.cumsum(mood_chances(people), axis=2)
    arriving = np.argsort(people.arrival, kind="stable")
    bounds = np.searchsorted(people.arrival[arriving], np.arange(plan.days + 1))
    seasons = season(np.arange(plan.days), shift.season)
    parts: list[tuple[Ints, Ints, Ints, Flags, Flags, Flags]] = []
    for day in range(plan.days):
        if day == plan.cutoff_day:
            at_cutoff = mood.copy()
        if day == shift.day:
            edges = np.cumsum(mood_chances(people, shift.leaving), axis=2)
        if day == shift.offer_day and shift.wakes is not None:
            mood[np.isin(mood, (QUIET, CURIOUS)) & (random.uniform(size=len(mood)) < shift.wakes)] = KEEN
        new = arriving[bounds[day] : bounds[day + 1]]
        mood[new] = people.mood[new]
        active = np.flatnonzero(mood > GONE)
        factor = seasons[day] * (shift.visits if day >= shift.day else 1.0)
        visiting = random.uniform(size=len(active)) < np.minimum(VISIT[mood[active]] * factor, 0.95)
        who = active[visiting | (people.arrival[active] == day)]
        now = mood[who]
        chance = random.uniform(size=(4, len(who)))
        carted = chance[0] < CART[now]
        bought = carted & (chance[1] < BUY[now])
        bad = bought & (chance[2] < people.pickiness[who])
        parts.append((who, np.full(len(who), day), now, carted, bought, bad))
        above = random.uniform(size=len(active))[:, None] > edges[active, mood[active], : MOODS - 1]
        mood[active] = above.sum(1)
        mood[who[bad & (chance[3] < LEAVE_WHEN_BAD)]] = GONE
        mood[who[bought & people.seeker[who]]] = GONE
    customer, days, moods, carted, bought, bad = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Visits(customer, days, moods, carted, bought, bad, at_cutoff)


DAY_SECONDS = 86_400
"""Seconds of a day."""
RATED, WRITTEN = 0.6, 0.45
"""Chance that an order is rated, and that a rating comes with a text."""


@dataclass(frozen=True)
class Trade:
    """The log, and what the truth needs to know of its order lines.

    Args:
        events: the log, ordered by time.
        visit: position of each order line's visit, int64 [lines].
        amount: net value of each line, [lines].
        return_day: day on which the line comes back, -1 where it never does, int64 [lines].
    """

    events: pd.DataFrame
    visit: Ints
    amount: Floats
    return_day: Ints


def trade(
    plan: SimulationPlan, people: Population, prices: Floats, visits: Visits, shift: Shift, random: np.random.Generator
) -> Trade:
    """Return the events of all visits.

    Args:
        plan: size of the log.
        people: the customers.
        prices: the catalogue.
        visits: who came when, and what became of it.
        shift: the regime change, if any.
        random: source of chance.
    """
    v = len(visits.customer)
    lines = np.where(visits.carted, 1 + random.poisson(EXTRA_LINES, v), 0)
    views = np.maximum(1 + random.poisson(EXTRA_VIEWS[visits.mood]), lines)
    visit = np.repeat(np.arange(v), views)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(views) - views, views)
    cell, product = _look(people, visits.customer[visit], random)
    start = random.integers(7 * 3600, 21 * 3600, v)
    second = start[visit] + place * 75 + random.integers(0, 60, len(visit))
    raised = np.where(visits.day >= shift.day, shift.price, 1.0)
    price = np.round(prices.reshape(-1)[product] * raised[visit], 2)

    carted = place >= (views - lines)[visit]
    bought = carted & visits.bought[visit]
    order = visit[bought]
    buyer, day = visits.customer[order], visits.day[order]
    quantity = 1.0 + random.poisson(people.extra_quantity[buyer])
    reduced = random.uniform(size=len(order)) < discount_chance(people.deals[buyer], day)
    gross = np.round(quantity * price[bought], 2)
    size = random.integers(len(DISCOUNTS), size=len(order))
    share = np.where(reduced, DISCOUNTS[size], 0.0)
    share = np.where(people.seeker[buyer], SEEKERS_DISCOUNTS[size % len(SEEKERS_DISCOUNTS)], share)
    discount = np.round(gross * share, 2)
    amount = np.round(gross - discount, 2)

    per_visit = random.uniform(size=(4, v))
    delay = 1 + (per_visit[0] * RETURN_DAYS).astype(np.int64)
    back = per_visit[1] < np.where(visits.bad, RETURN_WHEN_BAD, RETURN_WHEN_GOOD)
    return_day = np.where(back, visits.day + delay, -1)[order]

    base = {"visit": visit, "product": product, "cell": cell, columns.UNIT_PRICE: price}
    looked = pd.DataFrame({**base, "second": second, columns.EVENT_TYPE: columns.VIEW})
    put = looked[carted].assign(second=second[carted] + 20, event_type=columns.CART)
    line = place[bought] - (views - lines)[order]  # lines a second apart: no two rows of a log are the same
    paid = looked[bought].assign(second=(start + views * 75 + 120)[order] + line, event_type=columns.PURCHASE)
    paid = paid.assign(quantity=quantity, discount=discount, amount=amount)
    came = paid[return_day >= 0].assign(event_type=columns.RETURN, unit_price=np.nan, quantity=np.nan, discount=np.nan)
    came["amount"] = -came["amount"]
    came["second"] += (return_day[return_day >= 0] - day[return_day >= 0]) * DAY_SECONDS
    rated = _ratings(paid, visits, people, per_visit[2:], random)
    events = pd.concat([looked, put, paid, came, rated], ignore_index=True)
    return Trade(_finish(events, plan, people, visits), order, amount, return_day)


def _look(people: Population, customer: Ints, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the category and the product (position in the catalogue) of each view."""
    n = len(customer)
    any_category = np.searchsorted(np.cumsum(POPULARITY), random.uniform(size=n) * POPULARITY.sum(), side="right")
    category = np.where(random.uniform(size=n) < FAVOURITE, people.favourite[customer], any_category)
    edges = np.cumsum(people.levels, axis=1)[customer, :-1]
    level = (random.uniform(size=n)[:, None] > edges).sum(1)
    product = (category * people.levels.shape[1] + level) * PER_CELL + random.integers(PER_CELL, size=n)
    return category, product


def _ratings(
    paid: pd.DataFrame, visits: Visits, people: Population, chance: Floats, random: np.random.Generator
) -> pd.DataFrame:
    """Return a rating or a review of the first line of some orders, two to nine days later."""
    first = paid.drop_duplicates("visit")
    first = first[chance[0][first["visit"]] < RATED]
    visit = first["visit"].to_numpy()
    stars = random.uniform(size=len(visit))
    bad = 1.0 + (stars > 0.5) + (stars > 0.85)
    good = 3.0 + (stars > 0.1) + (stars > 0.45)
    rating = np.where(visits.bad[visit], bad, good)
    written = chance[1][visit] < WRITTEN
    chinese = np.isin(people.country[visits.customer[visit]], [COUNTRIES.index("CN"), COUNTRIES.index("SG")])
    texts = write_reviews(rating, chinese & (random.uniform(size=len(visit)) < 0.9), random)
    rated: pd.DataFrame = first.assign(
        second=first["second"] + random.integers(2 * DAY_SECONDS, 9 * DAY_SECONDS, len(visit)),
        event_type=np.where(written, columns.REVIEW, columns.RATING_EVENT),
        rating=rating,
        review_text=_where(written, texts),
        **{name: np.nan for name in (columns.AMOUNT, columns.QUANTITY, columns.UNIT_PRICE, columns.DISCOUNT)},
    )
    return rated


def _finish(events: pd.DataFrame, plan: SimulationPlan, people: Population, visits: Visits) -> pd.DataFrame:
    """Name what are positions so far, cut at the log's end, order by time."""
    visit = events["visit"].to_numpy()
    customer = visits.customer[visit]
    second = visits.day[visit] * DAY_SECONDS + events["second"].to_numpy()
    kind = events[columns.EVENT_TYPE].to_numpy(dtype=object)
    at_shop = np.isin(kind, [columns.VIEW, columns.CART, columns.PURCHASE])
    ordered = ~np.isin(kind, [columns.VIEW, columns.CART])
    number = pd.Series(visit).astype(str).to_numpy(dtype=object)
    log = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids()[customer],
            columns.EVENT_TIME: np.datetime64(START, "s") + second.astype("timedelta64[s]"),
            columns.EVENT_TYPE: kind,
            columns.AMOUNT: events[columns.AMOUNT],
            columns.ORDER_ID: _where(ordered, "O" + number),
            columns.PRODUCT_ID: "P" + (events["product"] + 1).astype(str).str.zfill(3).astype(object),
            columns.CATEGORY: np.array(CATEGORIES, dtype=object)[events["cell"]],
            columns.QUANTITY: events[columns.QUANTITY],
            columns.UNIT_PRICE: events[columns.UNIT_PRICE],
            columns.DISCOUNT: events[columns.DISCOUNT],
            columns.RATING: events[columns.RATING],
            columns.REVIEW_TEXT: events[columns.REVIEW_TEXT],
            columns.CHANNEL: np.array(people.channels, dtype=object)[people.channel[customer]],
            columns.COUNTRY: np.array(COUNTRIES, dtype=object)[people.country[customer]],
            columns.SESSION_ID: _where(at_shop, "S" + number),
        }
    )
    rank = np.lexsort((np.arange(len(log)), visit, second))
    within = rank[second[rank] < plan.days * DAY_SECONDS]
    finished: pd.DataFrame = log.iloc[within].reset_index(drop=True)
    return finished


def _where(rows: NDArray[np.bool_], texts: NDArray[Any]) -> NDArray[np.object_]:
    """Return ``texts``, None outside ``rows``."""
    masked = texts.astype(object)
    masked[~rows] = None
    return masked


REVIEWS: Final = tomllib.loads(Path(__file__).with_name("reviews.toml").read_text(encoding="utf-8"))
"""Language -> tone -> ``openings`` and ``remarks``."""


def write_reviews(
    rating: NDArray[np.float64], chinese: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.object_]:
    """Return one text for each rating, shape [n].

    Args:
        rating: 1 to 5, [n].
        chinese: whether it is written in Chinese, [n].
        random: source of chance.
    """
    texts = np.full(len(rating), "", dtype=object)
    tone = np.select([rating <= 2, rating <= 3], ["bad", "fair"], "good")
    for language, spoken, joint, stop in (("en", ~chinese, ", ", "."), ("zh", chinese, "，", "。")):
        for name, phrases in REVIEWS[language].items():
            rows = np.flatnonzero(spoken & (tone == name))
            opening, remark = (
                np.array(phrases[part], dtype=object)[random.integers(len(phrases[part]), size=len(rows))]
                for part in ("openings", "remarks")
            )
            longer = random.uniform(size=len(rows)) < 0.6
            texts[rows] = np.where(longer, opening + joint + remark + stop, opening + stop)
    return texts
