"""What holds the relations of a log: an engine that is asked, or sorted columns at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from clv_core.features.sequences import Steps

if TYPE_CHECKING:
    import ibis

Put = Callable[[slice | NDArray[np.int64], str, NDArray[np.float64]], None]
"""Takes the values of one feature for some rows of the feature table; called from several threads at once."""


class Holder(Protocol):
    """The relations of one log, whatever holds them."""

    @property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""

    def steps(self) -> Steps:
        """Return all steps, ordered by customer, day, time of day and event type."""

    def features(self, cutoff_day: int, horizon_days: int, customers: NDArray[np.int64], put: Put) -> None:
        """Hand the features that come from relations to ``put``, NaN for unknown, text as codes.

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            horizon_days: length of the predicted span.
            customers: numbers of the customers seen before the cutoff, ascending, [n].
            put: called with rows of the n, a feature's name, and its values at these rows.
        """

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""
