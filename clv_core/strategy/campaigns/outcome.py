"""Outcomes: what a campaign brought, as the log of its dataset says once the days after the start are in it.

The primary outcome is net revenue a customer within the window, from the day on which she joined. Customers who joined
later than one window after the start are not counted: otherwise a list that is sent each week would never be due. The
campaign is due when the window of the last who counts has passed; before, its interval is one that may be looked at
daily (:mod:`~clv_core.strategy.campaigns.uplift`). Buyers and refunds are secondary, come on the due date only, and
have intervals that hold together.

Who has no event in the log before the day of joining is in neither group: people who objected since, or whose rows a
correction of the log removed. Nor are those whom another's address or number reaches. Another campaign of the same days
is told apart, or makes both confounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, RETURN
from clv_core.errors import Message
from clv_core.features import Engine
from clv_core.strategy.campaigns.campaign import CONTROL, JOINED, LIST, SHARED, Campaign, due_on
from clv_core.strategy.campaigns.learned_effects import TRAIT, TRAIT_DAYS, TRAITS, TierUplift, trait_of
from clv_core.strategy.campaigns.uplift import (
    CONTROLS,
    LISTED,
    NOT_IN_IT,
    SECONDARY_CONFIDENCE,
    Uplift,
    assignment_covariates,
    early_uplift,
    is_confounded,
    planned_error,
    uplift,
)
from clv_core.strategy.experiments.randomized_experiment import BEFORE_DAYS, GROUP
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE, balance_warnings
from clv_core.strategy.segments.segmentation import SEGMENT, VALUE

Floats = npt.NDArray[np.float64]

DECLINED: Final = "declined"
WAITING: Final = "waiting"
TOO_FEW: Final = "too_few"
EARLY: Final = "early"
DUE: Final = "due"
STATES: Final = (DECLINED, WAITING, TOO_FEW, EARLY, DUE)
PAYS: Final = "pays"
LOSES: Final = "loses"
UNSURE: Final = "unsure"
CONFOUNDED: Final = "confounded"
BUYERS: Final = "buyers"
REFUNDS: Final = "refunds"
UNKNOWN: Final = "not_in_log"
JOINED_LATE: Final = "joined_late"
DAY: Final = "day"


@dataclass(frozen=True)
class Money:
    """Money of all customers in the list, with both ends of its interval.

    Args:
        value: the estimate.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """What a campaign brought, as of the end of a log.

    Args:
        campaign: which.
        state: one of :data:`STATES`.
        due: from which log on, by its end, the outcome is final.
        days: of the window that are over for those who joined first.
        listed: customers counted who got the list.
        control: customers counted in the control group.
        left_out: customers in neither count, by reason.
        uplift: net revenue a customer, money; None where nothing can be said.
        secondary: share of buyers, and money refunded a customer, once it is due.
        by_segment: the uplift in each tier with enough customers, once it is due.
        by_trait: the same of those of each trait in each tier.
        told_apart: names of campaigns of the same days whose effect is taken off.
        confounded_with: names of campaigns that this one decided who gets.
        warnings: reasons to doubt it.
    """

    campaign: Campaign
    state: str
    due: date
    days: int = 0
    listed: int = 0
    control: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    uplift: Uplift | None = None
    secondary: dict[str, Uplift] = field(default_factory=dict)
    by_segment: tuple[TierUplift, ...] = ()
    by_trait: tuple[TierUplift, ...] = ()
    told_apart: tuple[str, ...] = ()
    confounded_with: tuple[str, ...] = ()
    warnings: tuple[Message, ...] = ()

    @property
    def cost(self) -> float:
        """Of all customers who got the list, money."""
        return self.campaign.cost * self.listed

    @property
    def margin(self) -> Money | None:
        """Incremental margin of all who got the list; net revenue where nobody said what the margin is."""
        if self.uplift is None:
            return None
        rate = 1.0 if self.campaign.margin_rate is None else self.campaign.margin_rate
        factor = rate * self.listed
        return Money(factor * self.uplift.effect, factor * self.uplift.low, factor * self.uplift.high)

    @property
    def gain(self) -> Money | None:
        """Incremental margin less cost."""
        margin = self.margin
        if margin is None:
            return None
        return Money(margin.value - self.cost, margin.low - self.cost, margin.high - self.cost)

    @property
    def returned(self) -> float | None:
        """Incremental margin for each unit of cost; None without a cost or a figure."""
        margin = self.margin
        return None if margin is None or self.cost == 0 else margin.value / self.cost

    @property
    def verdict(self) -> str:
        """Whether it paid: the state where there is no figure, else by the interval of what is left after the cost."""
        gain = self.gain
        if gain is None:
            return self.state
        if self.confounded_with:
            return CONFOUNDED
        return PAYS if gain.low > 0 else LOSES if gain.high < 0 else UNSURE


def measure_campaigns(
    dataset: Dataset, campaigns: Sequence[Campaign], members: Sequence[pd.DataFrame]
) -> list[Outcome]:
    """Return what each campaign brought; the log is read once.

    Args:
        dataset: the log; its end is today.
        campaigns: all of the dataset, those too that nobody can measure: who got them was sent something.
        members: of each campaign the table of :func:`~clv_core.strategy.campaigns.campaign.groups`.
    """
    since = min(date.fromisoformat(campaign.started) for campaign in campaigns) - timedelta(days=BEFORE_DAYS)
    days, first = _customer_days(dataset, pd.concat([rows[CUSTOMER_ID] for rows in members]), since)
    return [
        _measure(campaign, rows, days, first, dataset.log_end, _others(campaigns, members, place))
        for place, (campaign, rows) in enumerate(zip(campaigns, members, strict=True))
    ]


def traits_on(dataset: Dataset, customers: pd.Series, day: date) -> npt.NDArray[np.str_]:
    """Return the trait of each customer on a day, as campaigns have it of those who join then, [n]."""
    days, first = _customer_days(dataset, customers, day - timedelta(days=TRAIT_DAYS))
    joined = np.full(len(customers), np.datetime64(day))
    seen = first.reindex(customers).to_numpy("datetime64[D]")
    return _traits(_Spending.of(customers, joined, days), joined, seen)


def _customer_days(dataset: Dataset, customers: pd.Series, since: date) -> tuple[pd.DataFrame, pd.Series]:
    """Return customers' days with money: customer_id, day, value, refunds; and each customer's first day in the log."""
    engine = Engine()
    try:
        people = ibis.memtable(pa.table({CUSTOMER_ID: pa.array(customers.drop_duplicates(), pa.string())}))
        events = dataset.events(engine.connection).semi_join(people, CUSTOMER_ID)
        money = events.filter(
            events[EVENT_TIME] >= datetime.combine(since, time()), events[EVENT_TYPE].isin(MONEY_TYPES)
        )
        days = money.group_by(money[CUSTOMER_ID], **{DAY: money[EVENT_TIME].date()}).agg(
            value=money[AMOUNT].sum().round(6),
            refunds=(-money[AMOUNT]).sum(where=money[EVENT_TYPE] == RETURN).fill_null(0.0).round(6),
        )
        first = events.group_by(CUSTOMER_ID).agg(first=events[EVENT_TIME].min().date())
        # Sorted, so that sums of floats are the same on every reading.
        frame = days.order_by(CUSTOMER_ID, DAY).to_pyarrow().to_pandas()
        seen = first.order_by(CUSTOMER_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    return frame, seen.set_index(CUSTOMER_ID)["first"].astype("datetime64[s]")


@dataclass(frozen=True, eq=False)
class _Other:
    """Another campaign: who was what in it, and when."""

    name: str
    window_days: int
    members: pd.DataFrame


def _others(campaigns: Sequence[Campaign], members: Sequence[pd.DataFrame], place: int) -> list[_Other]:
    return [
        _Other(campaign.name, campaign.window_days, rows)
        for number, (campaign, rows) in enumerate(zip(campaigns, members, strict=True))
        if number != place and len(rows)
    ]


def _measure(
    campaign: Campaign, members: pd.DataFrame, days: pd.DataFrame, first: pd.Series, end: date, others: Sequence[_Other]
) -> Outcome:
    """Return what a campaign brought, of customers' days until ``end``."""
    window, started = campaign.window_days, np.datetime64(campaign.started)
    joined = members[JOINED].to_numpy("datetime64[D]")
    seen = first.reindex(members[CUSTOMER_ID]).to_numpy("datetime64[D]")
    is_alone, is_known = (members[GROUP] != SHARED).to_numpy(), seen < joined
    is_in_time = joined < started + window
    left_out = {
        SHARED: int((~is_alone).sum()),
        UNKNOWN: int((is_alone & ~is_known).sum()),
        JOINED_LATE: int((is_alone & is_known & ~is_in_time).sum()),
    }
    left_out = {reason: count for reason, count in left_out.items() if count}
    counted = members[is_alone & is_known & is_in_time].reset_index(drop=True)
    joined = counted[JOINED].to_numpy("datetime64[D]")
    due = due_on(campaign, counted)
    listed = (counted[GROUP] == LIST).to_numpy()
    over = int(np.clip((np.datetime64(end) - started).astype(int), 0, window))
    common = Outcome(campaign, WAITING, due, over, int(listed.sum()), int((~listed).sum()), left_out)
    if not campaign.is_measurable:
        return replace(common, state=DECLINED)
    begun = joined < np.datetime64(end)
    if not begun.any():
        return common
    counted, joined, listed = counted[begun].reset_index(drop=True), joined[begun], listed[begun]
    common = replace(common, listed=int(listed.sum()), control=int((~listed).sum()))
    if min(common.listed, common.control) < MIN_GROUP_SIZE:
        return replace(common, state=TOO_FEW)
    spent = _Spending.of(counted[CUSTOMER_ID], joined, days)
    value = spent.total("value", 0, window)
    before = spent.total("value", -BEFORE_DAYS, 0)
    predicted = counted[VALUE].to_numpy(float)
    known = [before] if np.isnan(predicted).any() else [before, predicted]
    statuses = [(other.name, _status(counted, joined, window, other)) for other in others]
    statuses = [(name, status) for name, status in statuses if (status == LISTED).any()]
    confounded = {name for name, status in statuses if is_confounded(listed, status)}
    apart = [(name, status) for name, status in statuses if name not in confounded]
    covariates = np.column_stack([*known, assignment_covariates([status for _, status in apart], len(counted))])
    common = replace(
        common,
        told_apart=tuple(name for name, _ in apart),
        confounded_with=tuple(sorted(confounded)),
        warnings=tuple(balance_warnings(before, listed)),
    )
    if end < due:
        # The plan of the interval is that of the first who joined: it does not change from look to look.
        initial = joined == started if (joined == started).any() else np.full(len(joined), True)
        error = planned_error(spent.total("value", -window, 0)[initial], listed[initial])
        early = early_uplift(value, listed, covariates, error, int(initial.sum()))
        return replace(common, state=EARLY, uplift=early)
    bought = (spent.total("purchases", 0, window) > 0).astype(float)
    refunds = spent.total("refunds", 0, window)
    secondary = {
        BUYERS: uplift(bought, listed, covariates, SECONDARY_CONFIDENCE),
        REFUNDS: uplift(refunds, listed, covariates, SECONDARY_CONFIDENCE),
    }
    traits = _traits(spent, joined, first.reindex(counted[CUSTOMER_ID]).to_numpy("datetime64[D]"))
    cells = pd.DataFrame({SEGMENT: counted[SEGMENT], TRAIT: traits, VALUE: predicted})
    measured = value, listed, covariates
    return replace(
        common,
        state=DUE,
        uplift=uplift(value, listed, covariates),
        secondary=secondary,
        by_segment=() if confounded else tuple(_by_cell(cells.assign(**{TRAIT: ""}), *measured)),
        by_trait=() if confounded else tuple(_by_cell(cells, *measured)),
    )


def _by_cell(cells: pd.DataFrame, value: Floats, listed: npt.NDArray[np.bool_], covariates: Floats) -> list[TierUplift]:
    """Return the uplift in each segment and trait with enough customers in both groups.

    Args:
        cells: segment, trait and predicted_clv of each customer, by her row, [n].
        value: of each, money, [n].
        listed: as :func:`~clv_core.strategy.campaigns.uplift.uplift` takes it.
        covariates: likewise.
    """
    found = []
    for (segment, trait), inside in cells.groupby([SEGMENT, TRAIT]):
        rows = inside.index.to_numpy()
        sizes = int(listed[rows].sum()), int((~listed[rows]).sum())
        if min(sizes) < MIN_GROUP_SIZE:
            continue
        one, predicted = uplift(value[rows], listed[rows], covariates[rows]), float(inside[VALUE].mean())
        found.append(TierUplift(str(segment), *sizes, one.effect, one.error, predicted, str(trait)))
    return sorted(found, key=lambda one: (one.segment, TRAITS.index(one.trait) if one.trait else 0))


def _traits(
    spent: _Spending, joined: npt.NDArray[np.datetime64], seen: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.str_]:
    """Return the trait of each customer when she joined, [n].

    Args:
        spent: by days since she joined.
        joined: day, [n].
        seen: her first day in the log, [n].
    """
    bought = spent.total("purchases", -TRAIT_DAYS, 0) > 0
    return trait_of((joined - seen).astype(np.int64), bought)


def _status(
    counted: pd.DataFrame, joined: npt.NDArray[np.datetime64], window: int, other: _Other
) -> npt.NDArray[np.int64]:
    """Return what each customer was in another campaign while both windows lasted, [n]."""
    rows = other.members.set_index(CUSTOMER_ID).reindex(counted[CUSTOMER_ID])
    since = rows[JOINED].to_numpy("datetime64[D]")
    overlaps = (since < joined + window) & (since + other.window_days > joined)
    status = np.where(rows[GROUP] == CONTROL, CONTROLS, LISTED)
    return np.where(overlaps, status, NOT_IN_IT)


@dataclass(frozen=True, eq=False)
class _Spending:
    """Days with money of some customers, by days since each one joined.

    Args:
        place: row of the customer, [m].
        since: days after joining, below 0 before, [m].
        columns: what happened on the day, by name, [m].
        customers: n.
    """

    place: npt.NDArray[np.int64]
    since: npt.NDArray[np.int64]
    columns: dict[str, Floats]
    customers: int

    @classmethod
    def of(cls, customers: pd.Series, joined: npt.NDArray[np.datetime64], days: pd.DataFrame) -> _Spending:
        """Return it from a log's customer-days."""
        place = pd.Index(customers).get_indexer(pd.Index(days[CUSTOMER_ID]))
        inside = place >= 0
        place = place[inside].astype(np.int64)
        since = (days[DAY].to_numpy("datetime64[D]")[inside] - joined[place]).astype(np.int64)
        value, refunds = (days[name].to_numpy(float)[inside] for name in ("value", "refunds"))
        purchases = (value + refunds > 0).astype(float)
        return cls(place, since, {"value": value, "refunds": refunds, "purchases": purchases}, len(customers))

    def total(self, column: str, low: int, high: int) -> Floats:
        """Return the sum of a column from ``low`` to before ``high`` days after joining, [n]."""
        inside = (self.since >= low) & (self.since < high)
        return np.asarray(np.bincount(self.place[inside], self.columns[column][inside], self.customers), np.float64)
