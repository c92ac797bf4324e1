"""The feature table at one cutoff: one query over the relations, then the BTYD anchor.

Each relation is cut at the cutoff and aggregated by customer, all are joined to the customers seen before it, and the
features that combine others are computed on the joined row.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from clv_core.features.behaviour import FEATURES
from clv_core.features.btyd import Anchor
from clv_core.features.engine import read_sql
from clv_core.features.feature import ANCHOR, CALENDAR, DERIVED, Feature
from clv_core.features.relations import day_of
from clv_core.features.sources import SOURCES

if TYPE_CHECKING:
    import ibis

Schemas = tuple[tuple[str, "ibis.Schema"], ...]

CUTOFF: Final = 2_000_000_011
HORIZON: Final = 2_000_000_033
"""Whole numbers that stand for the cutoff and the horizon in the written query; no log reaches that day."""


def feature_table(
    connection: ibis.BaseBackend, tables: dict[str, ibis.Table], cutoff: date, horizon_days: int
) -> tuple[pd.DataFrame, Anchor]:
    """Return the features of all customers seen before ``cutoff``, and the anchor fitted on them.

    Args:
        connection: the engine.
        tables: the relations of :mod:`clv_core.features.relations`.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.

    Returns:
        One column for each of ``FEATURES``, float64 with NaN or text with None for unknown, one row a customer in the
        order of their numbers, [n, f]; and the anchor.
    """
    schemas = tuple((name, table.schema()) for name, table in tables.items())
    table = read_sql(connection, query(connection.name, schemas, day_of(cutoff), horizon_days))
    order = np.argsort(table["customer"].to_numpy())
    columns: dict[str, Any] = {}
    for feature in FEATURES.values():
        if feature.source == CALENDAR:
            columns[feature.name] = np.full(len(order), float(feature.expr(cutoff)))
        elif feature.scale == "category":
            columns[feature.name] = pd.Series(table[feature.name].to_numpy()[order], dtype=object)
        elif feature.source != ANCHOR:
            columns[feature.name] = table[feature.name].to_numpy()[order]
    engine_columns = pd.DataFrame(columns)
    anchor = Anchor.fit(engine_columns)
    for feature in FEATURES.values():
        if feature.source == ANCHOR:
            columns[feature.name] = feature.expr(anchor, engine_columns, horizon_days)
    return pd.DataFrame({name: columns[name] for name in FEATURES}), anchor


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
            **{feature.name: _read(feature, feature.expr(rows)) for feature in features}
        )
        joined = joined.left_join(sums, "customer").drop("customer_right")
        filled = {f.name: joined[f.name].fill_null(f.empty) for f in features if f.empty is not None}
        joined = joined.mutate(**filled)
    derived = [feature for feature in FEATURES.values() if feature.source == DERIVED]
    complete = joined.mutate(**{feature.name: _read(feature, feature.expr(joined)) for feature in derived})
    return str(ibis.to_sql(complete, dialect=dialect, pretty=False))


def _read(feature: Feature, value: Any) -> Any:
    return value if feature.scale == "category" else value.cast("float64")
