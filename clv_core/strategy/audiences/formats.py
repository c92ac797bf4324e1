"""The formats in which a list of customers can be exported: one row a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from clv_core.collection.vocabulary import EMAIL, FBC, GCLID, MADID, PHONE
from clv_core.strategy.audiences import platforms
from clv_core.strategy.audiences.contacts import MOBILE_CN
from clv_core.strategy.audiences.countries import MAINLAND_CHINA

MEGABYTE: Final = 1_000_000
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
        conversion_days: of conversions, how long ago the first order may be (:mod:`.conversions`); None for audiences.
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
    conversion_days: int | None = None

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
        Export("klaviyo", ".csv", platforms.klaviyo, (EMAIL, PHONE), largest_file=50 * MEGABYTE),
        Export("hubspot", ".csv", platforms.hubspot, (EMAIL,), largest_file=512 * MEGABYTE, most_rows=1_048_575),
        Export("mailchimp", ".csv", platforms.mailchimp, (EMAIL,)),
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
