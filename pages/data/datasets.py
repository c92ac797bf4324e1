"""Datasets: what do I have, and what was done to it?"""

from clv_core.errors import ClvError
from pages.ui import navigation, outcomes, state, widgets
from pages.ui.datasets import cleaning, customers_table, manage
from pages.ui.saying import t

SECTIONS = {
    "versions": manage.versions,
    "clean": cleaning.show,
    "customers": customers_table.show,
    "combine": manage.combine,
    "manage": manage.manage,
}

manage.follow()
dataset = state.dataset()
if dataset is None:
    outcomes.show()
    widgets.need("dataset", "upload")

cleaning.follow(dataset)
customers_table.follow(dataset)
outcomes.show()
manage.about(dataset)
what = widgets.choose(
    t("datasets.what"), {one: t(f"datasets.what.{one}") for one in SECTIONS}, navigation.DATASETS_PART
)
try:
    SECTIONS[what](dataset)
except ClvError as error:
    widgets.error_box(error)
