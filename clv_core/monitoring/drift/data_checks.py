"""Checks of the data: each period after the cutoff against the periods before it.

False alarms cost trust, so limits are set for all checks at once: where nothing changed, a forecast horizon of periods
raises any alert with a chance of at most :data:`FALSE_ALARMS`, which all checks of all periods share equally
(Bonferroni): one check for each series of the reference, three for each column of labels (mix, new and lost values),
one for the distribution of each price. How far a figure may differ follows from how far the reference differs from
period to period (:mod:`clv_core.monitoring.drift.distances`), and how far a distribution may, from how far each
period of the reference differs from the rest of it (:func:`~clv_core.monitoring.drift.distances.dispersion`).

However sure it is, a change is no alert where it is smaller than this:

    events of a type, active customers, a day      20% (the usual figure times or divided by 1.2)
    purchase days per buyer                        10%
    returns among purchases and returns            25%
    gaps in a column                               1 percentage point
    geometric mean of prices                       5%
    distances of distributions, new, lost values   :data:`MIN_PSI`, :data:`MIN_KS`, :data:`MIN_SHARE`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import EVENT_TYPE, PURCHASE, RETURN
from clv_core.monitoring.drift.distances import (
    MEAN_SQUARE,
    MIN_VALUES,
    by_chance,
    dispersion,
    forecast,
    ks,
    ks_chance,
    ks_limit,
    psi,
    psi_chance,
    psi_limit,
)
from clv_core.monitoring.drift.periods import LABELS, PRICES, Check, PastSeries, Profile

Floats = NDArray[np.float64]
Bounds = Callable[[float], tuple[float, float]]

FALSE_ALARMS: Final = 0.05
"""Chance of any alert in a horizon without a change; in ``tests/bench/drift.py`` 0 of 100 draws by month, 1 by week."""
MIN_ROWS: Final = 30
"""A distribution of fewer rows than this is not compared."""
MIN_PSI: Final = 0.02
"""A guess, far below the .1 from which Siddiqi (2006) speaks of a minor change: that is for scores, not for periods."""
MIN_KS: Final = 0.05
"""A smaller distance of distributions does not matter, however sure it is."""
MIN_SHARE: Final = 0.002
"""A value that fewer of the customers have is neither new nor lost."""
MIN_EVENTS: Final = 20
"""An event type with fewer events a period is only checked for being lost."""
ALWAYS_MISSING: Final = 0.995
"""A column with a larger share of gaps in the reference is not in use: what is filled in there is chance. A guess."""
PSEUDO_COUNT: Final = 0.5
"""Added to each count, so that none has an infinite logarithm."""
MIN_FIGURE: Final = 1e-12
"""Relative bounds of a figure of 0 are those of this one."""


@dataclass(frozen=True, eq=False)
class Series:
    """One figure, period by period, on a scale on which its variance follows from the counts.

    Counts are on a log scale, shares on that of the arcsine of their root, whose variance is 1/(4n) whatever the share,
    so that a share of 0 has limits too.

    Args:
        test: ``volume``, ``share`` or ``level``.
        subject: of :class:`~clv_core.monitoring.drift.periods.Check`.
        value: likewise.
        y: on its scale, NaN where the period has nothing to count, [n].
        variance: sampling variance of ``y``, [n].
        back: from the scale, [n], to the figure itself, [n].
        bounds: of the usual figure, the figures below and above which a change matters.
    """

    test: str
    subject: str
    value: str
    y: Floats
    variance: Floats
    back: Callable[[Floats], Floats]
    bounds: Bounds


def check_data(reference: Profile, current: Profile, horizon_periods: int) -> list[Check]:
    """Return the checks of all current periods, oldest first.

    Args:
        reference: at least 4 periods before the cutoff.
        current: the periods after it.
        horizon_periods: so many periods share :data:`FALSE_ALARMS`.
    """
    before = {(series.test, series.subject, series.value): series for series in all_series(reference, reference)}
    labels = [name for name in LABELS if (reference.counts["subject"] == name).any()]
    prices = [name for name in PRICES if (reference.prices["subject"] == name).any()]
    alpha = FALSE_ALARMS / (horizon_periods * (len(before) + 3 * len(labels) + len(prices)))
    checks: list[Check] = []
    for series in all_series(current, reference):
        past = before.get((series.test, series.subject, series.value))
        if past is not None:
            checks += _series_checks(past, series, current, alpha)
    for name in labels:
        checks += _label_checks(name, reference, current, alpha)
    for name in prices:
        checks += _price_checks(name, reference, current, alpha)
    dates = {period.number: (period.begin.isoformat(), period.end.isoformat()) for period in current.periods}
    dated = [replace(check, begin=dates[check.chunk][0], end=dates[check.chunk][1]) for check in checks]
    return sorted(dated, key=lambda check: check.chunk)


def series_table(reference: Profile) -> list[PastSeries]:
    """Return each series of the reference."""
    begin = [period.begin.isoformat() for period in reference.periods]
    rows = []
    for series in all_series(reference, reference):
        figures = [float(value) if np.isfinite(value) else None for value in series.back(series.y)]
        rows.append(PastSeries(series.test, series.subject, series.value, begin, figures))
    return rows


def all_series(profile: Profile, reference: Profile) -> Iterator[Series]:
    """Yield the series of a profile: volumes, orders, return rate, gaps, price levels.

    Args:
        profile: whose figures; may be the reference itself.
        reference: decides which series there are.
    """
    rows, customers = profile.table(EVENT_TYPE)
    usual = reference.table(EVENT_TYPE)[0].mean()
    days = np.array([period.days for period in profile.periods], float)
    for name in usual.index[usual >= MIN_EVENTS]:
        if name:
            yield _volume(EVENT_TYPE, str(name), _column(rows, str(name)), days)
    yield _volume("customers", "", _column(customers, ""), days)
    orders, buyers = (_column(table, "") for table in profile.table("orders"))
    ratio = np.where(buyers > 0, orders / np.maximum(buyers, 1), np.nan)
    yield Series("level", "orders", "", np.log(ratio), 1 / np.maximum(buyers, 1), np.exp, _factor(0.1))
    if usual.get(RETURN, 0) > 0 and usual.get(PURCHASE, 0) > 0:
        returns, purchases = _column(rows, RETURN), _column(rows, PURCHASE)
        yield _share("returns", "", returns, returns + purchases, _factor(0.25))
    for scope in ("missing:purchase", "missing:other"):
        yield from _missing(scope, profile, reference)
    for price in PRICES:
        yield from _level(price, profile)


def _missing(scope: str, profile: Profile, reference: Profile) -> Iterator[Series]:
    rows, _ = profile.table(scope)
    before, _ = reference.table(scope)
    for name in before.columns:
        every = before[""].sum()
        if name and every > 0 and before[name].sum() / every < ALWAYS_MISSING:
            yield _share(scope, str(name), _column(rows, str(name)), _column(rows, ""), _one_point)


def _level(price: str, profile: Profile) -> Iterator[Series]:
    part = profile.prices[profile.prices["subject"] == price]
    if part.empty:
        return
    logs = part.assign(number=np.log(part["number"])).groupby("chunk")["number"].agg(["mean", "var", "count"])
    logs = logs.reindex([period.number for period in profile.periods])
    variance = (logs["var"].mean() / logs["count"].clip(lower=1)).fillna(1.0).to_numpy(float)
    yield Series("level", price, "", logs["mean"].to_numpy(float), variance, np.exp, _factor(0.05))


def _volume(subject: str, value: str, rows: Floats, days: Floats) -> Series:
    def rows_a_day(y: Floats) -> Floats:
        # the half row that gives a count of 0 a logarithm is subtracted again
        a_day: Floats = np.maximum(np.round(np.exp(y) - PSEUDO_COUNT / days, 9), 0.0)
        return a_day

    y, variance = np.log((rows + PSEUDO_COUNT) / days), 1 / np.maximum(rows, 1)
    return Series("volume", subject, value, y, variance, rows_a_day, _factor(0.2))


def _share(subject: str, value: str, part: Floats, total: Floats, bounds: Bounds) -> Series:
    def back(y: Floats) -> Floats:
        shares: Floats = np.sin(np.clip(y, 0, np.pi / 2)) ** 2
        return shares

    y = np.arcsin(np.sqrt(np.where(total > 0, part / np.maximum(total, 1), np.nan)))
    return Series("share", subject, value, y, 0.25 / np.maximum(total, 1), back, bounds)


def _factor(change: float) -> Bounds:
    """Return bounds at this relative change, either way."""
    return lambda usual: (max(usual, MIN_FIGURE) / (1 + change), max(usual, MIN_FIGURE) * (1 + change))


def _one_point(usual: float) -> tuple[float, float]:
    """Return bounds at one percentage point, either way."""
    return usual - 0.01, usual + 0.01


def _column(table: pd.DataFrame, name: str) -> Floats:
    values: Floats = table[name].to_numpy(float) if name in table else np.zeros(len(table))
    return values


def _series_checks(past: Series, series: Series, current: Profile, alpha: float) -> Iterator[Check]:
    finite = np.isfinite(past.y)
    y, variance = past.y[finite], past.variance[finite]
    if len(y) < MIN_VALUES:
        return
    numbers = np.array([period.number for period in current.periods])
    # a count is as variable as what is expected, not as what came: a feed that stopped has no variance;
    # what is expected is what the last third of the reference had
    new_variance = (
        np.full(len(numbers), variance[-len(y) // 3 :].mean()) if series.test == "volume" else series.variance
    )
    expected = forecast(y, variance, numbers, new_variance)
    chance, (low, high) = expected.p_value(series.y), expected.limits(alpha)
    usuals = series.back(np.full(len(numbers), expected.level))
    values, low, high = series.back(series.y), series.back(low), series.back(high)
    for place in np.flatnonzero(np.isfinite(series.y)):
        figure, usual = float(values[place]), float(usuals[place])
        below, above = series.bounds(usual)
        alert = bool(chance[place] < alpha) and not below < figure < above
        yield Check(
            int(numbers[place]), series.test, series.subject, series.value, figure, usual,
            min(float(low[place]), below), max(float(high[place]), above), float(chance[place]), alert,
        )  # fmt: skip


def _label_checks(name: str, reference: Profile, current: Profile, alpha: float) -> Iterator[Check]:
    """Yield for each period whether the mix of a column's values changed, and which values are new or lost.

    A new value's chance is that all customers who have it fall into this period, had it always been there; a lost
    value's that none of them does.
    """
    (rows, customers), (new_rows, new_customers) = reference.table(name), current.table(name)
    values = [value for value in rows.columns if value]
    if not values or not any(new_rows.columns):  # too many to be counted one by one: none is lost
        return
    counts = rows[values].to_numpy(float)
    usual = counts.sum(axis=0)
    phi = _psi_dispersion(counts, usual)
    every = float(customers[""].sum())
    before = dict(zip(values, customers[values].to_numpy(float).sum(axis=0), strict=True))
    for place, period in enumerate(current.periods):
        total = float(new_customers[""].iloc[place]) if "" in new_customers else 0.0
        if total == 0:
            continue
        counted = new_rows.reindex(columns=values, fill_value=0.0).to_numpy(float)[place]
        seen = dict(zip(new_customers.columns, new_customers.to_numpy(float)[place], strict=True))
        if counted.sum() >= MIN_ROWS and len(values) > 1:
            yield _mix_check(name, period.number, values, counted, usual, phi, alpha)
        new = {value: count for value, count in seen.items() if count > 0 and value not in ("", *values)}
        lost = {value: count for value, count in before.items() if seen.get(value, 0.0) == 0}
        for value, count in new.items():
            chance = float(min(1.0, len(new) * (total / (total + every)) ** (count / phi)))
            share, params = float(count / total), {"customers": int(count)}
            alert = chance < alpha and share >= MIN_SHARE
            yield Check(period.number, "new", name, str(value), share, 0.0, None, None, chance, alert, params)
        for value, count in lost.items():
            chance = float(min(1.0, len(before) * (every / (total + every)) ** (count / phi)))
            share = float(count / every)
            alert = chance < alpha and share >= MIN_SHARE
            yield Check(period.number, "lost", name, str(value), 0.0, share, None, None, chance, alert)


def _psi_dispersion(counts: Floats, usual: Floats) -> float:
    large = counts[counts.sum(axis=1) >= MIN_ROWS]
    ratios = [psi(part, usual - part) / by_chance(part, usual - part) for part in large] if len(usual) > 1 else []
    return dispersion(np.array(ratios)) if len(ratios) > 1 else 1.0


def _mix_check(
    name: str, period: int, values: list[str], counted: Floats, usual: Floats, phi: float, alpha: float
) -> Check:
    index, limit = psi(counted, usual), max(psi_limit(alpha, counted, usual, phi), MIN_PSI)
    shares, before = counted / counted.sum(), usual / usual.sum()
    moved = int(np.argmax(np.abs(shares - before)))
    return Check(
        period, "psi", name, values[moved], index, by_chance(counted, usual) * phi, None, limit,
        psi_chance(index, counted, usual, phi), index > limit,
        {"share": float(shares[moved]), "before": float(before[moved])},
    )  # fmt: skip


def _price_checks(name: str, reference: Profile, current: Profile, alpha: float) -> Iterator[Check]:
    past = reference.prices[reference.prices["subject"] == name]
    every = past["number"].to_numpy(float)
    ratios = []
    for number, part in _by_period(past).items():
        rest = past.loc[past["chunk"] != number, "number"].to_numpy(float)
        if min(len(part), len(rest)) >= MIN_ROWS:
            ratios.append(ks(part, rest)[1] ** 2 / MEAN_SQUARE)
    phi = dispersion(np.array(ratios)) if len(ratios) > 1 else 1.0
    for number, part in _by_period(current.prices[current.prices["subject"] == name]).items():
        if min(len(part), len(every)) < MIN_ROWS:
            continue
        distance, scaled = ks(part, every)
        limit = max(MIN_KS, ks_limit(alpha, len(part), len(every), phi))
        medians = {"median": float(np.median(part)), "before": float(np.median(every))}
        usual = float(np.sqrt(phi * MEAN_SQUARE * (len(part) + len(every)) / (len(part) * len(every))))
        chance = ks_chance(scaled, phi)
        yield Check(number, "ks", name, "", distance, usual, None, limit, chance, distance > limit, medians)


def _by_period(prices: pd.DataFrame) -> dict[int, Floats]:
    numbers = prices["chunk"].to_numpy(np.int64)
    values = prices["number"].to_numpy(float)
    return {int(number): values[numbers == number] for number in np.unique(numbers)}
