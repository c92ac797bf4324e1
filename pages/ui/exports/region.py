"""The country of phone numbers that name none: the one that they plainly are from is proposed, and can be changed."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.collection.words.contact_fields import PHONE
from clv_core.strategy.audiences.countries import proposed_region, region_names
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import latest_contacts, stored_fields
from pages.ui import state, widgets
from pages.ui.saying import t


def ask(dataset: Dataset, key: str, format: str = "") -> str:
    """Ask which country's numbers those without a calling code are; return its code, "" for none.

    Args:
        dataset: whose customers table holds the phone numbers.
        key: of the widget; it begins with this.
        format: id of ``EXPORTS``, "" where it is not chosen yet.
    """
    proposed = (EXPORTS[format].region if format else "") or proposal(dataset)
    names = region_names(state.language())
    options = ["", *names]
    return str(
        st.selectbox(
            t("exporting.region"),
            options,
            index=options.index(proposed),
            format_func=lambda code: f"{names[code]} ({code})" if code else t("exporting.region.none"),
            key=f"{key}_{proposed or 'none'}",
            help=t("lists.region.help"),
            persist_state="session",
            width=280,
        )
    )


def say(dataset: Dataset, region: str) -> None:
    """Say that the country was proposed by the numbers, while it stays so."""
    if region and region == proposal(dataset):
        st.caption(t("exporting.region.proposed", country=widgets.plain(region_names(state.language())[region])))


def proposal(dataset: Dataset) -> str:
    """Return the country that the phone numbers of a dataset's customers are plainly from, "" for none."""
    return _proposal(dataset.name, dataset.version, dataset) if PHONE in stored_fields(dataset) else ""


@st.cache_resource(max_entries=8, show_spinner=False)
def _proposal(name: str, version: str, _dataset: Dataset) -> str:
    known = latest_contacts(_dataset)
    return "" if known is None else proposed_region(known[PHONE])
