"""First look: what are my customers worth, before anything is trained?"""

from pages.ui import first_look, state, widgets

dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")
first_look.section(dataset)
