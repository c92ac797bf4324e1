"""Upload: did it understand my file?"""

from functools import partial

import streamlit as st

from clv_core.collection.check import Check
from clv_core.errors import ClvError
from pages.ui import first_look, progress, session, widgets
from pages.ui.i18n import t
from pages.ui.upload import check, questions, recall, save, saved, steps, uploading, waiting

job = progress.followed_run("ingest")
file = uploading.chosen()
saving = progress.is_running(job)
top = st.empty()
with top:
    steps.steps(3 if saving else 0 if file is None else 1)

if job and saving:
    progress.watch(job)
    st.stop()
if job and questions.of_run(job, partial(uploading.again, job)):
    st.button(t("upload.another"), icon=":material/close:", key="another_file", on_click=uploading.drop)
    st.stop()
if job and progress.consume_done(job):
    if uploading.reads(job):
        uploading.drop()
    session.choose(dataset=job.status()["result"]["dataset"])
    saved.keep(job)
    st.rerun()
if job:
    progress.failure_actions(job)

if file is None:
    just = session.dataset()
    if just and saved.just(just):
        saved.show(just)
        model = session.model()
        if model is not None and not model.untrained:
            saved.trained_before()
        else:
            st.header(t("page.look"), anchor=False)
            first_look.section(just)
        st.header(t("upload.next"), anchor=False)
    else:
        widgets.headline(t("upload.headline"))
    waiting.show()
    try:
        steps.choose_file()
    except ClvError as error:
        widgets.show_error(error)
    st.stop()

widgets.headline(t("upload.headline.file", file=widgets.escape(file.path.name)))
steps.file_line(file)
path = file.path
try:
    steps.choose_sheet(file)
    for path in file.paths:
        uploading.columns(path)  # the one that cannot be read so is the one that is asked about
    path = steps.which(file)
    recall.offer(file)
    st.header(t("upload.step.columns"), anchor=False)
    steps.choose_columns(file)
    st.header(t("upload.step.check"), anchor=False)
    with st.spinner(t("upload.checking")):
        found = uploading.check(file, path)
    if isinstance(found, Check):
        with top:
            steps.steps(2)
        check.show(found, uploading.check_folder(file, path), save.like(file, session.newest_datasets()))
    elif progress.is_running(found):
        st.caption(t("upload.large"))
        progress.watch(found)
    elif questions.of_run(found, uploading.settle):
        st.stop()
    else:
        progress.show_outcome(found)
        progress.technical_log(found)
    st.header(t("upload.step.save"), anchor=False)
    save.form(file)
except ClvError as error:
    asked = questions.asked(error)
    if asked:
        questions.ask(*asked, path, uploading.settle)
    elif not save.refunds(file, error):
        widgets.show_error(error)
    steps.offer_without(file, path)
