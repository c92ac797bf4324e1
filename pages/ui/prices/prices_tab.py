"""The price part of the strategy page: how sales answer prices, and what a price rule would bring."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.columns import CATEGORY
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError, NotFound
from clv_core.strategy.pricing.panel import ALL, check_columns
from clv_core.strategy.pricing.price_responses import (
    RECORD,
    Responses,
    differ_significantly,
    load_responses,
    responses_folder,
)
from clv_core.strategy.pricing.price_rule import demand_change, price_table
from clv_core.strategy.recommend_and_price import price_side
from clv_core.strategy.segments import TIER
from pages.ui import progress, row_files, state, tiers, widgets
from pages.ui.charts import advising
from pages.ui.charts.names import cut
from pages.ui.prices import measured
from pages.ui.prices.rule import try_rule
from pages.ui.saying import percent, say, t

CUT: Final = -0.1
SHOWN: Final = 15


def show(dataset: Dataset, bundle: Bundle) -> None:
    """Show what was measured, then what a rule would bring, with what is assumed apart."""
    try:
        found = need_responses(dataset, bundle)
    except ClvError as error:
        widgets.refused(error)
        return
    everyone = _everyone(found)
    said = t("price.measured", days=found.period_days, categories=say(len(everyone)))
    widgets.headline(headline(everyone), widgets.context_line(bundle, dataset.log_end), said)
    widgets.chart(advising.responses(_drawn(everyone), chart_message(everyone)), "price_responses")
    st.info(t("price.fair"), icon=":material/balance:")
    st.header(t("price.whatif"), anchor=False)
    outcome, names = None, tiers.names(dataset)
    try:
        outcome = try_rule(found, names, str(bundle.record["currency"]))
    except ClvError as error:
        widgets.error_box(error)
    with st.expander(t("price.table"), icon=":material/table_chart:"):
        measured.table(found, names)
    if len(found.left_out):
        with st.expander(t("price.left_out", count=len(found.left_out)), icon=":material/filter_alt:"):
            measured.left_out(found)

    language = state.language()
    side = price_side(state.scored(dataset, bundle), outcome, language)
    row_files.table(bundle, "prices", "price", side, lambda: price_table(found, outcome, names, language))


def need_responses(dataset: Dataset, bundle: Bundle) -> Responses:
    """Return the responses; while they are not there, show the run that measures them.

    Raises:
        NotEnoughData: the log has no products or categories.
    """
    check_columns(dataset)
    folder = responses_folder(bundle, dataset)
    record = folder / RECORD
    progress.need(record.is_file(), ["price", dataset.name, "--model", bundle.id], folder.name, t("price.wait"))
    return _load(str(folder), record.stat().st_mtime)


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(folder: str, written: float) -> Responses:
    found = load_responses(Path(folder))
    if found is None:
        raise NotFound("price_missing", folder=folder)
    return found


def _everyone(found: Responses) -> pd.DataFrame:
    """Return the responses of all customers together, the categories with most money first."""
    spend = found.spend.groupby(CATEGORY)["amount"].sum()
    rows = found.table[found.table[TIER] == ALL]
    rows = rows.assign(spend=rows[CATEGORY].map(spend).fillna(0.0))
    return rows.sort_values("spend", ascending=False, kind="stable", ignore_index=True)


def headline(everyone: pd.DataFrame) -> str:
    """Return how much more a price that is 10% lower sells, and in how many categories that is sure."""
    typical = float(demand_change(everyone["elasticity"], CUT).median())
    sure = int((everyone["high"] < 0).sum())
    key = "price.headline" if typical > 0 else "price.headline.nothing"
    return t(key, more=percent(abs(typical)), sure=sure, categories=len(everyone))


def _drawn(everyone: pd.DataFrame) -> pd.DataFrame:
    rows = everyone.head(SHOWN)
    # A lower elasticity sells more at a lower price: the ends change places.
    ends = {"more": "elasticity", "low": "high", "high": "low"}
    return pd.DataFrame({"name": rows[CATEGORY]} | {name: demand_change(rows[end], CUT) for name, end in ends.items()})


def chart_message(everyone: pd.DataFrame) -> str:
    """Return which two categories answer differently, where the errors allow to say so; else how many surely answer."""
    rows = everyone.head(SHOWN)
    sure, less = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
    most, least = (rows.iloc[place] for place in (rows["elasticity"].argmin(), rows["elasticity"].argmax()))
    first, last = (cut(str(row[CATEGORY])) for row in (most, least))
    if len(rows) == 1:
        key = "price.chart.one" if sure else "price.chart.one.less" if less else "price.chart.one.unsure"
        return t(key, first=first)
    if sure and differ_significantly(rows):
        return t("price.chart", first=first, last=last, count=len(rows))
    key = "price.chart.some" if sure else "price.chart.less" if less else "price.chart.none"
    return t(key, sure=sure, less=less, count=len(rows))
