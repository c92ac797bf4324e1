"""Upload: did it understand my file?"""

from functools import partial

import streamlit as st

from clv_core.collection import Check
from clv_core.errors import ClvError
from pages.ui import first_look, progress, session, widgets
from pages.ui.i18n import t
from pages.ui.upload import check, questions, save, steps, uploading

job = progress.followed_run("ingest")
uploading.restore()
file = uploading.chosen()
running = progress.is_running(job)
dataset = session.dataset()
saved = file is None and not running and save.was_saved_here(dataset)
stepper = st.empty()
with stepper:
    steps.show_steps(3 if running else len(steps.STEPS) if saved else 0 if file is None else 1)

if job and running:
    progress.watch(job)
    st.stop()
if job and questions.ask_for_run(job, partial(uploading.restart, job)):
    st.button(t("upload.another"), icon=":material/close:", key="another_file", on_click=uploading.drop)
    st.stop()
if job and progress.consume_done(job):
    if uploading.reads(job):
        uploading.drop()
    session.choose(dataset=job.status().result["dataset"])
    save.keep_result(job)
    st.rerun()
if job:
    progress.failure_actions(job)

if file is None:
    if saved and dataset is not None:
        save.show_saved(dataset)
        model = session.model()
        if model is not None and not model.untrained:
            save.lead_to_model()
        else:
            st.header(t("page.look"), anchor=False)
            first_look.section(dataset)
        st.header(t("upload.next"), anchor=False)
    else:
        widgets.headline(t("upload.headline"))
    save.offer_waiting_runs()
    try:
        steps.choose_file()
    except ClvError as error:
        widgets.show_error(error)
    st.stop()

headline = st.empty()
with headline:
    widgets.headline(t("upload.headline.file", file=widgets.escape(file.path.name)))
steps.file_line(file)
path = file.path
result = st.container()  # filled by the answers below, shown above them
try:
    steps.choose_sheet(file)
    for path in file.paths:
        uploading.columns(path)  # the file that cannot be read is the one to ask about
    path = steps.which(file)
    steps.offer_earlier_answers(file)
    steps.choose_recipe(file)
    steps.choose_columns(file)
    details = st.container()
    with result:
        with st.spinner(t("upload.checking")):
            checked = uploading.check(file, path)
        if isinstance(checked, Check):
            with stepper:
                steps.show_steps(2)
            with headline:
                widgets.headline(check.headline(checked, file.path.name))
            check.show_result(checked, save.like(file, session.newest_datasets()))
            with details:
                check.show_details(checked, uploading.check_folder(file, path))
        elif progress.is_running(checked):
            st.caption(t("upload.large"))
            progress.watch(checked)
        elif questions.ask_for_run(checked, uploading.revise_answers):
            st.stop()
        else:
            progress.show_outcome(checked)
            progress.technical_log(checked)
        save.form(file, checked if isinstance(checked, Check) else None)
except ClvError as error:
    with result:
        question = questions.find_question(error)
        if question:
            questions.ask(*question, path, uploading.revise_answers)
        elif not save.offer_refunds(file, error):
            widgets.show_error(error)
        steps.offer_without(file, path)
