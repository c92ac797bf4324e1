"""The price part of the strategy page: how sales answer prices, and what a price rule would bring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import CATEGORY, PRODUCT_ID
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError, NotEnoughData
from clv_core.strategy.advising import price_side
from clv_core.strategy.pricing.kept import RECORD, load_responses, responses_folder
from clv_core.strategy.pricing.panel import ALL
from clv_core.strategy.pricing.responses import Responses
from clv_core.strategy.pricing.whatif import MOST_DOWN, MOST_UP, Outcome, Rule, Sum, what_if
from clv_core.strategy.pricing.worded import more_pieces, price_table
from clv_core.strategy.segments import TIER
from clv_core.strategy.tables import write_rows
from clv_core.strategy.tiers import DEFAULT_SCHEME, tier_names
from pages.ui import charts_advice, progress, recommended, state, widgets
from pages.ui.state import money, percent, say, t

CUT: Final = -0.1
SHOWN: Final = 15
PRESETS: Final = {"loyalty": (-10, -5, 0, 0), "everyone": (-5, -5, -5, -5), "raise": (0, 0, 3, 3)}
MARGIN: Final = 30


def show(dataset: Dataset, bundle: Bundle) -> None:
    """Show what was measured, then what a rule would bring, with what is assumed apart."""
    try:
        found = need_responses(dataset, bundle)
    except ClvError as error:
        recommended.refused(error)
        return
    everyone = _everyone(found)
    said = t("price.measured", days=found.period_days, categories=say(len(everyone)))
    widgets.headline(headline(everyone), widgets.context_line(bundle, dataset.log_end), said)
    widgets.chart(charts_advice.responses(_drawn(everyone), _message(everyone)), "price_responses", height=460)
    st.info(t("price.fair"), icon=":material/balance:")
    st.subheader(t("price.whatif"), anchor=False)
    outcome = None
    try:
        outcome = _outcome(found, bundle)
    except ClvError as error:
        widgets.error_box(error)
    with st.expander(t("price.table"), icon=":material/table_chart:"):
        _table(found)
    if len(found.left_out):
        with st.expander(t("price.left_out", count=len(found.left_out)), icon=":material/filter_alt:"):
            _left_out(found)
    downloads(found, outcome, dataset, bundle)


def need_responses(dataset: Dataset, bundle: Bundle) -> Responses:
    """Return the responses; while they are not there, show the run that measures them.

    Raises:
        NotEnoughData: the log has no products or categories.
    """
    missing = [name for name in (PRODUCT_ID, CATEGORY) if name not in dataset.manifest.columns]
    if missing:
        raise NotEnoughData("price_no_columns", dataset=dataset.name, missing=", ".join(missing))
    folder = responses_folder(state.workspace(), bundle, dataset)
    record = folder / RECORD
    out = state.workspace().exports / f"{folder.name}-prices.parquet"
    command = ["price", dataset.name, "--model", bundle.id, "--out", str(out)]
    progress.need(record.is_file(), command, folder.name, t("price.wait"))
    return _load(str(folder), record.stat().st_mtime)


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(folder: str, written: float) -> Responses:
    found = load_responses(Path(folder))
    if found is None:
        raise ClvError("explanation_missing", folder=folder)
    return found


def _everyone(found: Responses) -> pd.DataFrame:
    """Return the responses of all customers together, the categories with most money first."""
    spend = found.spend.groupby(CATEGORY)["amount"].sum()
    rows = found.table[found.table[TIER] == ALL]
    rows = rows.assign(spend=rows[CATEGORY].map(spend).fillna(0.0))
    return rows.sort_values("spend", ascending=False, kind="stable", ignore_index=True)


def headline(everyone: pd.DataFrame) -> str:
    """Return how much more a price that is 10% lower sells, and in how many categories that is sure."""
    typical = float(more_pieces(everyone["elasticity"], CUT).median())
    sure = int((everyone["high"] < 0).sum())
    key = "price.headline" if typical > 0 else "price.headline.nothing"
    return t(key, more=percent(abs(typical)), sure=sure, categories=len(everyone))


def _drawn(everyone: pd.DataFrame) -> pd.DataFrame:
    rows = everyone.head(SHOWN)
    # A lower elasticity sells more at a lower price: the ends change places.
    ends = {"more": "elasticity", "low": "high", "high": "low"}
    return pd.DataFrame({"name": rows[CATEGORY]} | {name: more_pieces(rows[end], CUT) for name, end in ends.items()})


def _message(everyone: pd.DataFrame) -> str:
    rows = everyone.head(SHOWN)
    most, least = (rows.iloc[place] for place in (rows["elasticity"].argmin(), rows["elasticity"].argmax()))
    return t(
        "price.chart",
        first=widgets.plain(str(most[CATEGORY])),
        last=widgets.plain(str(least[CATEGORY])),
        count=len(rows),
    )


def _outcome(found: Responses, bundle: Bundle) -> Outcome | None:
    """Ask for a rule, and show what it would bring."""
    rule = _ask(found)
    if not any(rule.changes.values()):
        st.caption(t("price.nothing"))
        return None
    outcome = what_if(found, rule)
    currency = str(bundle.record["currency"])
    st.markdown(f"**{_finding(outcome, currency)}**")
    widgets.figures(_figures(outcome, currency), columns=3)
    _tiers(outcome, currency)
    st.markdown(f"**{t('price.assumed')}**")
    st.markdown("\n".join(f"- {t(one.code, **one.params)}" for one in outcome.assumptions))
    return outcome


def _ask(found: Responses) -> Rule:
    names = tier_names(DEFAULT_SCHEME.tiers, state.language())
    with st.container(border=True):
        preset = st.segmented_control(
            t("price.preset"),
            tuple(PRESETS),
            format_func=lambda name: t(f"price.preset.{name}"),
            default="loyalty",
            required=True,
            key="price_preset",
            persist_state="session",
        )
        with st.grid(5, min_column_width=150, gap="small"):
            changes = {
                tier: st.number_input(
                    t("price.change", tier=name),
                    100 * MOST_DOWN,
                    100 * MOST_UP,
                    float(PRESETS[preset][tier - 1]),
                    1.0,
                    format="%.0f",
                    key=f"price_change_{preset}_{tier}",
                    persist_state="session",
                )
                for tier, name in enumerate(names, 1)
            }
            margin = st.number_input(
                t("price.margin"),
                1,
                99,
                MARGIN,
                key="price_margin",
                help=t("price.margin.help"),
                persist_state="session",
            )
        chosen = st.multiselect(
            t("price.categories"),
            sorted(found.table[CATEGORY].unique()),
            key=f"price_categories_{len(found.table)}",
            placeholder=t("price.categories.all"),
        )
    return Rule({tier: change / 100 for tier, change in changes.items()}, margin / 100, tuple(chosen))


def _signed(value: float, currency: str) -> str:
    return f"{'−' if value < 0 else '+'}{money(abs(value), currency)}"


def _between(found: Sum, currency: str) -> str:
    return t("price.between", low=_signed(found.low, currency), high=_signed(found.high, currency))


def _finding(outcome: Outcome, currency: str) -> str:
    """Return what the rule would bring, in one sentence; what is not sure is said so."""
    margin = outcome.margin
    sure = "surely" if margin.low > 0 or margin.high < 0 else "perhaps"
    direction = "up" if margin.value > 0 else "down"
    size = money(abs(margin.value), currency)
    return t(f"price.finding.{direction}.{sure}", size=size, revenue=_signed(outcome.revenue.value, currency))


def _figures(outcome: Outcome, currency: str) -> list[widgets.Figure]:
    share = outcome.touched / outcome.base if outcome.base else 0.0
    rows = []
    for name in ("revenue", "margin"):
        found: Sum = getattr(outcome, name)
        rows.append(
            widgets.Figure(
                t(f"price.figure.{name}"),
                _signed(found.value, currency),
                t(f"price.figure.{name}.help"),
                _between(found, currency),
            )
        )
    touched = money(outcome.touched, currency)
    note = t("price.figure.touched.note", base=money(outcome.base, currency))
    return [
        *rows,
        widgets.Figure(
            t("price.figure.touched"), percent(share), t("price.figure.touched.help"), f"{touched} · {note}"
        ),
    ]


def _tiers(outcome: Outcome, currency: str) -> None:
    """Show the rule by tier: predicted value of a customer before and after, revenue and margin."""
    names = tier_names(DEFAULT_SCHEME.tiers, state.language())
    rows = outcome.tiers.assign(
        name=[names[tier - 1] for tier in outcome.tiers[TIER]],
        change=100 * outcome.tiers["change"].where(outcome.tiers["change"] != 0),
    )
    number = st.column_config.NumberColumn
    unit = state.unit(currency)
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("column.tier")),
        "customers": number(t("price.column.customers"), format="localized"),
        "change": number(t("price.column.change"), format="%+.0f%%"),
        "clv": number(f"{t('price.column.clv')} ({unit})", format="%.2f"),
        "clv_after": number(f"{t('price.column.clv_after')} ({unit})", format="%.2f"),
        "clv_low": number(t("price.column.clv_low"), format="%.2f"),
        "clv_high": number(t("price.column.clv_high"), format="%.2f"),
        "margin": number(f"{t('price.column.margin')} ({unit})", format="accounting"),
    }
    st.dataframe(rows[list(columns)], hide_index=True, column_config=columns, alt=t("price.whatif"), placeholder="–")


def _table(found: Responses) -> None:
    """Show the responses by category and tier."""
    names = [t("price.everyone"), *tier_names(DEFAULT_SCHEME.tiers, state.language())]
    known = sorted(found.table[TIER].unique().tolist())
    tier = st.segmented_control(
        t("column.tier"),
        known,
        format_func=lambda tier: names[tier],
        default=known[0],
        required=True,
        key=f"price_table_tier_{len(known)}",
    )
    rows = found.table[found.table[TIER] == tier]
    deep = {"discount": "discount_effect", "discount_from": "discount_low", "discount_to": "discount_high"}
    rows = rows.assign(**{name: 100 * np.expm1(0.1 * rows[source]) for name, source in deep.items()})
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category"), pinned=True),
        "elasticity": number(t("price.column.elasticity"), format="%.2f", help=t("price.column.elasticity.help")),
        "low": number(t("price.column.low"), format="%.2f"),
        "high": number(t("price.column.high"), format="%.2f"),
        "discount": number(t("price.column.discount"), format="%+.0f%%", help=t("price.column.discount.help")),
        "discount_from": number(t("price.column.low"), format="%+.0f%%"),
        "discount_to": number(t("price.column.high"), format="%+.0f%%"),
        "products": number(t("price.column.products"), format="localized"),
        "rows": number(t("price.column.rows"), format="localized"),
    }
    if rows["discount"].isna().all():
        columns = {name: column for name, column in columns.items() if name not in deep}
    st.dataframe(rows[list(columns)], hide_index=True, column_config=columns, alt=t("price.table"), placeholder="–")


def _left_out(found: Responses) -> None:
    rows = found.left_out.assign(
        reason=[t(f"price.reason.{reason}") for reason in found.left_out["reason"]],
        variation=100 * found.left_out["variation"],
    )
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category")),
        "reason": st.column_config.TextColumn(t("price.column.reason"), width="large"),
        "products": st.column_config.NumberColumn(t("price.column.products"), format="localized"),
        "variation": st.column_config.NumberColumn(t("price.column.variation"), format="%.1f%%"),
    }
    st.dataframe(rows[list(columns)], hide_index=True, column_config=columns, alt=t("price.table"), placeholder="–")


def downloads(found: Responses, outcome: Outcome | None, dataset: Dataset, bundle: Bundle) -> None:
    """Offer the table as CSV and workbook; it names no customer, yet an untrusted model's values are in its rule."""
    allowed = widgets.acknowledged(bundle)
    with st.container(horizontal=True):
        for ending in ("csv", "xlsx"):
            name = widgets.file_name(bundle, "prices", dataset.log_end, ending)
            widgets.download(
                t("segments.download", format=t(f"export.{ending}")),
                _maker(found, outcome, dataset, bundle, name),
                name,
                f"download_price_{ending}",
                disabled=not allowed,
                type="primary" if ending == "csv" else "secondary",
            )


def _maker(
    found: Responses, outcome: Outcome | None, dataset: Dataset, bundle: Bundle, name: str
) -> Callable[[], bytes]:
    work, language = state.workspace(), state.language()

    def make() -> bytes:
        rows = price_table(found, outcome, language)
        side = price_side(dataset, bundle, outcome, language)
        return write_rows(work, rows, work.exports / name, side).files[0].read_bytes()

    return make
