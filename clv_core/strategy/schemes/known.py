"""Columns beside scores and history that rules may ask for: attributes of the customers table, and the value tier."""

from __future__ import annotations

from datetime import date

import pandas as pd

from clv_core.collection.customers.values import NUMBER
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.features.attributes import attributes_of
from clv_core.strategy.segments import TIER, assign


def with_attributes(customers: pd.DataFrame, dataset: Dataset, cutoff: date) -> pd.DataFrame:
    """Return customers with their value tier and the attributes that the dataset's customers table has switched on.

    Contact fields are never among them. Of a dated attribute, the latest value before the cutoff counts; a column whose
    name the scores have already is left out.

    Args:
        customers: ``score``'s columns, one row each, [n].
        dataset: whose customers table is read.
        cutoff: as of when.
    """
    known = customers if TIER in customers else assign(customers)
    wanted = [one for one in attributes_of(dataset) if one.name not in known]
    if not wanted:
        return known
    dates = {one.dated_by for one in wanted if one.dated_by}
    rows = pd.read_parquet(dataset.customers_path, columns=[CUSTOMER_ID, *(one.name for one in wanted), *dates])
    found = {}
    for one in wanted:
        own = rows[rows[one.name].notna()]
        if one.dated_by:
            day = pd.to_datetime(own[one.dated_by])
            own = own.assign(**{one.dated_by: day})[day < pd.Timestamp(cutoff)].sort_values(one.dated_by, kind="stable")
        latest = own.drop_duplicates(CUSTOMER_ID, keep="last").set_index(CUSTOMER_ID)[one.name]
        values = latest.reindex(pd.Index(known[CUSTOMER_ID]))
        found[one.name] = values.to_numpy(float) if one.kind == NUMBER else values.astype("str").to_numpy()
    return known.assign(**found)
