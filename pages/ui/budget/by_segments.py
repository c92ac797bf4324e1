"""By which segments offers are planned: the value tiers to begin with, or those of another scheme."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from clv_core.strategy.plans.saved_offers import TIERS
from clv_core.strategy.segments import TIER, VALUE
from clv_core.strategy.segments.saved_segments import last_written
from clv_core.strategy.segments.scored_customers import parse_scheme
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from pages.ui import scored, segmenting, state, tiers
from pages.ui.budget import kept_offers
from pages.ui.saying import t
from pages.ui.segmenting import scheme_name, scheme_texts


@dataclass(frozen=True, eq=False)
class Segments:
    """Customers in the segments that offers have effects for.

    Args:
        by: text of the scheme; :data:`TIERS` for value tiers.
        scheme: what a side file says of it.
        names: of the segments, in the scheme's order.
        people: all customers with ``tier``, the number of their segment from 1; shared, not to be written to.
        overlapping: whether one may be in several segments; she counts in the first.
        mark: a key for caches: all that the segments depend on beside model, log and terms.
    """

    by: str
    scheme: str
    names: tuple[str, ...]
    people: pd.DataFrame
    overlapping: bool
    mark: str

    @property
    def best(self) -> tuple[int, ...]:
        """The numbers of the two segments whose customers are worth most on average, the most valuable first."""
        means = self.people.groupby(TIER)[VALUE].mean().sort_values(ascending=False, kind="stable")
        return tuple(int(number) for number in means.index[:2])


def choose(dataset: Dataset) -> str:
    """Ask for the scheme and return its text; the choice is kept with the dataset."""
    kept, options = known(kept_offers.kept(dataset).by, dataset), scheme_texts(dataset)
    options += [] if kept in options else [kept]
    key, names = f"budget_by_{dataset.name}", {one: scheme_name(one, dataset) for one in options}
    if st.session_state.get(key) not in options:
        st.session_state[key] = kept
    by = str(
        st.selectbox(
            t("budget.by"),
            options,
            format_func=names.__getitem__,
            key=key,
            help=t("budget.by.help"),
            persist_state="session",
            width=380,
        )
    )
    if by != kept:
        kept_offers.keep(dataset, by=by)
    return by


def take(scheme: Segmentation, dataset: Dataset) -> None:
    """Have offers planned by a scheme of the segments page, with its cuts."""
    by = TIERS if str(scheme) == str(DEFAULT_SCHEME) else str(scheme)
    kept_offers.keep(dataset, by=by)
    st.session_state.pop(f"budget_by_{dataset.name}", None)


def known(by: str, dataset: Dataset) -> str:
    """Return the scheme that was kept; rules that are not there any more leave the value tiers."""
    try:
        return by if by == TIERS or parse_scheme(by, dataset) else TIERS
    except ClvError:
        return TIERS


def cut(by: str, dataset: Dataset, bundle: Bundle, terms: Terms, customers: pd.DataFrame) -> Segments:
    """Put customers into the segments of a scheme; while a run must look at them first, show it.

    Args:
        by: text of the scheme.
        dataset: the log.
        bundle: the model.
        terms: what the values speak of.
        customers: scores for these terms with history.

    Raises:
        NotFound: rules that are not there any more.
    """
    if by == TIERS:
        people = tiers.tiered(bundle.id, dataset.version, terms, DEFAULT_SCHEME, customers)
        return Segments(by, str(DEFAULT_SCHEME), tuple(tiers.names(dataset)), people, False, by)
    scheme = parse_scheme(by, dataset)
    trained = scored.need_scores(dataset, bundle, Terms(bundle.record["horizon_days"]))
    data = state.scored(dataset, bundle)
    segmenting.need_points(scheme, data)
    scene = segmenting.scene(data, terms, scheme, customers, trained)
    mark = f"{scheme} {last_written(dataset)}"
    people = _numbered(f"{bundle.id} {dataset.version} {terms.mark} {mark}", scene)
    return Segments(by, str(scheme), tuple(scene.names), people, scene.placed.inside is not None, mark)


@st.cache_resource(max_entries=4, show_spinner=False)
def _numbered(mark: str, _scene: segmenting.Scene) -> pd.DataFrame:
    return _scene.customers.assign(**{TIER: _scene.placed.where + 1})
