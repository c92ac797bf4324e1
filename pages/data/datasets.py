"""Datasets: what do I have, and what was done to it?"""

from pages.ui import flash, navigation, session, widgets
from pages.ui.datasets import cleaning, customers_table, manage
from pages.ui.i18n import t

SECTIONS = {
    "versions": manage.versions,
    "clean": cleaning.show,
    "customers": customers_table.show,
    "combine": manage.combine,
    "manage": manage.manage,
}

manage.follow()
dataset = session.dataset()
if dataset is None:
    flash.show()
    widgets.need("dataset", "upload")

cleaning.follow(dataset)
customers_table.follow(dataset)
flash.show()
manage.about(dataset)
what = widgets.choose(
    t("datasets.what"), {section: t(f"datasets.what.{section}") for section in SECTIONS}, navigation.DATASETS_PART
)
SECTIONS[what](dataset)
