"""Strategy: what do I do with my money?"""

from pages.ui import budget_tab, priced, recommended, state, widgets
from pages.ui.state import t

PARTS = {"budget": budget_tab.show, "recommend": recommended.show, "price": priced.show}

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

# Tabs would work out all three parts at once; of these only the open one is.
names = {name: t(f"strategy.part.{name}") for name in PARTS}
part = widgets.choose(t("strategy.part"), names, "strategy_part", label_visibility="collapsed")
PARTS[part](dataset, bundle)
