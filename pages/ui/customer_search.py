"""A customer is named by id, by how the id begins, or by a part of it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from clv_core.collection.privacy import has_objected
from clv_core.errors import NotFound
from clv_core.strategy.customer import MAX_HITS, find_customers, ids_containing
from pages.ui import i18n, session
from pages.ui.i18n import t


def search(
    ids: pd.Series,
    as_of: date | str,
    *,
    first: int,
    default_caption: str,
    key: str,
    hits_key: str,
    offered: pd.Series | None = None,
) -> str:
    """Let the person name a customer.

    Args:
        ids: of all customers, text [n].
        as_of: the cutoff, for the message where no id matches.
        first: place of the customer who is shown while nobody is named.
        default_caption: a sentence about that customer.
        key: of the field.
        hits_key: of the choice among several.
        offered: ids that may be offered to whoever typed a part of one; None: all.

    Raises:
        NotFound: nobody has that id, and no id holds what was typed; or the customer objected to profiling.
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
            st.caption(default_caption)
            return str(ids.iloc[first])
        wanted, label = text.strip(), "card.hits"
        offered = ids if offered is None else offered
        hits = [wanted] if (ids == wanted).any() else find_customers(offered, wanted)
        if not hits:
            hits, label = ids_containing(offered, wanted), "card.hits.containing"
        if not hits:
            dataset = session.dataset()
            if dataset is not None and has_objected(session.workspace(), dataset, wanted):
                raise NotFound("customer_objected", customer=wanted)
            raise NotFound("customer_unknown", customer=wanted, cutoff=i18n.day(as_of))
        if len(hits) == 1:
            return hits[0]
        customer_id = st.selectbox(t(label), hits, key=hits_key, width=320)
        if len(hits) == MAX_HITS:
            st.caption(t("card.hits.more", most=MAX_HITS))
    return str(customer_id)
