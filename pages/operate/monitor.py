"""Monitor: is it still true?"""

import streamlit as st

from pages.ui import i18n, widgets
from pages.ui.i18n import t
from pages.ui.monitor import drift, realised, report
from pages.ui.upload import save

dataset, bundle = widgets.need_model()

report.follow_retraining(bundle)
result = report.need_report(dataset, bundle)
widgets.headline(report.headline(result), widgets.context_line(bundle), report.about(result))
if report.first_results(result) is not None:
    st.write(t("monitor.early.next", cutoff=i18n.day(result.about["cutoff"])))
    with st.container(horizontal=True):
        save.offer_adding("monitor_add")
        report.retrain_button(result, dataset, bundle)
    report.about_retraining(result, dataset, bundle)
    report.show_retraining(bundle)
else:
    report.show_lights(result)
    report.show_actions(result, dataset, bundle)
    report.show_retraining(bundle)
    report.show_alerts(result)
    parts = {name: t(f"monitor.{name}") for name in ("realised", "drift")}
    if widgets.choose(t("monitor.part"), parts, "monitor_part") == "realised":
        realised.show(result, dataset)
    else:
        drift.show(result)
    report.downloads(result, bundle)
