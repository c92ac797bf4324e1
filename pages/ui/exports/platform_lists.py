"""Lists for ad and mail platforms, with contact fields from the customers table of the dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.collection.words.contact_fields import CONSENT, PHONE
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Side, export, log_export
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import stored_fields, with_stored_contacts
from clv_core.strategy.audiences.suppression_file import entries_of, words_of
from pages.ui import access, by_role, navigation, row_files, state, widgets
from pages.ui.exports import lists
from pages.ui.exports import region as region_of_phones
from pages.ui.saying import t

PLATFORMS = tuple(entry.id for entry in EXPORTS.values() if entry.needs_contacts)


@dataclass(frozen=True, eq=False)
class Chosen:
    """Customers that a list is made of.

    Args:
        dataset: the log; its customers table holds the contact fields.
        bundle: the model.
        terms: what the values speak of.
        what: they are, in the name of the file.
        rows: returns them, scored; asked for when the list is made.
        count: how many they are.
        side: what the numbers mean.
    """

    dataset: Dataset
    bundle: Bundle
    terms: Terms
    what: str
    rows: Callable[[], pd.DataFrame]
    count: int
    side: Side


def offer(chosen: Chosen, key: str, *, allowed: bool) -> None:
    """Let the person make a platform's list of the chosen customers.

    Args:
        chosen: who they are.
        key: what the keys of the widgets begin with.
        allowed: whether lists may be made at all.
    """
    dataset = chosen.dataset
    fields = stored_fields(dataset)
    formats = [name for name in PLATFORMS if set(EXPORTS[name].keys) & set(fields)]
    with st.expander(t("lists.title"), icon=":material/campaign:"):
        if not formats:
            st.caption(t("lists.none"))
            if st.button(t("exporting.contacts.add"), key=f"{key}_add_contacts"):
                navigation.open_customers_table()
            return
        st.caption(lists.source_of_contacts(dataset))
        with st.form(f"{key}_platform", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                format = st.selectbox(
                    t("lists.format"), formats, format_func=lambda name: t(f"export.{name}"), key=f"{key}_format"
                )
                region = ""
                if PHONE in fields:
                    region = region_of_phones.ask(dataset, f"{key}_region")
            region_of_phones.say(dataset, region)
            hidden = st.text_area(t("lists.suppress"), key=f"{key}_suppress", help=t("lists.suppress.help"), height=80)
            agreed = CONSENT in fields or lists.assumed(dataset, f"{key}_assume", t("lists.assume"))
            may = by_role.if_may("export", disabled=not allowed or not chosen.count)
            pressed = st.form_submit_button(t("lists.make"), **may)
        if pressed:
            entries = entries_of(hidden or "")
            suppressed = words_of(entries)
            contacts = Contacts(None, region or None, bool(agreed), suppressed=suppressed)
            marks = (format, region, str(agreed), *sorted(suppressed))
            stem = row_files.stem(chosen.bundle, f"{chosen.what}-{format}", chosen.side, chosen.terms, *marks)
            path = state.workspace().exports / f"{stem}{EXPORTS[format].suffix}"
            _make(chosen, format, path, contacts, key)
            lists.say_matches(entries, dataset)


def _make(chosen: Chosen, format: str, path: Path, contacts: Contacts, key: str) -> None:
    """Write the list, say who is in it and who is not, and offer the files."""
    try:
        access.require("export")
        given = with_stored_contacts(contacts, chosen.dataset, format)
        made = export(chosen.rows(), format, path, side=chosen.side, contacts=given, stop=state.suppression_list())
    except ClvError as error:
        widgets.error_box(error)
        return
    log_export(state.workspace(), made, format, chosen.side)
    st.markdown(t("lists.made", rows=made.rows, asked=chosen.count))
    if made.left_out:
        st.caption(t("lists.left_out", reasons=row_files.reasons(made.left_out)))
    lists.say_notes(made.notes)
    row_files.made(made, key)
