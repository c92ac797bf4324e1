"""Static covariates: what is known of a customer and never changes moves how often she buys and how soon she leaves.

Each covariate multiplies one parameter of the model: by exp(effect x value), so that a positive effect of buying means
more purchases a unit of time, and a positive effect of leaving an earlier end, whatever the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clv_core.btyd import inputs
from clv_core.btyd.fitting import LogLikelihood, Rows, covariance_of, maximise
from clv_core.btyd.purchase_model import PurchaseModel, delta_interval, errors_of, figure_of, intervals_of
from clv_core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CovariateModel:
    """A model of counts whose parameters depend on what is known of a customer.

    Tables of covariates are frames of pandas, polars or Arrow, or dictionaries of columns, with one row a customer, in
    the order of the other columns; texts are no numbers: make one column of 0 and 1 of each.

    Args:
        baseline: the model of a customer whose covariates are all 0.
        buying: effect of each covariate on purchases.
        leaving: effect of each covariate on leaving.

    Source: Fader, Hardie 2007, Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models: alpha
    exp(-effect value), and beta or a. Effects have the signs of CLVTools' ``trans`` and ``life``.

    Examples:
        >>> import numpy as np
        >>> from clv_core import BGNBD, CovariateModel
        >>> model = CovariateModel(BGNBD(0.243, 4.414, 0.793, 2.426), buying={"online": 0.5}, leaving={})
        >>> model.of(buying={"online": [0, 1]}).expected_purchases(39, [2, 2], [30.43, 30.43], [38.86, 38.86]).round(3)
        array([1.226, 1.261])
        >>> model.of(buying={"online": [0, 1]}).expected_purchases(39).round(3)
        array([1.197, 1.654])
    """

    baseline: PurchaseModel
    buying: dict[str, float]
    leaving: dict[str, float]

    @classmethod
    def fit(
        cls,
        kind: type[PurchaseModel],
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        *,
        buying: Any = None,
        leaving: Any = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Return the model of highest likelihood.

        Args:
            kind: ``BGNBD``, ``MBGNBD``, ``ParetoNBD`` or ``BGBB``.
            frequency: repeat purchases x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].
            buying: covariates of buying, a table of n rows; None: none.
            leaving: covariates of leaving.
            weights: how many customers each row stands for, [n].

        Raises:
            UsageError: a row is no customer, or a covariate is not known of everybody.

        Examples:
            Of two groups, the second buys twice as often.

            >>> import numpy as np
            >>> from clv_core import BGNBD, CovariateModel
            >>> random, online = np.random.default_rng(0), np.repeat([0, 1], 2_000)
            >>> rate = random.gamma(2.0, 1 / 40, 4_000) * 2**online
            >>> times = random.exponential(1 / rate, (60, 4_000)).cumsum(axis=0)
            >>> leaves = random.geometric(0.2, 4_000)
            >>> bought = (times < 365) & (np.arange(60)[:, None] < leaves)
            >>> x, last = bought.sum(axis=0), np.where(bought, times, 0).max(axis=0)
            >>> model = CovariateModel.fit(BGNBD, x, last, np.full(4_000, 365), buying={"online": online})
            >>> bool(abs(model.buying["online"] - np.log(2)) < 0.1)
            True
        """
        rows, names = cls._rows(kind, frequency, recency, T, buying, leaving, weights)
        scale = float(np.average(rows.age, weights=rows.weight)) if kind.TIMES and rows.age.any() else 1.0
        mean, size = np.average(rows.covariates, axis=1, weights=rows.of_count), np.ones(len(rows.covariates))
        spread = np.sqrt(np.average((rows.covariates - mean[:, None]) ** 2, axis=1, weights=rows.of_count))
        size[spread > 0] = spread[spread > 0]
        even = rows.scaled(scale)._replace(covariates=(rows.covariates - mean[:, None]) / size[:, None])
        summed = _summed(kind, even, len(names[0]))
        count, effects = len(kind.NAMES), len(mean)
        parameters, converged = maximise(summed, float(rows.weight.sum()), kind.START, effects=effects)
        effect = parameters[count:] / size
        baseline = dict(zip(kind.NAMES, parameters[:count], strict=True))
        for (name, sign), part in ((kind.BUYING, slice(len(names[0]))), (kind.LEAVING, slice(len(names[0]), None))):
            baseline[name] = baseline[name] * np.exp(-sign * effect[part] @ mean[part])
        fitted = kind._of(np.array(list(baseline.values())), scale, converged)
        return cls._with(fitted, effect, *names)

    @property
    def converged(self) -> bool:
        """Whether the log alone pins the parameters down.

        Examples:
            >>> from clv_core import BGNBD, CovariateModel
            >>> CovariateModel(BGNBD(0.243, 4.414, 0.793, 2.426), buying={"online": 0.5}, leaving={}).converged
            True
        """
        return self.baseline.converged

    def of(self, *, buying: Any = None, leaving: Any = None) -> PurchaseModel:
        """Return the model of some customers: its figures are asked with the same customers, or for new ones like them.

        Args:
            buying: the covariates that the effects on buying are of, one row a customer.
            leaving: the covariates that the effects on leaving are of.

        Raises:
            UsageError: a covariate is missing.

        Examples:
            >>> from clv_core import CovariateModel, ParetoNBD
            >>> model = CovariateModel(ParetoNBD(0.553, 10.578, 0.606, 11.669), buying={}, leaving={"online": 0.7})
            >>> model.of(leaving={"online": [0, 1]}).p_alive([2, 2], [30.43, 30.43], [38.86, 38.86]).round(2)
            array([0.87, 0.85])
        """
        model: Any = self.baseline
        for said, effects, table, (name, sign) in (
            ("buying", self.buying, buying, model.BUYING),
            ("leaving", self.leaving, leaving, model.LEAVING),
        ):
            columns = _columns(said, table, list(effects))
            if columns:
                shift = sum(effect * column for effect, column in zip(effects.values(), columns, strict=True))
                model = replace(model, **{name: getattr(model, name) * np.exp(sign * np.asarray(shift))})
        return model  # type: ignore[no-any-return]

    def log_likelihood(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        *,
        buying: Any = None,
        leaving: Any = None,
        weights: ArrayLike | None = None,
    ) -> float:
        """Return the log-likelihood summed over customers.

        Examples:
            >>> from clv_core import BGNBD, CovariateModel
            >>> model = CovariateModel(BGNBD(0.243, 4.414, 0.793, 2.426), buying={"online": 0.5}, leaving={})
            >>> round(model.log_likelihood([0, 2], [0, 30.43], [38.86, 38.86], buying={"online": [0, 0]}), 3)
            -10.013
        """
        rows, names = self._rows(type(self.baseline), frequency, recency, T, buying, leaving, weights)
        return _summed(type(self.baseline), rows, len(names[0]))(self._parameters)[0]

    def covariance(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        *,
        buying: Any = None,
        leaving: Any = None,
        weights: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Return the covariance of parameters and effects, from the customers that the model was fitted on.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD, CovariateModel
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]] * 2)
            >>> known = {"buying": {"online": [0, 0, 0, 0, 1, 1, 1, 1]}, "weights": [50] * 8}
            >>> model = CovariateModel.fit(BGNBD, *customers, **known)
            >>> round(model.covariance(*customers, **known).loc["buying.online", "buying.online"], 3)
            np.float64(0.024)
        """
        import pandas as pd

        rows, named = self._rows(type(self.baseline), frequency, recency, T, buying, leaving, weights)
        summed = _summed(type(self.baseline), rows, len(named[0]))
        matrix = covariance_of(summed, self._parameters, len(self.baseline.NAMES))
        return pd.DataFrame(matrix, self._names, self._names)

    def standard_errors(self, *customers: ArrayLike, **known: Any) -> dict[str, float]:
        """Return the standard error of each parameter and effect; arguments as of :meth:`covariance`.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD, CovariateModel
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]] * 2)
            >>> known = {"buying": {"online": [0, 0, 0, 0, 1, 1, 1, 1]}, "weights": [50] * 8}
            >>> model = CovariateModel.fit(BGNBD, *customers, **known)
            >>> round(model.standard_errors(*customers, **known)["buying.online"], 2)
            0.15
        """
        return errors_of(self.covariance(*customers, **known))

    def parameter_intervals(self, *customers: ArrayLike, level: float = 0.95, **known: Any) -> pd.DataFrame:
        """Return an interval of each parameter and effect; arguments as of :meth:`covariance`.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD, CovariateModel
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]] * 2)
            >>> known = {"buying": {"online": [0, 0, 0, 0, 1, 1, 1, 1]}, "weights": [50] * 8}
            >>> model = CovariateModel.fit(BGNBD, *customers, **known)
            >>> model.parameter_intervals(*customers, **known).loc["buying.online"].round(1).abs().tolist()
            [0.3, 0.3]
        """
        effects = len(self.buying) + len(self.leaving)
        return intervals_of(self._parameters, self.covariance(*customers, **known), level, effects)

    def interval(
        self,
        figure: str,
        *arguments: ArrayLike,
        covariance: pd.DataFrame,
        level: float = 0.95,
        buying: Any = None,
        leaving: Any = None,
    ) -> tuple[Floats, Floats]:
        """Return between which ends a predicted figure lies, as :meth:`PurchaseModel.interval` does.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD, CovariateModel
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]] * 2)
            >>> table = {"online": [0, 0, 0, 0, 1, 1, 1, 1]}
            >>> model = CovariateModel.fit(BGNBD, *customers, buying=table, weights=[50] * 8)
            >>> covariance = model.covariance(*customers, buying=table, weights=[50] * 8)
            >>> low, high = model.interval("p_purchase", 90, *customers, covariance=covariance, buying=table)
            >>> bool((low < high).all())
            True
        """
        count = len(self.baseline.NAMES)

        def predict(parameters: Floats) -> Floats:
            baseline = self.baseline._of(parameters[:count], 1.0, self.converged)
            model = self._with(baseline, parameters[count:], list(self.buying), list(self.leaving))
            return np.atleast_1d(figure_of(model.of(buying=buying, leaving=leaving), figure)(*arguments))

        effects, is_share = len(self._parameters) - count, figure.startswith("p_")
        return delta_interval(predict, self._parameters, covariance, level, is_share=is_share, effects=effects)

    @property
    def _parameters(self) -> Floats:
        return np.concatenate([self.baseline._parameters, [*self.buying.values(), *self.leaving.values()]])

    @property
    def _names(self) -> list[str]:
        of_buying, of_leaving = (f"buying.{name}" for name in self.buying), (f"leaving.{name}" for name in self.leaving)
        return [*self.baseline.NAMES, *of_buying, *of_leaving]

    @classmethod
    def _with(cls, baseline: PurchaseModel, effects: Floats, buying: Sequence[str], leaving: Sequence[str]) -> Self:
        of_buying, of_leaving = map(float, effects[: len(buying)]), map(float, effects[len(buying) :])
        return cls(baseline, dict(zip(buying, of_buying, strict=True)), dict(zip(leaving, of_leaving, strict=True)))

    @classmethod
    def _rows(
        cls,
        kind: type[PurchaseModel],
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        buying: Any,
        leaving: Any,
        weights: ArrayLike | None,
    ) -> tuple[Rows, tuple[list[str], list[str]]]:
        """Return the distinct customers with their covariates, those of buying first, and the names of both."""
        if not (isinstance(kind, type) and issubclass(kind, PurchaseModel)):
            raise UsageError("btyd_choice", argument="kind", value=str(kind), choices="BGNBD, MBGNBD, ParetoNBD, BGBB")
        known = inputs.customers(frequency, recency, T, whole=kind.WHOLE)
        x, last, age = np.broadcast_arrays(*map(np.atleast_1d, known))
        names = _names("buying", buying), _names("leaving", leaving)
        columns = [
            np.broadcast_to(inputs.same_rows(f"{said}.{name}", column, len(x)), x.shape)
            for said, table, named in (("buying", buying, names[0]), ("leaving", leaving, names[1]))
            for name, column in zip(named, _columns(said, table, named), strict=True)
        ]
        weight = None if weights is None else inputs.weights_of(weights, len(x))
        return Rows.of(x, last, age, weight, *columns), names


def _summed(kind: type[PurchaseModel], rows: Rows, buying: int) -> LogLikelihood:
    """Return the log-likelihood of parameters and effects, those on buying first, and its gradient."""
    count = len(kind.NAMES)
    parts = ((kind.BUYING, slice(0, buying)), (kind.LEAVING, slice(buying, None)))

    def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
        effects, ratio = parameters[count:], np.ones((count, len(rows.counts)))
        for (name, sign), part in parts:
            at = kind.NAMES.index(name)
            ratio[at] = np.exp(sign * (effects[part] @ rows.covariates[part]))
        varied = {name for (name, _), part in parts if len(effects[part])}
        given = [
            value * ratio[at] if name in varied else float(value)
            for at, (name, value) in enumerate(zip(kind.NAMES, parameters[:count], strict=True))
        ]
        values, by_parameter = kind._terms(given, rows)
        gradient = [(by_parameter * ratio).sum(axis=1)]
        for (name, sign), part in parts:
            at = kind.NAMES.index(name)
            gradient.append(rows.covariates[part] @ (sign * by_parameter[at] * ratio[at] * parameters[at]))
        return float(values.sum()), np.concatenate(gradient)

    return log_likelihood


def _names(said: str, table: Any) -> list[str]:
    """Return the names of a table's columns."""
    if table is None:
        return []
    if isinstance(table, Mapping):
        return list(map(str, table))
    names = getattr(table, "column_names", getattr(table, "columns", None))
    if names is None:
        raise UsageError("btyd_no_table", argument=said)
    return list(map(str, names))


def _columns(said: str, table: Any, names: list[str]) -> list[Floats]:
    """Return the columns of a table by their names.

    Raises:
        UsageError: one is not there.
    """
    found = _names(said, table)
    for name in names:
        if name not in found:
            raise UsageError("btyd_no_covariate", argument=said, name=name)
    return [inputs.numbers(f"{said}.{name}", table[name]) for name in names]
