"""Treatment effects: what an offer brought, by customers who got it and customers who did not.

The effect is the difference of mean outcomes of both groups. A prediction made before the experiment explains much of
the outcome whoever gets the offer, and is taken off first (CUPED): y - theta (x - mean x), theta = cov(y, x) / var(x),
both within the groups. The mean difference stays unbiased for any theta, its variance falls by the squared correlation.

Welch's standard error takes each group's variance from the group itself. A small group of skewed amounts misses the
rare large ones most of the time: its mean then comes out too low and its error too small at once, and intervals hold
the true effect too rarely. The pooled standard error includes the large amounts of the larger group, but is wrong where
the offer changes the variance. So Welch's is raised towards the pooled one as far as each group's own variance may be
too small by chance: by two standard errors of a variance, sqrt((kurtosis - 1) / n), the kurtosis over both groups. It
is never below Welch's, and is Welch's for groups of the same size. Where the larger group is the one that got the
offer, as in a campaign, it may be lowered towards the pooled one as well (``lowered``): what the offer does to the
variance is in the pooled one then, and a small control group that happens to hold a large amount says little.

Sources: Deng, Xu, Kohavi, Walker (2013), Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data, section 3; Welch (1947), The generalization of Student's problem; Boos and Brownie (2004),
Comparing variances and other measures of dispersion (the standard error of a variance); Cochran (1977), Sampling
techniques, section 2.15 (25 times the squared skewness).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from clv_core.errors import Message, NotEnoughData

Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.9
"""Level of the intervals: a lower end above 0 is a one-sided test at 5%."""
MIN_GROUP_SIZE: Final = 30
"""Customers that each group needs, of a tier too: a rule of thumb, of which :data:`COCHRAN` warns."""
BALANCE_P_VALUE: Final = 0.01
"""A difference before the experiment that is less likely than this is warned of: 1 in 100 fair draws."""
TIERS_P_VALUE: Final = 0.05
"""Tiers whose effects differ as much as theirs only with this probability have effects of their own."""
VARIANCE_ERRORS: Final = 2.0
"""Standard errors of a variance that it may be too small by."""
COCHRAN: Final = 25.0
"""Customers for each unit of squared skewness, from which on the normal approximation of a mean is good."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Difference of mean outcomes, treated less control; arrays where several experiments were given.

    Args:
        effect: per customer, in the unit of the outcome.
        low: lower end of its 90% interval.
        high: upper end.
        kept: share of the variance that CUPED leaves, 0 to about 1; 1 without it.
        p_value: of no difference, two-sided.
        skewness: of the outcomes within the treated and the control group, after CUPED, [..., 2].
        error: standard error of the effect.
        freedom: its degrees of freedom.
    """

    effect: Floats
    low: Floats
    high: Floats
    kept: Floats
    p_value: Floats
    skewness: Floats
    error: Floats
    freedom: Floats

    def interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Return both ends of an interval of another level, 0 to 1."""
        half = scipy.stats.t.ppf((1 + confidence) / 2, self.freedom) * self.error
        return self.effect - half, self.effect + half


def difference(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, before: npt.ArrayLike | None = None, *, lowered: bool = False
) -> Difference:
    """Return the effect of an experiment, or of many at once.

    Args:
        outcome: after the offer, [..., n].
        treated: who got it, bool, [..., n]; each group with two customers at least.
        before: a covariate from before the offer, [..., n]; None compares the plain means.
        lowered: whether the standard error may be below Welch's, towards the pooled one.
    """
    y, is_treated = np.asarray(outcome, float), np.asarray(treated, bool)
    groups = np.stack([is_treated, ~is_treated]).astype(float)
    adjusted = y
    if before is not None:
        x = np.broadcast_to(np.asarray(before, float), y.shape)
        x = x - x.mean(axis=-1, keepdims=True)
        inside_x = _within(x, groups)
        theta = _ratio((inside_x * _within(y, groups)).sum(axis=-1), (inside_x**2).sum(axis=-1))
        adjusted = y - theta[..., None] * x
    effect = _mean(adjusted, groups[0]) - _mean(adjusted, groups[1])
    inside = _within(adjusted, groups)
    error, freedom, skewness = _standard_error(inside, groups, lowered=lowered)
    half = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * error
    variance_left = _ratio((inside**2).sum(axis=-1), (_within(y, groups) ** 2).sum(axis=-1), empty=1.0)
    p_value = np.asarray(2 * scipy.stats.t.sf(np.abs(effect) / np.maximum(error, 1e-150), freedom))
    return Difference(effect, effect - half, effect + half, variance_left, p_value, skewness, error, freedom)


@dataclass(frozen=True)
class Measured:
    """The measured effect on the customers of one tier, or on all.

    Args:
        tier: 1 = highest; 0 is all customers.
        treated: customers who got the offer.
        control: customers who did not.
        effect: money per customer in the window; None where a group is smaller than :data:`MIN_GROUP_SIZE`.
        low: lower end of its 90% interval.
        high: upper end.
        kept: share of the variance that CUPED left.
    """

    tier: int
    treated: int
    control: int
    effect: float | None
    low: float | None
    high: float | None
    kept: float | None


@dataclass(frozen=True)
class Experiment:
    """What an experiment showed.

    Args:
        effects: of all customers first, then of each tier.
        window_days: for how long after the date outcomes were counted.
        warnings: reasons to doubt it.
    """

    effects: tuple[Measured, ...]
    window_days: int
    warnings: tuple[Message, ...] = ()

    @property
    def tried_tiers(self) -> tuple[int, ...]:
        """The tiers with enough customers in both groups; nothing was measured in others."""
        return tuple(measured.tier for measured in self.effects[1:] if measured.effect is not None)

    @property
    def tiers_differ(self) -> bool:
        """Whether effects of tiers differ by more than chance allows.

        Where they do not, the effect on all is the better estimate for each tier: to pick the tiers that came out best
        would be to pick luck. Source: Cochran (1954), The combination of estimates from different experiments (Q).
        """
        measured = [
            (of_tier.effect, of_tier.high - of_tier.low)
            for of_tier in self.effects[1:]
            if of_tier.effect is not None and of_tier.high is not None and of_tier.low is not None
        ]
        if len(measured) < 2 or min(width for _, width in measured) <= 0:
            return False
        effect, width = np.array(measured).T
        weight = (2 * scipy.stats.norm.ppf((1 + CONFIDENCE) / 2) / width) ** 2
        q = float((weight * (effect - np.average(effect, weights=weight)) ** 2).sum())
        return float(scipy.stats.chi2.sf(q, len(measured) - 1)) < TIERS_P_VALUE


def measure(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    before: npt.ArrayLike,
    predicted: npt.ArrayLike | None,
    tier: npt.ArrayLike,
    tiers: int,
    window_days: int,
) -> Experiment:
    """Return the effect on all customers and on each tier.

    Args:
        outcome: net value in the window after the date, money, [n].
        treated: who got the offer, bool, [n].
        before: net value before the date, money, [n]: the check of balance, and CUPED's where there is no prediction.
        predicted: predicted value as of before the experiment, money, [n], or None.
        tier: of each customer as of before the experiment, 1 to ``tiers``, [n].
        tiers: number of tiers.
        window_days: of the outcome.

    Raises:
        NotEnoughData: a group is smaller than :data:`MIN_GROUP_SIZE`.
    """
    y, is_treated, number = np.asarray(outcome, float), np.asarray(treated, bool), np.asarray(tier, np.int64)
    counts = int(is_treated.sum()), int((~is_treated).sum())
    if min(counts) < MIN_GROUP_SIZE:
        raise NotEnoughData("experiment_too_few", treated=counts[0], control=counts[1], fewest=MIN_GROUP_SIZE)
    covariate = np.asarray(before if predicted is None else predicted, float)
    effects = [_measured(0, y, is_treated, covariate)]
    for level in range(1, tiers + 1):
        inside = number == level
        effects.append(_measured(level, y[inside], is_treated[inside], covariate[inside]))
    skewness = difference(y, is_treated, covariate).skewness
    warnings = (*balance_warnings(before, is_treated), *_sign_warnings(effects[0]), *_skew_warnings(skewness, counts))
    return Experiment(tuple(effects), window_days, warnings)


def balance_warnings(before: npt.ArrayLike, treated: npt.ArrayLike) -> list[Message]:
    """Return a warning where the groups differed before the experiment by more than chance allows.

    Args:
        before: net value before the date, money, [n].
        treated: bool, [n].
    """
    value, is_treated = np.asarray(before, float), np.asarray(treated, bool)
    if not float(difference(value, is_treated).p_value) < BALANCE_P_VALUE:
        return []
    means = {"treated": value[is_treated].mean(), "control": value[~is_treated].mean()}
    return [Message("warning.experiment_draw", {name: round(float(mean), 2) for name, mean in means.items()})]


def _sign_warnings(overall: Measured) -> list[Message]:
    """Return a warning where the interval of the effect on all contains 0."""
    if overall.low is None or overall.high is None or not overall.low <= 0 <= overall.high:
        return []
    return [Message("warning.experiment_unsure", {"low": round(overall.low, 2), "high": round(overall.high, 2)})]


def _skew_warnings(skewness: Floats, counts: tuple[int, int]) -> list[Message]:
    """Return a warning where a few customers decide a group's mean, by Cochran's rule; both arguments are by group."""
    needed = COCHRAN * skewness**2
    worst = int((needed / np.array(counts)).argmax())
    if needed[worst] <= counts[worst]:
        return []
    sizes = {"customers": counts[worst], "needed": int(np.ceil(needed[worst]))}
    return [Message("warning.experiment_skewed", sizes)]


def _measured(tier: int, outcome: Floats, treated: npt.NDArray[np.bool_], covariate: Floats) -> Measured:
    counts = int(treated.sum()), int((~treated).sum())
    if min(counts) < MIN_GROUP_SIZE:
        return Measured(tier, *counts, None, None, None, None)
    effect = difference(outcome, treated, covariate)
    return Measured(tier, *counts, float(effect.effect), float(effect.low), float(effect.high), float(effect.kept))


def _standard_error(inside: Floats, groups: Floats, *, lowered: bool) -> tuple[Floats, Floats, Floats]:
    """Return the standard error of a difference of two means, its degrees of freedom, and the groups' skewness.

    Args:
        inside: values less the mean of their group, [..., n].
        groups: who is in each group, 1 or 0, [2, ..., n]; two customers at least in each.
        lowered: whether the error may be below Welch's.

    Returns:
        The error [...], in the unit of the values; Welch's degrees of freedom, at least 1, [...]; the skewness of each
        group, 0 where its values are all the same, [..., 2].
    """
    counts, squares, cubes = (np.moveaxis((inside**power * groups).sum(axis=-1), 0, -1) for power in (0, 2, 3))
    errors = squares / (counts - 1) / counts
    variance, customers = errors.sum(axis=-1), counts.sum(axis=-1)
    pooled = squares.sum(axis=-1) / (customers - 2) * (1 / counts).sum(axis=-1)
    kurtosis = _ratio((inside**4).sum(axis=-1) / customers, (squares.sum(axis=-1) / customers) ** 2)
    doubt = VARIANCE_ERRORS * np.sqrt(np.maximum(kurtosis - 1, 0)[..., None] / counts)
    highest = (errors * (1 + doubt)).sum(axis=-1)
    lowest = (errors * np.maximum(1 - doubt, 0)).sum(axis=-1) if lowered else variance
    freedom = _ratio(variance**2, (errors**2 / (counts - 1)).sum(axis=-1))
    skewness = _ratio(cubes / counts, (squares / counts) ** 1.5)
    return np.sqrt(np.clip(pooled, lowest, highest)), np.clip(freedom, 1, None), skewness


def _ratio(above: Floats, below: Floats, empty: float = 0.0) -> Floats:
    """Return the quotient; ``empty`` where the denominator is 0."""
    return np.asarray(np.divide(above, below, out=np.full_like(below, empty), where=below > 1e-300))


def _mean(values: Floats, group: Floats) -> Floats:
    return np.asarray((values * group).sum(axis=-1) / group.sum(axis=-1))


def _within(values: Floats, groups: Floats) -> Floats:
    """Return values less the mean of their group."""
    return np.asarray(values - sum(_mean(values, group)[..., None] * group for group in groups))
