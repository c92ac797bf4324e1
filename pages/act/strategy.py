"""Strategy: what do I do with my money?"""

import streamlit as st

from pages.ui import budget_tab, priced, recommended, state, widgets
from pages.ui.state import t

PARTS = {"budget": budget_tab.show, "recommend": recommended.show, "price": priced.show}

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

# Tabs would work out all three parts at once; of these only the open one is.
part = st.segmented_control(
    t("strategy.part"),
    tuple(PARTS),
    format_func=lambda name: t(f"strategy.part.{name}"),
    default="budget",
    required=True,
    key="strategy_part",
    label_visibility="collapsed",
    persist_state="session",
)
PARTS[part](dataset, bundle)
