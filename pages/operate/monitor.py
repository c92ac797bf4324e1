"""Monitor: is it still true?"""

from clv_core.errors import ClvError
from pages.ui import monitored, monitored_alerts, monitored_drift, monitored_truth, state, widgets

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

try:
    monitored_alerts.retraining(bundle)
    report = monitored.need_report(dataset, bundle)
    widgets.headline(monitored.headline(report), widgets.context_line(bundle), monitored.about(report))
    monitored.lights(report)
    monitored_alerts.act(report, dataset, bundle)
    monitored_alerts.listed(report)
    monitored_truth.section(report, dataset)
    monitored_drift.section(report)
    monitored.downloads(report, bundle)
except ClvError as error:
    widgets.error_box(error)
