"""Where a figure differs from what was expected of it by more than chance: from which day on, and until when.

Every day the spans of 1 to 28 days that end on it are held against their spread (:mod:`.expectations`), of all figures.
One is told of where its score is beyond a quantile that all of them together pass :data:`FALSE_ALARMS` times a year by
chance; Student's, because the spread is itself known from so many spans only. Its first day is the one at which a
change is most likely, by the daily scores against a cohort that was made before (a change point by maximum likelihood);
it ends where the days since are so much more likely to be as expected than to go on. What lasts a quarter is how things
are: what came before is then taken at the new level.

Source: Siegmund, Venkatraman (1995), Using the generalized likelihood ratio statistic for sequential detection of a
change-point, Annals of Statistics 23.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.monitoring.business.expectations import AHEAD, LONG, QUARTER, SPANS, WATCHED_AFTER, YEAR, Expectations

Floats = NDArray[np.float64]

FALSE_ALARMS: Final = 0.5
"""A year, over all figures and spans together: half of what may be promised, since a shop is not as its past was."""
OVERLAP: Final = 3.0
"""Spans that end on every day are as many tests as so many times those that do not overlap; seen on quiet shops
(tests/bench/watch.py)."""
BACK_DAYS: Final = 14
"""A change may have begun so many days before the span that showed it."""
SURE_ENOUGH: Final = 6.0
"""Log likelihood by which an end must be the likelier: a 400th, for at most some hundred days on which to end."""
MOST_A_DAY: Final = 8.0
"""A day's score counts for at most so much where a change is dated: one wild day does not date all."""
SETTLED_DAYS: Final = QUARTER
"""What lasts so long is the new level; a guess."""
FAULT_SHARE: Final = 0.3
"""Less than this part of what was expected is no weak season; a guess."""
REFINED_DAYS: Final = 21
"""For so many days after it was told the first day may still move."""


@dataclass(eq=False)
class Episode:
    """Days on which a figure was not as expected.

    Args:
        series: place of the figure.
        cohort: against which it is held: made before it began.
        first: its first day.
        found: the day after which it was told.
        span: length of the span that told it.
        sign: 1 where more came than expected, -1 where less.
        last: its last day; None while it lasts.
        score: squared, of all of its days together.
        is_settled: whether it became the new level.
    """

    series: int
    cohort: int
    first: int
    found: int
    span: int
    sign: int
    last: int | None = None
    score: float = 0.0
    is_settled: bool = False


class Detector:
    """Goes through the days of a log in their order; what it says of a day depends on no later one.

    Args:
        expectations: of all figures, not made yet.
    """

    def __init__(self, expectations: Expectations) -> None:
        self.expectations = expectations
        self.episodes: list[Episode] = []
        self._open: dict[int, Episode] = {}
        self._limits: Floats = np.zeros((0, 0))

    def run(self) -> list[Episode]:
        """Return all episodes."""
        made = self.expectations
        for cohort in range(made.cohorts.shape[1]):
            made.make(cohort)
            self._limit(made.origin(cohort))
            for day in range(made.origin(cohort), min(made.origin(cohort) + 7, made.days)):
                made.look(day)
                self._follow(day)
                if day >= made.monday + WATCHED_AFTER:
                    self._tell(day)
        return self.episodes

    def _tell(self, day: int) -> None:
        """Open an episode for each figure whose spans are beyond chance."""
        made = self.expectations
        scores = np.stack([np.nan_to_num(made.scores[span][:, day]) for span in SPANS])
        beyond = np.abs(scores) / self._limits
        for series in np.flatnonzero(beyond.max(axis=0) > 1).tolist():
            if series in self._open or made.series[series].is_part:
                continue
            place = int(np.argmax(beyond[:, series]))
            span, gap = list(SPANS.items())[place]
            start = max(day - span + 1 - max(BACK_DAYS, gap), 0)
            start = max(start, int(made.fresh[series]))
            cohort = max(made.cohort_of(min(start, day)), 0)
            sign = int(np.sign(scores[place, series]))
            episode = Episode(series, cohort, day, day, span, sign)
            episode.first, _, episode.score = self._segment(episode, day)
            self._open[series] = episode
            self.episodes.append(episode)
            self._replace(episode, day)

    def _limit(self, day: int) -> None:
        """Say how large a score has to be from a day on, [spans, series]."""
        from scipy.special import stdtrit

        made = self.expectations
        tests = sum(not one.is_part for one in made.series) * 365.25 * OVERLAP * sum(1 / span for span in SPANS)
        chance = FALSE_ALARMS / tests / 2
        limits = []
        for span in SPANS:
            begin = max(day - (YEAR if span < LONG else 2 * YEAR), 0)
            seen = np.isfinite(made.since_fresh(span, begin, day)).sum(axis=1)
            limits.append(stdtrit(np.maximum(seen / span, 3.0), 1 - chance))
        self._limits = np.array(limits)

    def daily(self, series: int, cohort: int, stop: int) -> tuple[Floats, Floats]:
        """Return the score of each day from a cohort's first on, by what really came, and how much each day tells.

        A constant change has scores that grow with the root of the things that a day's figure is of.
        """
        made = self.expectations
        begin = made.origin(cohort)
        stop = min(stop, begin + AHEAD)
        expected = made.cohorts[series, cohort, : stop - begin] * made.per[series, begin:stop]
        off = made.off(made.actual[series, None, begin:stop], expected[None], np.array([series]))[0]
        chance = made.spreads[1][0][series]
        before = slice(max(begin - QUARTER, 0), begin)
        if made.ratios[series]:
            weight = made.per[series, begin:stop]
        elif made.money[series]:
            weight = expected * made.counted[series, before].sum() / max(made.clean[series, before].sum(), 1e-9)
        else:
            weight = expected
        scores = off / np.sqrt(chance / np.maximum(weight, 1e-9))
        tells = np.sqrt(np.maximum(weight, 0.0) / max(float(weight.mean()), 1e-9))
        return np.where(weight > 0, np.clip(np.nan_to_num(scores), -MOST_A_DAY, MOST_A_DAY), 0.0), tells

    def _segment(self, episode: Episode, day: int) -> tuple[int, int, float]:
        """Return the first and the last day of a change, as most likely up to a day, and its score.

        It has a part of the span that told it; days of earlier episodes of the figure are none of it.
        """
        begin = self.expectations.origin(episode.cohort)
        scores, tells = self.daily(episode.series, episode.cohort, day + 1)
        for other in self.episodes:
            if other.series == episode.series and other is not episode and other.last is not None:
                scores[max(other.first - begin, 0) : max(other.last + 1 - begin, 0)] = 0.0
        sums, told = (np.append(0.0, np.cumsum(each)) for each in (episode.sign * scores * tells, tells**2))
        start, stop = np.triu_indices(len(sums), 1)
        total, amount = sums[stop] - sums[start], told[stop] - told[start]
        fits = (start <= episode.found - begin) & (stop > episode.found - episode.span + 1 - begin)
        likely = np.where(fits & (total > 0), total**2 / np.maximum(amount, 1e-9), -1.0)
        best = int(np.argmax(likely))
        return begin + int(start[best]), begin + int(stop[best]) - 1, float(likely[best])

    def _follow(self, day: int) -> None:
        """Carry the open episodes on by a day, and end those that are over."""
        made = self.expectations
        for series, episode in list(self._open.items()):
            for span in SPANS:
                made.residuals[span][series, day] = made.scores[span][series, day] = np.nan
            if day - episode.first >= SETTLED_DAYS:
                self._settle(episode, day)
                continue
            first, last, score = self._segment(episode, day)
            if day - episode.found > REFINED_DAYS:
                first = episode.first
            self._restore(series, min(first, episode.first), day + 1)
            episode.first, episode.score = first, score
            if last < day and last >= first and self._is_over(episode, last, day):
                episode.last = last
                self._replace(episode, last)
                if not self._is_fault(episode):
                    days = slice(first, last + 1)
                    made.seasons[series, days] = np.maximum(made.actual[series, days], 0.0)
                del self._open[series]
            else:
                self._replace(episode, day)

    def _is_over(self, episode: Episode, last: int, day: int) -> bool:
        """Say whether the days since are as expected rather than like the days before."""
        begin = self.expectations.origin(episode.cohort)
        scores, tells = self.daily(episode.series, episode.cohort, day + 1)
        then, since = slice(episode.first - begin, last + 1 - begin), slice(last + 1 - begin, None)
        pull = episode.sign * scores * tells
        change = pull[then].sum() / max(float((tells[then] ** 2).sum()), 1e-9)
        left, amount = pull[since].sum(), float((tells[since] ** 2).sum())
        likelier = change**2 / 2 * amount - change * left
        return likelier > SURE_ENOUGH or (day - last >= BACK_DAYS and left < change / 2 * amount)

    def _restore(self, series: int, first: int, stop: int) -> None:
        """Let days count as they came."""
        made = self.expectations
        for daily in (made.clean, made.seasons):
            daily[series, first:stop] = np.maximum(made.actual[series, first:stop], 0.0)

    def _is_fault(self, episode: Episode) -> bool:
        """Say whether what was over cannot come again with the season: hardly anything came, or the rows were wrong."""
        made, last = self.expectations, episode.last or episode.first
        if made.ratios[episode.series]:
            return True
        if made.share(episode.series, episode.cohort, episode.first, last + 1) < FAULT_SHARE:
            return True
        ratios = [other for other in self.episodes if made.ratios[other.series]]
        return any(other.first <= last and (other.last or last) >= episode.first for other in ratios)

    def _replace(self, episode: Episode, last: int) -> None:
        """Let the days of an episode count as what was expected of them."""
        made, series = self.expectations, episode.series
        begin = made.origin(episode.cohort)
        stop = min(last + 1, begin + AHEAD)
        first = episode.first
        expected = made.cohorts[series, episode.cohort, first - begin : stop - begin] * made.per[series, first:stop]
        made.clean[series, first:stop] = made.seasons[series, first:stop] = expected
        for span in SPANS:  # none of these days speaks for how far off expectations are
            made.residuals[span][series, first : last + 1] = made.scores[span][series, first : last + 1] = np.nan

    def _settle(self, episode: Episode, day: int) -> None:
        """Take what lasts for the new level: what came before counts as it would have come at that level."""
        made, series = self.expectations, episode.series
        level = max(made.share(series, episode.cohort, max(day - 27, episode.first), day + 1), 1e-3)
        made.levels[series, : episode.first] *= level
        self._restore(series, episode.first, day + 1)
        made.fresh[series] = day + 1
        episode.is_settled = True
        del self._open[series]
