"""Splits of a log at past days, so that scikit-learn's searches choose by what then came true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import EVENT_TIME
from clv_core.deployment import LONGEST_DAYS, days_of
from clv_core.errors import UsageError

DAY: Final = np.timedelta64(1, "D")


class PastOrigins:
    """Splits the rows of a log at past origins, the earliest first.

    The training part of a split is the rows before an origin; the test part is all rows before the origin and its
    horizon, as :meth:`CLV.score <clv_core.estimator.clv.CLV.score>` wants them: it predicts at the end of the training
    part and reads what came true after it. The last horizon ends with the log.

    Args:
        n_splits: how many origins.
        horizon_days: length of the predicted span, that of the estimator.
        step_days: days from one origin to the next; None is one horizon, so that no outcome is judged twice.
        time: the column of times.

    Examples:
        >>> from clv_core import PastOrigins
        >>> for before, until in PastOrigins(2, horizon_days=90).split(events):
        ...     print(events["event_time"].iloc[before].max().date(), events["event_time"].iloc[until].max().date())
        2024-07-02 2024-09-30
        2024-09-30 2024-12-30
    """

    def __init__(
        self, n_splits: int = 3, *, horizon_days: int = 182, step_days: int | None = None, time: str = EVENT_TIME
    ) -> None:
        self.n_splits = n_splits
        self.horizon_days = horizon_days
        self.step_days = step_days
        self.time = time

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803, ARG002
        """Return how many splits there are.

        Examples:
            >>> from clv_core import PastOrigins
            >>> PastOrigins(2, horizon_days=90).get_n_splits()
            2
        """
        return self.n_splits

    def split(
        self,
        X: Any,  # noqa: N803 - scikit-learn's name
        y: Any = None,  # noqa: ARG002
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the positions of the rows of each training part and test part.

        Args:
            X: the log, a table whose column :attr:`time` holds times or ISO texts.
            y: not used.
            groups: not used.

        Raises:
            UsageError: there is no such column, it holds other things than times, or no row lies before an origin.

        Examples:
            >>> from clv_core import PastOrigins
            >>> log = pd.DataFrame({"event_time": pd.date_range("2024-01-01", periods=10)})
            >>> [(len(before), len(until)) for before, until in PastOrigins(2, horizon_days=3).split(log)]
            [(4, 7), (7, 10)]
        """
        days = self._days(X)
        dated = days[~np.isnat(days)]
        horizon, step = (
            days_of(value, name)
            for name, value in (("horizon_days", self.horizon_days), ("step_days", self.step_days or self.horizon_days))
        )
        splits = days_of(self.n_splits, "n_splits")
        for name, value in (("horizon_days", horizon), ("step_days", step), ("n_splits", splits)):
            if value < 1:
                raise UsageError("setting_bounds", setting=name, value=value, low=1, high=LONGEST_DAYS)
        if not len(dated):
            raise UsageError("origin_time", column=str(self.time)[:60])
        end = dated.max() + DAY
        for back in range(splits - 1, -1, -1):
            origin = end - (horizon + back * step) * DAY
            train, test = np.flatnonzero(days < origin), np.flatnonzero(days < origin + horizon * DAY)
            if not len(train):
                raise UsageError("origin_before_log", origin=str(origin), first=str(dated.min()), splits=splits)
            yield train, test

    def _days(self, events: Any) -> NDArray[np.datetime64]:
        """Return the day of each row, NaT where there is no time, [n]."""
        import pandas as pd

        try:
            column = events[self.time]
        except Exception as error:  # every kind of table has errors of its own
            raise UsageError("origin_time", column=str(self.time)[:60]) from error
        values = column.to_pandas() if hasattr(column, "to_pandas") else column
        series = pd.Series(values)
        if not pd.api.types.is_datetime64_any_dtype(series):
            if not (pd.api.types.is_object_dtype(series) or pd.api.types.is_string_dtype(series)):
                raise UsageError("origin_time", column=str(self.time)[:60])
            try:
                series = pd.to_datetime(series, format="ISO8601")
            except (ValueError, TypeError) as error:
                raise UsageError("origin_time", column=str(self.time)[:60]) from error
        if getattr(series.dt, "tz", None) is not None:
            series = series.dt.tz_localize(None)
        days: NDArray[np.datetime64] = series.to_numpy().astype("datetime64[D]")
        return days
