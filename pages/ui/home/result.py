"""What the model in use predicts, on the home page: value ahead, who holds it, whether to trust it, what to do next."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset, versions
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE, assign_tiers
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from pages.ui import navigation, saying, state, tiers, trusting, widgets
from pages.ui.charts import why
from pages.ui.home import overview
from pages.ui.saying import percent, t

NEXT: tuple[tuple[str, str], ...] = (
    ("evaluation", "evaluate"),
    ("strategy", "segments"),
    ("monitoring", "monitor"),
)
"""Steps of the loop that follow training, and the page of each; the first that is not done comes next."""


def show(dataset: Dataset, model: Bundle) -> bool:
    """Show the predictions that are saved for the dataset; return whether there are any."""
    path = state.scored(dataset, model).scores_path()
    if not path.exists():
        return False
    terms, customers = Terms(model.record["horizon_days"]), _values(str(path), path.stat().st_mtime)
    context = (widgets.context_line(model, dataset.log_end), _growth(dataset))
    widgets.headline(tiers.headline(model, dataset, customers, terms), *filter(None, context))
    rows = _tiers(str(path), path.stat().st_mtime, tiers.names(dataset))
    first = rows.iloc[0]
    shares = {"share": percent(first["share_of_customers"]), "value": percent(first["share_of_value"])}
    message = t("segments.chart", name=first["tier_label"], **shares)
    left, right = st.columns([3, 2])
    with left:
        widgets.chart(why.tier_bars(rows, message), "home_tiers")
    with right.container(border=True, height="stretch"):
        st.header(t("home.buyers", buyers=saying.count(round(customers[P_PURCHASE].sum()))), anchor=False)
        trusting.verdict(state.trust(model))
        trusting.grades(model)
        st.space("stretch")
        target = _next(dataset, model)
        icon = navigation.BY_NAME[target].icon
        if st.button(t(f"home.next.{target}"), icon=icon, key="home_next", type="primary"):
            navigation.go(target)
    return True


@st.cache_resource(max_entries=4, show_spinner=False)
def _values(path: str, written: float) -> pd.DataFrame:
    """Return predicted values and probabilities of all customers; shared, not to be written to."""
    return pd.read_parquet(Path(path), columns=[P_PURCHASE, VALUE])


@st.cache_resource(max_entries=4, show_spinner=False)
def _tiers(path: str, written: float, names: list[str]) -> pd.DataFrame:
    """Return each tier's share of customers and of value, the highest first."""
    tiered = assign_tiers(_values(path, written), DEFAULT_SCHEME)
    sums = tiered.groupby(TIER)[VALUE].agg(["size", "sum"]).reindex(range(1, len(names) + 1), fill_value=0)
    worth = sums["sum"] / sums["sum"].sum() if sums["sum"].sum() else sums["sum"]
    return pd.DataFrame(
        {"tier_label": names, "share_of_customers": (sums["size"] / len(tiered)).array, "share_of_value": worth.array}
    )


def _growth(dataset: Dataset) -> str:
    """Return what the log gained since its version before; "" for the first."""
    facts = dataset.manifest
    before = next(
        (one.manifest for one in versions(state.workspace(), dataset.name) if one.version == facts.parent), None
    )
    if before is None or (before.customers, before.purchases) == (facts.customers, facts.purchases):
        return ""
    gained = {name: f"{getattr(facts, name) - getattr(before, name):+,}" for name in ("customers", "purchases")}
    revenue = facts.net_revenue - before.net_revenue
    sign = "+" if revenue >= 0 else ""
    return t("home.growth", revenue=sign + saying.money(revenue, facts.currency), **gained)


def _next(dataset: Dataset, model: Bundle) -> str:
    """Return the page that comes next."""
    if model.untrained:
        return "train"
    done = overview.steps_done(dataset, model)
    return next((page for step, page in NEXT if step not in done), "strategy")
