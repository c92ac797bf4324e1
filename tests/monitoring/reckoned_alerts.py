"""Alerts reckoned a second time, from a log's raw rows and from scores, by pandas, numpy and scipy alone.

Written from the published method (the docstrings of ``clv_core.monitoring`` and ``clv_core.evaluation``); nothing of
them is imported. Not reckoned, as the shop of the tests does not have it: seasons of realized value (a year before the
cutoff), samples of amounts (over 2000 purchases a week), unit prices and countries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

PREDICTED = ("predicted_clv", "p_purchase")
Figures = dict[pd.Timestamp, "float | np.ndarray"]


class Alert(NamedTuple):
    """What an alert says; days in ISO format."""

    light: str
    code: str
    value: str
    begin: str
    end: str


class Check(NamedTuple):
    """A figure of a week, or of the month that ends at an instant."""

    chunk: int
    test: str
    subject: str
    value: str
    found: float
    usual: float
    low: float
    high: float
    alert: bool


def check_weeks(rows: pd.DataFrame, cutoff: pd.Timestamp, end: pd.Timestamp, horizon_days: int) -> list[Check]:
    """Check each complete week from the cutoff to the end against the weeks before, at most 104 of them."""
    before = min(104, (cutoff - rows["event_time"].min().normalize()).days // 7)
    past, new = pd.RangeIndex(-before, 0), pd.RangeIndex((end - cutoff).days // 7)
    week = (rows["event_time"] - cutoff) // pd.Timedelta(days=7)
    rows = rows.assign(week=week, day=rows["event_time"].dt.normalize())[week.between(-before, len(new) - 1)]
    labels, series = ("event_type", "category", "channel"), list(_series(rows, past, new))
    alpha = 0.05 / (round(horizon_days / 7) * (len(series) + 3 * len(labels) + 1))
    checks = [check for one in series for check in _check_series(*one, alpha)]
    checks += [check for name in labels for check in _check_values(rows, name, past, new, alpha)]
    return checks + list(_check_amounts(rows, alpha))


def _series(rows: pd.DataFrame, past: pd.RangeIndex, new: pd.RangeIndex) -> Iterator[tuple]:
    """Yield test, subject, value, by which share a change matters, and y and its variance, past and new."""
    weeks = past.append(new)

    def count(part: pd.DataFrame, column: str = "week", how: str = "size") -> pd.Series:
        return part.groupby("week")[column].agg(how).reindex(weeks, fill_value=0).astype(float)

    def halves(y: pd.Series, variance: pd.Series) -> tuple:
        return y[past], variance[past], y[new], variance[new]

    def volume(counts: pd.Series) -> tuple:
        return 0.2, *halves(np.log((counts + 0.5) / 7), 1 / counts.clip(lower=1))

    def share(part: pd.Series, total: pd.Series) -> tuple:
        return halves(np.arcsin(np.sqrt(part / total)), 0.25 / total.clip(lower=1))

    events = {kind: count(part) for kind, part in rows.groupby("event_type")}
    yield from (("volume", "event_type", kind, *volume(n)) for kind, n in events.items() if n[past].mean() >= 20)
    yield "volume", "customers", "", *volume(count(rows, "customer_id", "nunique"))
    bought = rows[rows["event_type"] == "purchase"]
    others = rows[~rows["event_type"].isin(["purchase", "return"])]
    buyers, orders = count(bought, "customer_id", "nunique"), count(bought.drop_duplicates(["customer_id", "day"]))
    yield "level", "orders", "", 0.1, *halves(np.log(orders / buyers), 1 / buyers.clip(lower=1))
    yield "share", "returns", "", 0.25, *share(events["return"], events["return"] + events["purchase"])
    columns = ["category", "channel", "amount", "rating"]
    for scope, part, names in (("purchase", bought, columns), ("other", others, columns[:2])):
        for name in names:
            gaps, total = count(part[part[name].isna()]), count(part)
            if gaps[past].sum() < 0.995 * total[past].sum():
                yield "share", f"missing:{scope}", name, 0.01, *share(gaps, total)
    logs = np.log(bought.loc[bought["amount"] > 0, "amount"]).groupby(bought["week"]).agg(["mean", "var", "count"])
    parts = [logs.reindex(some) for some in (past, new)]
    yield (
        "level",
        "amount",
        "",
        0.05,
        *(y for part in parts for y in (part["mean"], part["var"].mean() / part["count"])),
    )


def _check_series(test: str, subject: str, value: str, matters: float, *figures: object) -> Iterator[Check]:
    past, variance, new, own = (np.asarray(one, float) for one in figures[:4])
    if test == "volume":
        own = np.full(len(new), variance[-int(np.ceil(len(past) / 3)) :].mean())
    level, scale, freedom = _forecast(past, variance, np.arange(len(new)), own)
    half = stats.t.isf(figures[4] / 2, freedom) * scale

    def back(y: float) -> float:
        if test == "volume":
            return max(np.exp(y) - 0.5 / 7, 0)
        return np.sin(np.clip(y, 0, np.pi / 2)) ** 2 if test == "share" else np.exp(y)

    usual = back(level)
    gaps = subject.startswith("missing:")
    below, above = (usual - matters, usual + matters) if gaps else (usual / (1 + matters), usual * (1 + matters))
    for week, y in enumerate(new):
        low, high = min(back(level - half[week]), below), max(back(level + half[week]), above)
        alert = abs(y - level) > half[week] and not below < back(y) < above
        yield Check(week, test, subject, value, back(y), usual, low, high, alert)


def _forecast(past: np.ndarray, variance: np.ndarray, ahead: np.ndarray, own: np.ndarray) -> tuple:
    """Return the level, the standard deviation of each new value around it, and its degrees of freedom."""
    width = max(1, min(13, len(past) // 2))
    level, noise = (np.convolve(one, np.full(width, 1 / width), "valid") for one in (past, variance / width))
    phi = []
    for gap in range(len(past) - width - 2):  # at least 3 errors
        now, then = slice(width + gap, None), slice(len(past) - width - gap)
        phi.append(np.mean((past[now] - level[then]) ** 2 / (variance[now] + noise[then])))
    prior, weight = 8 / max(1, phi[0]), len(past) - width
    phi = np.maximum.accumulate([max(one, (prior + weight * one) / (prior + weight)) for one in phi])
    ratio = phi[np.minimum(ahead, len(phi) - 1)] * np.maximum(1, (ahead + 1) / len(phi))
    return level[-1], np.sqrt(np.maximum(1, ratio) * (own + noise[-1])), prior + weight


def _index(now: np.ndarray, then: np.ndarray) -> float:
    p, q = ((one + 0.5) / (one + 0.5).sum() for one in (now, then))
    return float(((p - q) * np.log(p / q)).sum())


def _dispersion(ratios: Sequence[float]) -> float:
    return max(1, np.mean(ratios)) * (len(ratios) - 1) / stats.chi2.ppf(0.1, len(ratios) - 1)


def _check_values(
    rows: pd.DataFrame, name: str, past: pd.RangeIndex, new: pd.RangeIndex, alpha: float
) -> Iterator[Check]:
    by_value = rows.groupby(["week", name])["customer_id"]
    counts, customers = (by_value.agg(how).unstack(fill_value=0) for how in ("size", "nunique"))
    active = rows[rows[name].notna()].groupby("week")["customer_id"].nunique()
    values = counts.columns[counts.loc[past].any()]
    usual, before, every = counts.loc[past, values].sum(), customers.loc[past, values].sum(), active[past].sum()

    def chance(part: pd.Series, rest: pd.Series) -> float:
        return (len(values) - 1) * (1 / part.sum() + 1 / rest.sum())

    parts = [part for part in counts.loc[past, values].iloc if part.sum() >= 30]
    phi = _dispersion([_index(part, usual - part) / chance(part, usual - part) for part in parts])
    for week in new.intersection(active.index):
        now, seen, total = counts.loc[week, values], customers.loc[week], active[week]
        if now.sum() >= 30:
            index, moved = _index(now, usual), (now / now.sum() - usual / usual.sum()).abs().idxmax()
            expected, tail = phi * chance(now, usual), stats.chi2.isf(alpha, len(values) - 1) / (len(values) - 1)
            limit = max(tail * expected, 0.02)
            yield Check(week, "psi", name, moved, index, expected, np.nan, limit, index > limit)
        fresh, gone = seen[(seen > 0) & ~seen.index.isin(values)], before[seen[values] == 0]
        for value, n in fresh.items():
            alert = len(fresh) * (total / (total + every)) ** (n / phi) < alpha and n / total >= 0.002
            yield Check(week, "new", name, value, n / total, 0, np.nan, np.nan, alert)
        for value, n in gone.items():
            alert = len(values) * (every / (total + every)) ** (n / phi) < alpha and n / every >= 0.002
            yield Check(week, "lost", name, value, 0, n / every, np.nan, np.nan, alert)


def _check_amounts(rows: pd.DataFrame, alpha: float) -> Iterator[Check]:
    bought = rows[(rows["event_type"] == "purchase") & (rows["amount"] > 0)]
    amounts = {week: part for week, part in bought.groupby("week")["amount"] if len(part) >= 30}
    past, mean_square = bought.loc[bought["week"] < 0, ["week", "amount"]], np.pi**2 / 12

    def distance(part: pd.Series, rest: pd.Series) -> tuple[float, float]:
        size = len(part) * len(rest) / (len(part) + len(rest))
        return stats.ks_2samp(part, rest, method="asymp").statistic, size

    pairs = [distance(part, past.loc[past["week"] != week, "amount"]) for week, part in amounts.items() if week < 0]
    phi = _dispersion([apart**2 * size / mean_square for apart, size in pairs])
    for week, part in amounts.items():
        if week >= 0:
            apart, size = distance(part, past["amount"])
            limit = max(0.05, stats.kstwobign.isf(alpha) * np.sqrt(phi / size))
            yield Check(
                week, "ks", "amount", "", apart, np.sqrt(phi * mean_square / size), np.nan, limit, apart > limit
            )


def check_months(customers: dict[pd.Timestamp, pd.DataFrame], cutoff: pd.Timestamp, fitted: set[str]) -> list[Check]:
    """Check features and predictions after the cutoff against the cutoff's.

    Args:
        customers: features that the log is long enough for and :data:`PREDICTED`, by instant before and after.
        cutoff: one of these instants.
        fitted: columns in which many customers have the same value.
    """
    checks: list[Check] = []
    for name in customers[cutoff]:
        values = {at: frame[name].to_numpy(float) for at, frame in customers.items()}
        known = values[cutoff][np.isfinite(values[cutoff])]
        if len(known) and known.min() < known.max():
            counts = {at: _histogram(one, known, name, fitted) for at, one in values.items()}
            checks += _check_instants("sight", name, counts, cutoff, _index)
        if name in PREDICTED:
            means: Figures = {at: one.mean() for at, one in values.items()}
            checks += _check_instants("level", name, means, cutoff, lambda now, then: abs(np.log(now / then)))
    return checks


def _check_instants(
    test: str, name: str, figures: Figures, cutoff: pd.Timestamp, distance: Callable[..., float]
) -> Iterator[Check]:
    def months(one: pd.Timestamp, other: pd.Timestamp) -> int:
        return max(1, round((one - other).days / 30.4))

    pairs = combinations(sorted((at for at in figures if at <= cutoff), reverse=True), 2)
    apart = [(months(*pair), distance(figures[pair[1]], figures[pair[0]])) for pair in pairs]
    farthest, then = max(gap for gap, _ in apart), figures[cutoff]
    for instant in (at for at in figures if at > cutoff):
        away, moved = months(instant, cutoff), distance(figures[instant], then)
        own = max(value for gap, value in apart if gap <= away) * max(1, away / farthest)
        limit = max(0.25, 3 * own)
        spread = (moved, own, np.nan, limit)
        if test == "level":
            spread = (figures[instant], then, then * np.exp(-limit), then * np.exp(limit))
        yield Check(away - 1, test, name, "", *spread, moved > limit)


def _histogram(values: np.ndarray, known: np.ndarray, name: str, fitted: set[str]) -> np.ndarray:
    """Return counts by decile of the cutoff's known values, of fitted ones smooth counts by power of 2."""
    finite = values[np.isfinite(values)]
    missing = [] if name in PREDICTED else [len(values) - len(finite)]
    if name not in (*PREDICTED, *fitted):
        ends = np.unique(np.quantile(known, np.arange(1, 10) / 10))
        return np.append(np.bincount(np.searchsorted(ends, finite), minlength=len(ends) + 1), missing)
    low, high = np.log2(np.quantile(known[known > 0], (0.02, 0.995)))
    powers = np.arange(np.floor(low), np.ceil(high) + 1)[-12:]
    place = np.clip(np.log2(np.maximum(finite, 2.0 ** powers[0])), powers[0], powers[-1])
    near = np.maximum(1 - np.abs(place[:, None] - powers), 0).sum(axis=0)
    smooth = np.convolve(np.pad(near, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    return np.append(np.round(smooth * len(finite) / smooth.sum()), missing)


def join_alerts(checks: Sequence[Check], cutoff: pd.Timestamp) -> set[Alert]:
    """Return one alert for each change in consecutive periods, without what another alert of the period includes."""
    beyond, runs = [one for one in checks if one.alert], {}
    for one in beyond:
        if not _is_included(one, [other for other in beyond if other.chunk == one.chunk and other is not one]):
            light, code, value = _code(one)
            runs.setdefault((light, code, "" if one.test == "psi" else value), {})[one.chunk] = value
    alerts = set()
    for (light, code, _), chunks in runs.items():
        step = (lambda n: pd.DateOffset(weeks=n)) if light == "data" else (lambda n: pd.DateOffset(months=n + 1))
        for first in (chunk for chunk in chunks if chunk - 1 not in chunks):
            last = next(chunk for chunk in range(first, first + len(chunks)) if chunk + 1 not in chunks)
            days = cutoff + step(first), cutoff + step(last + (light == "data"))
            alerts.add(Alert(light, code, chunks[last], *(f"{day:%Y-%m-%d}" for day in days)))
    return alerts


def _is_included(one: Check, others: Sequence[Check]) -> bool:
    found = {(other.test, other.subject, other.value) for other in others}
    values = {(subject, value) for test, subject, value in found if test in ("new", "lost")}
    returns = one.value == "return" and ("share", "returns", "") in found
    if one.test == "volume":
        return one.subject == "event_type" and (returns or ("event_type", one.value) in values)
    if one.test == "psi":
        of_type = one.subject == "event_type" and (returns or ("volume", "event_type", one.value) in found)
        return of_type or any(subject == one.subject for subject, _ in values)
    return one.test in ("ks", "sight") and ("level", one.subject, "") in found


def _code(one: Check) -> tuple[str, str, str]:
    """Return light, code and value."""
    side = "rose" if one.found > one.usual else "fell"
    short = {"predicted_clv": "predicted", "event_type": "events", "amount": "price_amount"}.get(
        one.subject, one.subject
    )
    if one.test == "sight" and one.subject not in PREDICTED:
        return "predictions", "features", ""
    if one.subject in PREDICTED:
        return "predictions", f"{short}_{'shape' if one.test == 'sight' else side}", ""
    if one.test in ("psi", "ks", "new", "lost"):
        return "data", f"{ {'psi': 'mix', 'ks': 'shape'}.get(one.test, one.test) }_{one.subject}", one.value
    return "data", f"{short.replace('missing:', 'gaps_')}_{side}", one.value


class PastErrors:
    """What one past origin says of sums: a posterior of the errors that customers share, by weighted draws.

    Args:
        past: ``p_purchase``, ``predicted_clv`` and ``actual`` of each customer at the origin.
    """

    def __init__(self, past: pd.DataFrame) -> None:
        random, predicted, actual = np.random.default_rng(7), past["predicted_clv"], past["actual"].clip(lower=0)
        squares = (predicted * actual.sum() / predicted.sum()) ** 2 / past["p_purchase"].clip(0.01, 1)
        self.dispersion, fifth = max(1.05, (actual**2).sum() / squares.sum()), _fifth(predicted)
        sums, luck = predicted.groupby(fifth).sum(), self._luck(past, fifth)
        misses = (np.log(np.maximum(past["actual"].groupby(fifth).sum() / sums, 0.05)) + luck / 2).to_numpy()
        scale = np.r_[0.1, 0.05 * np.maximum(1, 0.2 * sums.sum() / sums)]
        self.cauchy = np.abs(random.standard_cauchy((200_000, 7)))
        squared = np.minimum(scale * self.cauchy[:, :6], 2) ** 2
        self.level, self.own = squared[:, 0], squared[:, 1:]
        covariance = self.level[:, None, None] + np.eye(5) * (self.own + luck.to_numpy())[:, None, :]
        pull = np.linalg.solve(covariance, np.tile(misses[:, None], (len(squared), 1, 1)))[..., 0] @ misses
        self.fit = -0.5 * (np.linalg.slogdet(covariance)[1] + pull)

    def _luck(self, scored: pd.DataFrame, by: pd.Series) -> pd.Series:
        """Return the variance on the log scale that independent customers give to each group's sum."""
        variance = scored["predicted_clv"] ** 2 * (self.dispersion / scored["p_purchase"].clip(0.01, 1) - 1)
        return np.log1p(variance.groupby(by).sum() / scored["predicted_clv"].groupby(by).sum() ** 2)

    def chance(
        self, scored: pd.DataFrame, realized: float, share: float, parts: Sequence[tuple[float, float]]
    ) -> float:
        """Return the p-value of a realized sum.

        Args:
            scored: as of the cutoff, for the days that have passed.
            realized: what these customers spent in them.
            share: of the horizon's value that is expected in them.
            parts: log share of that in each past horizon, and its sampling variance.
        """
        total, luck = scored["predicted_clv"].sum(), self._luck(scored, pd.Series(0, scored.index)).iloc[0]
        shares = scored["predicted_clv"].groupby(_fifth(scored["predicted_clv"])).sum() / total
        part, fit = np.minimum(0.15 * (1 - share) * self.cauchy[:, 6], 2) ** 2, self.fit.copy()
        for log_share, noise in parts:
            fit -= 0.5 * (np.log(part + noise) + (log_share - np.log(share)) ** 2 / (part + noise))
        scale = np.sqrt(luck + self.level + self.own @ shares.to_numpy() ** 2 + part)
        off = abs(np.log(realized / total) + luck / 2)
        return float(np.average(2 * stats.norm.sf(off / scale), weights=np.exp(fit - fit.max())))


def _fifth(predicted: pd.Series) -> pd.Series:
    return np.ceil(5 * predicted.rank(pct=True) - 1e-9)


def spent(rows: pd.DataFrame, begin: pd.Timestamp, days: int) -> pd.Series:
    """Return the net value in so many days of each customer seen before them, 0 for those without any."""
    money = rows[rows["event_type"].isin(["purchase", "return"])]
    money = money[(money["event_time"] >= begin) & (money["event_time"] < begin + pd.Timedelta(days=days))]
    seen = rows.loc[rows["event_time"] < begin, "customer_id"].unique()
    return money.groupby("customer_id")["amount"].sum().reindex(seen, fill_value=0)


def past_parts(rows: pd.DataFrame, cutoff: pd.Timestamp, horizon_days: int, days: int) -> list[tuple[float, float]]:
    """Return the log share of so many days in each of up to four past horizons, and its sampling variance."""
    found, first = [], rows["event_time"].min().normalize() + pd.Timedelta(days=28)
    for begin in (cutoff - pd.Timedelta(days=horizon_days * number) for number in range(1, 5)):
        if begin >= first and ((whole := spent(rows, begin, horizon_days)) > 0).sum() >= 100:
            part, total = spent(rows, begin, days), whole.sum()
            sum_, squares = max(part.sum(), 0.002 * total), (part**2).sum()
            noise = squares / sum_**2 - 2 * (part * whole).sum() / (sum_ * total) + (whole**2).sum() / total**2
            found.append((float(np.log(sum_ / total)), float(noise)))
    return found


def became_narrow(now: pd.DataFrame, then: pd.DataFrame) -> bool:
    """Say whether intervals are too narrow, and surely more so than at the past origin; both with ``actual``."""
    (beyond, by), (above, side), over, pits, noise = _outcomes(now)
    (beyond_then, by_then), _, _, pits_then, noise_then = _outcomes(then)
    moved = abs(above) > max(0.15, 3 * side)
    if beyond > 1.35 and beyond - 1 > 3 * by:
        narrow = over >= 1 and not (moved and above > 0)
    else:
        far = np.abs(pits) > np.maximum([0.05, 0.1, 0.05], 3 * noise)
        narrow = not moved and not far[1] and bool((far[0] and pits[0] > 0) or (far[2] and pits[2] < 0))
    grown = np.r_[beyond - beyond_then, pits[0] - pits_then[0], pits_then[2] - pits[2]]
    sure = 3 * np.hypot(np.r_[by, noise[[0, 2]]], np.r_[by_then, noise_then[[0, 2]]])
    return narrow and bool((grown > sure).any())


def _outcomes(scored: pd.DataFrame) -> tuple:
    """Return who is beyond the 80% interval over who should be, above the middle, too high; and shares below marks."""
    actual, p = scored["actual"].to_numpy(float), scored["p_purchase"].to_numpy(float)
    low, middle, high = (scored[name].to_numpy(float) for name in ("clv_p10", "clv_p50", "clv_p90"))
    bought, slack = actual > 0, 1e-9 * np.maximum(1, np.abs(actual))
    some, sure, likely = (bought & (p > least) for least in (0.1, 0.9, 0.5))
    up, down, half = 0.1 / p, np.where(sure, 1 - 0.9 / p, 0), 0.5 / p[likely]

    def deviation(chances: np.ndarray) -> float:
        return np.sqrt((chances * (1 - chances)).sum())

    right, too_high = (up + down)[some].sum(), (some & (actual > high + slack)).sum()
    beyond = (too_high + (sure & (actual < low - slack)).sum()) / right
    above = (likely & (actual > middle + slack)).sum() / likely.sum() - half.mean()
    marks, ends = np.array([0.1, 0.5, 0.9]), np.stack([low, middle, high])
    below = np.where(bought, actual <= ends + slack, np.minimum(1, marks[:, None] / np.maximum(1 - p, 1e-9)))
    noise, side = np.sqrt(marks * (1 - marks) / len(p)), deviation(half) / likely.sum()
    by = deviation((up + down)[some]) / right
    return (beyond, by), (above, side), too_high / up[some].sum(), below.mean(axis=1) - marks, noise
