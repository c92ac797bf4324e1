"""The last step of the upload page: a name, or a dataset to add to, and whether ids are replaced."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.collection.values.pseudonyms import key_path
from clv_core.collection.words.aliases import fold
from clv_core.errors import ClvError
from clv_core.workspace import check_name
from pages.ui import by_role, navigation, state, widgets
from pages.ui.saying import t
from pages.ui.upload import uploading
from pages.ui.upload.uploading import FilesInHand

NEW, ADD = "new", "add"
WAYS: Final = (NEW, ADD)
WISH: Final = "save_wish"
"""Where another page leaves which of the ways it was asked for."""
TAKEN: Final = "save_taken"
"""Where it is kept which taken name the person has been told of."""


def offer_adding(key: str) -> None:
    """Offer to add a file to the dataset in use, on the upload page.

    Args:
        key: of the button.
    """
    if st.button(t("datasets.add_file"), icon=navigation.BY_NAME["upload"].icon, key=key):
        st.session_state[WISH] = ADD
        navigation.go("upload")


def form(file: FilesInHand) -> None:
    """Offer to save the files as a dataset of their own or to add them to one."""
    datasets = state.newest_datasets()
    taken, known = [item.name for item in datasets], like(file, datasets)
    way = NEW
    if taken:
        # The wish lives under a key of its own: a widget's is dropped on every page that does not draw it.
        wish = st.session_state.get(WISH, ADD if known else NEW)
        way = st.segmented_control(
            t("save.way"),
            WAYS,
            format_func=lambda way: t(f"save.way.{way}"),
            default=wish,
            required=True,
            key=f"save_way_{wish}",
            label_visibility="collapsed",
        )
    if way == ADD:
        _add(file, taken, known)
    else:
        _new(file, taken)


def refunds(file: FilesInHand, error: ClvError) -> bool:
    """Offer to add files to the dataset out of which they take orders; False where that is not why one was refused.

    Args:
        file: the files in hand.
        error: what the check of one of them ended with.
    """
    datasets = state.newest_datasets()
    if error.code != "only_withdrawn" or not datasets:
        return False
    about = {key: f"{error.params[key]:,}" for key in ("off", "rows")}
    st.info(t("save.refunds", file=widgets.plain(str(error.params["file"])), **about), icon=":material/undo:")
    st.header(t("upload.step.save"), anchor=False)
    if len(file.paths) > 1:
        form(file)
    else:
        _add(file, [item.name for item in datasets], like(file, datasets))
    return True


def _new(file: FilesInHand, taken: list[str]) -> None:
    with st.form("save", border=True):
        name = st.text_input(t("upload.name"), file.name, max_chars=64, key="dataset_name", help=t("upload.name.help"))
        hidden = _pseudonyms()
        may = by_role.if_may("change")
        if st.form_submit_button(t("upload.save"), type="primary", icon=":material/save:", **may):
            name = check_name(name)
            if name in taken and name not in (file.name, st.session_state.get(TAKEN)):
                st.session_state[TAKEN] = name
                st.warning(t("upload.name.again", name=widgets.plain(name)), icon=":material/warning:")
                return
            for key in (WISH, TAKEN):
                st.session_state.pop(key, None)
            uploading.save(file, name, *(["--pseudonymise"] if hidden else []))
            st.rerun()
        if file.name in taken:
            st.caption(t("upload.name.taken", name=widgets.plain(file.name)))


def _pseudonyms() -> bool:
    hidden = st.toggle(t("save.pseudonymise"), key="pseudonymise")
    st.caption(t("save.pseudonymise.why", path=widgets.plain(str(key_path(state.workspace())))))
    return hidden


def like(file: FilesInHand, datasets: list[Dataset]) -> str:
    """Return the dataset in use, else the newest, whose file had the same columns; "" where there is none."""
    columns = set(map(fold, uploading.columns(file.path)))
    known = [item.name for item in datasets if columns == set(map(fold, item.manifest.source_columns))]
    chosen = st.session_state.get("dataset")
    return str(chosen) if chosen in known else next(iter(known), "")


def _add(file: FilesInHand, names: list[str], like: str) -> None:
    """Add to a dataset, first of all to the one ``like`` the file: rows that it holds already count once."""
    with st.form("add", border=True):
        chosen = like or st.session_state.get("dataset")
        default = names.index(chosen) if chosen in names else 0
        name = st.selectbox(t("save.add.to"), names, index=default, key="add_to")
        st.caption(t("save.add.why"))
        may = by_role.if_may("change")
        if st.form_submit_button(t("save.add"), type="primary", icon=":material/playlist_add:", **may):
            st.session_state.pop(WISH, None)
            uploading.save(file, name, "--append")
            st.rerun()
