"""Monitor: is the business as expected? Behind it, in details: is the model still right?"""

import streamlit as st

from pages.ui import i18n, navigation, widgets
from pages.ui.i18n import t
from pages.ui.monitor import business, drift, realised, status
from pages.ui.upload import save

VIEWS = ("business", "details")

dataset = widgets.need_dataset()
names = {name: t(f"monitor.view.{name}") for name in VIEWS}
view = widgets.choose(t("monitor.view"), names, navigation.MONITOR_VIEW, label_visibility="collapsed")
if view == "business":
    business.show(dataset)
else:
    scored = widgets.need_model()
    bundle = scored.model

    status.follow_retraining(bundle)
    result = status.need_report(scored)
    widgets.headline(status.headline(result), widgets.context_line(bundle), status.about(result))
    if status.first_results(result) is not None:
        st.write(t("monitor.early.next", cutoff=i18n.day(result.about.cutoff)))
        with st.container(horizontal=True):
            save.offer_adding("monitor_add")
            status.retrain_button(result, scored)
        status.about_retraining(result, scored)
        status.show_retraining(bundle)
    else:
        status.show_lights(result, scored.dataset)
        status.show_actions(result, scored)
        status.show_retraining(bundle)
        status.show_alerts(result)
        parts = {name: t(f"monitor.{name}") for name in ("realised", "drift")}
        if widgets.choose(t("monitor.part"), parts, "monitor_part") == "realised":
            realised.show(result, scored.dataset)
        else:
            drift.show(result)
        status.downloads(result, bundle)
