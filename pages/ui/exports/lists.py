"""Lists for other systems: who is asked for, who can be in the list and why not, and the files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.typing import UploadedFile

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import Dataset
from clv_core.collection.values.pseudonyms import load_key
from clv_core.collection.words.contact_fields import CONSENT, EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.i18n import without_options
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, Preview, export, log_export, preview
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import (
    email_is_id,
    log_columns,
    stored_consent,
    stored_fields,
    with_stored_contacts,
)
from clv_core.strategy.audiences.suppression_file import Entries, Matches, matches, read_entries, words_of
from clv_core.strategy.plans.saved_offers import TIERS
from clv_core.strategy.segments.scored_customers import parse_scheme
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers
from pages.ui import (
    access,
    by_role,
    cells,
    navigation,
    received,
    row_files,
    saying,
    segmenting,
    state,
    trusting,
    widgets,
)
from pages.ui.exports import region as region_of_phones
from pages.ui.privacy import suppression
from pages.ui.saying import name_of, percent, t
from pages.ui.segmenting import Members, Scene

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
        members: its customers, the most valuable first.
        format: id of ``EXPORTS``.
        contacts: how they can be reached, and who must not be; without the customers table.
        mark: all of it as a key for caches.
    """

    members: Members
    format: str
    contacts: Contacts
    mark: str


def choose_scheme(dataset: Dataset) -> Segmentation:
    """Ask by which scheme customers are segmented: the value tiers first."""
    schemes = segmenting.scheme_texts(dataset)
    key = f"export_by_{dataset.name}"
    if st.session_state.get(key) not in schemes:
        st.session_state[key] = schemes[0]
    by = st.selectbox(
        t("exporting.by"),
        schemes,
        format_func=lambda one: segmenting.scheme_name(one, dataset),
        key=key,
        persist_state="session",
        width=280,
    )
    return DEFAULT_SCHEME if by == TIERS else parse_scheme(str(by), dataset)


def choose(scene: Scene) -> Wish:
    """Ask for customers, platform, and who must be left out."""
    dataset, bundle, names = scene.dataset, scene.bundle, scene.names
    fields = stored_fields(dataset)
    own = isinstance(scene.scheme, ValueTiers)
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
                t("exporting.tiers" if own else "exporting.segments"),
                range(1, len(names) + 1),
                selection_mode="multi",
                format_func=lambda tier: widgets.plain(names[tier - 1]),
                key="export_tiers" if own else f"export_segments_{scene.scheme}",
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
    as_email = True
    if EXPORTS[format].needs_contacts and fields:
        st.caption(source_of_contacts(dataset))
        if email_is_id(dataset):
            as_email = st.toggle(t("exporting.ids_as_email"), True, key="export_ids_as_email")
    segments = sorted(number - 1 for number in wanted or ())
    order = segmenting.by_value(bundle.id, dataset.version, scene.terms, scene.customers)
    members = Members(scene, segments, (), order[scene.placed.chosen(segments)[order]])
    stopped = hashlib.sha256("\n".join(sorted(stop)).encode()).hexdigest()
    asked = (scene.scheme, segments, format, region, agreed, as_email, stopped, names)
    mark = " ".join(map(str, (bundle.id, dataset.version, state.language(), *asked)))
    return Wish(members, format, Contacts(None, region or None, agreed, stop, as_email), mark)


def source_of_contacts(dataset: Dataset) -> str:
    """Return where the contact fields of lists come from: the customers table, the log, or ids that are addresses."""
    log = log_columns(dataset)
    table = [
        field
        for field in stored_fields(dataset)
        if field in (dataset.manifest.customers_table or {}).get("contacts", ())
    ]
    parts = []
    if table:
        names = saying.listed(name_of("contact", field) for field in table)
        parts.append(t("lists.source", file=(dataset.manifest.customers_table or {})["file"], fields=names))
    if others := [field for field in log if field not in table]:
        names = saying.listed(name_of("contact", field) for field in others)
        ids = log.get(EMAIL) == CUSTOMER_ID and EMAIL in others
        parts.append(t("lists.source.ids" if ids else "lists.source.log", fields=names))
    return saying.together(parts)


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
    if entry.needs_contacts and len(wish.members.rows) > AT_ONCE and st.session_state.get("export_looked") != wish.mark:
        if not st.button(t("exporting.work_out"), key="export_look", type="primary"):
            return None
        st.session_state["export_looked"] = wish.mark
    with st.spinner(t("exporting.wait")):
        stop = state.suppression_list()
        return _preview(f"{wish.mark} {stop.mark}", wish, dataset, stop)


@st.cache_resource(max_entries=8, show_spinner=False)
def _preview(mark: str, _wish: Wish, _dataset: Dataset, _stop: SuppressionList) -> Preview:
    contacts = with_stored_contacts(_wish.contacts, _dataset, _wish.format)
    return preview(_wish.members.frame(), _wish.format, contacts, stop=_stop)


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
        side, what = wish.members.side(), wish.members.what
        what = f"{what}-{wish.format}" if EXPORTS[wish.format].needs_contacts else what
        name = row_files.stem(bundle, what, side, None, wish.mark)
        contacts = with_stored_contacts(wish.contacts, dataset, wish.format)
        path = state.workspace().exports / f"{name}{EXPORTS[wish.format].suffix}"
        with st.spinner(t("exporting.wait")):
            access.require("export")
            written = export(
                wish.members.frame(),
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
