"""The same figures for parts of the customers: an average may hide that newcomers are guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.metrics import METRICS
from clv_core.features.snapshot import Snapshot

FACTS: Final = ("tenure", "purchase_days", "net_value")
"""What a slice may ask of a customer at the origin: days since the first event, purchase days, historic net value."""

NEW_DAYS: Final = 90
GROUPS: Final = 10
SHOWN: Final = ("gini", "spearman", "mae", "rmse", "bias", "auc")
COLUMNS: Final = ("origin", "slice", "model", "customers", "buyers", "metric", "value")

Rows = NDArray[np.bool_]


def value_decile(facts: pd.DataFrame) -> NDArray[np.int64]:
    """Return each buyer's decile of historic net value, 1 is the highest, 0 for never-buyers, [n].

    Customers are ranked first and then cut; those with equal value share a decile, so that row order changes nothing.

    Args:
        facts: columns :data:`FACTS`, one row a customer, [n].
    """
    bought = _bought(facts)
    rank = facts["net_value"].where(bought).rank(ascending=False)
    decile = (rank - 1) / max(1, int(bought.sum())) * GROUPS // 1 + 1
    found: NDArray[np.int64] = decile.fillna(0).to_numpy().astype(np.int64)
    return found


def _bought(facts: pd.DataFrame) -> Rows:
    bought: Rows = (facts["purchase_days"] > 0).to_numpy()
    return bought


def _decile(number: int) -> Callable[[pd.DataFrame], Rows]:
    return lambda facts: value_decile(facts) == number


SLICES: Final[dict[str, Callable[[pd.DataFrame], Rows]]] = {
    "buyers": _bought,
    "never_buyers": lambda facts: ~_bought(facts),
    "one_time_buyers": lambda facts: (facts["purchase_days"] == 1).to_numpy(),
    "repeat_buyers": lambda facts: (facts["purchase_days"] > 1).to_numpy(),
    "new": lambda facts: (facts["tenure"] < NEW_DAYS).to_numpy(),
    "known_longer": lambda facts: (facts["tenure"] >= NEW_DAYS).to_numpy(),
    **{f"value_decile_{number}": _decile(number) for number in range(1, GROUPS + 1)},
}
"""Every slice, one line each: which customers belong to it, from their facts at the origin."""


def customer_facts(snapshot: Snapshot, origin: str) -> pd.DataFrame:
    """Return what slices ask of the customers of one origin: customer_id, origin and :data:`FACTS`, [n]."""
    facts = snapshot.features[list(FACTS)].reset_index()
    return facts.assign(origin=origin)[[CUSTOMER_ID, "origin", *FACTS]]


def slice_table(predictions: pd.DataFrame, facts: pd.DataFrame, metrics: Sequence[str] = SHOWN) -> pd.DataFrame:
    """Return the figures of every slice, model and origin.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, told apart by ``model``.
        facts: of :func:`customer_facts`, all origins below each other.
        metrics: ids.

    Returns:
        Columns :data:`COLUMNS`; a slice without customers, and a figure that does not exist (an AUC without buyers),
        has no row. ``buyers`` counts those who were worth anything in the horizon.
    """
    rows = []
    for origin, of_origin in facts.groupby("origin", sort=True):
        known = of_origin.set_index(CUSTOMER_ID)
        members = {name: pd.Series(rule(known), known.index) for name, rule in SLICES.items()}
        for model, frame in predictions[predictions["origin"] == origin].groupby("model", sort=False):
            for name, member in members.items():
                part = frame[member.reindex(frame[CUSTOMER_ID]).to_numpy()]
                if part.empty:
                    continue
                size = (origin, name, model, len(part), int((part["actual"] > 0).sum()))
                for metric in metrics:
                    value = METRICS[metric].value(part["actual"], part)
                    if np.isfinite(value):
                        rows.append((*size, metric, value))
    return pd.DataFrame(rows, columns=list(COLUMNS))
