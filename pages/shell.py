"""The frame of every page. Each page is a script in a folder next to this file."""

import streamlit as st

from pages.ui import chrome, confirmation, navigation, session, sidebar, signin, verdict, widgets
from pages.ui.home import tour

navigation.page_config()
try:
    session.begin()
    chrome.apply()
    sidebar.resolve()
    signin.gate()
    session.publish()
    page = navigation.menu()
    sidebar.show()
    tour.show(navigation.name_of(page))
    st.title(page.title, anchor=False)
    sidebar.show_replacement(navigation.name_of(page))
    widgets.read_only()
    confirmation.show()
    verdict.warn_if_stale(navigation.name_of(page))
    page.run()
except Exception as error:
    widgets.show_failure(error)
