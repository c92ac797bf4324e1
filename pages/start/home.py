"""Home: where am I in the loop, and the quickest way on."""

import streamlit as st

from pages.ui import access, flash, navigation, session, widgets
from pages.ui.home import dashboard, tour
from pages.ui.i18n import t

dataset, model = session.dataset(), session.model()
has_predictions = bool(dataset and model and dashboard.show_predictions(session.scored(dataset, model)))
if not has_predictions:
    widgets.headline(dashboard.headline(dataset, model))

dashboard.show_schedules()
job = flash.follow("ingest", stop=False)
if job:
    session.choose(dataset=job.status().result["dataset"])
    st.rerun()
tour.wait()

doors = st.grid(2 if has_predictions else 3, min_column_width=220)
with doors.container(border=True, height="stretch"):
    st.header(t("home.sample"), anchor=False)
    st.write(t("home.sample.why"))
    st.space("stretch")
    icon, may = ":material/science:", access.if_may("change")  # it leads only while there is nothing else
    if st.button(t("home.sample.button"), "door_sample", icon=icon, type="secondary" if dataset else "primary", **may):
        tour.load(begin=False)
        st.rerun()
    if st.button(t("tour.button"), icon=":material/tour:", key="door_tour", **may):
        tour.load(begin=True)
        st.rerun()
with doors.container(border=True, height="stretch"):
    st.header(t("home.upload"), anchor=False)
    st.write(t("home.upload.why"))
    st.space("stretch")
    navigation.button("upload", t("home.upload.button"), "door_upload")
if not has_predictions:
    with doors.container(border=True, height="stretch"):
        st.header(t("home.on", name=widgets.escape(dataset.name)) if dataset else t("home.on.nothing"), anchor=False)
        st.write(dashboard.next_step(dataset, model))
        st.space("stretch")
        target = dashboard.next_page(dataset, model)
        if dataset:
            navigation.button(target, t(f"page.{target}"), "door_on", type="primary")

st.header(t("home.loop"), anchor=False)
dashboard.loop(dataset, model)

if dataset:
    st.header(t("home.datasets"), anchor=False)
    dashboard.dataset_table()
if model:
    st.header(t("home.models", name=widgets.escape(model.record.dataset.name)), anchor=False)
    dashboard.model_table(model.record.dataset.name)
