"""Datasets combined, renamed, told what their amounts are in, and deleted for good."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from clv_core.collection.store.currency_label import LONGEST
from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.lifecycle import relabel
from clv_core.errors import ClvError, Refused
from clv_core.strategy.audiences.export_records import is_cached_scores
from clv_core.strategy.dataset_deletion import remaining
from clv_core.workspace import check_name
from pages.ui import access, by_role, outcomes, saying, settled, state, widgets
from pages.ui.saying import t


def follow() -> None:
    """Watch a run that combines, renames or deletes, and say how it ended."""
    for command in ("combine", "rename", "delete"):
        job = outcomes.follow(command)
        if job is not None:
            result = job.status()["result"]
            name = str(result.get("dataset", ""))
            known = {"name": widgets.plain(name or job.status()["label"])}
            if command == "combine":
                known["rows"] = f"{result['rows_kept']:,}"
            said = t(f"manage.{command}.done", **known)
            if result.get("remains"):
                said += f" {t('manage.delete.holds')}  \n{_places(result['remains'])}"
            outcomes.say(said)
            settled.told()
            if command != "delete":
                state.choose(dataset=name)
            st.rerun()


def combine(dataset: Dataset) -> None:
    """Offer to make one new dataset of several; they stay."""
    names = [item.name for item in state.newest_datasets()]
    st.markdown(f"**{t('combine.headline')}**")
    if len(names) < 2:
        st.caption(t("combine.alone"))
        return
    with st.form("combine", border=True):
        hint = t("streamlit.choose_several")
        chosen = st.multiselect(
            t("combine.which"), names, default=[dataset.name], key="combine_names", placeholder=hint
        )
        new = st.text_input(t("combine.name"), max_chars=64, key="combine_new", help=t("upload.name.help"))
        st.caption(t("combine.why"))
        may = by_role.if_may("change")
        if not st.form_submit_button(t("combine.button"), type="primary", icon=":material/join:", **may):
            return
    if len(chosen) < 2:
        st.warning(t("combine.two"), icon=":material/warning:")
        return
    new = check_name(new)
    if (state.workspace().datasets / new).exists():
        widgets.error_box(Refused("combine_name_taken", new=new))
        return
    _start(["combine", *chosen, "--name", new], new)


def manage(dataset: Dataset) -> None:
    """Offer another name, another currency, and the end."""
    with st.form("rename", border=True):
        new = st.text_input(t("manage.rename"), dataset.name, max_chars=64, key=f"new_name_{dataset.name}")
        renamed = st.form_submit_button(t("manage.rename.button"), icon=":material/edit:", **by_role.if_may("change"))
    if renamed and new.strip() != dataset.name:
        try:
            _start(["rename", dataset.name, check_name(new)], dataset.name)
        except ClvError as error:
            widgets.error_box(error)
    _currency(dataset)
    _delete(dataset, state.models())


def _currency(dataset: Dataset) -> None:
    known = dataset.manifest.currency
    with st.form("currency", border=True):
        said = st.text_input(
            t("manage.currency"),
            known,
            max_chars=LONGEST,
            help=t("manage.currency.help"),
            key=f"currency_{dataset.name}_{dataset.version}",
        )
        may = by_role.if_may("change")
        pressed = st.form_submit_button(t("manage.currency.button"), icon=":material/payments:", **may)
    if not pressed or said.strip() == known:
        return
    access.require("change")
    try:
        made, _ = relabel(state.workspace(), dataset.name, said)
    except ClvError as error:
        widgets.error_box(error)
        return
    key = "manage.currency.done" if made.currency else "manage.currency.none"
    outcomes.say(t(key, name=widgets.plain(dataset.name), currency=widgets.plain(made.currency)))
    st.rerun()


def _delete(dataset: Dataset, models: list[Bundle]) -> None:
    name = widgets.plain(dataset.name)
    with st.container(border=True):
        st.markdown(f":red[:material/delete_forever: **{t('manage.delete')}**]  \n{t('manage.delete.why')}")
        also = bool(models) and st.checkbox(t("manage.delete.models", n=len(models)), key="delete_models")
        _holders(dataset, also)
        typed = st.text_input(t("manage.delete.type", name=name), key=f"delete_{dataset.name}")
        if st.button(
            t("manage.delete.button", name=name),
            icon=":material/delete_forever:",
            key="delete_for_good",
            **by_role.if_may("delete", disabled=typed != dataset.name),
        ):
            _start(["delete", dataset.name, *(["--models"] if also else [])], dataset.name)


def _holders(dataset: Dataset, models: bool) -> None:
    """Name what else holds ids of the dataset's customers, and stays."""
    found = list(remaining(state.workspace(), dataset.name, models=models))
    if found:
        st.markdown(f":orange[:material/warning:] {t('manage.delete.holds')}  \n{_places(found)}")


def _places(found: list[dict[str, str]]) -> str:
    return "  \n".join(dict.fromkeys(map(_place, found)))


def _place(item: dict[str, str]) -> str:
    """Return what still holds ids: a file by its name, as where it lies on the server says nothing to a person."""
    kind, name = item["kind"], item["name"]
    if kind == "export":
        name = Path(name).name
        kind = "scores" if is_cached_scores(name) else kind
    return saying.labelled(t(f"holds.{kind}"), widgets.plain(name))


def _start(command: list[str], label: str) -> None:
    state.start_job(command, label)
    st.rerun()
