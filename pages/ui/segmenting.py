"""Which scheme the segments page uses, and the customers placed by it: shared by all that the page shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.embedding import embedding_path
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.strategy.schemes.clusters import CLUSTERS, DEFAULT_COUNT, MOST, Clusters
from clv_core.strategy.schemes.figures import segment_table
from clv_core.strategy.schemes.known import with_attributes
from clv_core.strategy.schemes.parse import KINDS
from clv_core.strategy.schemes.quadrant import BY, IF_BUYS, QUADRANT, Quadrant
from clv_core.strategy.schemes.rfm import RFM, Rfm
from clv_core.strategy.schemes.rules import RULES, Rules
from clv_core.strategy.schemes.saved import last_written, load_rules, saved_rules
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segmentation
from clv_core.strategy.schemes.settle import called, needs_embedding, points_of, settle
from clv_core.strategy.schemes.value import COST, DEFAULT_MULTIPLES, CostTiers, ValueTiers
from clv_core.strategy.segments import VALUE
from clv_core.strategy.tiers import DEFAULT_CUTS, THRESHOLDS, Scheme
from pages.ui import progress, state, tiers
from pages.ui.state import t

NEW: Final = ""
"""The choice among kept rules that stands for a set that is not there yet."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Customers in segments, and what is known of both.

    Args:
        dataset: the log.
        bundle: the model.
        terms: what the values speak of.
        customers: scores for these terms with history, [n]; not to be written to.
        trained: the same for the trained horizon, in the same order.
        scheme: as it was asked for.
        fitted: with its cuts.
        placed: where the customers are, the segments called as a person calls them.
        table: one row a segment (:func:`~clv_core.strategy.schemes.figures.segment_table`).
        summands: of all customers; None where no past origin is known.
    """

    dataset: Dataset
    bundle: Bundle
    terms: Terms
    customers: pd.DataFrame
    trained: pd.DataFrame
    scheme: Segmentation
    fitted: Fitted
    placed: Placed
    table: pd.DataFrame
    summands: Summands | None

    @property
    def currency(self) -> str:
        """Of the amounts."""
        return str(self.bundle.record["currency"])

    @property
    def names(self) -> list[str]:
        """Of the segments, in the scheme's order."""
        return self.table["name"].tolist()


def choose(dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    """Let the person say how customers are put into segments; None where there are no rules yet.

    Args:
        dataset: whose rules can be used.
        customers: whose values suggestions are made from.
        terms: what the values speak of: amounts to cut at hold for these alone.

    Raises:
        UsageError: what was written makes no scheme.
    """
    kind = st.pills(
        t("segments.scheme"),
        KINDS,
        format_func=lambda one: t(f"scheme.{one}"),
        default=KINDS[0],
        required=True,
        key="scheme_kind",
        persist_state="session",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = _asked(str(kind), dataset, customers, terms)
    st.caption(t(f"scheme.{kind}.help"))
    return found


def of_kind(kind: str, dataset: Dataset) -> Segmentation | None:
    """Return a kind's usual scheme, to hold another one against; None for costs, and for rules that are not there."""
    if kind in DEFAULT_CUTS:
        return ValueTiers(Scheme(kind, DEFAULT_CUTS[kind]))
    if kind == RULES:
        kept = saved_rules(dataset)
        chosen = st.session_state.get("rules_name") or (kept[0] if kept else None)
        return load_rules(dataset, chosen) if chosen in kept else None
    usual: dict[str, Segmentation] = {QUADRANT: Quadrant(), RFM: Rfm(), CLUSTERS: Clusters()}
    return usual.get(kind)


def _asked(kind: str, dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    if kind == COST:
        return _cost(customers)
    if kind == QUADRANT:
        return _quadrant(customers, terms)
    if kind == RFM:
        return Rfm()
    if kind == CLUSTERS:
        count = st.number_input(
            t("segments.clusters"), 2, MOST, DEFAULT_COUNT, key="scheme_clusters", persist_state="session", width=150
        )
        return Clusters(int(count))
    if kind == RULES:
        return _rules(dataset)
    text = st.text_input(
        t(f"segments.cuts.{kind}"),
        _default_cuts(kind, customers),
        key=f"scheme_cuts_{kind}" + (f"_{terms.mark}" if kind == THRESHOLDS else ""),
        persist_state="session",
        width=260,
    )
    return ValueTiers(Scheme.parse(f"{kind}:{text.replace('，', ',')}"))


def _default_cuts(kind: str, scored: pd.DataFrame) -> str:
    if kind != THRESHOLDS:
        return ", ".join(f"{cut:g}" for cut in DEFAULT_CUTS[kind])
    ends = np.quantile(scored[VALUE], [0.9, 0.7, 0.4])
    rounded = dict.fromkeys(float(f"{end:.1g}") for end in ends)
    return ", ".join(f"{cut:.10g}" for cut in rounded if cut > 0) or "1"


def _cost(customers: pd.DataFrame) -> Segmentation:
    usual = float(f"{max(float(customers[VALUE].mean()) / 3, 0.01):.1g}")
    cost = st.number_input(
        t("segments.cost"), 0.0, None, usual, format="%g", key="scheme_cost", persist_state="session", width=190
    )
    text = st.text_input(
        t("segments.multiples"),
        ", ".join(f"{one:g}" for one in DEFAULT_MULTIPLES),
        key="scheme_multiples",
        persist_state="session",
        width=220,
    )
    return CostTiers.parse(f"{cost:.15g}:{text.replace('，', ',')}")


def _quadrant(customers: pd.DataFrame, terms: Terms) -> Segmentation:
    by = str(
        st.selectbox(
            t("segments.by"),
            BY,
            format_func=lambda one: t(f"segments.by.{one}"),
            key="scheme_by",
            help=t("segments.by.help"),
            persist_state="session",
            width=210,
        )
        or IF_BUYS
    )
    usual = Quadrant(by=by).fit(customers)
    value = st.number_input(
        t("segments.high_value"),
        0.0,
        None,
        float(f"{usual.value:.3g}"),
        format="%g",
        key=f"scheme_value_{by}_{terms.mark}",
        help=t("segments.high_value.help"),
        persist_state="session",
        width=190,
    )
    chance = st.number_input(
        t("segments.safe"),
        0.1,
        99.9,
        min(99.9, max(0.1, round(100 * usual.chance, 1))),
        step=1.0,
        format="%g",
        key=f"scheme_chance_{terms.mark}",
        help=t("segments.safe.help"),
        persist_state="session",
        width=190,
    )
    return Quadrant(float(value), float(chance) / 100, by)


def _rules(dataset: Dataset) -> Segmentation | None:
    kept = saved_rules(dataset)
    if not kept:
        return None
    if st.session_state.get("rules_name") not in (*kept, NEW):
        st.session_state["rules_name"] = kept[0]
    name = st.selectbox(
        t("segments.rules"),
        [*kept, NEW],
        format_func=lambda one: one or t("segments.rules.new"),
        key="rules_name",
        persist_state="session",
        width=240,
    )
    return load_rules(dataset, str(name)) if name else None


def need_points(scheme: Segmentation, dataset: Dataset, bundle: Bundle, cutoff: date | None = None) -> None:
    """Wait for the run that keeps how the networks see customers, where a scheme needs it."""
    if needs_embedding(scheme, bundle):
        path = embedding_path(state.workspace(), bundle, dataset, cutoff)
        command, label = ["embed", dataset.name, "--model", bundle.id], bundle.id
        if cutoff is not None:
            command, label = [*command, "--cutoff", cutoff.isoformat()], f"{bundle.id} {cutoff}"
        progress.need(path.exists(), command, label, t("segments.embedding.wait"))


def scene(
    dataset: Dataset, bundle: Bundle, terms: Terms, scheme: Segmentation, customers: pd.DataFrame, trained: pd.DataFrame
) -> Scene:
    """Return the customers in the segments of a scheme; worked out once for what it depends on."""
    shared, written = tiers.what_past_origins_say(bundle, terms)
    settled = last_written(dataset)
    mark = (bundle.id, str(bundle.record["created"]), dataset.version, terms)
    fitted, placed = _placed(mark, str(scheme), settled, scheme, bundle, dataset, customers, trained)
    summands = None if shared is None else _summands(mark, written, customers, shared)
    table = _table(mark, str(scheme), settled, written, state.language(), customers, placed, summands)
    return Scene(dataset, bundle, terms, customers, trained, scheme, fitted, placed, table, summands)


def place(
    scheme: Segmentation,
    fitted: Fitted,
    dataset: Dataset,
    bundle: Bundle,
    customers: pd.DataFrame,
    cutoff: date | None = None,
) -> Placed:
    """Return where customers, of whatever day, are by settled cuts; segments called as a person calls them."""
    points = points_of(state.workspace(), scheme, bundle, dataset, customers, cutoff)
    known = with_attributes(customers, dataset, cutoff or dataset.log_end) if isinstance(scheme, Rules) else customers
    return called(fitted.place(known, points), scheme, bundle, dataset)


def fit(scheme: Segmentation, dataset: Dataset, bundle: Bundle, customers: pd.DataFrame) -> Fitted:
    """Return a scheme with its cuts, settled by the customers at the log's end."""
    points: Floats | None = points_of(state.workspace(), scheme, bundle, dataset, customers)
    if needs_embedding(scheme, bundle) and points is None:
        raise UsageError("clusters_need_embedding")
    return settle(scheme, bundle, dataset, customers, points)


@st.cache_resource(max_entries=6, show_spinner=False)
def _placed(
    mark: tuple[object, ...],
    scheme: str,
    settled: int,
    _scheme: Segmentation,
    _bundle: Bundle,
    _dataset: Dataset,
    _customers: pd.DataFrame,
    _trained: pd.DataFrame,
) -> tuple[Fitted, Placed]:
    """Place customers; clusters by the trained horizon's scores, which their centres were found on."""
    own = _trained if isinstance(_scheme, Clusters) else _customers
    fitted = fit(_scheme, _dataset, _bundle, own)
    return fitted, place(_scheme, fitted, _dataset, _bundle, own)


@st.cache_resource(max_entries=2, show_spinner=False)
def _summands(mark: tuple[object, ...], written: float, _customers: pd.DataFrame, _shared: SharedError) -> Summands:
    return Summands.of(_customers, _shared)


@st.cache_data(max_entries=16, show_spinner=False)
def _table(
    mark: tuple[object, ...],
    scheme: str,
    settled: int,
    written: float,
    language: str,
    _customers: pd.DataFrame,
    _placed: Placed,
    _summands: Summands | None,
) -> pd.DataFrame:
    return segment_table(_customers, _placed, _summands, language)


@st.cache_resource(max_entries=2, show_spinner=False)
def by_value(model_id: str, version: str, terms: Terms, _customers: pd.DataFrame) -> np.ndarray:
    """Return the places of customers, the most valuable first, [n]."""
    return np.argsort(-_customers[VALUE].to_numpy(), kind="stable")
