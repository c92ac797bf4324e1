"""Monitor: is it still true?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import i18n, session, widgets
from pages.ui.i18n import t
from pages.ui.monitor import drift, realised, report
from pages.ui.upload import save

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

try:
    report.follow_retraining(bundle)
    found = report.need_report(dataset, bundle)
    widgets.headline(report.headline(found), widgets.context_line(bundle), report.about(found))
    if report.first_results(found) is not None:
        st.write(t("monitor.early.next", cutoff=i18n.day(found.about["cutoff"])))
        with st.container(horizontal=True):
            save.offer_adding("monitor_add")
            report.retrain_button(found, dataset, bundle)
        report.about_retraining(found, dataset, bundle)
        report.show_retraining(bundle)
    else:
        report.show_lights(found)
        report.show_actions(found, dataset, bundle)
        report.show_retraining(bundle)
        report.show_alerts(found)
        parts = {name: t(f"monitor.{name}") for name in ("realised", "drift")}
        if widgets.choose(t("monitor.part"), parts, "monitor_part") == "realised":
            realised.show(found, dataset)
        else:
            drift.show(found)
        report.downloads(found, bundle)
except ClvError as error:
    widgets.show_error(error)
