"""Value tiers on the segments page: the scheme, the cards, the list with its filters, and the download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.past import PREDICTIONS, comparison_folder, shared_error
from clv_core.deployment.terms import Terms
from clv_core.evaluation.levels import SharedError
from clv_core.strategy.export import Side, export, log_export
from clv_core.strategy.segments import TIER, Total, assign, table, total
from clv_core.strategy.tiers import DEFAULT_CUTS, KINDS, NAMES, THRESHOLDS, Scheme, tier_names
from pages.ui import navigation, platform_lists, state, widgets
from pages.ui.state import money, percent, say, t
from pages.ui.terms import assumptions

SHOWN: Final = (
    "customer_id",
    "tier_name",
    "predicted_clv",
    "clv_p10",
    "clv_p90",
    "p_purchase",
    "historic_value",
    "purchase_days",
    "last_purchase",
)


def choose_scheme(scored: pd.DataFrame, terms: Terms) -> Scheme:
    """Let the person say how customers are cut.

    Args:
        scored: whose values the first suggestion is made from.
        terms: what the values speak of: amounts to cut at hold for these alone.

    Raises:
        UsageError: the cuts that were written make no scheme.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            t("segments.scheme"),
            KINDS,
            format_func=lambda kind: t(f"scheme.{kind}"),
            default=KINDS[0],
            required=True,
            key="scheme_kind",
            persist_state="session",
        )
        text = st.text_input(
            t(f"segments.cuts.{kind}"),
            _default_cuts(kind, scored),
            key=f"scheme_cuts_{kind}" + (f"_{terms.mark}" if kind == THRESHOLDS else ""),
            help=t(f"scheme.{kind}.help"),
            persist_state="session",
            width=260,
        )
    return Scheme.parse(f"{kind}:{text.replace('，', ',')}")


def _default_cuts(kind: str, scored: pd.DataFrame) -> str:
    if kind != THRESHOLDS:
        return ", ".join(f"{cut:g}" for cut in DEFAULT_CUTS[kind])
    ends = np.quantile(scored["predicted_clv"], [0.9, 0.7, 0.4])
    rounded = dict.fromkeys(float(f"{end:.1g}") for end in ends)
    return ", ".join(f"{cut:.10g}" for cut in rounded if cut > 0) or "1"


@st.cache_resource(max_entries=4, show_spinner=False)
def tiered(model_id: str, version: str, terms: Terms, scheme: Scheme, _scored: pd.DataFrame) -> pd.DataFrame:
    """Return the customers with their tier; shared, not to be written to."""
    return assign(_scored, scheme)


def what_past_origins_say(bundle: Bundle, terms: Terms) -> tuple[SharedError | None, float]:
    """Return what past origins say of errors that customers share, and when that was last added to (a cache key).

    They speak of the trained horizon: of another one nothing is known.
    """
    if terms.warnings(bundle.record["horizon_days"]):
        return None, 0.0
    path = comparison_folder(state.workspace(), bundle) / PREDICTIONS
    written = path.stat().st_mtime if path.is_file() else 0.0
    return _shared_error(bundle.id, bundle.record["created"], written, bundle), written


@st.cache_resource(max_entries=4, show_spinner=False)
def _shared_error(model_id: str, created: str, written: float, _bundle: Bundle) -> SharedError | None:
    return shared_error(state.workspace(), _bundle)


@st.cache_data(max_entries=16, show_spinner=False)
def tier_table(
    model_id: str,
    version: str,
    terms: Terms,
    scheme: Scheme,
    language: str,
    written: float,
    _tiered: pd.DataFrame,
    _shared: SharedError | None,
) -> pd.DataFrame:
    """Return one row a tier."""
    return table(_tiered, scheme.tiers, language, _shared)


@st.cache_data(max_entries=4, show_spinner=False)
def _everyone(
    model_id: str, version: str, terms: Terms, written: float, _scored: pd.DataFrame, _shared: SharedError | None
) -> tuple[float, Total]:
    """Return the share of value that the top tenth holds, and what all are worth together."""
    values = np.sort(np.maximum(_scored["predicted_clv"].to_numpy(), 0))[::-1]
    top = values[: max(1, round(len(values) / 10))].sum() / max(values.sum(), 1e-300)
    return float(top), total(_scored, _shared)


def headline(bundle: Bundle, dataset: Dataset, scored: pd.DataFrame, terms: Terms) -> str:
    """Return what the coming horizon is worth, how sure that is, and how few customers hold how much of it."""
    shared, written = what_past_origins_say(bundle, terms)
    top, worth = _everyone(bundle.id, dataset.version, terms, written, scored, shared)
    currency = bundle.record["currency"]
    said, share = money(worth.value, currency), percent(top)
    if terms.lifetime:
        return t("segments.headline.lifetime", total=said, share=share)
    finding = t("segments.headline", horizon=f"{terms.horizon_days:,}", total=said, share=share)
    return finding + sure(worth.low, worth.high, currency)


def sure(low: float | None, high: float | None, currency: str) -> str:
    """Return the 80% interval of a sum in brackets; nothing where none is known."""
    if low is None or high is None or not np.isfinite(high):
        return ""
    return t("segments.sure", low=money(low, currency), high=money(high, currency))


def checked(bundle: Bundle, terms: Terms) -> list[str]:
    """Return how far the total was off in the past and what ranges rest on; of other horizons, what is assumed."""
    assumed = assumptions(bundle, terms)
    if assumed:
        return assumed
    if not bundle.record["holdout"]:
        return [t("segments.untrained" if bundle.untrained else "segments.unchecked")]
    found = t("segments.checked", off=percent(abs(bundle.record["metrics"].get("bias", 0.0))))
    shared, _ = what_past_origins_say(bundle, terms)
    if shared is None:
        return [found]
    said = t("segments.rests.one") if shared.origins == 1 else t("segments.rests", origins=shared.origins)
    return [found + said]


def cards(rows: pd.DataFrame, currency: str) -> None:
    """Show one card a tier: how many, what they hold, who is typical, what to do."""
    names = NAMES.get(len(rows), ())
    with st.grid(min(4, len(rows)), min_column_width=190, gap="small"):
        for place, row in enumerate(rows.itertuples()):
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{row.name}**")
                st.metric(
                    t("segments.card.customers"),
                    say(row.customers),
                    t("segments.card.share", share=percent(row.share_of_customers)),
                    delta_color="off",
                    delta_arrow="off",
                )
                if row.customers:
                    st.markdown(_facts(row, currency))
                if names:
                    st.space("stretch")
                    st.caption(t(f"segments.action.{names[place]}"))


def _facts(row: object, currency: str) -> str:
    """Return what a tier holds and who is typical of it, as a short list."""
    facts = [
        t("segments.card.value", share=percent(row.share_of_value), sum=money(row.value_sum, currency))
        + sure(row.value_sum_low, row.value_sum_high, currency),
        t("segments.card.mean", mean=money(row.value_mean, currency)),
        t("segments.card.p_purchase", share=percent(row.p_purchase_mean)),
    ]
    if np.isfinite(row.days_since_last_median):
        facts.append(t("segments.card.last", days=say(row.days_since_last_median)))
    return "\n".join(f"- {fact}" for fact in facts)


@st.fragment
def customer_list(dataset: Dataset, bundle: Bundle, customers: pd.DataFrame, scheme: Scheme, terms: Terms) -> None:
    """Show the customers with filters, and offer those that are shown as files."""
    names = tier_names(scheme.tiers, state.language())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.pills(
            t("segments.filter.tiers"),
            range(1, scheme.tiers + 1),
            selection_mode="multi",
            format_func=lambda tier: names[tier - 1],
            key=f"filter_tiers_{scheme.tiers}",
        )
        least = st.slider(t("segments.filter.p_purchase"), 0, 100, 0, 5, format="%d%%", key="filter_p", width=220)
        text = st.text_input(
            t("segments.filter.id"), key="filter_id", type="search", placeholder=t("segments.search"), width=220
        )
    keep = np.ones(len(customers), bool)
    if wanted:
        keep &= customers[TIER].isin(wanted).to_numpy()
    if least:
        keep &= (customers["p_purchase"] >= least / 100).to_numpy()
    if text:
        keep &= customers["customer_id"].str.contains(text, case=False, regex=False).to_numpy()
    chosen = customers[keep].sort_values("predicted_clv", ascending=False, kind="stable")
    currency = bundle.record["currency"]
    worth = total(customers, what_past_origins_say(bundle, terms)[0], keep)
    said = t("segments.chosen", customers=f"{len(chosen):,}", total=money(worth.value, currency))
    st.markdown(said + (sure(worth.low, worth.high, currency) if len(chosen) else ""))
    chosen = chosen.assign(tier_name=chosen[TIER].map(dict(enumerate(names, 1))))
    _downloads(dataset, bundle, chosen, side(dataset, bundle, scheme, wanted, terms), wanted, terms)
    shown = chosen[list(SHOWN)].assign(p_purchase=chosen["p_purchase"] * 100)
    event = st.dataframe(
        shown,
        hide_index=True,
        column_config=columns(),
        alt=t("segments.list"),
        height=420,
        key="segments_list",
        on_select="rerun",
        selection_mode="single-row",
    )
    _offer_card([str(chosen["customer_id"].iloc[row]) for row in event.selection.rows if row < len(chosen)])


def _offer_card(selected: list[str]) -> None:
    """Lead to the card of the customer who is selected in the list."""
    for customer in selected:
        label = t("card.open", customer=widgets.plain(customer))
        if st.button(label, key="open_card", icon=navigation.BY_NAME["customer"].icon):
            navigation.open_customer(customer)


def columns() -> dict[str, object]:
    """Return how the columns of the list are named and shown."""
    number, config = st.column_config.NumberColumn, st.column_config
    return {
        "customer_id": config.TextColumn(t("column.customer_id"), pinned=True),
        "tier_name": config.TextColumn(t("column.tier")),
        "predicted_clv": number(t("column.predicted_clv"), format="accounting", help=t("column.predicted_clv.help")),
        "clv_p10": number(t("column.clv_p10"), format="accounting", help=t("column.clv_p10.help")),
        "clv_p90": number(t("column.clv_p90"), format="accounting", help=t("column.clv_p90.help")),
        "p_purchase": config.ProgressColumn(t("column.p_purchase"), min_value=0, max_value=100, format="%d%%"),
        "historic_value": number(t("column.historic_value"), format="accounting"),
        "purchase_days": number(t("column.purchase_days")),
        "last_purchase": config.DateColumn(t("column.last_purchase"), format="YYYY-MM-DD"),
    }


def _downloads(
    dataset: Dataset, bundle: Bundle, chosen: pd.DataFrame, side: Side, tiers: list[int], terms: Terms
) -> None:
    """Offer the chosen customers as CSV and workbook; a model that is not trusted has to be acknowledged first."""
    allowed = widgets.acknowledged(bundle)
    what = f"tier{'-'.join(map(str, sorted(tiers)))}" if tiers else "customers"
    with st.container(horizontal=True):
        for kind, ending in (("csv", "csv"), ("xlsx", "xlsx")):
            name = widgets.file_name(bundle, what, dataset.log_end, ending, terms)
            make = _maker(chosen, kind, name, side)
            label = t("segments.download", format=t(f"export.{kind}"))
            off = not allowed or chosen.empty
            widgets.download(
                label, make, name, f"download_{kind}", disabled=off, type="primary" if kind == "csv" else "secondary"
            )
    stem = widgets.file_name(bundle, what, dataset.log_end, "csv", terms).removesuffix(".csv")
    platform_lists.offer(dataset, chosen, side, stem, allowed=allowed)


def _maker(chosen: pd.DataFrame, kind: str, name: str, side: Side) -> Callable[[], bytes]:
    """Return what writes the file, its side file and the line in the log, when the button is pressed."""
    work, stop = state.workspace(), state.stop_list()

    def make() -> bytes:
        made = export(chosen, kind, work.exports / name, side=side, stop=stop)
        log_export(work, made, kind, side)
        return made.files[0].read_bytes()

    return make


def side(dataset: Dataset, bundle: Bundle, scheme: Scheme, tiers: list[int], terms: Terms) -> Side:
    """Return what the numbers of a list of these tiers mean."""
    record = bundle.record
    return Side(
        dataset=dataset.name,
        dataset_version=dataset.version,
        model=bundle.id,
        cutoff=dataset.log_end.isoformat(),
        horizon_days=terms.horizon_days,
        currency=record["currency"],
        segment=f"tier={','.join(map(str, sorted(tiers)))}" if tiers else "",
        scheme=str(scheme),
        lifetime=terms.lifetime,
        discount_rate=terms.discount_rate,
        margin_rate=terms.margin_rate,
        assumptions=tuple(one.to_json(state.language()) for one in terms.warnings(record["horizon_days"])),
    )
