"""Lists for other systems: who is asked for, who can be in the list and why not, and the files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.stored.store import Dataset
from clv_core.collection.values.pseudonyms import load_key
from clv_core.collection.words.contact_fields import CONSENT, PHONE
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.i18n import without_options
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, Preview, export, log_export, preview
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import stored_consent, stored_fields, with_stored_contacts
from clv_core.strategy.audiences.suppression_file import Entries, Matches, matches, read_entries, words_of
from clv_core.strategy.segments import TIER
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from pages.ui import access, by_role, cells, navigation, received, row_files, saying, state, tiers, trusting, widgets
from pages.ui.exports import region as region_of_phones
from pages.ui.privacy import suppression
from pages.ui.saying import name_of, percent, t

AT_ONCE: Final = 100_000
"""So many customers are looked up while the person waits; for more the button is pressed first."""
UNPLACED: Final = "warning.phones_unplaced"
"""What the person can do something about at once."""
EXAMPLES: Final = 3
"""Of words that are no country, shown where there are some."""


@dataclass(frozen=True, eq=False)
class Wish:
    """A list that is asked for.

    Args:
        chosen: its customers, scored, the most valuable first.
        tiers: of which tiers; empty for all.
        format: id of ``EXPORTS``.
        contacts: how they can be reached, and who must not be; without the customers table.
        mark: all of it as a key for caches.
    """

    chosen: pd.DataFrame
    tiers: tuple[int, ...]
    format: str
    contacts: Contacts
    mark: str


def choose(dataset: Dataset, bundle: Bundle, tiered: pd.DataFrame) -> Wish:
    """Ask for customers, platform, and who must be left out."""
    fields = stored_fields(dataset)
    names = tiers.names(dataset)
    with st.container(horizontal=True, vertical_alignment="top"):
        format = st.selectbox(
            t("exporting.format"),
            list(EXPORTS),
            format_func=lambda one: t(f"export.{one}"),
            key="export_format",
            persist_state="session",
            width=280,
        )
        with st.container():  # in which they wrap where the window is narrow
            wanted = st.pills(
                t("exporting.tiers"),
                range(1, DEFAULT_SCHEME.tiers + 1),
                selection_mode="multi",
                format_func=lambda tier: widgets.plain(names[tier - 1]),
                key="export_tiers",
                persist_state="session",
            )
        region = ""
        if PHONE in fields and EXPORTS[format].needs_contacts:
            region = region_of_phones.ask(dataset, "export_region", format)
    region_of_phones.say(dataset, region)
    help = t("exporting.stop.help")
    upload = st.file_uploader(t("exporting.stop"), received.LISTS, key="export_stop_file", help=help)
    entries = _entries(upload)
    say_matches(entries, dataset)
    _kept(entries)
    stop = words_of(entries, _key(dataset))
    agreed = CONSENT in fields
    if EXPORTS[format].needs_contacts and fields and not agreed:
        agreed = assumed(dataset, "export_assume", t("exporting.assume"))
    chosen = tiered[tiered[TIER].isin(wanted)] if wanted else tiered
    chosen = chosen.sort_values("predicted_clv", ascending=False, kind="stable")
    chosen = chosen.assign(tier_name=chosen[TIER].map(dict(enumerate(names, 1))))
    stopped = hashlib.sha256("\n".join(sorted(stop)).encode()).hexdigest()
    asked = (sorted(wanted), format, region, agreed, stopped, names)
    mark = " ".join(map(str, (bundle.id, dataset.version, state.language(), *asked)))
    return Wish(chosen, tuple(wanted), format, Contacts(None, region or None, agreed, stop), mark)


def assumed(dataset: Dataset, key: str, label: str) -> bool:
    """Ask whether all agreed, where no column is taken for consent; where one may say so, name it instead."""
    columns = stored_consent(dataset)
    if not columns:
        return st.checkbox(label, key=key)
    named = widgets.plain(saying.listed(columns))
    st.warning(t("exporting.consent_columns", columns=named), icon=":material/rule:")
    return False


def _entries(upload: UploadedFile | None) -> Entries:
    """Return the entries of an uploaded do-not-contact list."""
    return () if upload is None else received.read_once(upload, state.workspace(), read_entries)


def _key(dataset: Dataset) -> bytes | None:
    """Return what the pseudonyms of a dataset are made with; None where its ids are none."""
    facts = dataset.manifest
    return load_key(state.workspace(), facts.key_fingerprint) if facts.pseudonymised else None


def _kept(entries: Entries) -> None:
    """Say that the do-not-contact list which is kept holds too, and lead there, with the entries of this one."""
    kept = len(state.suppression_list().entries())
    with st.container(horizontal=True, vertical_alignment="center"):
        said = t("exporting.stop.kept", n=f"{kept:,}") if kept else t("exporting.stop.none")
        st.caption(said, width="content")
        label = t("exporting.stop.keep" if entries else "exporting.stop.open")
        if st.button(label, key="export_keep_stop", type="tertiary", icon=":material/shield_person:"):
            suppression.fill(word for entry in entries for word in entry)


def say_matches(entries: Entries, dataset: Dataset) -> None:
    """Say how many entries of a do-not-contact list match a customer; warn where none does."""
    if not entries:
        return
    mark = hashlib.sha256(repr((entries, dataset.name, dataset.version)).encode()).hexdigest()
    found = _matches(mark, entries, dataset)
    if found.nobody == found.read:
        st.warning(found.message.text(state.language()), icon=":material/person_alert:")
    else:
        st.caption(found.message.text(state.language()))


@st.cache_resource(max_entries=8, show_spinner=False)
def _matches(mark: str, _entries: Entries, _dataset: Dataset) -> Matches:
    return matches(state.workspace(), _entries, [_dataset])


def preview_of(wish: Wish, dataset: Dataset) -> Preview | None:
    """Return what the list would hold; None where contact fields are missing, or the button is yet to be pressed.

    Raises:
        NeedsAnswer: consent is not known and not assumed.
        Refused: the contact fields cannot be used.
    """
    entry = EXPORTS[wish.format]
    if entry.needs_contacts and not set(entry.keys) & set(stored_fields(dataset)):
        with st.container(border=True, horizontal_alignment="left"):
            st.write(t("exporting.contacts", format=t(f"export.{wish.format}")))
            if st.button(t("exporting.contacts.add"), key="export_add_contacts", type="primary"):
                navigation.open_customers_table()
        return None
    if entry.needs_contacts and len(wish.chosen) > AT_ONCE and st.session_state.get("export_looked") != wish.mark:
        if not st.button(t("exporting.work_out"), key="export_look", type="primary"):
            return None
        st.session_state["export_looked"] = wish.mark
    with st.spinner(t("exporting.wait")):
        stop = state.suppression_list()
        return _preview(f"{wish.mark} {stop.mark}", wish, dataset, stop)


@st.cache_resource(max_entries=8, show_spinner=False)
def _preview(mark: str, _wish: Wish, _dataset: Dataset, _stop: SuppressionList) -> Preview:
    contacts = with_stored_contacts(_wish.contacts, _dataset, _wish.format)
    return preview(_wish.chosen, _wish.format, contacts, stop=_stop)


def headline(found: Preview) -> str:
    """Return how many of those asked for can be in the list."""
    if found.rows == 0:
        return t("exporting.headline.none")
    if found.rows == found.asked:
        return t("exporting.headline.all", asked=f"{found.asked:,}")
    said = {"rows": f"{found.rows:,}", "asked": f"{found.asked:,}", "rate": percent(found.match_rate)}
    return t("exporting.headline", **said)


def show(found: Preview, dataset: Dataset) -> None:
    """Show the match rate and the reach by field of a platform, why others are not in the list, and its first rows."""
    figures = []
    if EXPORTS[found.format].needs_contacts:
        figures.append(widgets.Figure(t("exporting.rate"), percent(found.match_rate), t("exporting.rate.help")))
    for field, count in found.reach.items():
        if field not in stored_fields(dataset):
            continue
        figures.append(widgets.Figure(name_of("contact", field), f"{count:,}", t("exporting.reach.help")))
    widgets.figures(figures, 4)
    if found.left_out:
        st.caption(t("exporting.left_out", reasons=row_files.reasons(found.left_out)))
    if found.unknown_countries:
        words = widgets.plain(saying.listed(list(found.unknown_countries)[:EXAMPLES]))
        count = sum(found.unknown_countries.values())
        st.caption(t("exporting.countries", customers=f"{count:,}", examples=words))
    say_notes(found.notes)
    if found.too_small is not None and found.rows:
        st.warning(found.too_small.text(state.language()), icon=":material/group_off:")
    if found.first is not None and len(found.first):
        st.caption(t("exporting.first"))
        cells.table(found.first, t("exporting.first"))


def say_notes(notes: Sequence[Message]) -> None:
    """Say what was not understood of the customers' contact fields, and what to do about it."""
    for message in notes:
        said = widgets.plain(without_options(message.text(state.language())))
        if message.code == UNPLACED:
            st.warning(said, icon=":material/phone_missed:")
        else:
            st.caption(said)


def make(wish: Wish, found: Preview, dataset: Dataset, bundle: Bundle) -> None:
    """Write the list where the button is pressed, note it in the log, and offer its files."""
    may = by_role.if_may("export", disabled=found.too_small is not None or not trusting.acknowledged(bundle))
    stop = state.suppression_list()
    kept = f"export_made_{wish.mark} {stop.mark}"
    if st.button(t("exporting.make"), key="export_make", type="primary", icon=":material/list_alt:", **may):
        side = tiers.side(dataset, bundle, DEFAULT_SCHEME, list(wish.tiers), Terms(bundle.record["horizon_days"]))
        what = f"tier{'-'.join(map(str, sorted(wish.tiers)))}" if wish.tiers else "customers"
        what = f"{what}-{wish.format}" if EXPORTS[wish.format].needs_contacts else what
        name = row_files.stem(bundle, what, side, None, wish.mark)
        contacts = with_stored_contacts(wish.contacts, dataset, wish.format)
        path = state.workspace().exports / f"{name}{EXPORTS[wish.format].suffix}"
        with st.spinner(t("exporting.wait")):
            access.require("export")
            written = export(
                wish.chosen,
                wish.format,
                path,
                side=side,
                contacts=contacts,
                stop=stop,
                language=state.language(),
            )
        log_export(state.workspace(), written, wish.format, side)
        st.session_state[kept] = written
    made: Exported | None = st.session_state.get(kept)
    if made is None or may["disabled"] or not all(file.is_file() for file in (*made.files, made.side_file)):
        return
    st.markdown(t("exporting.made", rows=made.rows))
    row_files.made(made, "export")
