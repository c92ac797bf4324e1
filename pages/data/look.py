"""First look: what are my customers worth, before anything is trained?"""

from pages.ui import first_look, session, widgets

dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")
first_look.section(dataset)
