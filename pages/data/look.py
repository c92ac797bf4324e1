"""First look: what are my customers worth, before anything is trained?"""

from clv_core.collection.privacy import without_objected
from pages.ui import first_look, session, widgets

first_look.section(without_objected(session.workspace(), widgets.need_dataset()))
