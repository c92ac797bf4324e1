"""Speaker's notes: what do I show and say at this step of the tour?"""

from pages.ui.home import tour

tour.show_notes()
