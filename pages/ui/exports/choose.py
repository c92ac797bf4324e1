"""What a list is to hold: customers, platform, contact fields, consent, and who must not be in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st

from clv_core.collection.parse import load_key
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import CONSENT, EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.audiences import (
    EXPORTS,
    Contacts,
    Entries,
    Matches,
    email_is_id,
    latest_contacts,
    log_columns,
    matches,
    proposed_region,
    read_entries,
    region_names,
    stored_consent,
    stored_fields,
    words_of,
)
from clv_core.strategy.plans import TIERS
from clv_core.strategy.segments import DEFAULT_SCHEME, Segmentation, ValueTiers, parse_scheme
from pages.ui import access, i18n, received, segmenting, session, terms, widgets
from pages.ui.cache import cached
from pages.ui.exports import campaigns
from pages.ui.exports.campaigns import Measured
from pages.ui.i18n import name_of, t
from pages.ui.privacy import suppression
from pages.ui.segmenting import Members, SegmentedCustomers


@dataclass(frozen=True, eq=False)
class ListRequest:
    """The settings of a list to export.

    Args:
        members: its customers, the most valuable first.
        format: id of ``EXPORTS``.
        contacts: how they can be reached, and who must not be; without the customers table.
        margin_rate: share of net value that conversions have; 1 in other lists.
        measured: the campaign that the list is of, or that it was declined.
        mark: all of it as a key for caches.
    """

    members: Members
    format: str
    contacts: Contacts
    margin_rate: float
    measured: Measured
    mark: str


def choose_scheme(dataset: Dataset) -> Segmentation:
    """Ask by which scheme customers are segmented: the value tiers first."""
    schemes = segmenting.scheme_texts(dataset)
    key = f"export_by_{dataset.name}"
    if st.session_state.get(key) not in schemes:
        st.session_state[key] = schemes[0]
    names = {option: segmenting.scheme_name(option, dataset) for option in schemes}
    by = widgets.select(t("exporting.by"), names, key, persist_state="session", width=280)
    return DEFAULT_SCHEME if by == TIERS else parse_scheme(by, dataset)


def choose(segmented: SegmentedCustomers) -> ListRequest:
    """Ask for customers, platform, and who must be left out."""
    dataset, bundle, names = segmented.dataset, segmented.bundle, segmented.names
    fields = stored_fields(dataset)
    is_tiers = isinstance(segmented.scheme, ValueTiers)
    with st.container(horizontal=True, vertical_alignment="top"):
        formats = {export_format: t(f"export.{export_format}") for export_format in EXPORTS}
        format = widgets.select(t("exporting.format"), formats, "export_format", persist_state="session", width=280)
        with st.container():  # in which they wrap where the window is narrow
            wanted = st.pills(
                t("exporting.tiers" if is_tiers else "exporting.segments"),
                range(1, len(names) + 1),
                selection_mode="multi",
                format_func=lambda tier: widgets.escape(names[tier - 1]),
                key="export_tiers" if is_tiers else f"export_segments_{segmented.scheme}",
                persist_state="session",
            )
        is_conversions = EXPORTS[format].conversion_days is not None
        margin = (terms.ask_margin() if is_conversions else None) or 1.0
        region = ""
        if PHONE in fields and EXPORTS[format].needs_contacts:
            region = ask_region(dataset, "export_region", format)
    say_region(dataset, region)
    about = {"help": t("exporting.stop.help"), **access.if_may("upload")}
    upload = st.file_uploader(t("exporting.stop"), received.LISTS, key="export_stop_file", **about)
    entries: Entries = () if upload is None else received.read_once(upload, session.workspace(), read_entries)
    say_matches(entries, dataset)
    _saved_list(entries)
    stop = words_of(entries, _key(dataset))
    agreed = CONSENT in fields
    if EXPORTS[format].needs_contacts and fields and not agreed:
        agreed = ask_consent(dataset, "export_assume", t("exporting.assume"))
    as_email = True
    if EXPORTS[format].needs_contacts and fields:
        st.caption(source_of_contacts(dataset))
        if email_is_id(dataset):
            as_email = st.toggle(t("exporting.ids_as_email"), True, key="export_ids_as_email")
    segments = sorted(number - 1 for number in wanted or ())
    order = segmenting.by_value(segmented.scored, segmented.customers)
    members = Members(segmented, segments, (), order[segmented.placed.chosen(segments)[order]])
    stopped = hashlib.sha256("\n".join(sorted(stop)).encode()).hexdigest()
    measured = Measured()
    if not is_conversions:
        is_for_marketing = EXPORTS[format].needs_contacts
        measured = campaigns.ask(members, "export", proposed=is_for_marketing)
    answers = (segmented.scheme, segments, format, region, agreed, as_email, stopped, names, margin, measured.mark)
    mark = " ".join(map(str, (bundle.id, dataset.version, session.language(), *answers)))
    contacts = Contacts(None, region or None, agreed, stop, as_email)
    return ListRequest(members, format, contacts, margin, measured, mark)


def source_of_contacts(dataset: Dataset) -> str:
    """Return where the contact fields of lists come from: the customers table, the log, or ids that are addresses."""
    log = log_columns(dataset)
    table = dataset.manifest.customers_table
    stated = [field for field in stored_fields(dataset) if table is not None and field in table.contacts]
    parts = []
    if table is not None and stated:
        names = i18n.join_names(name_of("contact", field) for field in stated)
        parts.append(t("lists.source", file=table.file, fields=names))
    if from_log := [field for field in log if field not in stated]:
        names = i18n.join_names(name_of("contact", field) for field in from_log)
        ids = log.get(EMAIL) == CUSTOMER_ID and EMAIL in from_log
        parts.append(t("lists.source.ids" if ids else "lists.source.log", fields=names))
    return i18n.join_sentences(parts)


def ask_consent(dataset: Dataset, key: str, label: str) -> bool:
    """Ask whether all agreed, where no column is taken for consent; where one may say so, name it instead."""
    columns = stored_consent(dataset)
    if not columns:
        return st.checkbox(label, key=key)
    named = widgets.escape(i18n.join_names(columns))
    st.warning(t("exporting.consent_columns", columns=named), icon=":material/rule:")
    return False


def _key(dataset: Dataset) -> bytes | None:
    """Return what the pseudonyms of a dataset are made with; None where its ids are none."""
    facts = dataset.manifest
    return load_key(session.workspace(), facts.key_fingerprint) if facts.pseudonymised else None


def _saved_list(entries: Entries) -> None:
    """Say that the do-not-contact list that is saved holds too, and lead there, with the entries of this one."""
    saved = len(session.suppression_list().entries())
    with st.container(horizontal=True, vertical_alignment="center"):
        caption = t("exporting.stop.kept", n=f"{saved:,}") if saved else t("exporting.stop.none")
        st.caption(caption, width="content")
        label = t("exporting.stop.keep" if entries else "exporting.stop.open")
        if st.button(label, key="export_keep_stop", type="tertiary", icon=":material/shield_person:"):
            suppression.fill(word for entry in entries for word in entry)


def say_matches(entries: Entries, dataset: Dataset) -> None:
    """Say how many entries of a do-not-contact list match a customer; warn where none does."""
    if not entries:
        return
    matched = _matches(entries, dataset)
    if matched.nobody == matched.read:
        st.warning(matched.message.text(session.language()), icon=":material/person_alert:")
    else:
        st.caption(matched.message.text(session.language()))


@cached()
def _matches(entries: Entries, dataset: Dataset) -> Matches:
    return matches(session.workspace(), entries, [dataset])


def ask_region(dataset: Dataset, key: str, format: str = "") -> str:
    """Ask which country's numbers those without a calling code are; return its code, "" for none.

    ``format``: id of ``EXPORTS``, "" where none is chosen yet.
    """
    usual = (EXPORTS[format].region if format else "") or proposed(dataset)
    names = {code: f"{name} ({code})" for code, name in region_names(session.language()).items()}
    options, key = {"": t("exporting.region.none"), **names}, f"{key}_{usual or 'none'}"
    how: dict[str, Any] = {"help": t("lists.region.help"), "persist_state": "session", "width": 280}
    return widgets.select(t("exporting.region"), options, key, index=list(options).index(usual), **how)


def say_region(dataset: Dataset, region: str) -> None:
    """Say that the country was proposed by the numbers, while it stays so."""
    if region and region == proposed(dataset):
        st.caption(t("exporting.region.proposed", country=widgets.escape(region_names(session.language())[region])))


@cached()
def proposed(dataset: Dataset) -> str:
    """Return the country that the phone numbers of a dataset's customers are plainly from, "" for none."""
    contacts = latest_contacts(dataset) if PHONE in stored_fields(dataset) else None
    return "" if contacts is None else proposed_region(contacts[PHONE])
