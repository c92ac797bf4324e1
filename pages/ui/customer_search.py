"""A customer is named by id, or by how the id begins."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from clv_core.errors import NotFound
from clv_core.strategy.find import MOST_HITS, find_customers
from pages.ui import state
from pages.ui.state import t


def search(ids: pd.Series, as_of: date | str, *, first: int, said: str, key: str, hits_key: str) -> str:
    """Let the person name a customer.

    Args:
        ids: of all customers, text [n].
        as_of: the cutoff, for the sentence where nobody is found.
        first: place of the customer who is shown while nobody is named.
        said: who that is, in a sentence.
        key: of the field.
        hits_key: of the choice among several.

    Raises:
        NotFound: nobody has that id, and no id begins so.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("card.search"),
            key=key,
            type="search",
            placeholder=t("card.search.hint"),
            width=320,
            persist_state="session",
        )
        if not (text or "").strip():
            st.caption(said)
            return str(ids.iloc[first])
        hits = find_customers(ids, text)
        if not hits:
            raise NotFound("customer_unknown", customer=text.strip(), cutoff=state.day(as_of))
        if len(hits) == 1:
            return hits[0]
        chosen = st.selectbox(t("card.hits"), hits, key=hits_key, width=320)
        if len(hits) == MOST_HITS:
            st.caption(t("card.hits.more", most=MOST_HITS))
    return str(chosen)
