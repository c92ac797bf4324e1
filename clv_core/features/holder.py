"""What holds the relations of a log: an engine that is asked, or sorted columns at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from clv_core.features.sequences import Steps

if TYPE_CHECKING:
    import ibis


class CustomerRelations(Protocol):
    """What is told of some customers of a log, whatever holds it."""

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return the steps of the customers ``first <= customer < stop``, ordered by customer and time.

        Args:
            first: the first customer.
            stop: one past the last customer; None takes all.
        """

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations: NaN for unknown, text as codes.

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            horizon_days: length of the predicted span.
            customers: numbers of customers seen before the cutoff, ascending, [n]; none of them is left out between the
                first and the last.
            columns: the features that are wanted, by name, each of shape [n].
        """


class Holder(CustomerRelations, Protocol):
    """The relations of one log, whatever holds them."""

    @property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""

    def orders_by_day(self, first: int, end: int) -> NDArray[np.float64]:
        """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days]."""
