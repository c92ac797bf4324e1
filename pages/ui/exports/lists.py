"""Lists for other systems: who can be in them and why others cannot, and the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import CONSENT, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored
from clv_core.errors import ClvError, Message
from clv_core.i18n import without_options
from clv_core.strategy.audiences import (
    EXPORTS,
    Contacts,
    Exported,
    Preview,
    Side,
    entries_of,
    log_export,
    marketing_contacts,
    preview,
    stored_fields,
    with_conversions,
    words_of,
)
from clv_core.strategy.audiences.export import export
from pages.ui import access, cells, i18n, navigation, row_files, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.exports import campaigns, choose
from pages.ui.exports.campaigns import Measured
from pages.ui.exports.choose import ListRequest
from pages.ui.i18n import name_of, percent, t

MAX_IMMEDIATE_CUSTOMERS: Final = 100_000
"""So many customers are looked up while the person waits; for more the button is pressed first."""
UNPLACED: Final = "warning.phones_unplaced"
"""What the person can do something about at once."""
EXAMPLES: Final = 3
"""Of words that are no country, shown where there are some."""
PLATFORMS: Final = tuple(entry.id for entry in EXPORTS.values() if entry.needs_contacts)


def preview_of(request: ListRequest, dataset: Dataset) -> Preview | None:
    """Return what the list would hold; None where contact fields are missing, or the button is yet to be pressed.

    Raises:
        NeedsAnswer: consent is unknown and not assumed.
        Refused: the contact fields cannot be used.
    """
    entry = EXPORTS[request.format]
    if entry.needs_contacts and not set(entry.keys) & set(stored_fields(dataset)):
        with st.container(border=True, horizontal_alignment="left"):
            st.write(t("exporting.contacts", format=t(f"export.{request.format}")))
            if st.button(t("exporting.contacts.add"), key="export_add_contacts", type="primary"):
                navigation.open_customers_table()
        return None
    if (
        entry.needs_contacts
        and len(request.members.rows) > MAX_IMMEDIATE_CUSTOMERS
        and st.session_state.get("export_looked") != request.mark
    ):
        if not st.button(t("exporting.work_out"), key="export_look", type="primary"):
            return None
        st.session_state["export_looked"] = request.mark
    with st.spinner(t("exporting.wait")):
        stop = session.suppression_list()
        result = _preview(f"{request.mark} {stop.mark}", request, dataset, stop)
    request.measured.say(result.contacted)
    return result


@cached(CUSTOMERS)
def _preview(mark: str, _request: ListRequest, _dataset: Dataset, _stop: SuppressionList) -> Preview:  # noqa: ARG001
    campaign = _request.measured.campaign
    contacts = campaigns.contacts_of(_request.contacts, _dataset, _request.format, campaign)
    return preview(_rows(_request, _dataset), _request.format, contacts, stop=_stop, campaign=campaign)


def _rows(request: ListRequest, dataset: Dataset) -> pd.DataFrame:
    """Return the selected customers; of conversions those who are new."""
    as_of = request.members.segmented.scored.as_of
    return with_conversions(request.members.frame(), request.format, dataset, as_of, request.margin_rate)


def headline(result: Preview) -> str:
    """Return how many of the selected customers can be in the list."""
    if result.rows == 0:
        return t("exporting.headline.none")
    if result.rows == result.asked:
        return t("exporting.headline.all", asked=f"{result.asked:,}")
    params = {"rows": f"{result.rows:,}", "asked": f"{result.asked:,}", "rate": percent(result.rows / result.asked)}
    return t("exporting.headline", **params)


def show(result: Preview, dataset: Dataset) -> None:
    """Show the share with consent and the reach by field, why others are not in the list, and its first rows."""
    figures = []
    if EXPORTS[result.format].needs_contacts:
        share = percent(result.share_with_consent)
        figures.append(widgets.Figure(t("exporting.rate"), share, t("exporting.rate.help")))
    for field, count in result.reach.items():
        if field not in stored_fields(dataset):
            continue
        figures.append(widgets.Figure(name_of("contact", field), f"{count:,}", t("exporting.reach.help")))
    widgets.figures(figures, 4)
    if (days := EXPORTS[result.format].conversion_days) is not None:
        st.caption(t("exporting.conversions", days=days))
    if result.left_out:
        st.caption(t("exporting.left_out", reasons=row_files.reasons(result.left_out)))
    if result.unknown_countries:
        words = widgets.escape(i18n.join_names(list(result.unknown_countries)[:EXAMPLES]))
        count = sum(result.unknown_countries.values())
        st.caption(t("exporting.countries", customers=f"{count:,}", examples=words))
    say_notes(result.notes)
    if result.too_small is not None and result.rows:
        st.warning(result.too_small.text(session.language()), icon=":material/group_off:")
    if result.first is not None and len(result.first):
        st.caption(t("exporting.first"))
        cells.table(result.first, t("exporting.first"))


def say_notes(notes: Sequence[Message]) -> None:
    """Say what was not understood of the customers' contact fields, and what to do about it."""
    for message in notes:
        text = widgets.escape(without_options(message.text(session.language())))
        if message.code == UNPLACED:
            st.warning(text, icon=":material/phone_missed:")
        else:
            st.caption(text)


def make(request: ListRequest, result: Preview, *, allowed: bool) -> None:
    """Write the list where the button is pressed, note it in the log, and offer its files."""
    may = access.if_may("export", disabled=result.too_small is not None or not allowed)
    stop, segmented = session.suppression_list(), request.members.segmented
    dataset = segmented.dataset
    key = f"export_made_{request.mark} {stop.mark}"
    if st.button(t("exporting.make"), key="export_make", type="primary", icon=":material/list_alt:", **may):
        side, what = replace(request.members.side(), margin_rate=request.margin_rate), request.members.what
        side, campaign = request.measured.side(side), request.measured.campaign
        what = f"{what}-{request.format}" if EXPORTS[request.format].needs_contacts else what
        name = row_files.stem(segmented.bundle, what, side, None, request.mark)
        contacts = campaigns.contacts_of(request.contacts, dataset, request.format, campaign)
        path = session.workspace().exports / f"{name}{EXPORTS[request.format].suffix}"
        with st.spinner(t("exporting.wait")):
            access.require("export")
            written = export(
                _rows(request, dataset),
                request.format,
                path,
                side=side,
                contacts=contacts,
                stop=stop,
                language=session.language(),
                campaign=campaign,
            )
        log_export(session.workspace(), written, request.format, side, campaign)
        st.session_state[key] = written
    made: Exported | None = st.session_state.get(key)
    if made is None or may["disabled"] or not all(file.is_file() for file in (*made.files, made.side_file)):
        return
    st.markdown(t("exporting.made", rows=made.rows))
    row_files.made(made, "export")
    if campaigns.say_measured(request.measured):
        navigation.button("results", t("campaign.to_results"), "export_to_results", type="tertiary")


@dataclass(frozen=True, eq=False)
class Audience:
    """Customers that a list is made of.

    Args:
        scored: the log, whose customers table holds the contact fields, and the model, with the terms of the values.
        what: they are, in the name of the file.
        rows: returns them, scored; called when the list is made.
        count: how many they are.
        side: what the numbers mean.
        tiers: returns the value tier of each; None where the list has its control group already.
        title: what they are, in the name of a new campaign.
    """

    scored: Scored
    what: str
    rows: Callable[[], pd.DataFrame]
    count: int
    side: Side
    tiers: Callable[[], np.ndarray] | None = None
    title: str = ""


def offer_for_platforms(audience: Audience, key: str, *, allowed: bool) -> None:
    """Let the person make a platform's list of the chosen customers."""
    dataset = audience.scored.dataset
    fields = stored_fields(dataset)
    formats = [name for name in PLATFORMS if set(EXPORTS[name].keys) & set(fields)]
    box = st.expander(t("lists.title"), icon=":material/campaign:", key=f"{key}_lists_open", on_change="rerun")
    with box:
        if not formats:
            st.caption(t("lists.none"))
            if st.button(t("exporting.contacts.add"), key=f"{key}_add_contacts"):
                navigation.open_customers_table()
            return
        st.caption(choose.source_of_contacts(dataset))
        measured = Measured()
        if audience.tiers is not None and box.open:  # what a control group shows is read from the log
            measured = campaigns.ask_for(audience.scored, audience.title, audience.side, audience.tiers, key)
            if measured.campaign is not None:
                with st.spinner(t("exporting.wait")):
                    measured.say(_contacted(audience, st.session_state.get(f"{key}_format") or formats[0]))
        with st.form(f"{key}_platform", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                names = {name: t(f"export.{name}") for name in formats}
                format = widgets.select(t("lists.format"), names, f"{key}_format")
                region = ""
                if PHONE in fields:
                    region = choose.ask_region(dataset, f"{key}_region")
            choose.say_region(dataset, region)
            hidden = st.text_area(t("lists.suppress"), key=f"{key}_suppress", help=t("lists.suppress.help"), height=80)
            agreed = CONSENT in fields or choose.ask_consent(dataset, f"{key}_assume", t("lists.assume"))
            may = access.if_may("export", disabled=not allowed or not audience.count)
            pressed = st.form_submit_button(t("lists.make"), **may)
        if pressed:
            entries = entries_of(hidden or "")
            suppressed = words_of(entries)
            contacts = Contacts(None, region or None, bool(agreed), suppressed=suppressed)
            marks = (format, region, str(agreed), measured.mark, *sorted(suppressed))
            scored = audience.scored
            stem = row_files.stem(scored.model, f"{audience.what}-{format}", audience.side, scored.terms, *marks)
            path = session.workspace().exports / f"{stem}{EXPORTS[format].suffix}"
            _make_for_platform(
                replace(audience, side=measured.side(audience.side)), format, path, contacts, measured, key
            )
            choose.say_matches(entries, dataset)


def _contacted(audience: Audience, format: str) -> int:
    """Return how many of the customers the list would hold with its control group, as far as the form says yet."""
    rows, stop = audience.rows(), session.suppression_list()
    ids = int(pd.util.hash_array(rows[CUSTOMER_ID].astype("str").to_numpy(object)).sum())
    return _preview_contacted(format, f"{stop.mark} {ids} {len(rows)}", audience.scored.dataset, rows, stop)


@cached(CUSTOMERS)
def _preview_contacted(
    format: str,
    mark: str,  # noqa: ARG001
    dataset: Dataset,
    _rows: pd.DataFrame,
    _stop: SuppressionList,
) -> int:
    # Where nobody knows who agreed, there is a list only once somebody assumes it.
    contacts = marketing_contacts(Contacts(assume_consent=True), dataset, format)
    return preview(_rows, format, contacts, stop=_stop).contacted


def _make_for_platform(
    audience: Audience, format: str, path: Path, contacts: Contacts, measured: Measured, key: str
) -> None:
    """Write the list, say who is in it and who is not, and offer the files."""
    try:
        access.require("export")
        scored = audience.scored
        campaign = None if EXPORTS[format].conversion_days is not None else measured.campaign
        given = campaigns.contacts_of(contacts, scored.dataset, format, campaign)
        rows = with_conversions(audience.rows(), format, scored.dataset, scored.as_of)
        stop, side = session.suppression_list(), audience.side
        made = export(rows, format, path, side=side, contacts=given, stop=stop, campaign=campaign)
    except ClvError as error:
        widgets.show_error(error)
        return
    log_export(session.workspace(), made, format, audience.side, campaign)
    st.markdown(t("lists.made", rows=made.rows, asked=audience.count))
    if made.left_out:
        st.caption(t("lists.left_out", reasons=row_files.reasons(made.left_out)))
    say_notes(made.notes)
    row_files.made(made, key)
    if campaign is not None:
        campaigns.say_measured(measured)
