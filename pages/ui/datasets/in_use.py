"""The dataset in use on its page: what it holds, how it came about, and its versions."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from clv_core.collection.store import version_store as store
from clv_core.collection.store.manifest import Manifest
from clv_core.collection.store.version_store import Dataset
from clv_core.errors import Refused
from clv_core.i18n import without_options
from pages.ui import access, by_role, cells, outcomes, saying, state, widgets
from pages.ui.datasets import older
from pages.ui.saying import t
from pages.ui.upload import save, saved


def about(dataset: Dataset) -> None:
    """Say what the dataset holds, where it comes from, and what was noticed while reading."""
    facts = dataset.manifest
    days = (dataset.log_end - dataset.log_start).days
    made = _made(facts)
    if facts.pseudonymised:
        made = f"{made}; {t('datasets.pseudonymised')}"
    dates = {"first": saying.day(dataset.log_start), "last": saying.day(dataset.last_day)}
    when = saying.moment(facts.created)
    source = t("datasets.from", source=widgets.plain(_source(facts)), when=when, made=made, **dates)
    known = {
        "customers": saying.count(facts.customers),
        "purchases": saying.count(facts.purchases),
        "days": f"{days:,}",
    }
    revenue = saying.money(facts.net_revenue, facts.currency)
    widgets.headline(t("datasets.headline", name=widgets.plain(dataset.name), revenue=revenue, **known), source)
    st.markdown(widgets.accounting(facts))
    _noticed(dataset)
    with st.container(horizontal=True):
        save.offer_adding("to_upload")
        if facts.rows_set_aside:
            saved.download_aside(dataset)


def _made(facts: Manifest) -> str:
    """Return how a version came about; one made by cleaning with no rule on is cleaning undone."""
    return t("made.uncleaned" if facts.made == "clean" and not facts.rules else f"made.{facts.made}")


def _noticed(dataset: Dataset) -> None:
    messages = dataset.manifest.messages
    if not messages:
        return
    with st.expander(t("datasets.noticed", n=len(messages)), icon=":material/info:"):
        for message in messages:
            said = saying.said(replace(message, params=saying.in_words(message.params)))
            st.markdown(f"- {widgets.plain(without_options(said))}")


def _source(facts: Manifest) -> str:
    """Return the files that a dataset is made of, in a row."""
    files = [str(part["source"]) for part in facts.parts]
    return saying.listed(files) if files and facts.source == ", ".join(files) else facts.source


def versions(dataset: Dataset) -> None:
    """List all versions, and offer to return to one."""
    found = store.versions(state.workspace(), dataset.name)
    if len(found) == 1:
        st.caption(t("versions.one"))
        return
    st.markdown(f"**{t('versions.headline', n=len(found))}**")
    numbers = (t("versions.rows"), t("column.customers"))
    config = {column: cells.whole() for column in numbers}
    revenue = t("column.net_revenue")
    config[revenue] = cells.money(revenue, dataset.manifest.currency)
    alt = t("datasets.what.versions")
    cells.table(_table(found, dataset), alt, config)
    others = {item.version: item for item in found if item.version != dataset.version}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("versions.return"), list(others), format_func=lambda version: _words(others[version]), key="return_to"
        )
        if st.button(t("versions.use"), key="restore", icon=":material/history:", **by_role.if_may("change")):
            access.require("change")
            try:
                back = store.restore(state.workspace(), dataset.name, chosen)
            except Refused as error:
                widgets.error_box(error)
                return
            when = saying.moment(back.manifest.created)
            outcomes.say(t("versions.done", name=widgets.plain(dataset.name), when=when))
            st.rerun()
    older.offer(dataset, len(found))


def _words(item: Dataset) -> str:
    facts = item.manifest
    return f"{saying.moment(facts.created)} · {_made(facts)} · {t('versions.of_rows', rows=facts.rows_kept)}"


def _table(found: list[Dataset], current: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        {
            t("versions.when"): [saying.moment(item.manifest.created) for item in found],
            t("versions.made"): [_made(item.manifest) for item in found],
            t("versions.rows"): [item.manifest.rows_kept for item in found],
            t("column.customers"): [item.manifest.customers for item in found],
            t("column.net_revenue"): [item.manifest.net_revenue for item in found],
            t("versions.version"): [item.version for item in found],
            t("versions.in_use"): [item.version == current.version for item in found],
        }
    )
