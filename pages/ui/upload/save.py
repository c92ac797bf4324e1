"""The end of the upload page: a name, or a dataset to add to; then what was saved, and runs that wait for an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import jobs
from clv_core.collection import Check, Held, doubts_beside, rows_held
from clv_core.collection.parse import key_path
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import fold
from clv_core.errors import ClvError, Message
from clv_core.records import JsonObject
from clv_core.workspace import check_name
from pages.ui import access, confirmation, i18n, navigation, progress, session, widgets
from pages.ui.cache import cached
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t
from pages.ui.upload import check, questions, uploading
from pages.ui.upload.uploading import FilesInHand

NEW, ADD, REPLACE = "new", "add", "replace"
WISH: Final = "save_wish"
"""Session key by which another page requests one of the ways."""
SAVED: Final = "just_saved"
"""What the run that saved a dataset here returned."""
MERGE_WARNINGS: Final = ("nothing_new", "orders_taken_out", "orders_not_here", "orders_stay_out")
"""Warnings about the effect of added files on their dataset, which are shown at once."""


def offer_adding(key: str) -> None:
    """Offer to add a file to the dataset in use, on the upload page."""
    if st.button(t("datasets.add_file"), icon=navigation.BY_NAME["upload"].icon, key=key):
        st.session_state[WISH] = ADD
        navigation.go("upload")


def form(file: FilesInHand, checked: Check | None = None) -> None:
    """Offer to save the files as a dataset of their own, to add them to one, or, of rows that it holds, to replace it.

    ``checked``: what the file would become, where that is known. What is doubtful about it waits for a yes.
    """
    datasets = session.newest_datasets()
    names, similar = [item.name for item in datasets], like(file, datasets)
    old = next((item for item in datasets if item.name == similar), None)
    held = None if checked is None or old is None or old.manifest.pseudonymised else _held(checked, old)
    way = NEW
    if names:
        # The wish lives under a key of its own: a widget's is dropped on every page that does not draw it.
        wish = st.session_state.get(WISH, ADD if similar else NEW)
        may_replace = held is not None and (held.is_here or held.is_renamed)
        way = st.segmented_control(
            t("save.way"),
            (NEW, ADD, REPLACE) if may_replace else (NEW, ADD),
            format_func=lambda way: t(f"save.way.{way}"),
            default=wish,
            required=True,
            key=f"save_way_{wish}",
            label_visibility="collapsed",
        )
        if held is not None and held.is_here:
            st.caption(t("save.held", here=held.here, rows=held.rows, name=widgets.escape(similar)))
    doubts = () if checked is None else _doubts(checked, held, old, way)
    agreed = _agreed(file, doubts)
    if way == ADD:
        _add(file, names, similar, agreed)
    elif way == REPLACE:
        _replace(file, similar, agreed)
    else:
        _save_new(file, names, agreed)


def _held(checked: Check, old: Dataset) -> Held:
    """Return how many of the file's first rows a dataset holds."""
    return _looked_up(str(old.events_path), checked.manifest.timezone, checked.first_rows)


@cached(32)
def _looked_up(events: str, timezone: str, first_rows: pd.DataFrame) -> Held:
    return rows_held(first_rows, timezone, Path(events))


def _doubts(checked: Check, held: Held | None, old: Dataset | None, way: str) -> tuple[Message, ...]:
    """Return what is doubtful about saving a file so: an addition may be as short and one-sided as it likes."""
    beside = () if old is None else doubts_beside(checked.manifest, held, old.manifest)
    return (*(checked.doubts if way != ADD else ()), *beside)


def _agreed(file: FilesInHand, doubts: tuple[Message, ...]) -> bool:
    """Say what is doubtful, and return whether the person says that it is right; one yes holds for all of it."""
    if not doubts:
        return True
    with st.container(border=True):
        st.markdown(f"**{t('save.doubts')}**")
        for doubt in doubts:
            st.markdown(f":material/help: {check.plain_message(doubt)}")
        asked = hash((file.folder.name, *(str(doubt.to_json()) for doubt in doubts)))
        return st.checkbox(t("save.doubts.yes"), key=f"doubts_yes_{asked}")


def offer_refunds(file: FilesInHand, error: ClvError) -> bool:
    """Offer to add files to the dataset out of which they take orders; False where that is not why one was refused."""
    datasets = session.newest_datasets()
    if error.code != "only_withdrawn" or not datasets:
        return False
    about = {key: f"{error.params[key]:,}" for key in ("off", "rows")}
    st.info(t("save.refunds", file=widgets.escape(str(error.params["file"])), **about), icon=":material/undo:")
    st.header(t("upload.step.save"), anchor=False)
    if len(file.paths) > 1:
        form(file)
    else:
        _add(file, [item.name for item in datasets], like(file, datasets), agreed=True)
    return True


def like(file: FilesInHand, datasets: list[Dataset]) -> str:
    """Return the dataset in use, else the newest, whose file had the same columns; "" where there is none."""
    columns = set(map(fold, uploading.columns(file.path)))
    similar = [item.name for item in datasets if columns == set(map(fold, item.manifest.source_columns))]
    current = st.session_state.get("dataset")
    return str(current) if current in similar else next(iter(similar), "")


def _save_new(file: FilesInHand, taken: list[str], agreed: bool) -> None:
    with st.form("save", border=True):
        name = st.text_input(t("upload.name"), file.name, max_chars=64, key="dataset_name", help=t("upload.name.help"))
        hidden = st.toggle(t("save.pseudonymise"), key="pseudonymise")
        st.caption(t("save.pseudonymise.why", path=widgets.escape(str(key_path(session.workspace())))))
        may = access.if_may("change", disabled=not agreed)
        pressed = st.form_submit_button(t("upload.save"), type="primary", icon=":material/save:", **may)
        if file.name in taken:
            st.caption(t("upload.name.taken", name=widgets.escape(file.name)))
    if not pressed or not agreed:
        return
    name = check_name(name)
    start = partial(_start, file, name, *(["--pseudonymise"] if hidden else []))
    if name in taken:
        _confirm(name, start)
    else:
        start()
    st.rerun()


def _confirm(name: str, start: Callable[[], None]) -> None:
    """Ask whether a dataset is to show the file alone from now on."""
    st.session_state[confirmation.OPEN] = Confirmation(
        question=t("upload.name.sure", name=widgets.escape(name)),
        consequence=t("upload.name.why", name=widgets.escape(name)),
        label=t("upload.save"),
        act=start,
    )


def _replace(file: FilesInHand, name: str, agreed: bool) -> None:
    """Make the file a new version of the dataset that holds its rows already."""
    with st.container(border=True):
        st.caption(t("save.replace.why", name=widgets.escape(name)))
        may = access.if_may("change", disabled=not agreed)
        label = t("save.replace", name=widgets.escape(name))
        if st.button(label, type="primary", icon=":material/swap_horiz:", key="save_replace", **may) and agreed:
            _confirm(name, partial(_start, file, name))
            st.rerun()


def _add(file: FilesInHand, names: list[str], similar: str, agreed: bool) -> None:
    """Add to a dataset, first of all to the one like the file: rows that it holds already count once."""
    with st.form("add", border=True):
        preselected = similar or st.session_state.get("dataset")
        default = names.index(preselected) if preselected in names else 0
        name = st.selectbox(t("save.add.to"), names, index=default, key="add_to")
        st.caption(t("save.add.why"))
        may = access.if_may("change", disabled=not agreed)
        if st.form_submit_button(t("save.add"), type="primary", icon=":material/playlist_add:", **may) and agreed:
            _start(file, name, "--append")
            st.rerun()


def _start(file: FilesInHand, name: str, *more: str) -> None:
    st.session_state.pop(WISH, None)
    uploading.save(file, name, *more)


def keep_result(job: jobs.Job) -> None:
    """Keep what a run has saved, to be shown on the next runs of the page."""
    status = job.status()
    files = status.args.index("--name") - 1
    st.session_state[SAVED] = {**status.result, "appended": files if "--append" in status.args else 0}


def was_saved_here(dataset: Dataset | None) -> bool:
    """Return whether this dataset was just saved on the page."""
    return dataset is not None and st.session_state.get(SAVED, {}).get("dataset") == dataset.name


def show_saved(dataset: Dataset) -> None:
    """Say that the dataset is there, with its accounting line, and offer the rejected rows and the next steps."""
    facts = dataset.manifest
    widgets.headline(
        t(
            "upload.saved",
            name=widgets.escape(dataset.name),
            customers=i18n.count(facts.customers),
            bought=i18n.orders(facts),
            days=f"{(dataset.log_end - dataset.log_start).days:,}",
        )
    )
    st.markdown(widgets.accounting(facts))
    _show_appended(st.session_state[SAVED])
    with st.container(horizontal=True):
        navigation.button("train", t("upload.to_train"), "to_train", type="primary")
        navigation.button("datasets", t("saved.to_datasets"), "to_datasets")
        if facts.rows_set_aside:
            download_rejected(dataset)


def _show_appended(result: JsonObject) -> None:
    """Say how much of the files that were added the dataset held already."""
    if not result["appended"]:
        return
    parts = result["parts"][-result["appended"] :]
    files = [part["source"] for part in parts]
    counts = {key: f"{sum(part[key] for part in parts):,}" for key in ("rows_read", "rows_overlap")}
    st.markdown(f":material/playlist_add: {t('saved.overlap', **counts)}")
    for warning in result["warnings"]:
        if warning["code"] in MERGE_WARNINGS and warning["params"]["file"] in (files, *files):
            st.warning(widgets.escape(t(f"warning.{warning['code']}", **warning["params"])), icon=":material/info:")


def lead_to_model() -> None:
    """Say that a model was trained before the file came, and lead to its values of today and to what came true."""
    st.header(t("saved.trained"), anchor=False)
    st.markdown(t("saved.trained.why"))
    with st.container(horizontal=True):
        for name in ("segments", "monitor"):
            navigation.button(name, t(f"saved.to_{name}"), f"to_{name}")


def download_rejected(dataset: Dataset) -> None:
    """Offer all rejected rows of a dataset."""
    name = f"{dataset.name.replace(' ', '-')}_set-aside_{dataset.version}"
    check.download_rejects(dataset.rejected_path, dataset.manifest.rows_set_aside, name, key="set_aside")


def offer_waiting_runs() -> None:
    """Offer the runs that go on, were cut off, or ended with a question, as long as their file is there.

    A browser that was closed no longer knows which run it had started; the run, and what it asks, wait for it. None is
    opened unasked.
    """
    for job in jobs.jobs(session.workspace(), "ingest")[: progress.MAX_RECENT_JOBS]:
        waits = _waits(job)
        if not waits:
            continue
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            name = widgets.escape(job.status().label)
            st.markdown(f":material/history: {t(f'waiting.{waits}', name=name)}")
            if st.button(t("waiting.follow"), key=f"follow_{job.id}"):
                session.follow(job)
                st.rerun()
            if waits != "running":
                key, icon, may = f"put_away_{job.id}", ":material/close:", access.if_may("change")
                st.button(t("outcome.close"), key=key, icon=icon, type="tertiary", on_click=job.dismiss, **may)


def _waits(job: jobs.Job) -> str:
    """Return what becomes of a run that nobody has put away: ``running``, ``cut_off``, ``asks``, "" for nothing."""
    status = job.status()
    if status.put_away or not Path(status.args[1]).exists():
        return ""
    if status.failure is not None:
        return "asks" if questions.find_question(status.failure) else ""
    return {jobs.RUNNING: "running", jobs.INTERRUPTED: "cut_off"}.get(status.state, "")
