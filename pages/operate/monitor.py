"""Monitor: is it still true?"""

from clv_core.errors import ClvError
from pages.ui import session, widgets
from pages.ui.monitor import alerts, drift, monitored, truth

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

try:
    alerts.retraining(bundle)
    report = monitored.need_report(dataset, bundle)
    widgets.headline(monitored.headline(report), widgets.context_line(bundle), monitored.about(report))
    monitored.lights(report)
    alerts.act(report, dataset, bundle)
    alerts.retrained(bundle)
    alerts.listed(report)
    truth.section(report, dataset)
    drift.section(report)
    monitored.downloads(report, bundle)
except ClvError as error:
    widgets.show_error(error)
