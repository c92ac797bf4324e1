"""CLV Studio in the browser: ``python -m pages.ui``. The shell only; each page is a script under ``pages/``."""

import streamlit as st

from pages.ui import navigation, sidebar, signin, state, widgets
from pages.ui.home import tour

navigation.page_config()
state.begin()
signin.gate()
state.publish()
page = navigation.menu()
sidebar.show()
tour.show(navigation.name_of(page))
st.title(page.title, anchor=False)
try:
    page.run()
except Exception as error:
    widgets.broken(error)
