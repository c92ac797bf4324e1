"""Strategy: what do I do with my money?"""

from pages.ui import navigation, prices, recommending, widgets
from pages.ui.budget import planning
from pages.ui.i18n import t

PARTS = {"budget": planning.show, "recommend": recommending.show, "price": prices.show}

scored = widgets.need_model()

# Tabs would work out all three parts at once; of these only the open one is.
names = {name: t(f"strategy.part.{name}") for name in PARTS}
part = widgets.choose(t("strategy.part"), names, navigation.STRATEGY_PART, label_visibility="collapsed")
PARTS[part](scored)
navigation.button("report", t("strategy.to_report"), "to_report")
