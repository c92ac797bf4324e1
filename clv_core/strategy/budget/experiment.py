"""Experiments: what an offer really brought, by customers who got it and customers who did not.

The effect is the difference of mean outcomes of both groups. What was known before the experiment explains much of the
outcome whoever gets the offer, and is taken off first (CUPED): y - theta (x - mean x), theta = cov(y, x) / var(x), both
within the groups. The mean difference stays unbiased for any theta, its variance falls by the squared correlation.
Source: Deng, Xu, Kohavi, Walker (2013), Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data, section 3. How far the difference may be off: :mod:`clv_core.strategy.budget.spread`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import scipy

from clv_core.errors import Message, NotEnoughData
from clv_core.strategy.budget.spread import COCHRAN, spread

Floats = npt.NDArray[np.float64]

SURE: Final = 0.9
FEWEST: Final = 30
"""Customers that each group needs, of a tier too."""
BY_CHANCE: Final = 0.01
"""A difference before the experiment that is less likely than this is warned of."""
DIFFERENT: Final = 0.05
"""Tiers whose effects differ as much as theirs only with this chance have effects of their own."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Difference of mean outcomes, treated less control; arrays where several experiments were given.

    Args:
        effect: per customer, in the unit of the outcome.
        low: lower end of its 90% interval.
        high: upper end.
        kept: share of the variance that CUPED leaves, 0 to about 1; 1 without it.
        p_value: of no difference, two-sided.
        skewness: of the outcomes inside the treated and the control group, after CUPED, [..., 2].
    """

    effect: Floats
    low: Floats
    high: Floats
    kept: Floats
    p_value: Floats
    skewness: Floats


def difference(outcome: npt.ArrayLike, treated: npt.ArrayLike, before: npt.ArrayLike | None = None) -> Difference:
    """Return the effect of an experiment, or of many at once.

    Args:
        outcome: after the offer, [..., n].
        treated: who got it, bool, [..., n]; each group with two customers at least.
        before: what was known of each customer before, [..., n]; None compares the plain means.
    """
    y, is_treated = np.asarray(outcome, float), np.asarray(treated, bool)
    groups = (is_treated.astype(float), (~is_treated).astype(float))
    adjusted = y
    if before is not None:
        x = np.broadcast_to(np.asarray(before, float), y.shape)
        x = x - x.mean(axis=-1, keepdims=True)
        inside_x, inside_y = _within(x, groups), _within(y, groups)
        squares = (inside_x**2).sum(axis=-1)
        theta = np.divide((inside_x * inside_y).sum(axis=-1), squares, out=np.zeros_like(squares), where=squares > 0)
        adjusted = y - theta[..., None] * x
    effect = _mean(adjusted, groups[0]) - _mean(adjusted, groups[1])
    inside = _within(adjusted, groups)
    off = spread(inside, groups)
    error = np.sqrt(off.variance)
    half = scipy.stats.t.ppf((1 + SURE) / 2, off.freedom) * error
    all_y = (_within(y, groups) ** 2).sum(axis=-1)
    kept = np.divide((inside**2).sum(axis=-1), all_y, out=np.ones_like(all_y), where=all_y > 0)
    by_chance = np.asarray(2 * scipy.stats.t.sf(np.abs(effect) / np.maximum(error, 1e-150), off.freedom))
    return Difference(effect, effect - half, effect + half, kept, by_chance, off.skewness)


@dataclass(frozen=True)
class Measured:
    """The measured effect on the customers of one tier, or on all.

    Args:
        tier: 1 = highest; 0 is all customers.
        treated: customers who got the offer.
        control: customers who did not.
        effect: money per customer in the window; None where a group has fewer than :data:`FEWEST`.
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
        window_days: how long after the date outcomes were counted.
        warnings: what speaks against it.
    """

    effects: tuple[Measured, ...]
    window_days: int
    warnings: tuple[Message, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types; :meth:`from_json` reads it."""
        effects, warnings = [asdict(one) for one in self.effects], [one.coded() for one in self.warnings]
        return {"window_days": self.window_days, "effects": effects, "warnings": warnings}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the experiment of :meth:`to_json`."""
        effects = tuple(Measured(**one) for one in values["effects"])
        return cls(effects, values["window_days"], tuple(Message(**one) for one in values["warnings"]))

    @property
    def tried_tiers(self) -> tuple[int, ...]:
        """The tiers with enough customers in both groups; of others the experiment says nothing."""
        return tuple(one.tier for one in self.effects[1:] if one.effect is not None)

    @property
    def tiers_differ(self) -> bool:
        """Whether effects of tiers differ by more than chance allows.

        Where they do not, the effect on all is the better guess for each tier: to pick the tiers that came out best
        would be to pick luck. Source: Cochran (1954), The combination of estimates from different experiments (Q).
        """
        known = [
            (one.effect, one.high - one.low)
            for one in self.effects[1:]
            if one.effect is not None and one.high is not None and one.low is not None
        ]
        effect, width = (np.array([pair[side] for pair in known]) for side in (0, 1))
        if len(known) < 2 or (width <= 0).any():
            return False
        weight = (2 * scipy.stats.norm.ppf((1 + SURE) / 2) / width) ** 2
        apart = float((weight * (effect - np.average(effect, weights=weight)) ** 2).sum())
        return float(scipy.stats.chi2.sf(apart, len(known) - 1)) < DIFFERENT


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
        before: net value before the date, money, [n]: the check of the draw, and CUPED's where nothing is predicted.
        predicted: predicted value as of before the experiment, money, [n]; None: not known.
        tier: of each customer, cut by what was known before, 1 to ``tiers``, [n].
        tiers: number of tiers.
        window_days: of the outcome.

    Raises:
        NotEnoughData: a group has fewer than :data:`FEWEST` customers.
    """
    y, is_treated, place = np.asarray(outcome, float), np.asarray(treated, bool), np.asarray(tier, np.int64)
    counts = int(is_treated.sum()), int((~is_treated).sum())
    if min(counts) < FEWEST:
        raise NotEnoughData("experiment_too_few", treated=counts[0], control=counts[1], fewest=FEWEST)
    known = np.asarray(before if predicted is None else predicted, float)
    everyone = difference(y, is_treated, known)
    effects = [_of(0, y, is_treated, known)]
    for one in range(1, tiers + 1):
        inside = place == one
        effects.append(_of(one, y[inside], is_treated[inside], known[inside]))
    warnings = (*draw_warnings(before, is_treated), *_unsure(effects[0]), *_skewed(everyone.skewness, counts))
    return Experiment(tuple(effects), window_days, warnings)


def draw_warnings(before: npt.ArrayLike, treated: npt.ArrayLike) -> list[Message]:
    """Return a warning where the groups differed before the experiment by more than chance allows.

    Args:
        before: net value before the date, money, [n].
        treated: bool, [n].
    """
    value, is_treated = np.asarray(before, float), np.asarray(treated, bool)
    found = difference(value, is_treated)
    if not float(found.p_value) < BY_CHANCE:
        return []
    means = {"treated": value[is_treated].mean(), "control": value[~is_treated].mean()}
    return [Message("warning.experiment_draw", {name: round(float(mean), 2) for name, mean in means.items()})]


def _unsure(everyone: Measured) -> list[Message]:
    """A warning where the interval of the effect on all holds 0."""
    if everyone.low is None or everyone.high is None or not everyone.low <= 0 <= everyone.high:
        return []
    return [Message("warning.experiment_unsure", {"low": round(everyone.low, 2), "high": round(everyone.high, 2)})]


def _skewed(skewness: Floats, counts: tuple[int, int]) -> list[Message]:
    """A warning where a few customers decide what a group's mean is (Cochran's rule).

    Args:
        skewness: of treated and control, [2].
        counts: customers of each.
    """
    needed = COCHRAN * skewness**2
    short = needed / np.array(counts)
    worst = int(short.argmax())
    if short[worst] <= 1:
        return []
    said = {"customers": counts[worst], "needed": int(np.ceil(needed[worst]))}
    return [Message("warning.experiment_skewed", said)]


def _of(tier: int, outcome: Floats, treated: npt.NDArray[np.bool_], known: Floats) -> Measured:
    counts = int(treated.sum()), int((~treated).sum())
    if min(counts) < FEWEST:
        return Measured(tier, *counts, None, None, None, None)
    found = difference(outcome, treated, known)
    return Measured(tier, *counts, *(float(number) for number in (found.effect, found.low, found.high, found.kept)))


def _mean(values: Floats, group: Floats) -> Floats:
    return np.asarray((values * group).sum(axis=-1) / group.sum(axis=-1))


def _within(values: Floats, groups: tuple[Floats, Floats]) -> Floats:
    """Values less the mean of their group."""
    return np.asarray(values - sum(_mean(values, group)[..., None] * group for group in groups))
