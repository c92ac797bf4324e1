"""Scenario ``subscription``: free sign-ups of whom few ever pay, and subscriptions that renew on their day.

Sign-ups grow in number and come in heaps after campaigns. Most look around for some days and are never seen again; 2%
to 5% start a subscription, nearly half of them on the day of the sign-up, and the longer someone has not paid, the less
likely she is to. A monthly or yearly subscription renews on its day, some payments a few days late, until it is
cancelled: a quarter of the monthly ones at the first renewal and ever fewer later, half of the yearly ones. Who is to
cancel stops watching before, but so do some who continue to pay. Some come back and start again.

The attainable expectation has no closed form here, so the truth carries the latent expectation only.

Source:
    Kumar (2014), Making "freemium" work, Harvard Business Review 92(5): 2% to 5% of free users pay. RevenueCat (2024),
    State of Subscription Apps: most who ever pay do so within days of the install; yearly plans renew 30% to 40%.
    Fader, Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21(1): beta-geometric
    renewals.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core import columns
from clv_core.collection.simulate.channels import MONTH_DAYS, NAMES, assign_channels, channel_truth, priced, spend_table
from clv_core.collection.simulate.shop import sale
from clv_core.collection.simulate.simulation import START, Simulation, SimulationPlan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROWTH: Final = 1.2
"""Log of how many more sign up per day at the end of the log than at its start."""
CAMPAIGN_SHARE, CAMPAIGNS, CAMPAIGN_DAYS = 0.3, 5, 8
"""Share of sign-ups that come after campaigns, how many of these there are, and for how long each is felt."""
FIRST_DAY, LATER, FADES, FLOOR = 0.013, 0.0042, 1.2, 1.5e-5
"""Daily chance to start: on the day of the sign-up, a day after it, the power by which it fades, and what stays."""
EASE: Final = (0.6, 1.2)
"""Factor on all of them, from shop to shop."""
RETURNS: Final = 4e-4
"""Daily chance to start again after a cancellation."""
SALE: Final = 3.0
"""Factor on starts on sale days."""
PLANS: Final = ("monthly", "yearly")
PERIODS: Final = np.array([30, 365])
PRICES: Final = np.array([29.0, 199.0])
SALE_PRICES: Final = np.array([29.0, 119.0])
YEARLY, YEARLY_ON_SALE = 0.25, 0.6
"""Share of starts that are yearly."""
LEAVING: Final = ((0.8, 2.4), (1.3, 1.2))
"""Parameters of the beta distribution of a customer's chance to cancel at a renewal, by plan."""
REGIONS: Final = np.array([1.0, 0.55])
"""Factor on prices, by region."""
REGION_SHARE: Final = 0.3
"""Share of customers in the second region."""
LATE, LATE_DAYS = 0.08, 5
"""Share of renewals paid late, by 1 to so many days, each equally likely; the next one is due as if it were not."""
WATCHES_FREE, FREE_DAYS, COMES_BACK = 0.4, 5.0, 0.0015
"""Daily chance to watch without paying, for how many days on average, and what stays after them."""
IDLE: Final = 0.25
"""Share of customers who watch next to nothing while they pay."""
FREE, SUBSCRIBED, LAPSED = 0, 1, 2
"""States, as positions in :data:`STATE_NAMES`."""
STATE_NAMES: Final = np.array(["free", "subscribed", "lapsed"], dtype=object)


@dataclass(frozen=True)
class SignUps:
    """n customers.

    Args:
        arrival: day of the sign-up since the log's start, int64 [n].
        interest: factor on starting, [n].
        free_days: for how long she looks around without paying, [n].
        watches: chance to watch on a day of a subscription, [n].
        leaving: chance to cancel at a renewal, by plan, [n, 2].
        region: position in :data:`REGIONS`, int64 [n].
        channel: position in :data:`~.channels.CHANNELS`, int64 [n]; None without channels.
    """

    arrival: Ints
    interest: Floats
    free_days: Floats
    watches: Floats
    leaving: Floats
    region: Ints
    channel: Ints | None = None


@dataclass
class State:
    """Where n customers are in their subscriptions when a day begins.

    Args:
        status: ``FREE``, ``SUBSCRIBED`` or ``LAPSED``, int64 [n].
        plan: position in :data:`PLANS` of the last subscription, int64 [n].
        due: day on which it ends or renews, int64 [n].
        cancels: whether it then ends, bool [n].
        last_watched: day after which she no longer watches, int64 [n].
    """

    status: Ints
    plan: Ints
    due: Ints
    cancels: NDArray[np.bool_]
    last_watched: Ints

    def copy(self) -> State:
        """Return a state of its own."""
        return State(*(getattr(self, name).copy() for name in self.__dataclass_fields__))


@dataclass
class Log:
    """Events as they happen: rows of (customers, day that they are due, day that they happen, amount, plan)."""

    payments: list[tuple[Ints, Ints, Ints, Floats, Ints]] = field(default_factory=list)
    views: list[tuple[Ints, Ints]] = field(default_factory=list)


def subscription(plan: SimulationPlan) -> Simulation:
    """Return the log of a service with free sign-ups and renewals, and its truth."""
    random = np.random.default_rng(plan.seed)
    people = _sign_up(plan, random)
    log, at_cutoff = _live(plan, people, random)
    customer, due, day, amount, kind = (np.concatenate(column) for column in zip(*log.payments, strict=True))
    in_horizon = (day >= plan.cutoff_day) & (day < plan.days)
    pending = in_horizon & (due < plan.cutoff_day)
    actual, owed = (
        np.bincount(customer[rows], weights=amount[rows], minlength=plan.customers) for rows in (in_horizon, pending)
    )
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(actual, 2),
            "expected_value": owed + _future_value(plan, people, at_cutoff),
            "attainable_value": np.nan,
            "status_at_cutoff": STATE_NAMES[at_cutoff.status],
            "interest": people.interest,
            "monthly_leaving": people.leaving[:, 0],
            "yearly_leaving": people.leaving[:, 1],
        }
    )
    events = _events(plan, people, log, (customer, day, amount, kind), random)
    seen = people.arrival < plan.cutoff_day
    made = Simulation(plan, events, truth[seen].reset_index(drop=True))
    return made if people.channel is None else _with_channels(made, people.arrival, people.channel)


def _with_channels(made: Simulation, arrival: Ints, channel: Ints) -> Simulation:
    """Return the log with what channels cost, and what their customers have paid by its end."""
    plan, paid = made.plan, made.events[made.events[columns.EVENT_TYPE] == columns.PURCHASE]
    who = pd.Index(plan.customer_ids()).get_indexer(pd.Index(paid[columns.CUSTOMER_ID]))
    day = ((paid[columns.EVENT_TIME] - pd.Timestamp(START)).dt.days.to_numpy() - arrival[who]) / MONTH_DAYS
    months = int(plan.days / MONTH_DAYS) + 1
    cells = who * months + day.astype(np.int64)
    value = np.bincount(cells, paid[columns.AMOUNT], minlength=plan.customers * months)
    values = channel_truth(plan, channel, arrival, value.reshape(plan.customers, months).astype(np.float64))
    spend = spend_table(plan, arrival, channel, float(values["value"].mean()))
    return replace(made, spend=spend, channels=priced(plan, values, spend))


def _sign_up(plan: SimulationPlan, random: np.random.Generator) -> SignUps:
    n = plan.customers
    grown = np.log1p(random.uniform(size=n) * np.expm1(GROWTH)) / GROWTH * plan.days
    campaign = random.uniform(0, plan.days, CAMPAIGNS)[random.integers(CAMPAIGNS, size=n)]
    heaped = campaign + random.exponential(CAMPAIGN_DAYS / 2, n)
    arrival = np.where(random.uniform(size=n) < CAMPAIGN_SHARE, heaped, grown)
    arrival[0] = 0.0  # a log begins with someone
    interest = random.uniform(*EASE) * random.gamma(0.7, 1 / 0.7, n)
    idle = np.where(random.uniform(size=n) < IDLE, 0.05, 1.0)
    people = SignUps(
        arrival=np.floor(np.minimum(arrival, plan.days - 1)).astype(np.int64),
        interest=interest,
        free_days=random.exponential(FREE_DAYS, n) * np.sqrt(interest),
        watches=random.beta(1.5, 4.0, n) * idle,
        leaving=np.column_stack([random.beta(a, b, n) for a, b in LEAVING]),
        region=(random.uniform(size=n) < REGION_SHARE).astype(np.int64),
    )
    if not plan.channels:
        return people
    won = assign_channels(plan)  # a seeker cancels at the first renewal
    leaving = np.where(won.seeker[:, None], 1.0, people.leaving)
    return replace(people, interest=interest * won.quality, leaving=leaving, channel=won.channel)


def _start_chance(people: SignUps, day: int) -> tuple[Floats, float]:
    """Return the chance to start on a day of those who never paid, [n] (0 before the sign-up), and of the lapsed."""
    age = day - people.arrival
    more = SALE if sale(np.array(day)) else 1.0
    fading = np.where(age > 0, LATER * np.maximum(age, 1.0) ** -FADES + FLOOR, FIRST_DAY)
    return np.where(age >= 0, np.minimum(people.interest * fading * more, 0.9), 0.0), RETURNS * more


def _start_terms(day: int) -> tuple[float, Floats]:
    """Return the chance that a start on a day is yearly, and the prices, [2]."""
    return (YEARLY_ON_SALE, SALE_PRICES) if sale(np.array(day)) else (YEARLY, PRICES)


def _live(plan: SimulationPlan, people: SignUps, random: np.random.Generator) -> tuple[Log, State]:
    """Return what all customers do, day by day, and where they are at the cutoff."""
    n, log = plan.customers, Log()
    state = State(*(np.zeros(n, dtype) for dtype in (np.int64, np.int64, np.int64, bool, np.int64)))
    at_cutoff = state
    for day in range(plan.days):
        if day == plan.cutoff_day:
            at_cutoff = state.copy()
        renewed = _renew(people, state, log, day, random)
        started = _start(people, state, log, day, random)
        paid = np.concatenate([renewed, started])
        period = PERIODS[state.plan[paid]]
        state.due[paid] = day + period
        state.cancels[paid] = random.uniform(size=len(paid)) < people.leaving[paid, state.plan[paid]]
        lasts = np.where(state.cancels[paid], random.uniform(size=len(paid)), 1.0)
        state.last_watched[paid] = day + np.floor(lasts * period).astype(np.int64)
        log.views.append(_watch(people, state, day, random))
    return log, at_cutoff


def _renew(people: SignUps, state: State, log: Log, day: int, random: np.random.Generator) -> Ints:
    """End or renew the subscriptions that are due, and return who renewed."""
    due = np.flatnonzero((state.status == SUBSCRIBED) & (state.due == day))
    state.status[due[state.cancels[due]]] = LAPSED
    state.due[due[state.cancels[due]]] = day + 1
    renewed = due[~state.cancels[due]]
    delay = np.where(random.uniform(size=len(renewed)) < LATE, random.integers(1, LATE_DAYS + 1, len(renewed)), 0)
    kind = state.plan[renewed]
    amount = PRICES[kind] * REGIONS[people.region[renewed]]
    log.payments.append((renewed, np.full(len(renewed), day), day + delay, np.round(amount, 2), kind))
    return renewed


def _start(people: SignUps, state: State, log: Log, day: int, random: np.random.Generator) -> Ints:
    """Start subscriptions of those who have none, not on the day on which one ended, and return whose."""
    free, lapsed = _start_chance(people, day)
    chance = np.where(state.status == FREE, free, 0.0)
    chance = np.where((state.status == LAPSED) & (state.due <= day), lapsed, chance)
    started = np.flatnonzero(random.uniform(size=len(chance)) < chance)
    yearly, prices = _start_terms(day)
    state.status[started] = SUBSCRIBED
    state.plan[started] = kind = (random.uniform(size=len(started)) < yearly).astype(np.int64)
    amount = prices[kind] * REGIONS[people.region[started]]
    days = np.full(len(started), day)
    log.payments.append((started, days, days, np.round(amount, 2), kind))
    return started


def _watch(people: SignUps, state: State, day: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Return who watches on a day, and the day of each."""
    age = day - people.arrival
    free = np.where(age < people.free_days, WATCHES_FREE, COMES_BACK * people.interest)
    paying = np.where(day <= state.last_watched, people.watches, 0.0)
    chance = np.where(state.status == SUBSCRIBED, paying, np.where(state.status == FREE, free, COMES_BACK))
    watching = np.flatnonzero(((random.uniform(size=len(age)) < chance) & (age >= 0)) | (age == 0))
    return watching, np.full(len(watching), day)


def _future_value(plan: SimulationPlan, people: SignUps, state: State) -> Floats:
    """Return the expected value of what falls due in the horizon, paid within it, shape [n].

    Exact: a backward recursion over days for who has lapsed, for who has never paid, and for each plan on its due day.
    """
    n, price = plan.customers, REGIONS[people.region][:, None] * PRICES
    lapsed, free, nothing = np.zeros((plan.days + 1, n)), np.zeros(n), np.zeros(n)
    renewal: dict[tuple[int, int], Floats] = {}
    for day in range(plan.days - 1, plan.cutoff_day - 1, -1):
        yearly, prices = _start_terms(day)
        start = nothing
        for kind, share in enumerate((1 - yearly, yearly)):
            later = renewal.get((day + int(PERIODS[kind]), kind), nothing)
            start = start + share * (REGIONS[people.region] * prices[kind] + later)
            renews = price[:, kind] * _paid_by(plan.days - 1 - day) + later
            renewal[day, kind] = people.leaving[:, kind] * lapsed[day + 1] + (1 - people.leaving[:, kind]) * renews
        free_chance, lapsed_chance = _start_chance(people, day)
        lapsed[day] = lapsed_chance * start + (1 - lapsed_chance) * lapsed[day + 1]
        free = free_chance * start + (1 - free_chance) * free
    value = np.where(state.status == FREE, free, np.where(state.status == LAPSED, lapsed[plan.cutoff_day], 0.0))
    for i in np.flatnonzero((state.status == SUBSCRIBED) & (state.due < plan.days)):
        day, kind = int(state.due[i]), int(state.plan[i])
        later = renewal.get((day + int(PERIODS[kind]), kind), nothing)[i]
        renews = price[i, kind] * _paid_by(plan.days - 1 - day) + later
        value[i] = lapsed[day + 1, i] if state.cancels[i] else renews
    return value


def _paid_by(days: int) -> float:
    """Return the share of renewals that are paid within ``days`` after they were due."""
    return 1 - LATE * (1 - min(days, LATE_DAYS) / LATE_DAYS)


def _events(
    plan: SimulationPlan,
    people: SignUps,
    log: Log,
    payments: tuple[Ints, Ints, Floats, Ints],
    random: np.random.Generator,
) -> pd.DataFrame:
    """Return the log, ordered by time and cut at its end."""
    viewer, viewed = (np.concatenate(column) for column in zip(*log.views, strict=True))
    payer, paid, amount, kind = payments
    n, views = plan.customers, len(viewer)
    customer = np.concatenate([np.arange(n), viewer, payer])
    day = np.concatenate([people.arrival, viewed, paid])
    second = np.concatenate(
        [np.zeros(n), random.integers(60, 40_000, views), random.integers(45_000, 80_000, len(payer))]
    )
    types = np.repeat(["signup", columns.VIEW, columns.PURCHASE], [n, views, len(payer)]).astype(object)
    products = np.concatenate([np.full(n + views, None, object), np.array(PLANS, object)[kind]])
    events = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids()[customer],
            columns.EVENT_TIME: np.datetime64(START, "s") + (day * 86_400 + 3_600 + second).astype("timedelta64[s]"),
            columns.EVENT_TYPE: types,
            columns.AMOUNT: np.concatenate([np.full(n + views, np.nan), amount]),
            columns.PRODUCT_ID: products,
            columns.COUNTRY: np.array(["US", "IN"], dtype=object)[people.region[customer]],
        }
    )
    if people.channel is not None:
        events[columns.CHANNEL] = np.array(NAMES, dtype=object)[people.channel[customer]]
    order = np.lexsort((customer, events[columns.EVENT_TIME]))
    finished: pd.DataFrame = events.iloc[order[day[order] < plan.days]].reset_index(drop=True)
    return finished
