"""Models: which version is the current model?"""

import streamlit as st

from pages.ui import flash, session, widgets
from pages.ui.i18n import t
from pages.ui.models import actions, board, versions

SECTIONS = {
    "versions": versions.show,
    "compare": versions.show_comparison,
    "card": versions.show_card,
    "import": lambda every: actions.import_form(every.name),
    "call": board.show_calls,
}

dataset = widgets.need_dataset()

actions.follow_import(dataset)
flash.show()
every = board.load_versions(dataset)
if not every.versions:
    first_look = session.model()
    if first_look is not None:
        actions.keep_button(first_look)
    st.caption(t("models.empty.import"))
    actions.import_form(dataset.name)
    widgets.need("model", "train")
board.show(every)
part = widgets.choose(t("models.what"), {name: t(f"models.what.{name}") for name in SECTIONS}, "models_what")
SECTIONS[part](every)
