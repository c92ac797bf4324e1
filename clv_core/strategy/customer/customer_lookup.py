"""Customers by their id or a part of it, and customers who are similar to one."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotFound
from clv_core.strategy.segments import TIER
from clv_core.strategy.segments.clusters import FIGURES, comparable_figures

MAX_HITS: Final = 20
MAX_CONTAINING: Final = 5


def find_customers(ids: pd.Series, text: str, most: int = MAX_HITS) -> list[str]:
    """Return the id that equals a text, else those that begin with it; case does not matter.

    Args:
        ids: of all customers, text [n].
        text: to search for; blanks around it do not count.
        most: hits at most, in the order of ``ids``.
    """
    wanted = text.strip()
    if not wanted:
        return []
    if (ids == wanted).any():
        return [wanted]
    begins = ids.str[: len(wanted)].str.lower() == wanted.lower()
    return [str(one) for one in ids[begins].head(most)]


def ids_containing(ids: pd.Series, text: str) -> list[str]:
    """Return the first ids that contain a text (``10053`` is in ``0010053``); case does not matter.

    Args:
        ids: of the customers who may be offered, text [n].
        text: to search for; blanks around it do not count.
    """
    wanted = text.strip().lower()
    if not wanted:
        return []
    holds = ids.str.lower().str.contains(wanted, regex=False)
    return [str(one) for one in ids[holds].head(MAX_CONTAINING)]


def row_of_customer(ids: pd.Series, customer: str, as_of: str) -> int:
    """Return the position of a customer among ``ids``.

    Raises:
        NotFound: there is none of that id; the error names ids that begin with it, if there are any.
    """
    places = np.flatnonzero((ids == customer).to_numpy())
    if len(places):
        return int(places[0])
    candidates = find_customers(ids, customer, 5)
    if candidates:
        raise NotFound("customer_unknown_like", customer=customer, cutoff=as_of, known=candidates)
    raise NotFound("customer_unknown", customer=customer, cutoff=as_of)


def similar_customers(customers: pd.DataFrame, row: int, count: int = 5) -> pd.DataFrame:
    """Return the customers nearest to one, the nearest first; among equals, in their order.

    They are compared by :func:`~clv_core.strategy.segments.clusters.comparable_figures`, each divided by its standard
    deviation over all customers.

    Args:
        customers: scores with purchase history and tier, one row a customer, [n].
        row: position of the one.
        count: how many; fewer if there are fewer others.

    Returns:
        customer_id, tier, :data:`FIGURES`, and distance (in standard deviations).
    """
    squares = np.zeros(len(customers))
    for figure in comparable_figures(customers).T:
        deviation = figure.std()
        if deviation > 0:
            squares += ((figure - figure[row]) / deviation) ** 2
    squares[row] = np.inf
    count = min(count, len(customers) - 1)
    if count <= 0:
        nearest = np.empty(0, np.int64)
    else:
        near = np.flatnonzero(squares <= np.partition(squares, count - 1)[count - 1])
        nearest = near[np.argsort(squares[near], kind="stable")[:count]]
    columns = [CUSTOMER_ID, TIER, *FIGURES]
    rows = customers[columns].iloc[nearest].reset_index(drop=True)
    return rows.assign(distance=np.sqrt(squares[nearest]))
