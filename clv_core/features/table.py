"""The feature table at one cutoff: one query over the relations, then the BTYD anchor.

Each relation is cut at the cutoff and aggregated by customer, all are joined to the customers seen before it, and the
features that combine others are computed on the joined row.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.behaviour import FEATURES
from clv_core.features.btyd import Anchor
from clv_core.features.circumstance import TEXTS
from clv_core.features.engine import read_sql
from clv_core.features.feature import ANCHOR, CALENDAR, DERIVED
from clv_core.features.pack import texts_of
from clv_core.features.relations import day_of
from clv_core.features.sources import SOURCES

if TYPE_CHECKING:
    import ibis

Schemas = tuple[tuple[str, "ibis.Schema"], ...]

CATEGORY: Final = "category"
BATCH_ROWS: Final = 100_000
HISTORY: Final = ("frequency", "recency", "T", "monetary_value", "net_value", "purchase_days")
"""What the anchor reads."""

FIT_CUSTOMERS: Final = 100_000
"""More customers than these add nothing to the anchor's six parameters but time."""

CUTOFF: Final = 2_000_000_011
HORIZON: Final = 2_000_000_033
"""Whole numbers that stand for the cutoff and the horizon in the written query; no log reaches that day."""


def feature_table(
    connection: ibis.BaseBackend,
    tables: dict[str, ibis.Table],
    cutoff: date,
    horizon_days: int,
    customers: NDArray[np.int64],
) -> tuple[pd.DataFrame, Anchor]:
    """Return the features of all customers seen before ``cutoff``, and the anchor fitted on them.

    Args:
        connection: the engine.
        tables: the relations of :mod:`clv_core.features.relations`.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.
        customers: numbers of the customers seen before the cutoff, ascending, [n].

    Returns:
        One column for each of ``FEATURES``, float64 with NaN or text with None for unknown, one row a customer, [n, f];
        and the anchor.
    """
    numeric = [name for name, feature in FEATURES.items() if feature.scale != CATEGORY]
    place = {name: position for position, name in enumerate(numeric)}
    block = np.empty((len(numeric), len(customers)))
    codes = {name: np.empty(len(customers)) for name in TEXTS}
    schemas = tuple((name, table.schema()) for name, table in tables.items())
    sql = query(connection.name, schemas, day_of(cutoff), horizon_days)
    for batch in read_sql(connection, sql, BATCH_ROWS):
        rows = np.searchsorted(customers, batch["customer"].to_numpy())
        for feature in FEATURES.values():
            if feature.source not in (CALENDAR, ANCHOR):
                target = codes[feature.name] if feature.scale == CATEGORY else block[place[feature.name]]
                target[rows] = batch[feature.name].to_numpy(zero_copy_only=False)
    for feature in FEATURES.values():
        if feature.source == CALENDAR:
            block[place[feature.name]] = feature.expr(cutoff)

    history = pd.DataFrame({name: block[place[name]] for name in HISTORY})
    anchor = Anchor.fit(_sample(history))
    for feature in FEATURES.values():
        if feature.source == ANCHOR:
            block[place[feature.name]] = history[feature.name] = feature.expr(anchor, history, horizon_days)
    frame = pd.DataFrame(block.T, columns=numeric, copy=False)
    for position, (name, feature) in enumerate(FEATURES.items()):
        if feature.scale == CATEGORY:
            frame.insert(position, name, _decoded(codes[name], texts_of(connection, tables[TEXTS[name]])))
    return frame, anchor


def _sample(history: pd.DataFrame) -> pd.DataFrame:
    """Return at most ``FIT_CUSTOMERS`` rows, always the same ones of as many customers."""
    if len(history) <= FIT_CUSTOMERS:
        return history
    rows = np.random.default_rng(0).permutation(len(history))[:FIT_CUSTOMERS]
    return history.iloc[np.sort(rows)]


def _decoded(codes: NDArray[np.float64], texts: NDArray[np.object_]) -> pd.Series:
    known = np.array([*texts, None], object)
    return pd.Series(known[np.where(np.isnan(codes), len(texts), codes).astype(np.int64)], dtype=object)


def query(dialect: str, schemas: Schemas, cutoff_day: int, horizon_days: int) -> str:
    """Return the query of all features that the engine computes, and ``customer``, in no order, as SQL.

    Writing it takes a second, so it is written once and the two numbers are put in.

    Args:
        dialect: the engine's name.
        schemas: name and columns of each relation.
        cutoff_day: the cutoff in days since 1970-01-01.
        horizon_days: length of the predicted span.
    """
    return _template(dialect, schemas).replace(str(CUTOFF), str(cutoff_day)).replace(str(HORIZON), str(horizon_days))


@lru_cache(maxsize=4)
def _template(dialect: str, schemas: Schemas) -> str:
    import ibis

    tables = {name: ibis.table(schema, name=name) for name, schema in schemas}
    customers = tables["customers"]
    customers = customers.filter(customers.first_day < CUTOFF)
    joined = customers.select("customer", known_days=CUTOFF - customers.first_day)
    for source, relation in SOURCES.items():
        features = [feature for feature in FEATURES.values() if feature.source == source]
        rows = relation(tables, CUTOFF, HORIZON)
        sums = rows.group_by("customer").aggregate(
            **{feature.name: feature.expr(rows).cast("float64") for feature in features}
        )
        joined = joined.left_join(sums, "customer").drop("customer_right")
        filled = {f.name: joined[f.name].fill_null(f.empty) for f in features if f.empty is not None}
        joined = joined.mutate(**filled)
    derived = [feature for feature in FEATURES.values() if feature.source == DERIVED]
    complete = joined.mutate(**{feature.name: feature.expr(joined).cast("float64") for feature in derived})
    return str(ibis.to_sql(complete, dialect=dialect, pretty=False))
