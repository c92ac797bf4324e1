"""What all models of counts can do: the one protocol of BG/NBD, MBG/NBD, Pareto/NBD and BG/BB.

A model brings its likelihood, and four figures of a customer; everything else is the same for all and is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from clv_core.btyd import inputs
from clv_core.btyd.fitting import LogLikelihood, Rows, covariance_of, maximise, unique_rows
from clv_core.errors import UsageError
from clv_core.records import JsonRecord

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Parameter = Floats | float

FEW_ROWS: Final = 32
"""Of so few rows, finding the same ones takes longer than working each of them out."""
DERIVATIVE_STEP: Final = 1e-4
"""Of log-parameters, for the slope of a prediction."""


class PurchaseModel(JsonRecord, ABC):
    """A model of how often customers buy until they leave.

    Every figure takes customers as ``frequency`` (repeat purchases), ``recency`` (from the first purchase to the last)
    and ``T`` (from the first purchase to the cutoff), in the unit of time of the fit: columns of pandas, polars or
    Arrow, arrays, lists, or numbers. Columns give an array [n], numbers a number. A customer who is left out is a
    new one, at the moment of her first purchase. What no customer can be is an error that names argument and row.

    Examples:
        >>> import numpy as np
        >>> from clv_core import BGBB, BGNBD, MBGNBD, ParetoNBD, PurchaseModel
        >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]])
        >>> for kind in (BGNBD, MBGNBD, ParetoNBD, BGBB):
        ...     model: PurchaseModel = kind.fit(*customers, weights=[50] * 4)
        ...     print(kind.__name__, model.expected_purchases(90, *customers).round(2))
        BGNBD [0.2  0.25 0.81 0.  ]
        MBGNBD [0.16 0.26 0.84 0.  ]
        ParetoNBD [0.09 0.14 0.84 0.  ]
        BGBB [0.08 0.14 0.87 0.  ]

    Attributes:
        converged: whether the log alone pins the parameters down; False: regularised.
    """

    NAMES: ClassVar[tuple[str, ...]]
    """Of the parameters."""
    TIMES: ClassVar[frozenset[str]] = frozenset()
    """Parameters in units of time."""
    START: ClassVar[tuple[float, ...]]
    """First guess, and centre of the prior, where the mean age is 1."""
    WHOLE: ClassVar[bool] = False
    """Whether time is a number of opportunities."""
    BUYING: ClassVar[tuple[str, int]]
    """Parameter that covariates of buying move, and which way (1: up) more purchases lie."""
    LEAVING: ClassVar[tuple[str, int]]
    """The same of leaving sooner."""

    converged: bool

    @classmethod
    def fit(cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Return the model of highest likelihood.

        Args:
            frequency: repeat purchases x, [n]; integers.
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n], ``recency <= T``.
            weights: how many customers each row stands for, [n]; None: one.

        Returns:
            The fitted model, never one with a NaN, see :attr:`converged`. n = 0 gives the prior's centre.

        Raises:
            UsageError: a row is no customer.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> once, lost, regular = [0, 0, 200], [3, 60, 365], [12, 340, 365]
            >>> frequency, recency, T = np.transpose([once, lost, regular])
            >>> model = BGNBD.fit(frequency, recency, T, weights=[40, 40, 40])
            >>> model.p_alive(*np.transpose([lost, regular])).round(2)
            array([0.04, 0.92])
        """
        rows = cls._rows(frequency, recency, T, weights)
        scale = float(np.average(rows.age, weights=rows.weight)) if cls.TIMES and rows.age.any() else 1.0
        scaled = rows.scaled(scale)
        few = scaled.coarse()
        parameters, converged = maximise(
            cls._summed(scaled),
            float(rows.weight.sum()),
            cls.START,
            coarse=None if few is None else cls._summed(few),
        )
        return cls._of(parameters, scale, converged)

    def log_likelihood(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """Return the log-likelihood summed over customers.

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> round(model.log_likelihood([0, 2], [0, 30.43], [38.86, 38.86]), 3)
            -10.013
        """
        return self._summed(self._rows(frequency, recency, T, weights))(self._parameters)[0]

    def covariance(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> pd.DataFrame:
        """Return the covariance of the parameters, from the customers that the model was fitted on.

        NaN where they do not pin the parameters down.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]])
            >>> model = BGNBD.fit(*customers, weights=[50] * 4)
            >>> model.covariance(*customers, weights=[50] * 4).loc["r", ["r", "alpha"]].round(3).tolist()
            [0.003, 0.14]
        """
        import pandas as pd

        rows = self._rows(frequency, recency, T, weights)
        matrix = covariance_of(self._summed(rows), self._parameters)
        return pd.DataFrame(matrix, list(self.NAMES), list(self.NAMES))

    def standard_errors(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> dict[str, float]:
        """Return the standard error of each parameter, from the customers that the model was fitted on.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> customers = np.repeat([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]], 50, axis=0).T
            >>> model = BGNBD.fit(*customers)
            >>> errors = model.standard_errors(*customers)
            >>> {name: round(error / getattr(model, name), 2) for name, error in errors.items()}
            {'r': 0.12, 'alpha': 0.16, 'a': 0.65, 'b': 0.67}
        """
        return errors_of(self.covariance(frequency, recency, T, weights))

    def parameter_intervals(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return an interval of each parameter, columns ``low`` and ``high``; even on the logarithm, so above 0.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]])
            >>> model = BGNBD.fit(*customers, weights=[50] * 4)
            >>> model.parameter_intervals(*customers, weights=[50] * 4).loc["r"].round(2).tolist()
            [0.4, 0.63]
        """
        return intervals_of(self._parameters, self.covariance(frequency, recency, T, weights), level)

    def p_alive(self, frequency: ArrayLike = 0, recency: ArrayLike = 0, T: ArrayLike = 0, *, check: bool = True) -> Any:
        """Return the probability that each customer has not left by the cutoff, in [0, 1].

        Args:
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].
            check: whether rows that no customer can be are refused; explanations mix the columns of several customers.

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.p_alive([2, 2], [30.43, 5.0], [38.86, 38.86]).round(3)
            array([0.727, 0.124])
        """
        (x, last, age), shape = self._customers(frequency, recency, T, check=check)
        return _shaped(self._p_alive(x, last, age), shape)

    def alive_path(self, purchases: ArrayLike, times: ArrayLike) -> Floats:
        """Return the probability of not having left of one customer at each of some times, as it was seen then, [n].

        Args:
            purchases: times of the repeat purchases since the first purchase, in the unit of the model.
            times: since the first purchase, [n].

        Examples:
            Bought again after 10 and 30 weeks; seen in weeks 5, 20, 31 and 80.

            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.alive_path([10, 30], [5, 20, 31, 80]).round(2)
            array([1.  , 0.61, 0.8 , 0.37])
        """
        bought = np.sort(np.atleast_1d(inputs.not_below_zero("purchases", inputs.numbers("purchases", purchases))))
        seen = np.atleast_1d(inputs.horizon_of(times, whole=self.WHOLE))
        bought = bought[bought > 0]
        x = np.searchsorted(bought, seen, side="right")
        last = np.concatenate([[0.0], bought])[x]
        alive: Floats = self.p_alive(x.astype(np.float64), last, seen)
        return alive

    def expected_purchases(
        self,
        horizon: ArrayLike,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        T: ArrayLike = 0,
        *,
        check: bool = True,
    ) -> Any:
        """Return the expected purchases of each customer in the horizon after the cutoff.

        Args:
            horizon: t, in the unit of T; one for all, or one each.
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].
            check: as in :meth:`p_alive`.

        Examples:
            Two customers of the BG/NBD paper; a new one, by weeks since her first purchase.

            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.expected_purchases(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.195, 1.226])
            >>> model.expected_purchases([1, 32, 78]).round(2)
            array([0.05, 1.05, 1.86])
        """
        ahead = inputs.horizon_of(horizon, whole=self.WHOLE)
        (x, last, age, t), shape = self._customers(frequency, recency, T, ahead, check=check)
        days = t if np.ndim(horizon) else float(t[0]) if len(t) else 0.0
        return _shaped(self._expected(x, age)(days) * self._p_alive(x, last, age), shape)

    def expected_if_alive(self, frequency: ArrayLike, T: ArrayLike) -> Callable[[float], Floats]:
        """Return the expected purchases of customers who have not left, as a function of the horizon.

        What does not depend on the horizon is worked out once.

        Args:
            frequency: x, [n].
            T: first purchase to cutoff, [n].

        Returns:
            Horizon, in the unit of T, to expected purchases, [n].

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> expected = model.expected_if_alive([2], [38.86])
            >>> [expected(weeks).round(3).tolist() for weeks in (39, 78)]
            [[1.687], [2.96]]
        """
        x, age = (np.atleast_1d(np.asarray(column, np.float64)) for column in (frequency, T))
        return self._expected(*np.broadcast_arrays(x, age))

    def p_purchase(
        self,
        horizon: ArrayLike,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        T: ArrayLike = 0,
        *,
        check: bool = True,
    ) -> Any:
        """Return the probability of at least one purchase in the horizon after the cutoff, in [0, 1].

        Args:
            horizon: t, in the unit of T; one for all, or one each.
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].
            check: as in :meth:`p_alive`.

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.p_purchase(39, [0, 2], [0, 30.43], [38.86, 38.86]).round(3)
            array([0.145, 0.555])
        """
        ahead = inputs.horizon_of(horizon, whole=self.WHOLE)
        (x, last, age, t), shape = self._customers(frequency, recency, T, ahead, check=check)
        return _shaped(self._p_some(t, x, age) * self._p_alive(x, last, age), shape)

    def p_purchases(
        self, n: ArrayLike, horizon: ArrayLike, frequency: ArrayLike = 0, recency: ArrayLike = 0, T: ArrayLike = 0
    ) -> Any:
        """Return the probability of exactly ``n`` purchases in the horizon after the cutoff, in [0, 1].

        Examples:
            Of a new customer, 0 to 3 in 39 weeks; of the paper's customer none.

            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> model.p_purchases([0, 1, 2, 3], 39).round(3)
            array([0.574, 0.199, 0.085, 0.046])
            >>> round(model.p_purchases(0, 39, 2, 30.43, 38.86), 3)
            0.445
        """
        horizon, n = inputs.horizon_of(horizon, whole=self.WHOLE), inputs.counted("n", n)
        (x, last, age, t, count), shape = self._customers(frequency, recency, T, horizon, n)
        alive = self._p_alive(x, last, age)
        return _shaped(alive * self._p_count(count, t, x, age) + (1 - alive) * (count == 0), shape)

    def discounted_purchases(
        self,
        steps: int,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        T: ArrayLike = 0,
        *,
        step: float = 30,
        rate: float = 0.01,
    ) -> Any:
        """Return the expected purchases of the next steps, those of the k-th step divided by (1 + rate)^k.

        Args:
            steps: how many.
            frequency: x, [n].
            recency: first to last purchase, [n].
            T: first purchase to cutoff, [n].
            step: length of a step, in the unit of T; 30 days are the month of other libraries.
            rate: of discount, a step.

        Examples:
            >>> from clv_core import BGNBD
            >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
            >>> round(model.discounted_purchases(12, 2, 30.43, 38.86, step=4.345), 3)
            1.471
        """
        count, length = int(inputs.counted("steps", steps)), inputs.horizon_of(step, whole=self.WHOLE)
        yearly = float(inputs.not_below_zero("rate", inputs.numbers("rate", rate)))
        (x, last, age), shape = self._customers(frequency, recency, T)
        expected, before, worth = self._expected(x, age), np.zeros(len(x)), np.zeros(len(x))
        for k in range(1, count + 1):
            until = expected(k * float(length))
            worth += (until - before) / (1 + yearly) ** k
            before = until
        return _shaped(worth * self._p_alive(x, last, age), shape)

    def interval(
        self, figure: str, *arguments: ArrayLike, covariance: pd.DataFrame, level: float = 0.95
    ) -> tuple[Floats, Floats]:
        """Return between which ends a predicted figure lies, as far as the parameters are uncertain (delta method).

        It is about the figure, an expectation or a probability, not about what a customer will do. Ends are even on
        the logarithm, of probabilities on the log-odds, so none is impossible.

        Args:
            figure: ``"expected_purchases"``, ``"p_alive"``, ``"p_purchase"``, ``"p_purchases"``.
            arguments: those of that method.
            covariance: that of :meth:`covariance`.
            level: in (0, 1).

        Returns:
            Lower and upper ends, [n] each.

        Examples:
            >>> import numpy as np
            >>> from clv_core import BGNBD
            >>> customers = np.transpose([[0, 0, 200], [1, 90, 300], [4, 320, 365], [9, 100, 365]])
            >>> model = BGNBD.fit(*customers, weights=[50] * 4)
            >>> covariance = model.covariance(*customers, weights=[50] * 4)
            >>> low, high = model.interval("expected_purchases", 90, *customers, covariance=covariance)
            >>> np.round([low[2], model.expected_purchases(90, 4, 320, 365), high[2]], 2)
            array([0.75, 0.81, 0.86])
        """

        def predict(parameters: Floats) -> Floats:
            model = self._of(parameters, 1.0, self.converged)
            return np.atleast_1d(figure_of(model, figure)(*arguments))

        return delta_interval(predict, self._parameters, covariance, level, is_share=figure.startswith("p_"))

    @classmethod
    @abstractmethod
    def _terms(cls, parameters: Sequence[Parameter], rows: Rows) -> tuple[Floats, Floats]:
        """Return the log-likelihood of each group of rows [g], and its gradients by parameter [k, g].

        Args:
            parameters: one for all groups or one of each, [g].
            rows: the customers.
        """

    @abstractmethod
    def _p_alive(self, x: Floats, last: Floats, age: Floats) -> Floats:
        """Return the probability of not having left by the cutoff, [n]."""

    @abstractmethod
    def _expected(self, x: Floats, age: Floats) -> Callable[[Parameter], Floats]:
        """Return the expected purchases of those who have not left, [n], as a function of the horizon, one or [n]."""

    @abstractmethod
    def _p_some(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return the probability of any purchase of those who have not left, [n]."""

    @abstractmethod
    def _p_count(self, count: Floats, horizon: Floats, x: Floats, age: Floats) -> Floats:
        """Return the probability of so many purchases of those who have not left, [n]."""

    @property
    def _parameters(self) -> Floats:
        return np.array([getattr(self, name) for name in self.NAMES])

    @classmethod
    def _of(cls, parameters: Floats, scale: float, converged: bool) -> Self:
        """Return the model of some parameters, of which ages are in units of ``scale``."""
        named = dict(zip(cls.NAMES, map(float, parameters), strict=True))
        own: dict[str, Any] = {name: value * (scale if name in cls.TIMES else 1.0) for name, value in named.items()}
        return cls(**own, **{"converged": converged})

    @classmethod
    def _rows(cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None) -> Rows:
        x, last, age = np.broadcast_arrays(
            *map(np.atleast_1d, inputs.customers(frequency, recency, T, whole=cls.WHOLE))
        )
        return Rows.of(x, last, age, None if weights is None else inputs.weights_of(weights, len(x)))

    @classmethod
    def _summed(cls, rows: Rows) -> LogLikelihood:
        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            values, gradients = cls._terms(list(parameters), rows)
            return float(values.sum()), gradients.sum(axis=1)

        return log_likelihood

    def _customers(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, *others: Floats, check: bool = True
    ) -> tuple[list[Floats], tuple[int, ...]]:
        """Return customers and what is asked of each, [n] all; and the shape of the answer, () of one customer."""
        known = frequency, recency, T
        checked = (
            inputs.customers(*known, whole=self.WHOLE) if check else [np.asarray(one, np.float64) for one in known]
        )
        columns = [*checked, *others]
        own = [np.shape(getattr(self, name)) for name in self.NAMES]
        try:
            shape = np.broadcast_shapes(*(column.shape for column in columns), *own)
        except ValueError as error:
            lengths = ", ".join(str(len(column)) for column in columns if column.ndim)
            raise UsageError("btyd_lengths", lengths=lengths) from error
        return [np.broadcast_to(column, shape or (1,)) for column in columns], shape

    def _distinct(self, *columns: Floats) -> tuple[Self, list[Floats], Any]:
        """Return distinct rows, the model of them, and the place of each row among them."""
        own = {name: getattr(self, name) for name in self.NAMES if np.ndim(getattr(self, name))}
        size = len(columns[0])
        if size <= FEW_ROWS:
            return self, list(columns), slice(None)
        rows, place, _ = unique_rows(*columns, *(np.broadcast_to(value, (size,)) for value in own.values()))
        model = replace(self, **dict(zip(own, rows[len(columns) :], strict=True))) if own else self  # type: ignore[type-var]
        return model, rows[: len(columns)], place


def figure_of(model: PurchaseModel, figure: str) -> Callable[..., Any]:
    """Return a model's method that has an interval.

    Raises:
        UsageError: it has none.
    """
    known = ("expected_purchases", "p_alive", "p_purchase", "p_purchases")
    if figure not in known:
        raise UsageError("btyd_choice", argument="figure", value=str(figure), choices=", ".join(known))
    method: Callable[..., Any] = getattr(model, figure)
    return method


def errors_of(covariance: pd.DataFrame) -> dict[str, float]:
    """Return the standard error of each parameter."""
    return {str(name): float(np.sqrt(covariance.loc[name, name])) for name in covariance.index}


def intervals_of(parameters: Floats, covariance: pd.DataFrame, level: float, effects: int = 0) -> pd.DataFrame:
    """Return an interval of each parameter; even on the logarithm, but for the last ``effects`` of them."""
    import pandas as pd

    reach = ndtri(0.5 + inputs.share("level", level) / 2) * np.sqrt(np.diag(covariance))
    positive = np.arange(len(parameters)) < len(parameters) - effects
    size = np.where(positive, parameters, 1.0)
    low, high = (np.where(positive, size * np.exp(sign * reach / size), parameters + sign * reach) for sign in (-1, 1))
    return pd.DataFrame({"low": low, "high": high}, covariance.index)


def delta_interval(
    predict: Callable[[Floats], Floats],
    parameters: Floats,
    covariance: pd.DataFrame,
    level: float,
    *,
    is_share: bool,
    effects: int = 0,
) -> tuple[Floats, Floats]:
    """Return the ends of a prediction, [n] each, from how it moves with each parameter."""
    value = predict(parameters)
    size = np.where(np.arange(len(parameters)) < len(parameters) - effects, parameters, 1.0)
    slopes = [
        (predict(parameters + step) - predict(parameters - step)) / (2 * DERIVATIVE_STEP)
        for step in DERIVATIVE_STEP * np.diag(size)
    ]
    matrix = np.asarray(covariance, np.float64) / np.outer(size, size)
    variance = np.einsum("in,ij,jn->n", slopes, matrix, slopes)
    reach = ndtri(0.5 + inputs.share("level", level) / 2) * np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_share:
            wide = reach / (value * (1 - value))
            ends = [expit(logit(value) + sign * wide) for sign in (-1, 1)]
        else:
            ends = [value * np.exp(sign * reach / value) for sign in (-1, 1)]
    low, high = (np.where(reach == 0, value, end) for end in ends)
    return low, high


def _shaped(values: Floats, shape: tuple[int, ...]) -> Any:
    """Return a number for numbers, an array for columns."""
    return values if shape else float(values[0])
