"""Customer attributes: columns for rules and conditions that are neither scores nor purchase history.

They are the value tier, the attributes of the customers table, and from the log before the cutoff the last channel and
country, the category bought most often, and the behaviour features. Only the columns that are needed are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.customers import NUMBER
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CATEGORY, CHANNEL, COUNTRY, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE
from clv_core.features import FEATURES, SOURCES, TEXTS, Engine, attributes_of, day_of, decoded, open_log
from clv_core.strategy.segments.segmentation import TIER
from clv_core.strategy.segments.value_tiers import assign_tiers

FEATURE_OF: Final = {CHANNEL: "last_channel", COUNTRY: "country"}
"""Columns of the log whose last text before the cutoff is a feature."""
BEHAVIOUR: Final = tuple(
    name for name, feature in FEATURES.items() if feature.source in SOURCES and feature.group != "season"
)
"""Features of one customer's events: not those of the anchor, of the calendar and of the horizon."""


def condition_columns(customers: pd.DataFrame, dataset: Dataset) -> list[str]:
    """Return the names of all columns that conditions can use, those of ``customers`` first."""
    texts = [name for name in (CHANNEL, COUNTRY, CATEGORY) if name in dataset.manifest.columns]
    behaviour = [name for name in BEHAVIOUR if name not in FEATURE_OF.values() and TEXTS.get(name) in (None, *texts)]
    attributes = [one.name for one in attributes_of(dataset)]
    return list(dict.fromkeys([*customers, TIER, *attributes, *texts, *behaviour]))


def with_attributes(customers: pd.DataFrame, dataset: Dataset, cutoff: date, columns: Iterable[str]) -> pd.DataFrame:
    """Return customers with the attributes among ``columns`` that they lack, as of the cutoff.

    Contact fields are never among them. A missing value is NaN; names that are no attributes are ignored.

    Args:
        customers: ``score``'s columns, one row each, [n].
        dataset: whose log and customers table are read.
        cutoff: as of when.
        columns: names that conditions use.
    """
    lacking = [name for name in dict.fromkeys(columns) if name not in customers]
    customers = assign_tiers(customers) if TIER in lacking else customers
    ids = pd.Index(customers[CUSTOMER_ID])
    values = _table_attributes(ids, dataset, cutoff, lacking)
    behaviour = {name: FEATURE_OF.get(name, name) for name in lacking if name not in values}
    behaviour = {name: feature for name, feature in behaviour.items() if feature in BEHAVIOUR}
    if behaviour:
        features = _features(dataset, cutoff, set(behaviour.values())).reindex(ids)
        values |= {name: features[feature].array for name, feature in behaviour.items()}
    if CATEGORY in lacking and CATEGORY not in values and CATEGORY in dataset.manifest.columns:
        values[CATEGORY] = _favourite_category(dataset, cutoff).reindex(ids).array
    added = pd.DataFrame({name: values[name] for name in lacking if name in values}, index=customers.index)
    return pd.concat([customers, added], axis=1) if len(added.columns) else customers


def _table_attributes(ids: pd.Index[Any], dataset: Dataset, cutoff: date, names: Collection[str]) -> dict[str, Any]:
    """Return those of ``names`` that are enabled attributes; of a dated one, the latest value before the cutoff."""
    wanted = [one for one in attributes_of(dataset) if one.name in names]
    if not wanted:
        return {}
    dates = {one.dated_by for one in wanted if one.dated_by}
    rows = pd.read_parquet(dataset.customers_path, columns=[CUSTOMER_ID, *(one.name for one in wanted), *dates])
    values = {}
    for one in wanted:
        own = rows[rows[one.name].notna()]
        if one.dated_by:
            day = pd.to_datetime(own[one.dated_by])
            own = own.assign(**{one.dated_by: day})[day < pd.Timestamp(cutoff)].sort_values(one.dated_by, kind="stable")
        latest = own.drop_duplicates(CUSTOMER_ID, keep="last").set_index(CUSTOMER_ID)[one.name]
        column = latest.reindex(ids)
        values[one.name] = column.to_numpy(float) if one.kind == NUMBER else column.astype("str").to_numpy()
    return values


def _features(dataset: Dataset, cutoff: date, names: Collection[str]) -> pd.DataFrame:
    """Return behaviour features at the cutoff, by customer id."""
    log = open_log(dataset, before=dataset.log_end, attributes=False, review_text=False)
    try:
        store, day = log.store, day_of(cutoff)
        customers = store.seen(day)
        values = {name: np.empty(len(customers)) for name in names}
        horizon_days = 1  # read by the features of the season alone
        store.features(day, horizon_days, customers, values)
        decoded_values: dict[str, Any] = {
            name: pd.array(decoded(column, store.texts(TEXTS[name])), dtype="str") if name in TEXTS else column
            for name, column in values.items()
        }
        return pd.DataFrame(decoded_values, index=pd.Index(store.customer_ids[customers], dtype="str"))
    finally:
        log.close()


def _favourite_category(dataset: Dataset, cutoff: date) -> pd.Series[str]:
    """Return the category of most lines that each customer bought before the cutoff; of equals, that of most money."""
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        bought = events.filter(
            events[EVENT_TIME] < datetime.combine(cutoff, time()),
            events[EVENT_TYPE] == PURCHASE,
            events[CATEGORY].notnull(),
        )
        sums = bought.group_by(CUSTOMER_ID, CATEGORY).agg(lines=bought.count(), paid=bought[AMOUNT].sum().round(6))
        frame = sums.to_pyarrow().to_pandas()
    finally:
        engine.close()
    order = [CUSTOMER_ID, "lines", "paid", CATEGORY]
    first = frame.sort_values(order, ascending=[True, False, False, True]).drop_duplicates(CUSTOMER_ID)
    category: pd.Series[str] = first.set_index(CUSTOMER_ID)[CATEGORY].astype("str")
    return category
