"""What a person settled about offers: kept with the dataset, or for this session by those who may not change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.strategy.plans.saved_offers import SavedOffers, load_offers, update_offers
from pages.ui import access


def kept(dataset: Dataset) -> SavedOffers:
    """Return what holds for who is here."""
    own: SavedOffers | None = None if access.may("change") else st.session_state.get(_key(dataset))
    return load_offers(dataset) if own is None else own


def keep(dataset: Dataset, **changed: Any) -> None:
    """Keep the named parts of :class:`SavedOffers`; the others stay."""
    if access.may("change"):
        update_offers(dataset, **changed)
    else:
        st.session_state[_key(dataset)] = replace(kept(dataset), **changed)


def _key(dataset: Dataset) -> str:
    return f"budget_kept_{dataset.name}"
