"""The signals that a log brings along: attributes of its customers table, and its review texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clv_core.features.reviews import read_reviews
from clv_core.features.signals import Signal, attributes_of, read_attribute

if TYPE_CHECKING:
    import ibis

    from clv_core.collection.store.version_store import Dataset


def read_signals(
    events: ibis.Table,
    customers: ibis.Table,
    connection: ibis.BaseBackend,
    dataset: Dataset | None,
    *,
    attributes: bool,
    review_text: bool,
) -> tuple[Signal, ...]:
    """Return the signals of a log; none where it has neither a customers table nor review texts.

    Args:
        events: canonical columns, bounded as the log is.
        customers: the log's customers with their numbers: customer_id, customer.
        connection: the engine of both; it must stay open as long as snapshots are taken.
        dataset: what the events belong to; None for a bare table, which has no attributes.
        attributes: whether attributes are wanted.
        review_text: whether review texts are.
    """
    found: list[Signal] = []
    if attributes and dataset is not None:
        found += [read_attribute(connection, dataset, customers, one) for one in attributes_of(dataset)]
    reviews = read_reviews(events, customers, connection) if review_text else None
    return (*found, reviews) if reviews is not None else tuple(found)
