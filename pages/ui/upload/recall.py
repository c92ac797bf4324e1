"""What was said about an earlier file of the same columns, offered for this one: taken, or left, by one click."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from clv_core.collection.mapping.answers import Answers
from clv_core.collection.rows import remembered_settings as remembered
from clv_core.collection.rows.read_settings import answers_json
from pages.ui import access, by_role, saying, state, widgets
from pages.ui.saying import t
from pages.ui.upload import uploading
from pages.ui.upload.uploading import FilesInHand

LEFT: Final = "upload_recall_left"


def offer(file: FilesInHand) -> None:
    """Offer to read the file as the last one of its shape was read, where something was said about that one."""
    if _spoken() or st.session_state.get(LEFT) == file.folder.name:
        return
    columns = [item.column for item in uploading.inspection(file.path, header=True).columns]
    known = remembered.recall(state.workspace(), columns)
    if known is None or not (said := _said(known)):
        return
    with st.container(border=True):
        st.markdown(f":material/history: {t('recall.offer')}  \n{widgets.plain(' · '.join(said))}")
        with st.container(horizontal=True):
            if st.button(t("recall.use"), type="primary", key="recall_use"):
                uploading.settle(**answers_json(known))
                st.session_state[LEFT] = file.folder.name
                st.rerun()
            if st.button(t("recall.leave"), key="recall_leave"):
                st.session_state[LEFT] = file.folder.name
                st.rerun()
            if st.button(t("recall.forget"), key="recall_forget", type="tertiary", **by_role.if_may("change")):
                access.require("change")
                remembered.forget(state.workspace(), columns)
                st.rerun()


def _spoken() -> bool:
    """Say whether the person has said something about the file; time zone and currency the page proposes by itself."""
    plain = Answers()
    return replace(uploading.answers(), timezone=plain.timezone, currency=plain.currency) != plain


def _said(known: Answers) -> list[str]:
    """Return in words what was said."""
    named = {canonical: column or t("recall.none") for canonical, column in known.mapping.items()}
    words = [f"{column} = {saying.name_of('canonical', canonical)}" for canonical, column in named.items()]
    words += [f"{name} = {saying.name_of('event', kind)}" for name, kind in known.events.items()]
    words += [f"{word} = {t(f'look.states.{meaning}')}" for word, meaning in known.states.items()]
    for name in ("date_order", "decimal", "amount_unit", "similar_ids", "duplicates"):
        value = getattr(known, name)
        words += [_setting(name, t(f"upload.{name}.{value}"))] if value else []
    words += [_setting("currency", known.currency)] if known.currency else []
    return words + ([_setting("timezone", known.timezone)] if known.timezone != "UTC" else [])


def _setting(name: str, value: str) -> str:
    return saying.labelled(t(f"upload.{name}"), value)
