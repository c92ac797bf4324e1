"""A destination, and what each kind of it has in common."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pandas as pd

from clv_core.collection.vocabulary import CONSENT
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message
from clv_core.records import StoredRecord

Row = dict[str, Any]
Tell = Callable[[Message], None]
MARKETING, WAREHOUSE = "marketing", "warehouse"
PURPOSES: Final = (MARKETING, WAREHOUSE)
"""What a destination is for: to contact customers, who have to agree to it; or to hold what its owner knows."""
SCORES: Final = (
    *(CUSTOMER_ID, "as_of", "horizon_days", "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90"),
    *("tier", "segment_name", "model", CONSENT),
)
"""Columns that a webhook, a table and a bucket get, where they are there: no contact fields; consent in a warehouse."""
AS_OF: Final = ("as_of", "clv_as_of")
"""Names under which rows say of which day they are. A row that differs in nothing else has not changed."""


@dataclass(frozen=True)
class Destination(StoredRecord):
    """Where scores are sent.

    Args:
        name: of it.
        kind: id of ``KINDS``.
        address: URL of the webhook, server or bucket; of a vendor, that of its API.
        secret: reference of the key, token or password (:mod:`clv_core.secrets_by_reference`); "" for none.
        table: of a database, in capitals and small letters as it is there; its schema may stand before a dot.
        salt: of the hashes of ids.
        purpose: one of :data:`PURPOSES`. Who did not agree to marketing is not sent there; rows of a warehouse say in
            ``consent`` who did.
    """

    name: str
    kind: str
    address: str
    secret: str = ""
    table: str = "clv_scores"
    salt: str = ""
    purpose: str = MARKETING

    @property
    def host(self) -> str:
        """What may be shown of the address."""
        parts = urllib.parse.urlsplit(self.address)
        return parts.hostname or parts.path


class Send(Protocol):
    """Sends rows and returns why some were not accepted, by their place.

    Raises:
        BadRows: the request is refused for a row; it can be sent in halves.
        SendError: the destination refuses everything, or does not answer.
    """

    def __call__(self, rows: Sequence[Row], about: Row) -> dict[int, str]:
        """Send rows; ``about`` describes their numbers."""


class BadRows(Exception):
    """A request was refused for what it holds; the text is the answer's, behind its status where it has one."""

    @property
    def status(self) -> str:
        """Equal for requests that were refused for one reason; the text after it may name a row or a request."""
        return str(self).partition(":")[0]


class SendError(Exception):
    """A destination refuses everything, or does not answer.

    Args:
        code: of the error that a person sees: ``push_refused``, ``push_unanswered`` or ``push_refused_alike``.
        reason: a status or code that it gave, and its words.
        refused: customers in batches of which no row was accepted.
    """

    def __init__(self, code: str, reason: str, refused: int = 0) -> None:
        super().__init__(code, reason)
        self.code, self.reason, self.refused = code, reason, refused


def score_rows(customers: pd.DataFrame) -> list[Row]:
    """Return the scores of each customer, with JSON types."""
    return records({name: customers[name] for name in SCORES if name in customers})


def records(columns: dict[str, Any]) -> list[Row]:
    """Return one dictionary a row: dates as ISO days, numbers rounded, without what is missing."""
    values = {}
    for name, column in columns.items():
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.dt.strftime("%Y-%m-%d")
        elif pd.api.types.is_float_dtype(column):
            column = column.round(6)
        values[name] = column.astype(object).where(column.notna(), None).tolist()
    return [
        {name: value for name, value in zip(values, row, strict=True) if value is not None and value != ""}
        for row in zip(*values.values(), strict=True)
    ]
