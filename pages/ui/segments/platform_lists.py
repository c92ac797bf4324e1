"""Lists for ad and mail platforms, with contact fields from the customers table of the dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from clv_core.collection.stored.store import Dataset
from clv_core.collection.words.contact_fields import CONSENT, PHONE
from clv_core.errors import ClvError
from clv_core.strategy.contacts.suppress_file import entries_of, words_of
from clv_core.strategy.exports.contacts_stored import stored_fields, with_stored
from clv_core.strategy.exports.export import EXPORTS, Contacts, Side, export, log_export
from pages.ui import access, by_role, navigation, row_files, state, widgets
from pages.ui.exports import lists
from pages.ui.exports import region as region_of_phones
from pages.ui.segments.segmenting import Scene
from pages.ui.state import name_of, t

PLATFORMS = tuple(entry.id for entry in EXPORTS.values() if entry.needs_contacts)


def offer(
    scene: Scene, what: str, chosen: Callable[[], pd.DataFrame], count: int, side: Side, *, allowed: bool
) -> None:
    """Let the person make a platform's list of the chosen customers.

    Args:
        scene: where they come from; the customers table of its dataset holds the contact fields.
        what: they are, in the name of the file.
        chosen: returns the scored customers of the list; asked for when it is made.
        count: how many they are.
        side: what the numbers mean.
        allowed: whether lists may be made at all.
    """
    dataset = scene.dataset
    fields = stored_fields(dataset)
    formats = [name for name in PLATFORMS if set(EXPORTS[name].keys) & set(fields)]
    with st.expander(t("lists.title"), icon=":material/campaign:"):
        if not formats:
            st.caption(t("lists.none"))
            if st.button(t("exporting.contacts.add"), key="list_add_contacts"):
                navigation.open_customers_table()
            return
        words = state.listed(name_of("contact", field) for field in fields)
        st.caption(t("lists.source", file=(dataset.manifest.customers_table or {})["file"], fields=words))
        with st.form("platform_list", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                format = st.selectbox(
                    t("lists.format"), formats, format_func=lambda name: t(f"export.{name}"), key="list_format"
                )
                region = ""
                if PHONE in fields:
                    region = region_of_phones.ask(dataset, "list_region")
            region_of_phones.say(dataset, region)
            hidden = st.text_area(t("lists.suppress"), key="list_suppress", help=t("lists.suppress.help"), height=80)
            agreed = CONSENT in fields or lists.assumed(dataset, "list_assume", t("lists.assume"))
            may = by_role.if_may("export", disabled=not allowed or not count)
            pressed = st.form_submit_button(t("lists.make"), **may)
        if pressed:
            entries = entries_of(hidden or "")
            suppressed = words_of(entries)
            contacts = Contacts(None, region or None, bool(agreed), suppressed)
            marks = (format, region, str(agreed), *sorted(suppressed))
            stem = row_files.stem(scene.bundle, f"{what}-{format}", side, scene.terms, *marks)
            path = state.workspace().exports / f"{stem}{EXPORTS[format].suffix}"
            _make(dataset, chosen(), format, side, path, contacts)
            lists.say_matches(entries, dataset)


def _make(dataset: Dataset, chosen: pd.DataFrame, format: str, side: Side, path: Path, contacts: Contacts) -> None:
    """Write the list, say who is in it and who is not, and offer the files."""
    try:
        access.require("export")
        given = with_stored(contacts, dataset, format)
        made = export(chosen, format, path, side=side, contacts=given, stop=state.stop_list())
    except ClvError as error:
        widgets.error_box(error)
        return
    log_export(state.workspace(), made, format, side)
    st.markdown(t("lists.made", rows=made.rows, asked=len(chosen)))
    if made.left_out:
        st.caption(t("lists.left_out", reasons=row_files.reasons(made.left_out)))
    lists.say_notes(made.notes)
    row_files.made(made, "list")
