"""Datasets: what do I have, and what was done to it?"""

import streamlit as st

from pages.ui import datasets, state, widgets

dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

datasets.about(dataset)
st.stop()
