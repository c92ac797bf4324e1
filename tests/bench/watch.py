"""What the watch on the business says of quiet shops and of planted trouble: ``python -m tests.bench.watch``.

Simulated shops of four sizes, with a season of visits and a peak in December, weekdays, and newcomers who grow, shrink
or come with a season of their own; three years, of which the third is watched. Of each shop: what is told of the quiet
year; then ten kinds of trouble and a gradual wave, each planted alone on a day of its own in that year, and watched for
a hundred days more.

A trouble is *visible* where its effect on a day of some figure is at least three of the figure's daily spread. Found
means told within seven days, of a first day at most a week from the true one; of the gradual wave, within one median
gap between orders and 14 days. A size's truth is the revenue of the log with the trouble less that of the log without
it, on the finding's days.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.columns import COLUMNS, Kind
from clv_core.monitoring.business import Finding, Watch
from clv_core.monitoring.business.daily_figures import REVENUE, DailyFigures
from clv_core.monitoring.business.watched_business import watch_figures

DAYS: Final = 1095
QUIET_FROM: Final = 730
START: Final = date(2023, 1, 1)
SIZES: Final = (4_000, 12_000, 30_000, 70_000)
"""Customers before some go: 3 to 60 orders a day."""
NEWCOMERS: Final[tuple[Callable[[NDArray[np.int64]], NDArray[np.float64]], ...]] = (
    lambda day: np.full(len(day), 0.8),
    lambda day: 0.3 + 0.7 * day / DAYS,
    lambda day: 1 - 0.6 * day / DAYS,
    lambda day: 0.6 + 0.35 * np.sin(2 * np.pi * (day - 120) / 365.25),
    lambda day: 0.5 + 0.3 * day / DAYS + 0.2 * np.sin(2 * np.pi * (day - 240) / 365.25),
)
"""The share of those first seen on a day who are kept."""
WEEKDAYS: Final = np.array([1.0, 0.95, 0.9, 0.9, 0.95, 0.7, 0.6])
"""The share of visits that are kept, from Monday on."""
WAVE_DAYS: Final = 30
AFTER_DAYS: Final = 100
LASTING_DAYS: Final = 28
"""Days on which the effect of what is there for good is measured; of the wave, those after its month."""
CHANNEL, NEW_CHANNEL = "social", "television"
TYPES: Final = {Kind.TEXT: "string", Kind.TIME: "timestamp", Kind.NUMBER: "float64"}


@dataclass(frozen=True)
class Trouble:
    """A planted trouble.

    Args:
        kinds: what may be said of it.
        days: how long it is there; 0: for good.
        plant: of a log, which rows are of its days, and each row's customer's number from 0 to 1: what comes of it.
    """

    kinds: tuple[str, ...]
    days: int
    plant: Callable[[pd.DataFrame, pd.Series, pd.Series], pd.DataFrame]


def without(share: float) -> Callable[[pd.DataFrame, pd.Series, pd.Series], pd.DataFrame]:
    """Return what takes the events of a share of all customers."""
    return lambda log, on, chance: log[~(on & (chance < share))]


def twice(log: pd.DataFrame, on: pd.Series, chance: pd.Series) -> pd.DataFrame:
    """Return the log with rows loaded twice, the second time under other order ids, so that no row is repeated."""
    again = log[on]
    return pd.concat([log, again.assign(order_id=again["order_id"] + "-2")])


def wave(log: pd.DataFrame, on: pd.Series, chance: pd.Series) -> pd.DataFrame:
    """Return the log without 30% of the customers, of whom as many leave on each day of a month."""
    first = log.loc[on, "event_time"].min().normalize()
    leaves = first + pd.to_timedelta(chance / 0.3 * WAVE_DAYS, unit="D")
    return log[~(on & (chance < 0.3) & (log["event_time"] >= leaves))]


TROUBLES: Final = {
    "outage, 3 days": Trouble(("outage",), 3, without(1.0)),
    "outage, 10 days": Trouble(("outage",), 10, without(1.0)),
    "10% of customers gone": Trouble(("fewer_buyers",), 0, without(0.1)),
    "30% of customers gone": Trouble(("fewer_buyers",), 0, without(0.3)),
    "a month twice": Trouble(("doubled",), 30, twice),
    "a day twice": Trouble(("doubled",), 1, twice),
    "cents": Trouble(
        ("price_step",), 0, lambda log, on, _: log.assign(amount=log["amount"].where(~on, log["amount"] * 100))
    ),
    "a channel lost": Trouble(("channel_lost",), 0, lambda log, on, _: log[~(on & (log["channel"] == CHANNEL))]),
    "a channel new": Trouble(
        ("channel_new",),
        0,
        lambda log, on, chance: log.assign(channel=log["channel"].mask(on & (chance < 0.2), NEW_CHANNEL)),
    ),
    "no views, 14 days": Trouble(
        ("events_missing",), 14, lambda log, on, _: log[~(on & (log["event_type"] == "view"))]
    ),
    "30% leave in a month": Trouble(("fewer_buyers",), 0, wave),
}
WAVE: Final = "30% leave in a month"


def shop(customers: int, seed: int) -> pd.DataFrame:
    """Return the log of a simulated shop."""
    log = simulate("browsing", SimulationPlan(customers, DAYS, seed)).events
    first = log.groupby("customer_id")["event_time"].min()
    day = (first - first.min().normalize()).dt.days.to_numpy()
    random = np.random.default_rng(seed)
    came = first.index[random.uniform(size=len(day)) < NEWCOMERS[seed % len(NEWCOMERS)](day)]
    log = log[log["customer_id"].isin(came)]
    visit = log["order_id"].fillna(log["session_id"]).str[1:].astype(np.int64)
    begun = log["event_time"].groupby(visit).transform("min").dt.weekday.to_numpy()
    keep = np.random.default_rng(seed + 1).uniform(size=int(visit.max()) + 1)[visit] < WEEKDAYS[begun]
    return log[keep]


def figures_of(log: pd.DataFrame, end: date) -> DailyFigures:
    """Return what the watch reads of a log."""
    connection = ibis.duckdb.connect(threads=1)
    types = {column.name: TYPES[column.kind] for column in COLUMNS if column.name in log}
    table = connection.create_table("shop", log[log["event_time"] < pd.Timestamp(end)][list(types)], schema=types)
    try:
        return DailyFigures.of_events(table, START, end)
    finally:
        connection.disconnect()


def visible(with_it: DailyFigures, without_it: DailyFigures, quiet: Watch, first: int, days: int) -> float:
    """Return the largest effect on a mean day of any figure, in daily spreads."""
    most = 0.0
    for course in quiet.courses:
        place = (START + timedelta(days=first) - course.days[0].date()).days
        spread = float(2 * (np.sqrt(course.high[place] / course.expected[place]) - 1) / 1.2816)
        ratios = {"price": ("typical", "lines"), "lines_per_buyer": ("lines", "buyers")}
        over, per = ratios.get(course.name, (course.name, ""))
        stop = first + (days or LASTING_DAYS)
        came, usual = (
            values.values[over][first:stop].sum() / (max(values.values[per][first:stop].sum(), 1.0) if per else 1.0)
            for values in (with_it, without_it)
        )
        most = max(most, abs(2 * (np.sqrt(max(came, 0.0) / usual) - 1)) / spread if usual > 0 else 0.0)
    return most


def median_gap(log: pd.DataFrame) -> int:
    """Return the median days between two orders of a customer."""
    bought = log[log["event_type"] == "purchase"].drop_duplicates("order_id")
    return int(bought.groupby("customer_id")["event_time"].diff().dt.days.median())


def judge(
    name: str, found: tuple[Finding, ...], truth: NDArray[np.float64], first: int, within: int
) -> dict[str, float]:
    """Return whether a trouble was found, as what, from which day on, and whether its interval holds the truth."""
    day = START + timedelta(days=first)
    near = within if name == WAVE else 7
    told = [one for one in found if abs((one.first_day - day).days) <= near and (one.found_on - day).days < within]
    nan = float("nan")
    if not told:
        return {"found": 0.0, "kind": nan, "first_day": nan, "inside": nan, "others": nan}
    right = [one for one in told if one.kind in TROUBLES[name].kinds] or told
    one = right[0]
    start = (one.first_day - START).days
    size = float(truth[start : start + one.days].sum())
    return {
        "found": 1.0,
        "kind": float(one.kind in TROUBLES[name].kinds),
        "first_day": float(abs((one.first_day - day).days) <= 2),
        "inside": float(one.low <= size <= one.high) if one.has_money else nan,
        "others": float(sum(other.found_on >= day for other in found if other not in told)),
    }


@dataclass(frozen=True)
class Planted:
    """A trouble in a shop's figures.

    Args:
        name: of the trouble.
        first: its first day since the log's start.
        figures: with it, up to a hundred days later.
    """

    name: str
    first: int
    figures: DailyFigures


def plant(customers: int, seed: int, troubles: list[str]) -> tuple[DailyFigures, int, list[Planted]]:
    """Return a quiet shop, the median gap between its customers' orders, and the shop with each trouble."""
    log = shop(customers, seed)
    usual = figures_of(log, START + timedelta(days=DAYS))
    random = np.random.default_rng(seed)
    ids = log["customer_id"].unique()
    chance = log["customer_id"].map(pd.Series(random.uniform(size=len(ids)), ids))
    planted = []
    for name in troubles:
        trouble = TROUBLES[name]
        first = int(random.integers(QUIET_FROM + 14, DAYS - AFTER_DAYS))
        day = pd.Timestamp(START) + pd.Timedelta(days=first)
        on = log["event_time"] >= day
        if trouble.days:
            on &= log["event_time"] < day + pd.Timedelta(days=trouble.days)
        until = START + timedelta(days=first + AFTER_DAYS)
        planted.append(Planted(name, first, figures_of(trouble.plant(log, on, chance), until)))
    return usual, median_gap(log), planted


def tried(
    customers: int, seed: int, usual: DailyFigures, gap: int, planted: list[Planted]
) -> tuple[list[Finding], list[dict[str, float | str]]]:
    """Return what is told of a quiet shop in its third year, and one row a trouble."""
    quiet = watch_figures(usual, "EUR")
    alarms = [found for found in quiet.findings if (found.found_on - START).days >= QUIET_FROM]
    rows: list[dict[str, float | str]] = []
    for one in planted:
        truth = one.figures.values[REVENUE] - usual.values[REVENUE][: one.figures.days]
        found = watch_figures(one.figures, "EUR").findings
        judged = judge(one.name, found, truth, one.first, gap + 14 if one.name == WAVE else 7)
        begun = one.first + (WAVE_DAYS if one.name == WAVE else 0)
        effect = visible(one.figures, usual, quiet, begun, TROUBLES[one.name].days)
        rows.append({"customers": customers, "seed": seed, "trouble": one.name, "effect": effect, **judged})
    return alarms, rows


def report(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by trouble and over all that are visible: how many were, and shares of these."""

    def shares(frame: pd.DataFrame) -> pd.Series:
        seen = frame[frame["effect"] >= 3]
        known = {"shops": len(frame), "visible": len(seen), "found_of_all": round(frame["found"].mean(), 2)}
        return pd.Series(known | seen[["found", "kind", "first_day", "inside", "others"]].mean().round(2).to_dict())

    by_trouble = rows.groupby("trouble", sort=False).apply(shares, include_groups=False)
    abrupt = shares(rows[rows["trouble"] != WAVE]).rename("all but the wave")
    return pd.concat([by_trouble, abrupt.to_frame().T])


def main() -> None:
    """Print the quiet year's false alarms and the table of troubles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=20, help="a quarter of each size")
    parser.add_argument("--first", type=int, default=0, help="number of the first shop")
    parser.add_argument("--quiet", action="store_true", help="the quiet year only")
    options = parser.parse_args()
    begin, alarms, rows = time.perf_counter(), [], []
    for number in range(options.first, options.first + options.shops):
        customers = SIZES[number % len(SIZES)]
        shop_with = plant(customers, number + 1, [] if options.quiet else list(TROUBLES))
        told, found = tried(customers, number + 1, *shop_with)
        alarms.append(len(told))
        rows += found
        said = "; ".join(f"{one.kind} {one.series} {one.first_day} to {one.last_day}" for one in told)
        print(f"{customers:,} customers, seed {number + 1}: {len(told)} false alarms {said}", flush=True)
    print(f"false alarms a shop and year: {np.mean(alarms):.2f}")
    if rows:
        frame = pd.DataFrame(rows)
        missed = frame[(frame["effect"] >= 3) & ((frame["found"] == 0) | (frame["kind"] == 0) | (frame["inside"] == 0))]
        print(missed.to_string())
        print(report(frame).to_string())
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
