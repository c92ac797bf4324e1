"""The metrics, one line each in ``METRICS``.

Negative net value counts as it is in mse, mae, bias and spearman, and as 0 in gini, capture10, decile_mape and the
intervals. Customers with equal predictions share what they hold, so that no metric depends on row order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clv_core.evaluation.sample import DECILES, Draw, Order, PredictionLike, Sample, divide, shares_at
from clv_core.i18n import DEFAULT_LANGUAGE, SPOKEN, say_change, say_money, say_share

Floats = NDArray[np.float64]

TOP_SHARE: Final = 0.2
"""How many customers, those of the highest predictions, ``coverage80_top`` is about."""

Role = Literal[
    "board", "card", "folds", "main", "report", "retraining", "slices", "sliced", "tuned", "tuning", "verdicts",
    "versions", "views",
]  # fmt: skip
"""Where a metric is used:

``board``       column of the table of all models, page Evaluate
``card``        row of a model card
``folds``       compared between customers who were trained on and others (:mod:`~clv_core.evaluation.folds`)
``main``        large figure on the page Evaluate
``report``      figure of the report
``retraining``  decides whether a candidate is better; has a row in ``MATERIAL``, :mod:`clv_core.monitoring.retraining`
``slices``      computed for each slice and season (:mod:`~clv_core.evaluation.slices`)
``sliced``      column of their table, page Evaluate
``tuned``       row of what tuned settings are worth, page Train
``tuning``      compared between tuned settings and the default (:mod:`~clv_core.evaluation.tune`)
``verdicts``    compares two models in words: ``verdict.<id>.<outcome>``
``versions``    tested between two versions: ``models.compare.better.<id>``
``views``       column of the table of both views of ``folds``, page Evaluate
"""


@dataclass(frozen=True)
class Metric:
    """One figure of merit; its texts are ``metric.<id>`` and ``metric.<id>.meaning`` in the catalogues.

    Args:
        id: stable name.
        better: whether ``high`` or ``low`` values are better, or those near ``zero`` or near the ``goal``.
        unit: ``score``, ``share``, ``money`` or ``money_squared``.
        compute: from B sets of weights over a sample to B values; NaN where the figure does not exist.
        goal: the best value where ``better`` is ``zero`` or ``goal``.
        roles: where it is used, and its place among the metrics there.
    """

    id: str
    better: Literal["high", "low", "zero", "goal"]
    unit: str
    compute: Callable[[Draw], Floats]
    goal: float = 0.0
    roles: Mapping[Role, int] = field(default_factory=dict)

    def value(self, actual: ArrayLike, predictions: PredictionLike, threshold: float = 0.5) -> float:
        """Return the figure; NaN where it does not exist (an AUC without buyers).

        Args:
            actual: net value in the horizon, [n].
            predictions: of the same customers, in the same order.
            threshold: a customer with ``p_purchase >= threshold`` is expected to buy.

        Examples:
            >>> import pandas as pd
            >>> from clv_core.evaluation import METRICS
            >>> actual = [0.0, 10.0, 20.0, 70.0]
            >>> predicted = pd.DataFrame({"p_purchase": [0.2, 0.4, 0.6, 0.9], "predicted_clv": [5.0, 25.0, 10.0, 60.0]})
            >>> predicted = predicted.assign(clv_p10=0.0, clv_p50=predicted["predicted_clv"], clv_p90=80.0)
            >>> METRICS["mae"].value(actual, predicted), round(METRICS["gini"].value(actual, predicted), 3)
            (10.0, 0.909)
        """
        return float(self.compute(Draw.unweighted(Sample.of(actual, predictions, threshold)))[0])

    def advantage(self, ours: Floats, theirs: Floats) -> Floats:
        """Return by how much ``ours`` is better than ``theirs`` (negative: worse), in the metric's unit."""
        if self.better == "high":
            return ours - theirs
        if self.better == "low":
            return theirs - ours
        return np.abs(theirs - self.goal) - np.abs(ours - self.goal)


def evaluate(actual: ArrayLike, predictions: PredictionLike, threshold: float = 0.5) -> dict[str, float]:
    """Return all metrics by id; one that does not exist for these customers is left out, never NaN.

    Args:
        actual: net value in the horizon, [n].
        predictions: :class:`~clv_core.model.predictions.Predictions`, or a frame with its columns, in the same order.
        threshold: a customer with ``p_purchase >= threshold`` is expected to buy.

    Examples:
        >>> import pandas as pd
        >>> from clv_core.evaluation.metrics import evaluate
        >>> actual = [0.0, 10.0, 20.0, 70.0]
        >>> predicted = pd.DataFrame({"p_purchase": [0.2, 0.4, 0.6, 0.9], "predicted_clv": [5.0, 25.0, 10.0, 60.0]})
        >>> predicted = predicted.assign(clv_p10=0.0, clv_p50=predicted["predicted_clv"], clv_p90=80.0)
        >>> figures = evaluate(actual, predicted)
        >>> {name: round(figures[name], 3) for name in ("gini", "mae", "bias", "auc")}
        {'gini': 0.909, 'mae': 10.0, 'bias': 0.0, 'auc': 1.0}
    """
    draw = Draw.unweighted(Sample.of(actual, predictions, threshold))
    values = {name: float(metric.compute(draw)[0]) for name, metric in METRICS.items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _mse(draw: Draw) -> Floats:
    return draw.mean((draw.sample.actual - draw.sample.mean) ** 2)


def _bias(draw: Draw) -> Floats:
    actual = draw.sum(draw.sample.actual)
    return np.where(actual > 0, divide(draw.sum(draw.sample.mean), actual) - 1, np.nan)


def _ranks(order: Order, weights: Floats) -> tuple[Floats, Floats]:
    """Return mean ranks about their mean by group, and the groups' weights, both [B, g]."""
    sums = order.sums(weights)
    ranks = np.cumsum(sums, axis=1) - (sums - 1) / 2
    return ranks - (weights.sum(axis=1, keepdims=True) + 1) / 2, sums


def _spearman(draw: Draw) -> Floats:
    """Correlation of ranks, equal predictions in random order: its expectation (a descending order changes the sign).

    Customers of equal value share a mean rank. Equal predictions do not: where nearly nobody buys, who says 0 of nearly
    all would rank better than the true expectations. The chance of their order moves no covariance, and gives their
    ranks the spread of n different ones, (n^3 - n) / 12.
    """
    x, x_sums = _ranks(draw.sample.by_mean, draw.weights)
    y, y_sums = _ranks(draw.sample.by_actual, draw.weights)
    x_each = np.take(x, draw.sample.by_mean.group, axis=1)
    y_each = np.take(y, draw.sample.by_actual.group, axis=1)
    both = -np.einsum("bn,bn,bn->b", draw.weights, x_each, y_each)
    size, varies = draw.heads.sum(axis=1), np.einsum("bg,bg->b", x_sums, x**2) > 0
    spread = (size**3 - size) / 12 * np.einsum("bg,bg,bg->b", y_sums, y, y)
    return np.where(varies, divide(both, np.sqrt(spread)), np.nan)


def _lorenz(heads: Floats, parts: Floats) -> Floats:
    """Twice the area between the gain curve and the diagonal, [B]."""
    before = np.cumsum(parts, axis=1) - parts / 2
    area = np.einsum("bg,bg->b", heads, before)
    return 2 * divide(area, heads.sum(axis=1) * parts.sum(axis=1)) - 1


def _gini(draw: Draw) -> Floats:
    """Normalized Gini of google/lifetime_value: of the predicted order over that of the perfect order.

    Areas are trapezoids, so that the order of equal predictions does not matter and chance is exactly 0.
    """
    best = draw.sample.by_value
    ranked = best.sorted(draw.weights)
    perfect = _lorenz(best.sums_of(ranked), best.sums_of(ranked * draw.sample.value[best.rows]))
    return divide(_lorenz(draw.heads, draw.value_along), np.where(perfect > 1e-12, perfect, 0.0))


def _capture10(draw: Draw) -> Floats:
    captured = shares_at(draw.heads, draw.value_along, np.array([0.1, 1.0]))
    return divide(captured[:, 0], captured[:, 1])


def _decile_mape(draw: Draw) -> Floats:
    """Mean over deciles of |predicted - actual| / actual; deciles without any actual value are left out."""
    predicted = np.diff(shares_at(draw.heads, draw.along(draw.sample.mean), DECILES), axis=1)
    actual = np.diff(shares_at(draw.heads, draw.value_along, DECILES), axis=1)
    some = actual > 1e-9 * actual.sum(axis=1, keepdims=True)
    errors = np.where(some, np.abs(predicted - actual) / np.where(some, actual, 1.0), 0.0)
    return divide(errors.sum(axis=1), some.sum(axis=1).astype(np.float64))


def _auc(draw: Draw) -> Floats:
    order, bought = draw.sample.by_p, draw.sample.bought.astype(np.float64)
    all_, yes = order.sums(draw.weights), order.sums(draw.weights * bought)
    no = all_ - yes
    wins = np.einsum("bg,bg->b", yes, np.cumsum(no, axis=1) - no / 2)
    return divide(wins, yes.sum(axis=1) * no.sum(axis=1))


def _precision(draw: Draw) -> Floats:
    expected = draw.sample.p >= draw.sample.threshold
    return _or_zero(draw.sum(expected & draw.sample.bought), draw.sum(expected))


def _recall(draw: Draw) -> Floats:
    expected = draw.sample.p >= draw.sample.threshold
    return _or_zero(draw.sum(expected & draw.sample.bought), draw.sum(draw.sample.bought))


def _f1(draw: Draw) -> Floats:
    expected = draw.sample.p >= draw.sample.threshold
    both = draw.sum(expected) + draw.sum(draw.sample.bought)
    return _or_zero(2 * draw.sum(expected & draw.sample.bought), both)


def _or_zero(above: Floats, below: Floats) -> Floats:
    """Return the ratio, 0 where nobody was expected or nobody bought (scikit-learn's convention)."""
    return np.nan_to_num(divide(above, below))


def _coverage80(draw: Draw) -> Floats:
    """Share inside of the 80% range, zeros by chance: 0 lies inside nearly every range, whatever it says of buyers."""
    return METRICS["pit90"].compute(draw) - METRICS["pit10"].compute(draw)


def _inside(sample: Sample) -> NDArray[np.bool_]:
    slack = 1e-9 * np.maximum(1.0, sample.value)
    return (sample.value >= sample.low - slack) & (sample.value <= sample.high + slack)


def _coverage80_top(draw: Draw) -> Floats:
    """Coverage among the fifth of the customers with the highest predictions; equal ones share a place in it."""
    size = draw.heads.sum(axis=1)
    inside = shares_at(draw.heads, draw.along(_inside(draw.sample).astype(np.float64)), np.array([TOP_SHARE]))
    return divide(inside[:, 0], TOP_SHARE * size)


def _pit(level: float, quantile: Callable[[Sample], Floats]) -> Callable[[Draw], Floats]:
    """Return the share of the randomised PIT below ``level``, as its expectation over the random part.

    A customer worth something lies below where that is at most their own quantile. One who was worth nothing lies
    evenly between 0 and 1 - p in their own distribution, and so below the level with probability level / (1 - p).

    Source: Czado, Gneiting, Held (2009), Predictive model assessment for count data, Biometrics 65(4).
    """

    def compute(draw: Draw) -> Floats:
        sample = draw.sample
        none = np.minimum(1.0, level / np.maximum(1 - sample.p, 1e-9))
        slack = 1e-9 * np.maximum(1.0, sample.value)
        return draw.mean(np.where(sample.bought, sample.value <= quantile(sample) + slack, none))

    return compute


METRICS: Final[dict[str, Metric]] = {
    metric.id: metric
    for metric in (
        Metric("mse", "low", "money_squared", _mse, roles={"report": 5}),
        Metric(
            *("rmse", "low", "money", lambda d: np.sqrt(_mse(d))),
            roles={
                **{"board": 5, "folds": 4, "main": 4, "report": 4, "retraining": 2},
                **{"slices": 4, "tuning": 4, "verdicts": 6},
            },
        ),
        Metric(
            *("mae", "low", "money", lambda d: d.mean(np.abs(d.sample.actual - d.sample.mean))),
            roles={
                **{"board": 4, "card": 3, "folds": 3, "main": 3, "report": 3, "slices": 3, "sliced": 2},
                **{"tuned": 2, "tuning": 3, "verdicts": 5, "versions": 3, "views": 4},
            },
        ),
        Metric(
            *("mae_median", "low", "money", lambda d: d.mean(np.abs(d.sample.actual - d.sample.middle))),
            roles={"card": 4},
        ),
        Metric(
            *("bias", "zero", "share", _bias),
            roles={
                **{"board": 3, "card": 2, "folds": 5, "main": 2, "report": 2, "retraining": 3},
                **{"slices": 5, "sliced": 3, "tuned": 3, "tuning": 6, "verdicts": 3, "versions": 2, "views": 3},
            },
        ),
        Metric(
            *("spearman", "high", "score", _spearman),
            roles={"board": 2, "folds": 2, "slices": 2, "tuning": 2, "verdicts": 2, "views": 2},
        ),
        Metric("gini", "high", "score", _gini, roles=dict.fromkeys(get_args(Role), 1)),
        Metric("capture10", "high", "share", _capture10, roles={"card": 5}),
        Metric(
            *("decile_mape", "low", "share", _decile_mape),
            roles={"board": 6, "folds": 6, "tuning": 5, "verdicts": 4},
        ),
        Metric("auc", "high", "score", _auc, roles={"board": 7, "card": 6, "folds": 7, "slices": 6, "views": 5}),
        Metric(
            *("brier", "low", "score", lambda d: d.mean((d.sample.p - d.sample.bought) ** 2)),
            roles={"folds": 8, "verdicts": 7},
        ),
        Metric("accuracy", "high", "share", lambda d: d.mean((d.sample.p >= d.sample.threshold) == d.sample.bought)),
        Metric("precision", "high", "share", _precision),
        Metric("recall", "high", "share", _recall),
        Metric("f1", "high", "share", _f1),
        Metric(
            *("coverage80", "goal", "share", _coverage80),
            goal=0.8,
            roles={"board": 8, "card": 7, "folds": 9},
        ),
        Metric("width80", "low", "money", lambda d: d.mean(d.sample.high - d.sample.low), roles={"board": 10}),
        Metric("coverage80_top", "goal", "share", _coverage80_top, goal=0.8, roles={"board": 9, "verdicts": 8}),
        Metric("pit10", "goal", "share", _pit(0.1, lambda sample: sample.low), goal=0.1),
        Metric("pit50", "goal", "share", _pit(0.5, lambda sample: sample.middle), goal=0.5),
        Metric("pit90", "goal", "share", _pit(0.9, lambda sample: sample.high), goal=0.9),
    )
}
"""Every metric, one line each; lists of metrics elsewhere derive from this table."""


def with_role(role: Role) -> tuple[str, ...]:
    """Return the ids of the metrics that are used somewhere, in the order in which they are shown there."""
    return tuple(
        sorted((name for name, each in METRICS.items() if role in each.roles), key=lambda n: METRICS[n].roles[role])
    )


def format_metric(metric: str, value: float, currency: str = "", language: str = DEFAULT_LANGUAGE) -> str:
    """Return a metric's value in its unit: ``0.665``, ``−15.3%``, ``44.1%``, ``9.04 USD``.

    Args:
        metric: id of :data:`METRICS`; its name is the catalogue key ``metric.<id>``.
        value: of the metric.
        currency: of the log; "" where it has no name.
        language: decides the large units.

    Examples:
        >>> from clv_core.evaluation import format_metric
        >>> format_metric("bias", -0.153), format_metric("mae", 9.04, "USD")
        ('−15.3%', '9.04 USD')
    """
    kind = METRICS[metric]
    if kind.unit == "share":
        return say_change(value, 1) if kind.better == "zero" else say_share(value, 1)
    if kind.unit == "score":
        return SPOKEN.format("{:.3f}", value)
    return say_money(value, f"{currency}²" if currency and kind.unit == "money_squared" else currency, language)
