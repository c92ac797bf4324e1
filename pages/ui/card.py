"""Which customer the customer page shows, found by id, and that customer's card."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.kept_explanations import kept_explanation
from clv_core.deployment.terms import Terms
from clv_core.errors import NotFound
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.strategy.card import Card
from clv_core.strategy.card import card as make_card
from clv_core.strategy.find import MOST_HITS, find_customers
from clv_core.strategy.rhythm import purchase_rhythm
from clv_core.strategy.schemes.saved import last_written
from clv_core.strategy.tiers import DEFAULT_SCHEME
from pages.ui import scored, state, tiers
from pages.ui.navigation import SEARCH
from pages.ui.state import t


def need_customers(dataset: Dataset, bundle: Bundle) -> pd.DataFrame:
    """Return all customers with scores, history and tier; while they are not there, show the run that makes them."""
    plain = Terms(bundle.record["horizon_days"])
    customers = scored.need_scores(dataset, bundle, plain)
    return tiers.tiered(bundle.id, dataset.version, plain, DEFAULT_SCHEME, customers)


def choose(customers: pd.DataFrame, as_of: date) -> str:
    """Let the person name a customer; without a name it is the one of the highest predicted value.

    Raises:
        NotFound: nobody has that id, and no id begins so.
    """
    ids = customers["customer_id"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("card.search"),
            key=SEARCH,
            type="search",
            placeholder=t("card.search.hint"),
            width=320,
            persist_state="session",
        )
        if not (text or "").strip():
            st.caption(t("card.first"))
            return str(ids.iloc[int(customers["predicted_clv"].to_numpy().argmax())])
        hits = find_customers(ids, text)
        if not hits:
            raise NotFound("customer_unknown", customer=text.strip(), cutoff=state.day(as_of))
        if len(hits) == 1:
            return hits[0]
        chosen = st.selectbox(t("card.hits"), hits, key="card_hit", width=320)
        if len(hits) == MOST_HITS:
            st.caption(t("card.hits.more", most=MOST_HITS))
    return str(chosen)


def card_of(dataset: Dataset, bundle: Bundle, customers: pd.DataFrame, customer: str) -> Card:
    """Return the customer's card in the language of the page."""
    explanation = kept_explanation(state.workspace(), bundle, dataset, customer, dataset.log_end)
    with st.spinner(t("card.working")):
        rhythm = _rhythm(dataset.name, dataset.version, dataset)
    known = (explanation is not None, last_written(dataset))
    key = (bundle.id, bundle.record["created"], dataset.version, customer, state.language(), *known)
    return _card(key, dataset, customers, rhythm, explanation, bundle.record["currency"])


@st.cache_resource(max_entries=4, show_spinner=False)
def _rhythm(name: str, version: str, _dataset: Dataset) -> BgNbd:
    return purchase_rhythm(_dataset, _dataset.log_end)


@st.cache_resource(max_entries=32, show_spinner=False)
def _card(
    key: tuple[str, str, str, str, str, bool, int],
    _dataset: Dataset,
    _customers: pd.DataFrame,
    _rhythm: BgNbd,
    _explanation: Explanation | None,
    _currency: str,
) -> Card:
    customer, language = key[3], key[4]
    return make_card(
        _customers,
        customer,
        _dataset,
        _dataset.log_end,
        rhythm=_rhythm,
        explanation=_explanation,
        currency=_currency,
        language=language,
    )
