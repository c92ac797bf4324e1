"""What was expected of each figure on each day, as of which week, and how far off such expectations usually are.

Each Monday every figure is expected anew for half a year, by Forecast's function by day and from data before that
day: a cohort a week. A span of days is held against the newest cohort made before it began, so no day of a span is
expected from a part of it. Days found to be trouble count as what was expected of them, so that what is expected later
does not get used to trouble.

What came and what was expected are compared on the root scale, ``2 (sqrt(came / expected) - 1)``: for small differences
the logarithm of their ratio, and near symmetric also where few came (Anscombe 1948); amounts, geometric means, by
the logarithm itself. The variance of that is chance, which shrinks with what is expected, and error of the
expectation, which does not. Both are read from the figure's own past, spans of the same length among themselves, so
that what makes neighbouring days alike is in it; the widest of several quantiles counts, so that heavy tails are in it
too. Where the same weeks of last year were further off than that, the band is wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.monitoring.business.daily_figures import (
    ACTIVE,
    BUYERS,
    CUSTOMERS,
    EVENTS,
    LINES,
    MONEY,
    NEW,
    ORDERS,
    RETURNING,
    REVENUE,
    TYPICAL,
    DailyFigures,
)
from clv_core.strategy.forecast import WEEK, days_ahead

Floats = NDArray[np.float64]

PRICE, LINES_PER_BUYER = "price", "lines_per_buyer"
RATIOS: Final = {PRICE: (TYPICAL, LINES), LINES_PER_BUYER: (LINES, BUYERS)}
"""Figures that are a quotient: of them only the quotient is expected, and what it is of is taken as it came."""
QUARTER: Final = 13 * WEEK
AHEAD: Final = 2 * QUARTER
"""Days of a cohort: what began before the span that showed it can still be followed for a quarter."""
SPANS: Final = {1: 0, 3: 0, 7: 0, 14: 28, 28: 56}
"""Lengths of the spans that are looked at, and how long before them their cohort was made, at least, in days: a slow
change has a part in the weeks before a span, too."""
LONG: Final = 14
"""How far off spans of so many days are is read from two years: one has too few of them. A guess."""
FIRST_COHORT: Final = QUARTER
"""Days of a log before its first cohort: a quarter."""
WATCHED_AFTER: Final = 2 * QUARTER
"""Days before anything is told: as many again, from which is read how far off cohorts are."""
YEAR: Final = 52 * WEEK
SEASON_DAYS: Final = 21
"""Days around the same day of last year that speak for the season's band; a guess."""
SEASON_PRIOR: Final = 4.0
"""How many spans the past year weighs against those around last year's day; a guess."""
QUANTILES: Final = ((0.68, 0.9945), (0.90, 1.6449), (0.98, 2.3263))
"""Shares of spans, and how far off that share is at most where the spread is 1 and the law is normal."""
SMALLEST: Final = 1e-4
"""The least ratio of which a logarithm is taken."""
MOST_CHANNELS: Final = 6
FEWEST_A_DAY: Final = 1.0
"""A figure that comes less often than that on a mean day is not watched; a guess."""
FEWEST_IN_SPAN: Final = 5.0
"""Spans of which less is expected are not looked at: below it the root scale is not near a normal law."""


@dataclass(eq=False)
class Series:
    """A watched figure.

    Args:
        name: see :class:`~clv_core.monitoring.business.watched_business.Course`.
        actual: what came on each day; of a ratio, its numerator, [days].
        per: of a ratio what it is of, [days]; else None.
        count: how many things a day's figure is of: itself, of money the orders, [days].
        since: first day of it.
    """

    name: str
    actual: Floats
    per: Floats | None
    count: Floats
    since: int = 0

    @classmethod
    def of(cls, figures: DailyFigures, name: str) -> Series:
        """Return the figure of a name."""
        values = figures.values
        if name in RATIOS:
            over, per = (values[part] for part in RATIOS[name])
            return cls(name, over, per, per)
        actual = values[name]
        seen = np.flatnonzero(actual)
        count = actual
        if name == REVENUE:
            count = values[ORDERS]
        elif name.startswith(MONEY):
            count = values[CUSTOMERS + name.removeprefix(MONEY)]
        return cls(name, actual, None, count, int(seen[0]) if len(seen) else figures.days)

    @property
    def is_money(self) -> bool:
        """Whether it is revenue."""
        return self.name == REVENUE or self.is_part

    @property
    def is_part(self) -> bool:
        """Whether it is a channel's revenue, which only says what the loss of the channel cost."""
        return self.name.startswith(MONEY)


def watched(figures: DailyFigures) -> tuple[list[Series], list[str], list[str]]:
    """Return the figures that are watched, the names of those that are too rare, and the channels left out."""
    names = [REVENUE, ORDERS, ACTIVE, NEW, RETURNING, *(EVENTS + kind for kind in figures.named(EVENTS)), *RATIOS]
    channels = figures.named(CUSTOMERS)
    names += [prefix + channel for channel in channels[:MOST_CHANNELS] for prefix in (CUSTOMERS, MONEY)]
    series, rare = [], []
    for name in names:
        one = Series.of(figures, name)
        length = min(YEAR, figures.days - one.since)
        often = one.count[-length:].mean() >= FEWEST_A_DAY if length > 0 else False
        if often or one.count[one.since :].mean() >= FEWEST_A_DAY:
            series.append(one)
        elif name not in RATIOS and not one.is_part:
            rare.append(name)
    return series, rare, list(channels[MOST_CHANNELS:])


@dataclass(eq=False)
class Expectations:
    """Cohorts of expectations of several figures, made one week after the other.

    Args:
        series: the figures.
        monday: first day that is a Monday.
        clean: what came, on days of trouble what was expected, [series, days].
        seasons: the same, with those days of trouble that may come again next year as they were.
        cohorts: what each cohort expects, [series, cohorts, AHEAD]; of a ratio, the quotient.
        residuals: by length of span, how far off the span that ends on a day was, [series, days]; NaN: not looked at.
        scores: the same against its spread, [series, days].
        bands: spread of a single day, [series, days].
        levels: factor by which a day counts at today's level, [series, days].
        fresh: day from which on cohorts know a figure's new level, [series].
        spreads: by length of span, chance and error as they are read now, [series] each.
    """

    series: Sequence[Series]
    monday: int
    clean: Floats = field(init=False)
    cohorts: Floats = field(init=False)
    residuals: dict[int, Floats] = field(init=False)
    scores: dict[int, Floats] = field(init=False)
    bands: Floats = field(init=False)
    levels: Floats = field(init=False)
    fresh: NDArray[np.int64] = field(init=False)
    spreads: dict[int, tuple[Floats, Floats]] = field(init=False)

    def __post_init__(self) -> None:
        """Make room."""
        self.actual = np.stack([one.actual for one in self.series])
        self.clean = np.maximum(self.actual, 0.0)
        self.seasons = self.clean.copy()
        count, self.days = self.clean.shape
        self.per = np.stack([np.ones(self.days) if one.per is None else one.per for one in self.series])
        self.counted = np.stack([one.count for one in self.series])
        self.ratios = np.array([one.per is not None for one in self.series])
        self.logs = np.array([one.name == PRICE for one in self.series])
        self.money = np.array([one.is_money for one in self.series])
        self.offset = np.array([0.0 if one.is_money else 0.375 for one in self.series])
        self.cohorts = np.full((count, max(self.cohort_of(self.days - 1) + 1, 0), AHEAD), np.nan)
        self.residuals = {span: np.full((count, self.days), np.nan) for span in SPANS}
        self.scores = {span: np.full((count, self.days), np.nan) for span in SPANS}
        self.levels = np.ones((count, self.days))
        self.fresh = np.zeros(count, np.int64)
        self.bands = np.full((count, self.days), np.nan)
        self.spreads = {span: (np.full(count, np.nan), np.full(count, np.nan)) for span in SPANS}

    def origin(self, cohort: int) -> int:
        """Return the first day of a cohort."""
        return self.monday + FIRST_COHORT + cohort * WEEK

    def cohort_of(self, day: int) -> int:
        """Return the newest cohort that was made before a day began."""
        return (day - self.monday - FIRST_COHORT) // WEEK

    def make(self, cohort: int) -> None:
        """Make a cohort, and read anew how far off the ones before it were."""
        origin = self.origin(cohort)
        days = slice(self.monday, origin)
        past, seasons = (self._quotients(daily[:, days] * self.levels[:, days]) for daily in (self.clean, self.seasons))
        self.cohorts[:, cohort] = days_ahead(past, AHEAD, seasons)
        self._read_spreads(origin)

    def _quotients(self, past: Floats) -> Floats:
        """Return each day's figure; of a ratio, the quotient of its week."""
        past = past.copy()
        if self.ratios.any():
            per = self.per[self.ratios, self.monday : self.monday + past.shape[1]]
            weeks = past[self.ratios].reshape(len(per), -1, WEEK).sum(axis=2)
            of = per.reshape(len(per), -1, WEEK).sum(axis=2)
            usual = weeks.sum(axis=1, keepdims=True) / np.maximum(of.sum(axis=1, keepdims=True), 1e-9)
            past[self.ratios] = np.repeat(np.where(of > 0, weeks / np.maximum(of, 1e-9), usual), WEEK, axis=1)
        return past

    def expected(self, cohort: int, first: int, stop: int) -> Floats:
        """Return what a cohort expects of each day of a span, [series, days]; of a ratio, of the numerator."""
        begin = self.origin(cohort)
        return self.cohorts[:, cohort, first - begin : stop - begin] * self.per[:, first:stop]

    def share(self, series: int, cohort: int, first: int, stop: int) -> float:
        """Return what came of a figure in a span, up to the cohort's end, as a share of what was expected."""
        stop = min(stop, self.origin(cohort) + AHEAD)
        expected = self.expected(cohort, first, stop)[series].sum()
        return float(self.actual[series, first:stop].sum() / max(expected, 1e-9))

    def look(self, day: int) -> None:
        """Compare the spans that end on a day with what was expected of them."""
        for span, gap in SPANS.items():
            first = day - span + 1
            cohort = self.cohort_of(first - gap)
            if cohort < 0:
                continue
            expected = self.expected(cohort, first, day + 1).sum(axis=1)
            came = self.clean[:, first : day + 1].sum(axis=1)
            weight = self.weight(expected, first, day + 1)
            off = self.off(came, expected)
            spread = np.sqrt(self.variance(span, day, weight))
            if span == 1:
                self.bands[:, day] = spread
            off[(weight < FEWEST_IN_SPAN) | (self.fresh > self.origin(cohort))] = np.nan
            self.residuals[span][:, day] = off
            self.scores[span][:, day] = off / spread

    def weight(self, expected: Floats, first: int, stop: int) -> Floats:
        """Return how many things what is expected of a span is of, [series]: chance shrinks with that."""
        before = slice(max(first - QUARTER, 0), first)
        each = self.counted[:, before].sum(axis=1) / np.maximum(self.clean[:, before].sum(axis=1), 1e-9)
        weight: Floats = np.where(self.money, expected * each, expected)
        of_ratios: Floats = np.where(self.ratios, self.per[:, first:stop].sum(axis=1), weight)
        return of_ratios

    def off(self, came: Floats, expected: Floats, places: NDArray[np.int64] | None = None) -> Floats:
        """Return how far what came was from what was expected, on the figures' scales.

        Args:
            came: of each figure, [figures, ...].
            expected: the same.
            places: of the figures; None: all.
        """
        every = np.arange(len(self.series)) if places is None else places
        shape = (-1, *(1,) * (came.ndim - 1))
        offset, logs = self.offset[every].reshape(shape), self.logs[every].reshape(shape)
        ratio = (np.maximum(came, 0.0) + offset) / np.maximum(expected + offset, 1e-9)
        off: Floats = np.where(logs, np.log(np.maximum(ratio, SMALLEST)), 2 * (np.sqrt(ratio) - 1))
        return off

    def ratio(self, place: int, off: float) -> float:
        """Return what share of what was expected of a figure is so far off."""
        return float(np.exp(off) if self.logs[place] else max(1 + off / 2, 0.0) ** 2)

    def variance(self, span: int, day: int, weight: Floats) -> Floats:
        """Return the variance of how far off a span that ends on a day is, [series]."""
        chance, error = self.spreads[span]
        variance = error + chance / np.maximum(weight, 1e-9)
        around = self.scores[span][:, max(day - YEAR - SEASON_DAYS, 0) : max(day - YEAR + SEASON_DAYS + 1, 0)]
        there = np.isfinite(around)
        spans = there.sum(axis=1) / span
        squares = np.where(there, np.minimum(np.abs(np.nan_to_num(around)), 5.0) ** 2, 0.0).sum(axis=1) / span
        wider: Floats = np.maximum((SEASON_PRIOR + squares) / (SEASON_PRIOR + spans), 1.0)
        return variance * wider

    def _read_spreads(self, origin: int) -> None:
        """Read chance and error of expectations from the past year."""
        start = max(origin - YEAR, 0)
        weight = self.weight(self.clean[:, start:origin].mean(axis=1), origin, origin)
        weight[self.ratios] = self.per[self.ratios, start:origin].mean(axis=1)
        weight = np.maximum(weight, 1e-9)
        chance = mean_square(self.since_fresh(1, start, origin)) * weight
        self.spreads[1] = (chance, np.zeros(len(self.series)))
        for span in list(SPANS)[1:]:
            begin = start if span < LONG else max(start - YEAR, 0)
            whole = mean_square(self.since_fresh(span, begin, origin), QUANTILES if span < LONG else QUANTILES[:2])
            self.spreads[span] = (chance, np.maximum(whole - chance / (span * weight), 0.0))

    def since_fresh(self, span: int, start: int, stop: int) -> Floats:
        """Return how far off spans were, since a figure came to its level."""
        old = np.arange(start, stop) < self.fresh[:, None]
        return np.where(old, np.nan, self.residuals[span][:, start:stop])


def mean_square(values: Floats, quantiles: Sequence[tuple[float, float]] = QUANTILES) -> Floats:
    """Return the mean square that the widest of three quantiles of sizes says, of each row without its NaN."""
    ordered = np.sort(np.abs(values), axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    widest = np.zeros(len(values))
    for share, normal in quantiles:
        at = ordered[rows, np.ceil(share * np.maximum(count - 1, 0)).astype(int)]
        widest = np.fmax(widest, at / normal)
    return np.where(count >= WEEK, widest**2, np.nan)
