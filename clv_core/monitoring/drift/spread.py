"""How far a chunk may differ from earlier ones: the spread that the reference itself shows from chunk to chunk.

A series of the reference y_1 ... y_n, each known with variance v_t by counting alone, is forecast by the mean of its
last w values. The same forecast is made within the reference, at the same distance, and its squared misses are held
against what counting alone would give: their mean ratio is the *dispersion* phi at that distance. So a series that
wanders gets wide limits, and wider ones the longer ago the reference ended. As phi rests on few misses, one below 1 is
drawn towards 1 with the weight of :data:`PRIOR` misses, and the limit is that of a t distribution with their number;
the more the reference varies beyond counting, the less these count.
Source: Smyth (2004), Linear models and empirical Bayes methods, SAGMB 3(1) (moderated variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR: Final = 8.0
FEWEST_VALUES: Final = 4
"""A series with fewer values is not forecast."""
WIDEST_WINDOW: Final = 13
"""A forecast is the mean of at most so many chunks: a quarter of weeks."""
FEWEST_MISSES: Final = 3
"""At a distance with fewer misses than this, dispersion is carried on from shorter ones."""
SURE_TAIL: Final = 0.1
"""A dispersion is taken so large that with this chance the true one is larger."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a series is expected to be in k later chunks.

    Args:
        level: mean of its last values.
        spread: standard deviation of a new value around the level, [k].
        freedom: degrees of freedom of that spread.
    """

    level: float
    spread: Floats
    freedom: float

    def p_value(self, values: Floats) -> Floats:
        """Return how likely a value at least as far from the level is, two-sided, [k]."""
        p: Floats = 2 * scipy.stats.t.sf(np.abs(values - self.level) / self.spread, self.freedom)
        return p

    def limits(self, alpha: float) -> tuple[Floats, Floats]:
        """Return below and above what a value is out of bounds, [k] each."""
        reach = float(scipy.stats.t.isf(alpha / 2, self.freedom)) * self.spread
        return self.level - reach, self.level + reach


def window_of(chunks: int) -> int:
    """Return how many of the last chunks a forecast is the mean of."""
    return max(1, min(WIDEST_WINDOW, chunks // 2))


def forecast(past: Floats, variance: Floats, distance: NDArray[np.int64], new_variance: Floats) -> Forecast:
    """Forecast a series.

    Args:
        past: values of the reference, the earliest first, [n], n at least :data:`FEWEST_VALUES`.
        variance: of each by counting alone, [n].
        distance: how many chunks lie between the reference and each new one, 0 for the next, [k].
        new_variance: of each new value by counting alone, [k].
    """
    width = window_of(len(past))
    sums = np.concatenate([[0.0], np.cumsum(past)])
    counted = np.concatenate([[0.0], np.cumsum(variance)])
    means = (sums[width:] - sums[:-width]) / width  # [n - w + 1], of the windows that end at w, w + 1, ...
    noise = (counted[width:] - counted[:-width]) / width**2
    ratios: list[float] = []
    for gap in range(len(past) - width):
        until = len(past) - width - gap
        if until < FEWEST_MISSES:
            break
        misses = past[width + gap :] - means[:until]
        ratios.append(float(np.mean(misses**2 / (variance[width + gap :] + noise[:until]))))
    found = np.array(ratios or [1.0])
    weight = len(past) - width
    prior = PRIOR / max(1.0, found[0])
    phi = np.maximum.accumulate(np.maximum(found, (prior + weight * found) / (prior + weight)))
    last = len(phi) - 1
    beyond = np.maximum(distance - last, 0) / (last + 1)
    spread = np.sqrt(np.maximum(phi[np.minimum(distance, last)] * (1 + beyond), 1.0) * (new_variance + noise[-1]))
    return Forecast(float(means[-1]), spread, prior + weight)


def dispersion(ratios: Floats) -> float:
    """Return the most that a ratio of seen to expected distance plausibly is on average, at least 1.

    Args:
        ratios: of each chunk of the reference; 1 on average where chunks differ by chance alone, [n].
    """
    freedom = max(1, len(ratios) - 1)
    plausible = freedom / float(scipy.stats.chi2.ppf(SURE_TAIL, freedom))
    return max(1.0, float(np.mean(ratios))) * plausible
