"""What a customer wrote before a cutoff: her last few reviews as one text of bounded length, the latest first.

Texts stay in the engine until a snapshot asks for them, and lie in one Arrow column then: of a million customers, those
who never wrote cost a few bits each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.columns import REVIEW_TEXT as WRITTEN
from clv_core.features.duckdb_engine import read_sql, with_numbers
from clv_core.features.relations import EPOCH
from clv_core.features.signals import REVIEW_TEXT, REVIEWED, SignalColumn

if TYPE_CHECKING:
    import ibis

    from clv_core.features.lines import Events

LAST_REVIEWS: Final = 3
"""Reviews of a customer that are read, the latest ones; a guess: older ones are about other orders."""
MOST_CHARACTERS: Final = 120
"""Of each review; a guess: the first sentence holds the opinion."""
SPACES: Final = " \t\n\r\v\f"
"""What the engine strips."""
BATCH_ROWS: Final = 100_000
"""Rows that are read at a time, which bounds memory."""
FIRST, LAST, CUTOFF = 2_000_000_003, 2_000_000_011, 2_000_000_033
"""Placeholders of the first and the last customer and the cutoff in the compiled query: numbers that no log has."""


@dataclass(frozen=True, eq=False)
class ReviewTexts:
    """The reviews of a log.

    Args:
        connection: the engine.
        table: one row a review: customer, day, second (both since 1970-01-01), text.
    """

    connection: ibis.BaseBackend
    table: ibis.Table

    @property
    def name(self) -> str:
        """Name of the column in the feature table."""
        return REVIEW_TEXT

    @property
    def column(self) -> SignalColumn:
        """A text, explained in a group of its own."""
        return REVIEWED

    def at(self, cutoff_day: int, customers: NDArray[np.int64]) -> Any:
        """Return the text of each of ``customers`` at a cutoff, unknown where she wrote nothing, [n].

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            customers: numbers of customers in the log, ascending, [n]; none of them who was seen by then is left out
                between the first and the last.
        """
        import pyarrow as pa

        writers, texts = [np.empty(0, np.int64)], [pa.array([], pa.large_string())]
        sql = with_numbers(self._sql, {FIRST: int(customers[0]), LAST: int(customers[-1]), CUTOFF: cutoff_day})
        for batch in read_sql(self.connection, sql, {"customer": "int32", "text": "string"}, BATCH_ROWS):
            writers.append(batch["customer"].to_numpy().astype(np.int64))
            texts.append(batch["text"].cast(pa.large_string()))
        writer = np.concatenate(writers)
        place = np.full(len(customers), -1)
        place[np.searchsorted(customers, writer)] = np.arange(len(writer))
        column = pa.concat_arrays(texts).take(pa.array(place, mask=place < 0))
        return pd.array(column, dtype="str")

    @cached_property
    def _sql(self) -> str:
        """The query of :meth:`at`."""
        some = self.table.filter(self.table.customer.between(FIRST, LAST))
        return str(self.connection.compile(_latest(some, CUTOFF)))

    def written(self, cutoff_day: int) -> ibis.Table:
        """Return customer and text of all who wrote anything before the cutoff, as a query of the engine."""
        return _latest(self.table, cutoff_day)


def read_reviews(events: ibis.Table, customers: ibis.Table, connection: ibis.BaseBackend) -> ReviewTexts | None:
    """Return the reviews of a log, as a table of the engine; None where nobody wrote anything.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone, bounded as the log is.
        customers: the log's customers with their numbers.
        connection: the engine of both.
    """
    import ibis

    text = events[WRITTEN].strip()
    written = events.filter(text.length() > 0)
    if not connection.to_pyarrow(written.limit(1).count()).as_py():
        return None
    day = written[EVENT_TIME].date().delta(ibis.date(EPOCH), unit="day").cast("int32")
    second = written[EVENT_TIME].epoch_seconds().cast("int64")
    rows = written.select(CUSTOMER_ID, day=day, second=second, text=written[WRITTEN].strip().substr(0, MOST_CHARACTERS))
    rows = rows.inner_join(customers.select(CUSTOMER_ID, "customer"), CUSTOMER_ID).drop(CUSTOMER_ID)
    return ReviewTexts(connection, connection.create_table("review_texts", rows, overwrite=True))


def _latest(table: ibis.Table, cutoff_day: int) -> ibis.Table:
    """Return customer and text: the last reviews before the cutoff, one a line, the latest first."""
    import ibis

    past = table.filter(table.day < cutoff_day)
    latest = [past.second.desc(), past.text.desc()]
    numbered = past.mutate(place=ibis.row_number().over(group_by=past.customer, order_by=latest))
    numbered = numbered.filter(numbered.place < LAST_REVIEWS)
    parts = {f"text{place}": numbered.text.max(where=numbered.place == place) for place in range(LAST_REVIEWS)}
    wide = numbered.group_by("customer").aggregate(**parts)
    text = wide.text0
    for place in range(1, LAST_REVIEWS):
        text = text.concat((ibis.literal("\n") + wide[f"text{place}"]).fill_null(""))
    return wide.select("customer", text=text)


def reviews_of(events: Events) -> list[str | None]:
    """Return each customer's last reviews as one text, as :class:`ReviewTexts` has it, [n].

    Args:
        events: all of them lie before the cutoff.
    """
    by_customer: list[list[tuple[int, str]]] = [[] for _ in range(events.customers)]
    for customer, second, text in zip(events.customer.tolist(), events.second.tolist(), events.reviews, strict=True):
        written = "" if text is None else text.strip(SPACES)
        if written:
            by_customer[customer].append((second, written[:MOST_CHARACTERS]))
    return [
        "\n".join(text for _, text in sorted(reviews, reverse=True)[:LAST_REVIEWS]) or None for reviews in by_customer
    ]
