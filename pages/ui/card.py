"""Which customer the customer page shows, found by id, and that customer's card."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.kept_explanations import kept_explanation
from clv_core.deployment.terms import Terms
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.strategy.card import Card
from clv_core.strategy.card import card as make_card
from clv_core.strategy.rhythm import purchase_rhythm
from clv_core.strategy.schemes.saved import last_written
from clv_core.strategy.tiers import DEFAULT_SCHEME
from pages.ui import scored, state, tiers
from pages.ui.customer_search import search
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
    highest = int(customers["predicted_clv"].to_numpy().argmax())
    return search(customers["customer_id"], as_of, first=highest, said=t("card.first"), key=SEARCH, hits_key="card_hit")


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
