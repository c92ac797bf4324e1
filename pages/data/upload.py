"""Upload: did it understand my file?"""

import streamlit as st

from clv_core.errors import ClvError, NeedsAnswer
from pages.ui import navigation, progress, saved, state, upload_steps, uploading, widgets
from pages.ui.state import t

job = progress.current("ingest")
file = uploading.chosen()
saving = progress.running(job)
upload_steps.steps(3 if saving else 0 if file is None else 1)

if job and saving:
    progress.watch(job)
    st.stop()
if job and progress.take(job):
    uploading.drop()
    state.choose(dataset=job.status()["result"]["dataset"])
    st.session_state["just_saved"] = job.status()["result"]["dataset"]
    st.rerun()
if job:
    progress.technical_log(job)

try:
    if file is None:
        just = state.dataset()
        if just and just.name == st.session_state.get("just_saved"):
            saved.show(just)
            if st.button(t("upload.to_train"), type="primary", icon=navigation.BY_NAME["train"].icon, key="to_train"):
                navigation.go("train")
            st.subheader(t("upload.next"), anchor=False)
        else:
            widgets.headline(t("upload.headline"))
        upload_steps.choose_file()
        st.stop()
    widgets.headline(t("upload.headline.file", file=widgets.plain(file.path.name)))
    upload_steps.file_line(file)
    st.subheader(t("upload.step.columns"), anchor=False)
    upload_steps.choose_columns(file)
    st.subheader(t("upload.step.check"), anchor=False)
    if file.size <= uploading.CHECKED_BYTES:
        said = uploading.answers()
        with st.spinner(t("upload.checking")):
            found = uploading.check(file.stamp, repr(said), file, said)
        upload_steps.show_check(found)
        upload_steps.horizons(found)
    else:
        st.caption(t("upload.large"))
    st.subheader(t("upload.step.save"), anchor=False)
    upload_steps.save_form(file)
except NeedsAnswer as error:
    upload_steps.question(error)
except ClvError as error:
    widgets.error_box(error)
