"""What one customer is recommended, and why: on the strategy page, and on the customer's card."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.columns import PRODUCT_ID
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotFound
from clv_core.strategy.recommend.ranking import TOP, WITH_BOUGHT
from clv_core.strategy.recommend.stored_recommendations import StoredRecommendations, reasons
from clv_core.strategy.segments import TIER
from pages.ui import progress, state, widgets
from pages.ui.customer_search import search
from pages.ui.recommended.kept import run_of
from pages.ui.recommended.products import product_table
from pages.ui.saying import say, t


def of_customer(advice: StoredRecommendations, kind: str, names: Sequence[str], currency: str) -> None:
    """Let the person name a customer, and show what she is recommended and why, her tier by its name."""
    ids, cutoff, stop = advice.customers["customer_id"], advice.record["cutoff"], state.suppression_list()
    stopped = stop.hides(advice.customers)
    try:
        chosen = search(
            ids,
            cutoff,
            first=int((~stopped).to_numpy().argmax()),
            said=t("recommend.customer.first"),
            key="recommend_search",
            hits_key="recommend_hit",
            offered=ids[~stopped],
        )
        stop.check(chosen)
    except NotFound as error:
        widgets.error_box(error)
        return
    about = advice.customers.iloc[int(ids.searchsorted(chosen))]
    tier = widgets.plain(names[int(about[TIER]) - 1])
    rows = advice.of_customer(chosen, kind).head(TOP)
    if not rows.empty:
        levels = {"own": about["own_level"], "aimed": about["aimed_level"], "listed": rows["grade"].mean()}
        level = {name: say(100 * share, 2) for name, share in levels.items()}
        st.markdown(t("recommend.customer.about", customer=widgets.plain(chosen), tier=tier, **level))
    _table(rows, currency)


def _table(rows: pd.DataFrame, currency: str) -> None:
    """Show the products of one customer and why each is recommended."""
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    columns = ["place", "product_id", "category", "price", "grade", "reason"]
    rows = rows.assign(reason=reasons(rows, state.language()))
    product_table(rows, columns, currency, about=t("recommend.customer"))


def on_card(dataset: Dataset, bundle: Bundle, customer: str) -> None:
    """Show a customer's products on the customer page, or offer to look for them; nothing where the log has none."""
    if PRODUCT_ID not in dataset.manifest.columns:
        return
    st.header(t("card.recommended"), anchor=False)
    run = run_of(dataset, bundle)
    advice = run.advice()
    if advice is not None:
        _table(advice.of_customer(customer, WITH_BOUGHT).head(TOP), dataset.manifest.currency)
        return
    job = progress.latest(run.command[0], run.folder.name)
    if job is not None and progress.running(job):
        progress.watch(job)
        return
    if job is not None:
        progress.ended(job)
    st.caption(t("card.recommended.make"))
    if st.button(t("card.recommended.button"), key="card_recommend", icon=":material/shopping_bag:"):
        state.start_job(run.command, run.folder.name)
        st.rerun()
