"""Strategy: what do I do with my money?"""

import streamlit as st

from pages.ui import navigation, session, widgets
from pages.ui.budget import budget_tab
from pages.ui.i18n import t
from pages.ui.prices import prices_tab
from pages.ui.recommended import recommended_tab

PARTS = {"budget": budget_tab.show, "recommend": recommended_tab.show, "price": prices_tab.show}

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

# Tabs would work out all three parts at once; of these only the open one is.
names = {name: t(f"strategy.part.{name}") for name in PARTS}
part = widgets.choose(t("strategy.part"), names, navigation.STRATEGY_PART, label_visibility="collapsed")
PARTS[part](dataset, bundle)
if st.button(t("strategy.to_report"), icon=navigation.BY_NAME["report"].icon, key="to_report"):
    navigation.go("report")
