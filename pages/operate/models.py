"""Models: which model speaks?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import models_board, models_compare, models_exchange, models_versions, outcomes, state, widgets
from pages.ui.state import t

SECTIONS = {
    "versions": models_versions.show,
    "compare": models_compare.show,
    "card": models_versions.card,
    "import": models_exchange.receive,
}

dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

models_exchange.follow(dataset)
outcomes.show()
try:
    shelf = models_board.shelf(dataset)
    if not shelf.versions:
        st.caption(t("models.empty.import"))
        models_exchange.receive(shelf)
        widgets.need("model", "train")
    models_board.show(shelf)
    what = widgets.choose(t("models.what"), {one: t(f"models.what.{one}") for one in SECTIONS}, "models_what")
    SECTIONS[what](shelf)
except ClvError as error:
    widgets.error_box(error)
