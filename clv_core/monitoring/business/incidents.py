"""What happened, told from the figures that were not as expected at about the same time, and what it cost.

Figures that change together are one incident. What it is, is decided by what all figures did on its days, in this
order: hardly any event of any kind is an outage; more lines a buyer is something counted twice; another amount of a
usual purchase is a step of prices; a kind of event, or a channel, of which hardly anything is left while the others go
on is missing or lost; fewer customers or orders are fewer buyers. The rest is named by its figure.

Its size is revenue: what came less what the cohort before it expected. Rows counted twice and prices are measured by
their own ratio, of what came on these days: that is known far better than how many would have come. The interval is how
far off cohorts were over as many days on past dates; Student's, because these are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.monitoring.business.daily_figures import (
    ACTIVE,
    CUSTOMERS,
    EVENTS,
    MONEY,
    NEW,
    ORDERS,
    RETURNING,
    REVENUE,
    DailyFigures,
)
from clv_core.monitoring.business.detector import SETTLED_DAYS, Episode
from clv_core.monitoring.business.expectations import (
    AHEAD,
    LINES_PER_BUYER,
    PRICE,
    YEAR,
    Expectations,
    mean_square,
)
from clv_core.monitoring.business.findings import (
    CHANNEL_LOST,
    CHANNEL_NEW,
    DOUBLED,
    EVENTS_MISSING,
    FEWER,
    FEWER_BUYERS,
    MORE,
    OUTAGE,
    PRICE_STEP,
    Finding,
)
from clv_core.strategy.forecast import WEEK

Floats = NDArray[np.float64]

TOGETHER_DAYS: Final = 14
"""Figures that begin to differ within so many days are one incident: so far may a first day be off of a weak change."""
AFTER_DAYS: Final = 28
"""Who was not seen in an outage is first seen after it: so long the figures of new customers are its echo. A guess."""
HARDLY: Final = 0.3
"""At most this part of what was expected is hardly any; a guess."""
GOES_ON: Final = 0.6
"""At least this part of what was expected goes on; a guess."""
TWICE: Final = 1.4
"""So many lines a buyer against the usual are rows counted twice: a part of a month twice is less than 2; a guess."""
NEW_AFTER: Final = 91
"""A channel is new that no customer of the quarter before came through."""
NEW_WITHIN: Final = 28
NEW_CUSTOMERS, NEW_SHARE = 20, 0.02
"""Customers within so many days, and their share of all, that make a name a channel and no slip of the pen. Guesses."""
INSIDE: Final = 0.8
"""Of sizes, the share that an interval holds."""


@dataclass(eq=False)
class Incident:
    """Figures that were not as expected at the same time.

    Args:
        first: its first day.
        last: its last; None while it lasts.
        found: the day after which it was told.
        episodes: of the figures.
        channel: of a new channel its name.
    """

    first: int
    last: int | None
    found: int
    episodes: list[Episode] = field(default_factory=list)
    channel: str = ""

    @property
    def key(self) -> Episode:
        """The episode that shows it best."""
        return max(self.episodes, key=lambda episode: episode.score)

    def is_near(self, episode: Episode) -> bool:
        """Say whether an episode began about when it did, and before it was over."""
        last = self.first if self.last is None else max(self.last, self.first)
        over = self.last is not None and episode.first > last + 1
        return abs(episode.first - self.first) <= TOGETHER_DAYS and not over


def find(figures: DailyFigures, made: Expectations, episodes: Sequence[Episode], currency: str) -> list[Finding]:
    """Return what happened, what cost most first, of what cost nothing known the latest first.

    Args:
        figures: what came by day.
        made: what was expected of it.
        episodes: where that differs.
        currency: of the log.
    """
    told = [_Told(figures, made, incident, currency).finding() for incident in incidents(figures, made, episodes)]
    return sorted(told, key=lambda found: (-abs(found.size) if found.has_money else 0.0, -found.first_day.toordinal()))


def incidents(figures: DailyFigures, made: Expectations, episodes: Sequence[Episode]) -> list[Incident]:
    """Return the incidents in the order of their first days."""
    found = new_channels(figures, made)
    for episode in sorted(episodes, key=lambda one: (-one.score, one.first)):
        near = [one for one in found if _belongs(made, episode, one)]
        if near:
            near[0].episodes.append(episode)
            near[0].found = min(near[0].found, episode.found)
        else:
            found.append(Incident(episode.first, episode.last, episode.found, [episode]))
    return sorted(found, key=lambda one: one.first)


def _belongs(made: Expectations, episode: Episode, incident: Incident) -> bool:
    """Say whether an episode is part of an incident, its echo, or a weaker sign of what still lasts."""
    name = made.series[episode.series].name
    if incident.channel:
        fits = name == CUSTOMERS + incident.channel or (name.startswith(CUSTOMERS) and episode.sign < 0)
        return fits and episode.first >= incident.first - TOGETHER_DAYS
    if incident.is_near(episode):
        return True
    end = made.days if incident.last is None else incident.last
    if episode.first > end:
        return name in (NEW, RETURNING) and episode.first <= end + AFTER_DAYS
    if incident.first > episode.first or episode.sign != incident.key.sign or made.ratios[episode.series]:
        return False
    stop = made.days if episode.last is None else episode.last + 1
    return made.share(episode.series, episode.cohort, episode.first, stop) > HARDLY


def new_channels(figures: DailyFigures, made: Expectations) -> list[Incident]:
    """Return an incident for each channel that a quarter knew nothing of, and that soon brought its part."""
    found = []
    active = figures.values[ACTIVE]
    for channel in figures.named(CUSTOMERS):
        daily = figures.values[CUSTOMERS + channel]
        first = int(np.flatnonzero(daily)[0]) if daily.any() else 0
        if first < max(NEW_AFTER, made.monday + 2 * NEW_AFTER):
            continue
        came, of = (np.cumsum(values[first : first + NEW_WITHIN]) for values in (daily, active))
        enough = np.flatnonzero((came >= NEW_CUSTOMERS) & (came >= NEW_SHARE * of))
        if len(enough):
            found.append(Incident(first, None, first + int(enough[0]), channel=channel))
    return found


class _Told:
    """An incident, and what all figures did on its days.

    Args:
        figures: what came by day.
        made: what was expected of it.
        incident: what is told.
        currency: of the log.
    """

    def __init__(self, figures: DailyFigures, made: Expectations, incident: Incident, currency: str) -> None:
        self.figures, self.made, self.incident, self.currency = figures, made, incident, currency
        self.place = {one.name: place for place, one in enumerate(made.series)}
        self.names = [made.series[episode.series].name for episode in incident.episodes]
        if incident.episodes and not incident.channel:
            key = incident.key
            incident.first, incident.last = key.first, key.last
        self.first = incident.first
        self.stop = made.days if incident.last is None else incident.last + 1
        if not incident.channel and incident.key.is_settled:
            self.stop = min(self.stop, self.first + SETTLED_DAYS)
        self.cohort = max(made.cohort_of(self.first), 0)

    def finding(self) -> Finding:
        """Return what happened."""
        kind, series, facts = self._kind()
        size, low, high = self._size(kind, facts)
        start = self.figures.start
        last = self.incident.last
        return Finding(
            kind=kind,
            series=series,
            first_day=start + timedelta(days=self.first),
            last_day=None if last is None else start + timedelta(days=last),
            found_on=start + timedelta(days=self.incident.found),
            size=size,
            low=low,
            high=high,
            days=self.stop - self.first,
            currency=self.currency,
            facts=facts,
        )

    def _kind(self) -> tuple[str, str, dict[str, float | str]]:
        """Return the kind, the figure and the facts."""
        incident, key = self.incident, self.names[0] if self.names else ""
        if incident.channel:
            share = self.figures.values[CUSTOMERS + incident.channel][self.first :].sum()
            share /= max(self.figures.values[ACTIVE][self.first :].sum(), 1.0)
            return (
                CHANNEL_NEW,
                CUSTOMERS + incident.channel,
                {"name": incident.channel, "share": round(float(share), 4)},
            )
        kinds = {name: self.share(name) for name in self.place if name.startswith(EVENTS)}
        if all(share <= HARDLY for share in (*kinds.values(), self.share(ACTIVE))):
            return OUTAGE, ACTIVE if ACTIVE in self.place else key, {}
        twice = self.share(LINES_PER_BUYER)
        if LINES_PER_BUYER in self.names and twice >= TWICE:
            return DOUBLED, LINES_PER_BUYER, {"share": round(twice, 4)}
        if PRICE in self.names:
            return PRICE_STEP, PRICE, {"factor": round(self.share(PRICE), 4)}
        goes_on = max(kinds.values(), default=0.0) >= GOES_ON
        for name in sorted(kinds, key=lambda name: kinds[name]):
            if kinds[name] <= HARDLY and goes_on and name in self.names:
                return EVENTS_MISSING, name, {"name": name.removeprefix(EVENTS)}
        for name in self.names:
            if name.startswith(CUSTOMERS) and self.share(name) <= HARDLY:
                return CHANNEL_LOST, name, {"name": name.removeprefix(CUSTOMERS), "share": round(self.share(name), 4)}
        of_buyers = [name for name in self.names if name in (ACTIVE, RETURNING, ORDERS)]
        share = self.share(key)
        if of_buyers and incident.key.sign < 0:
            return FEWER_BUYERS, of_buyers[0], {"share": round(self.share(of_buyers[0]), 4)}
        facts: dict[str, float | str] = {"share": round(share, 4)}
        if ":" in key:
            facts["name"] = key.partition(":")[2]
        return (MORE if incident.key.sign > 0 else FEWER), key, facts

    def share(self, name: str) -> float:
        """Return what came of a figure on the incident's days, as a share of what was expected of it."""
        if name not in self.place:
            return 1.0 if name in (PRICE, LINES_PER_BUYER) else nan
        place = self.place[name]
        expected = self.expected(place, self.first, self.stop)
        return float(self.made.actual[place, self.first : self.stop].sum() / max(expected.sum(), 1e-9))

    def expected(self, place: int, first: int, stop: int) -> Floats:
        """Return what was expected of each day: by the cohort before the incident, beyond its end by later ones."""
        made, pieces, cohort = self.made, [], self.cohort
        while first < stop:
            begin = made.origin(cohort)
            until = min(stop, begin + AHEAD)
            daily = made.cohorts[place, cohort, first - begin : until - begin] * made.per[place, first:until]
            pieces.append(daily)
            first = until
            cohort = made.cohort_of(first)
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def _size(self, kind: str, facts: dict[str, float | str]) -> tuple[float, float, float]:
        """Return the revenue beyond what was expected, and the ends of its interval; NaN where it is not known."""
        unknown = nan, nan, nan
        if kind in (DOUBLED, PRICE_STEP):
            return self._size_by_ratio(LINES_PER_BUYER if kind == DOUBLED else PRICE)
        if kind == CHANNEL_NEW or REVENUE not in self.place:
            return unknown
        if kind in (EVENTS_MISSING, FEWER, MORE) and not {REVENUE, ORDERS, EVENTS + "purchase"} & set(self.names):
            return unknown
        name = MONEY + str(facts["name"]) if kind == CHANNEL_LOST else REVENUE
        if name not in self.place:
            return unknown
        place = self.place[name]
        expected = float(self.expected(place, self.first, self.stop).sum())
        came = float(self.made.actual[place, self.first : self.stop].sum())
        low, high = (came - expected * self.made.ratio(place, off) for off in self._ends(place))
        return came - expected, low, high

    def _size_by_ratio(self, name: str) -> tuple[float, float, float]:
        """Return how much of the revenue that came a ratio beyond what was expected of it made."""
        revenue = float(self.figures.values[REVENUE][self.first : self.stop].sum())
        factor, place = self.share(name), self.place[name]
        usual = [self.made.ratio(place, off) for off in (0.0, *self._ends(place))]
        size, *ends = (revenue * (1 - one / max(factor, 1e-9)) for one in usual)
        return size, min(ends), max(ends)

    def _ends(self, place: int) -> tuple[float, float]:
        """Return how far off, up and down, a cohort is over so many days, with the interval's probability."""
        from scipy.special import stdtrit

        made, lead = self.made, self.first - self.made.origin(self.cohort)
        length = min(self.stop - self.first, AHEAD - lead)
        longer = sqrt((self.stop - self.first) / max(length, 1))  # beyond a cohort's end errors grow like a random walk
        past = []
        for cohort in range(self.cohort):
            first = made.origin(cohort) + lead
            if first < self.first - 2 * YEAR or first + length > self.first:
                continue
            expected = made.expected(cohort, first, first + length)[place].sum()
            if expected > 0:
                came = made.clean[place, first : first + length].sum()
                past.append(float(made.off(np.array([came]), np.array([expected]), np.array([place]))[0]))
        if len(past) < WEEK:
            return nan, nan
        spread = sqrt(float(mean_square(np.array(past)[None])[0]))
        freedom = max(len(past) * WEEK / max(length, WEEK), 2.0)
        off = float(stdtrit(freedom, (1 + INSIDE) / 2)) * spread * longer
        return off, -off
