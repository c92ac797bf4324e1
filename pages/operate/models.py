"""Models: which model speaks?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import outcomes, state, widgets
from pages.ui.models import board, calling, compare, exchange, pressed, versions
from pages.ui.saying import t

SECTIONS = {
    "versions": versions.show,
    "compare": compare.show,
    "card": versions.card,
    "import": exchange.receive,
    "call": calling.show,
}

dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

pressed.settle()
exchange.follow(dataset)
outcomes.show()
try:
    shelf = board.shelf(dataset)
    if not shelf.versions:
        st.caption(t("models.empty.import"))
        exchange.receive(shelf)
        widgets.need("model", "train")
    board.show(shelf)
    what = widgets.choose(t("models.what"), {one: t(f"models.what.{one}") for one in SECTIONS}, "models_what")
    SECTIONS[what](shelf)
except ClvError as error:
    widgets.error_box(error)
