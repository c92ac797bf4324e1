"""Monitor: is it still true?"""

import streamlit as st

from pages.ui import i18n, widgets
from pages.ui.i18n import t
from pages.ui.monitor import drift, realised, status
from pages.ui.upload import save

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
