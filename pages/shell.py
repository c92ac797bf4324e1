"""What every page has around it. The shell only; each page is a script in a folder beside it."""

import streamlit as st

from pages.ui import confirmation, failing, foreign, learned_from, navigation, settled, sidebar, signin, state, widgets
from pages.ui.home import tour

navigation.page_config()
try:
    state.begin()
    foreign.apply()
    settled.settle()
    signin.gate()
    state.publish()
    page = navigation.menu()
    sidebar.show()
    tour.show(navigation.name_of(page))
    st.title(page.title, anchor=False)
    settled.show(navigation.name_of(page))
    widgets.read_only()
    confirmation.show()
    learned_from.show(navigation.name_of(page))
    page.run()
except Exception as error:
    failing.broken(error)
