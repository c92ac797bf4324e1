"""The formats in which a list of customers can be exported: one row a format.

Conversions, for value-based bidding, are formats of new customers (:func:`with_conversions`): what each of them is
worth, sent to the platform that won her. The conversion is the first order. Its value is what the customer has spent so
far and is predicted to spend, or the part of it that is margin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from clv_core.collection import connect_memory, file_text
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import EMAIL, FBC, GCLID, MADID, PHONE
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE
from clv_core.errors import NotEnoughData, UsageError
from clv_core.strategy.audiences import platforms
from clv_core.strategy.audiences.contacts import MOBILE_CN
from clv_core.strategy.audiences.countries import MAINLAND_CHINA
from clv_core.strategy.audiences.platforms import CONVERSION_CURRENCY, CONVERSION_VALUE, CONVERTED_AT
from clv_core.strategy.purchase_history import HISTORIC_VALUE
from clv_core.strategy.segments import VALUE

MEGABYTE: Final = 1_000_000
"""Bytes, as platforms state the limits of their files."""
Spelling = Callable[["pd.Series[Any]"], "pd.Series[Any]"]
"""Gives the e-mail addresses that a platform reads as one the same text."""


@dataclass(frozen=True)
class Export:
    """One format; its name for people is the catalogue key ``export.<id>``.

    Args:
        id: what the command line and side files call it.
        suffix: ending of its file.
        columns: an audience's customers -> the platform's columns; None for generic formats, which take all columns.
        keys: contact fields of which a customer needs at least one.
        reached: columns of the clean contacts of which at least one must not be empty; empty for ``keys``.
        header: whether the file names its columns.
        fewest: smallest list that the platform takes.
        largest_file: bytes above which the list is split over several files.
        most_rows: rows above which it is, the header not counted.
        region: country of phone numbers that name none, unless another is chosen; "" where the platform has no one
            country.
        read_as: what the platform makes of e-mail addresses before it hashes them, where that makes one of several.
        properties: whether it also takes what mail platforms call properties (:data:`.platforms.PROPERTIES`).
        conversion_days: how long ago the first order of a conversion may be; None for audiences.
    """

    id: str
    suffix: str
    columns: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    keys: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    header: bool = True
    fewest: int = 1
    largest_file: int | None = None
    most_rows: int | None = None
    region: str = ""
    read_as: Spelling | None = None
    properties: bool = False
    conversion_days: int | None = None

    @property
    def takes_break_even(self) -> bool:
        """Whether its list may have the break-even uplift of an offer as a last column."""
        return self.columns is None or self.properties

    @property
    def needs_contacts(self) -> bool:
        """Whether it needs a customers frame with contact fields."""
        return self.columns is not None


EXPORTS: Final[dict[str, Export]] = {
    entry.id: entry
    for entry in (
        Export("csv", ".csv"),
        Export("xlsx", ".xlsx"),
        Export("google_customer_match", ".csv", platforms.google, (EMAIL, PHONE)),
        Export("meta_value_based", ".csv", platforms.meta, (EMAIL, PHONE, MADID), fewest=100),
        Export("google_conversions", ".csv", platforms.google_conversions, (GCLID,), conversion_days=90),
        Export("meta_events", ".csv", platforms.meta_events, (EMAIL, PHONE, MADID, FBC), conversion_days=62),
        Export("klaviyo", ".csv", platforms.klaviyo, (EMAIL, PHONE), largest_file=50 * MEGABYTE, properties=True),
        Export(
            "hubspot",
            ".csv",
            platforms.hubspot,
            (EMAIL,),
            largest_file=512 * MEGABYTE,
            most_rows=1_048_575,
            properties=True,
        ),
        Export("mailchimp", ".csv", platforms.mailchimp, (EMAIL,), properties=True),
        Export(
            "tiktok",
            ".csv",
            platforms.tiktok,
            (EMAIL, PHONE, MADID),
            fewest=1000,
            largest_file=1000 * MEGABYTE - 1,
            read_as=platforms.tiktok_emails,
        ),
        Export(
            "phone_hashes", ".txt", platforms.phone_hashes, (PHONE,), (MOBILE_CN,), header=False, region=MAINLAND_CHINA
        ),
    )
}


def with_conversions(
    customers: pd.DataFrame, format: str, dataset: Dataset, as_of: date, margin_rate: float = 1.0
) -> pd.DataFrame:
    """Return the customers who are conversions of a format, with its columns; for other formats all of them.

    Args:
        customers: ``score``'s columns with the purchase history.
        format: id of ``EXPORTS``.
        dataset: the log, for the time of the first order.
        as_of: the cutoff; who first ordered longer before it than the platform takes is left out.
        margin_rate: share of net value that the conversion's value is, in (0, 1].

    Returns:
        Columns :data:`.platforms.CONVERTED_AT` (UTC), :data:`.platforms.CONVERSION_VALUE` and
        :data:`.platforms.CONVERSION_CURRENCY`, added to the others.

    Raises:
        UsageError: the margin is out of bounds, or the log has no currency.
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
