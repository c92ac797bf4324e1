"""What every method of the estimator stands on: the model, the log that it was fitted on, and Python's own manners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from clv_core.errors import ClvError, UsageError
from clv_core.estimator.listeners import listener_of
from clv_core.estimator.python_words import python_words
from clv_core.jobs import Progress

if TYPE_CHECKING:
    from clv_core.collection.store import Dataset
    from clv_core.deployment import Bundle, PopulationContext, Scored
    from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")


class NotFittedError(ClvError, ValueError, AttributeError):
    """A method that needs a model was called before :meth:`CLV.fit`; of the same kinds as scikit-learn's error."""


def python_door(method: Callable[P, T]) -> Callable[P, T]:
    """Return a method whose errors name Python's arguments, and whose small fits take one thread.

    What numpy and scipy fit here has a handful of parameters; threads that wait for each other take nine tenths of such
    a fit, and a BLAS that was loaded before this package has as many threads as there are processors.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        from threadpoolctl import threadpool_limits

        try:
            with threadpool_limits(1, "blas"):
                return method(*args, **kwargs)
        except ClvError as error:
            error.wording = python_words
            raise

    return call


class FittedModel:
    """A model with the log that it was fitted on, or without: a loaded one predicts events that it is given."""

    horizon_days: int
    progress: bool | None
    _workspace: Workspace
    _bundle: Bundle | None
    _dataset: Dataset | None
    _population: PopulationContext | None

    def _fitted(self) -> Bundle:
        if self._bundle is None:
            raise NotFittedError("not_fitted")
        return self._bundle

    def _measured(self) -> Bundle:
        bundle = self._fitted()
        if not bundle.record.holdout:
            raise ClvError("not_measured", horizon=bundle.record.horizon_days)
        return bundle

    def _scored(self, cutoff: date | None = None) -> Scored:
        """Return the log that is there, as the model sees it; another object in the workspace does not change it."""
        from clv_core.deployment import Scored

        bundle = self._fitted()
        if self._dataset is None:
            raise UsageError("no_events_here")
        return Scored.of(self._workspace, self._dataset, bundle, cutoff=cutoff)

    def _listener(self) -> Progress:
        return listener_of(self.progress)


def day_of_argument(value: Any) -> date | None:
    """Return a day: a date, a time of Python or pandas, or an ISO text.

    Raises:
        UsageError: it is none.
    """
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        day: date = datetime.fromisoformat(value).date() if isinstance(value, str) else value.date()
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError("bad_day", value=str(value)[:60]) from error
    return day
