"""First look: what are my customers worth, before anything is trained?"""

from pages.ui import first_look, widgets

first_look.section(widgets.need_dataset())
