"""Metrics by customer group and by season of the predicted span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from math import inf
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.metrics import METRICS, with_role
from clv_core.features import Snapshot
from clv_core.i18n import DEFAULT_LANGUAGE, translate

FACTS: Final = ("tenure", "purchase_days", "net_value", "acquired_quarter")
"""What a slice may ask of a customer at the origin: days since the first event, purchase days, historic net value, and
the calendar quarter (1 to 4) of the first purchase, 0 for never-buyers."""

TENURE_BANDS: Final = {"new": (0, 90), "tenure_90": (90, 180), "tenure_180": (180, 365), "tenure_365": (365, inf)}
"""Days since the first event, from and below, by slice."""
QUARTERS: Final = (1, 2, 3, 4)
GROUPS: Final = 10
"""Deciles, as tables of a model have them."""
SHOWN: Final = with_role("slices")
COLUMNS: Final = ("origin", "slice", "model", "customers", "buyers", "metric", "value")

Rows = NDArray[np.bool_]


def value_decile(facts: pd.DataFrame) -> NDArray[np.int64]:
    """Return each buyer's decile of historic net value, 1 is the highest, 0 for never-buyers, [n].

    Customers are ranked first and then cut; those with equal value share a decile, so that row order changes nothing.

    Args:
        facts: columns :data:`FACTS`, one row a customer, [n].
    """
    bought = _bought(facts)
    rank = facts["net_value"].where(bought).rank(ascending=False)
    decile = (rank - 1) / max(1, int(bought.sum())) * GROUPS // 1 + 1
    return decile.fillna(0).to_numpy().astype(np.int64)


def _bought(facts: pd.DataFrame) -> Rows:
    return (facts["purchase_days"] > 0).to_numpy()


def _decile(number: int) -> Callable[[pd.DataFrame], Rows]:
    return lambda facts: value_decile(facts) == number


def _tenure_within(low: float, high: float) -> Callable[[pd.DataFrame], Rows]:
    return lambda facts: ((facts["tenure"] >= low) & (facts["tenure"] < high)).to_numpy()


def _acquired_in(quarter: int) -> Callable[[pd.DataFrame], Rows]:
    return lambda facts: (facts["acquired_quarter"] == quarter).to_numpy()


SLICES: Final[dict[str, Callable[[pd.DataFrame], Rows]]] = {
    "buyers": _bought,
    "never_buyers": lambda facts: ~_bought(facts),
    "one_time_buyers": lambda facts: (facts["purchase_days"] == 1).to_numpy(),
    "repeat_buyers": lambda facts: (facts["purchase_days"] > 1).to_numpy(),
    **{name: _tenure_within(*band) for name, band in TENURE_BANDS.items()},
    **{f"acquired_q{quarter}": _acquired_in(quarter) for quarter in QUARTERS},
    **{f"value_decile_{number}": _decile(number) for number in range(1, GROUPS + 1)},
}
"""Every slice, one line each: which customers belong to it, from their facts at the origin."""


def slice_label(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return who is in a slice, in words."""
    family, _, number = name.rpartition("_")
    if name in TENURE_BANDS:
        low, high = TENURE_BANDS[name]
        key = "slice.new" if low == 0 else "slice.tenure_longest" if high == inf else "slice.tenure"
        return translate(key, language, low=low, high=high - 1)
    if family == "value_decile":
        return translate("slice.value_decile", language, number=int(number))
    if family == "acquired":
        return translate("slice.acquired", language, quarter=int(number.removeprefix("q")))
    return translate(f"slice.{name}", language)


def customer_facts(snapshot: Snapshot, origin: str) -> pd.DataFrame:
    """Return what slices ask of the customers of one origin (ISO date): customer_id, origin and :data:`FACTS`, [n]."""
    features = snapshot.features
    first = pd.Timestamp(date.fromisoformat(origin)) - pd.to_timedelta(features["T"], unit="D")
    facts = features[[name for name in FACTS if name in features]].assign(
        acquired_quarter=first.dt.quarter.fillna(0).astype(np.int64), origin=origin
    )
    return facts.reset_index()[[CUSTOMER_ID, "origin", *FACTS]]


def slice_table(predictions: pd.DataFrame, facts: pd.DataFrame, metrics: Sequence[str] = SHOWN) -> pd.DataFrame:
    """Return the figures of every slice, model and origin.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, in column ``model``.
        facts: of :func:`customer_facts`, all origins below each other.
        metrics: ids.

    Returns:
        Columns :data:`COLUMNS`; a slice without customers, and a figure that does not exist (an AUC without buyers),
        has no row. ``buyers`` counts those who were worth anything in the horizon.
    """
    rows = []
    for origin, of_origin in facts.groupby("origin", sort=True):
        by_customer = of_origin.set_index(CUSTOMER_ID)
        members = {name: pd.Series(rule(by_customer), by_customer.index) for name, rule in SLICES.items()}
        for model, frame in predictions[predictions["origin"] == origin].groupby("model", sort=False):
            for name, member in members.items():
                part = frame[member.reindex(frame[CUSTOMER_ID]).to_numpy()]
                if part.empty:
                    continue
                size = (origin, name, model, len(part), int((part["actual"] > 0).sum()))
                for metric in metrics:
                    value = METRICS[metric].value(part["actual"], part)
                    if np.isfinite(value):
                        rows.append((*size, metric, value))
    return pd.DataFrame(rows, columns=list(COLUMNS))


SEASON_COLUMNS: Final = ("season", "origins", "model", "customers", "buyers", "metric", "value")
MIN_SEASON_SHARE: Final = 0.2
"""A quarter that holds less of the horizon than this does not name its season; a guess."""


def season_of(origin: date, horizon_days: int) -> tuple[int, ...]:
    """Return the calendar quarters (1 to 4) that the horizon after ``origin`` lies in, in the order of time.

    Those that hold less than a fifth of its days are left out; a horizon that needs all four is a year.
    """
    days = [origin + timedelta(days=number) for number in range(horizon_days)]
    quarters = np.array([(day.month + 2) // 3 for day in days])
    shares = {int(quarter): float((quarters == quarter).mean()) for quarter in dict.fromkeys(quarters)}
    named = tuple(quarter for quarter, share in shares.items() if share >= MIN_SEASON_SHARE)
    return QUARTERS if len(named) == len(QUARTERS) else named


def season_id(quarters: Sequence[int]) -> str:
    """Return the stable name of a season, such as ``q4_q1``."""
    return "_".join(f"q{quarter}" for quarter in quarters)


def season_label(season: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a season in words."""
    quarters = [int(part.removeprefix("q")) for part in season.split("_")]
    key = "season.year" if len(quarters) == len(QUARTERS) else "season.one" if len(quarters) == 1 else "season.several"
    return translate(key, language, first=quarters[0], last=quarters[-1])


def season_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of every season and model, averaged over the origins whose horizon lies in the season.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, in column ``model``.

    Returns:
        Columns :data:`SEASON_COLUMNS`, seasons in the order of their first origin; ``customers`` and ``buyers`` are
        summed over origins, the bias keeps its sign, and a figure that does not exist has no row.
    """
    rows = []
    for (origin, model), frame in predictions.groupby(["origin", "model"], sort=True):
        season = season_id(season_of(date.fromisoformat(str(origin)), int(frame["horizon_days"].iloc[0])))
        size = (season, model, origin, len(frame), int((frame["actual"] > 0).sum()))
        rows += [(*size, name, METRICS[name].value(frame["actual"], frame)) for name in SHOWN]
    columns = ["season", "model", "origins", "customers", "buyers", "metric", "value"]
    figures = pd.DataFrame(rows, columns=columns).dropna(subset="value")
    table = figures.groupby(["season", "model", "metric"], sort=False).agg(
        origins=("origins", "nunique"),
        customers=("customers", "sum"),
        buyers=("buyers", "sum"),
        value=("value", "mean"),
    )
    return table.reset_index()[list(SEASON_COLUMNS)]
