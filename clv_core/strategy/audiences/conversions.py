"""Conversions for value-based bidding: what each new customer is worth, told to the platform that won her.

The conversion is the first order. Its value is what the customer has spent so far and is predicted to spend, or the
part of it that is margin.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from clv_core.collection import connect_memory, file_text
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE
from clv_core.errors import NotEnoughData, UsageError
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.platforms import CONVERSION_CURRENCY, CONVERSION_VALUE, CONVERTED_AT
from clv_core.strategy.purchase_history import HISTORIC_VALUE
from clv_core.strategy.segments import VALUE


def with_conversions(
    customers: pd.DataFrame, format: str, dataset: Dataset, as_of: date, margin_rate: float = 1.0
) -> pd.DataFrame:
    """Return the customers whom a format of conversions tells of, with what it needs; for other formats all of them.

    Args:
        customers: ``score``'s columns with the purchase history.
        format: id of ``EXPORTS``.
        dataset: the log, for the time of the first order.
        as_of: the cutoff; who first ordered longer before it than the platform takes is left out.
        margin_rate: share of net value that the conversion's value is, in (0, 1].

    Returns:
        Columns :data:`.platforms.CONVERTED_AT` (UTC), :data:`.platforms.CONVERSION_VALUE` and
        :data:`.platforms.CONVERSION_CURRENCY` beside the others.

    Raises:
        UsageError: the margin is out of bounds, or the log's currency is not known.
        NotEnoughData: nobody first ordered in the platform's days.
    """
    days = EXPORTS[format].conversion_days if format in EXPORTS else None
    if days is None:
        return customers
    if not 0 < margin_rate <= 1:
        raise UsageError("setting_bounds", setting="margin_rate", value=margin_rate, low=0, high=1)
    currency = dataset.manifest.currency
    if not currency:
        raise UsageError("conversion_currency", name=dataset.name)
    first = _first_orders(dataset, as_of - timedelta(days=days), as_of)
    new = customers[customers[CUSTOMER_ID].isin(first.index)]
    if new.empty:
        raise NotEnoughData("conversions_none", days=days, format=format)
    value = (new[HISTORIC_VALUE].to_numpy(float) + new[VALUE].to_numpy(float)) * margin_rate
    columns = {CONVERTED_AT: first.reindex(new[CUSTOMER_ID]).to_numpy(), CONVERSION_VALUE: value}
    return new.assign(**columns, **{CONVERSION_CURRENCY: currency})


def _first_orders(dataset: Dataset, start: date, stop: date) -> pd.Series[pd.Timestamp]:
    """Return the time of the first order (UTC) of those who first ordered from ``start`` to before ``stop``, by id."""
    query = (
        f"SELECT {CUSTOMER_ID}, min({EVENT_TIME}) AS first FROM {file_text(dataset.events_path)}"
        f" WHERE {EVENT_TYPE} = '{PURCHASE}' AND {AMOUNT} > 0 GROUP BY 1 HAVING first >= ? AND first < ?"
    )
    with connect_memory() as connection:
        frame = connection.execute(query, [start, stop]).df()
    times: pd.Series[pd.Timestamp] = frame.set_index(CUSTOMER_ID)["first"]
    return times
