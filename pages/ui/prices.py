"""Prices: how sales answer prices and discounts, and what a price rule would bring, with what is assumed apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.columns import CATEGORY
from clv_core.deployment import Scored
from clv_core.errors import ClvError, NotFound
from clv_core.plot import cut
from clv_core.strategy import price_side
from clv_core.strategy.pricing import (
    ALL,
    ALL_PRODUCTS,
    BY,
    DISCOUNT,
    LEFT_OUT,
    MAX_PRICE_CHANGE,
    MIN_PRICE_CHANGE,
    PRICE,
    RECORD,
    Outcome,
    Responses,
    Rule,
    Sum,
    check_columns,
    demand_change,
    differ_significantly,
    load_responses,
    price_table,
    responses_folder,
    what_if,
)
from clv_core.strategy.segments import TIER
from pages.ui import cells, progress, row_files, session, terms, tiers, widgets
from pages.ui.cache import cached
from pages.ui.charts import advising
from pages.ui.i18n import money, percent, say, t

PRICE_CHANGE: Final = -0.1
"""The price change that the elasticity is shown for: 10% less."""
MAX_SHOWN_CATEGORIES: Final = 15
"""Categories in the chart and the table: all fit on a screen."""
DISCOUNT_STEP: Final = 0.1
"""Size of the deeper discount that the table describes: ten points of the price."""
PRESETS: Final = {"loyalty": (-10, -5, 0, 0), "everyone": (-5, -5, -5, -5), "raise": (0, 0, 3, 3)}
"""Price changes in percent, from the best tier to the lowest; examples to start from, not recommendations."""
LOWERING: Final = ("loyalty", "everyone")


def show(scored: Scored) -> None:
    """Show what was measured, then what a rule would bring, with what is assumed apart."""
    dataset, bundle = scored.dataset, scored.model
    try:
        responses = need_responses(scored)
    except ClvError as error:
        widgets.show_refusal(error)
        return
    everyone, names, language = _everyone(responses), tiers.names(dataset), session.language()
    measured = t("price.measured", days=responses.period_days, categories=say(len(everyone)))
    if _without_categories(responses):
        measured = t("price.measured.products", days=responses.period_days)
    widgets.headline(headline(everyone), widgets.context_line(bundle, dataset.log_end), measured)
    widgets.chart(advising.responses(_drawn(everyone), chart_message(everyone)), "price_responses")
    st.info(t("price.fair"), icon=":material/balance:")
    st.header(t("price.whatif"), anchor=False)
    outcome = None
    try:
        outcome = try_rule(responses, names, bundle.record.currency)
    except ClvError as error:
        widgets.show_error(error)
    with st.expander(t("price.table"), icon=":material/table_chart:"):
        _table(responses, names)
    if len(responses.left_out):
        with st.expander(t("price.left_out", count=len(responses.left_out)), icon=":material/filter_alt:"):
            _left_out(responses)
    side = price_side(scored, outcome, language)
    row_files.table(bundle, "prices", "price", side, lambda: price_table(responses, outcome, names, language))


def need_responses(scored: Scored) -> Responses:
    """Return the responses; while they are not there, show the run that measures them.

    Raises:
        NotEnoughData: the log has no products.
    """
    check_columns(scored.dataset)
    folder = responses_folder(scored)
    record, command = folder / RECORD, ["price", scored.dataset.name, "--model", scored.model.id]
    progress.need_result(record.is_file(), command, folder.name, t("price.wait"))
    return _load(record)


@cached()
def _load(record: Path) -> Responses:
    responses = load_responses(record.parent)
    if responses is None:
        raise NotFound("price_missing", folder=str(record.parent))
    return responses


def _without_categories(responses: Responses) -> bool:
    """Return whether the log has no categories: all products have one response."""
    return set(responses.table[CATEGORY]) == {ALL_PRODUCTS}


def _name(category: str) -> str:
    return t("price.all_products") if category == ALL_PRODUCTS else category


def _everyone(responses: Responses) -> pd.DataFrame:
    """Return the responses of all customers together, the categories with most money first."""
    spend = responses.spend.groupby(CATEGORY)["amount"].sum()
    rows = responses.table[responses.table[TIER] == ALL]
    rows = rows.assign(spend=rows[CATEGORY].map(spend).fillna(0.0))
    return rows.sort_values("spend", ascending=False, kind="stable", ignore_index=True)


def headline(everyone: pd.DataFrame) -> str:
    """Return how much more sells at a 10% lower price, and in how many categories that is certain."""
    typical = float(demand_change(everyone["elasticity"], PRICE_CHANGE).median())
    sure = int((everyone["high"] < 0).sum())
    if everyone[CATEGORY].tolist() == [ALL_PRODUCTS]:
        low, high = (percent(demand_change(everyone[end], PRICE_CHANGE).iloc[0]) for end in ("high", "low"))
        key = "price.headline.products" if typical > 0 else "price.headline.products.nothing"
        return t(key, more=percent(abs(typical)), low=low, high=high)
    key = "price.headline" if typical > 0 else "price.headline.nothing"
    return t(key, more=percent(abs(typical)), sure=sure, categories=len(everyone))


def _drawn(everyone: pd.DataFrame) -> pd.DataFrame:
    rows = everyone.head(MAX_SHOWN_CATEGORIES)
    # A lower elasticity sells more at a lower price: the ends change places.
    ends = {"more": "elasticity", "low": "high", "high": "low"}
    return pd.DataFrame(
        {"name": rows[CATEGORY].map(_name)}
        | {name: demand_change(rows[end], PRICE_CHANGE) for name, end in ends.items()}
    )


def chart_message(everyone: pd.DataFrame) -> str:
    """Return which two categories answer differently, where the errors allow to say so; else how many surely answer."""
    rows = everyone.head(MAX_SHOWN_CATEGORIES)
    sure, less = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
    most, least = (rows.iloc[place] for place in (rows["elasticity"].argmin(), rows["elasticity"].argmax()))
    first, last = (cut(_name(str(row[CATEGORY]))) for row in (most, least))
    if len(rows) == 1:
        key = "price.chart.one" if sure else "price.chart.one.less" if less else "price.chart.one.unsure"
        return t(key, first=first)
    if sure and differ_significantly(rows):
        return t("price.chart", first=first, last=last, count=len(rows))
    key = "price.chart.some" if sure else "price.chart.less" if less else "price.chart.none"
    return t(key, sure=sure, less=less, count=len(rows))


def _table(responses: Responses, names: Sequence[str]) -> None:
    """Show the responses by category and tier, the tiers by their names."""
    called = [t("price.everyone"), *map(widgets.escape, names)]
    numbers = sorted(responses.table[TIER].unique().tolist())
    tier = widgets.choose(
        t("column.tier"), {number: called[number] for number in numbers}, f"price_table_tier_{len(numbers)}"
    )
    rows = responses.table[responses.table[TIER] == tier]
    deep = {"discount": "discount_effect", "discount_from": "discount_low", "discount_to": "discount_high"}
    rows = rows.assign(**{CATEGORY: rows[CATEGORY].map(_name)})
    rows = rows.assign(**{name: 100 * np.expm1(DISCOUNT_STEP * rows[source]) for name, source in deep.items()})
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category"), pinned=True),
        "elasticity": number(t("price.column.elasticity"), format="%.2f", help=t("price.column.elasticity.help")),
        "low": number(t("price.column.low"), format="%.2f"),
        "high": number(t("price.column.high"), format="%.2f"),
        "discount": number(t("price.column.discount"), format="%+.0f%%", help=t("price.column.discount.help")),
        "discount_from": number(t("price.column.low"), format="%+.0f%%"),
        "discount_to": number(t("price.column.high"), format="%+.0f%%"),
        "products": cells.integer(t("price.column.products")),
        "rows": cells.integer(t("price.column.rows"), help=t("price.column.rows.help")),
    }
    if rows["discount"].isna().all():
        columns = {name: column for name, column in columns.items() if name not in deep}
    cells.table(rows[list(columns)], t("price.table"), columns)


def _left_out(responses: Responses) -> None:
    """Show the categories that could not be measured, and why."""
    rows = responses.left_out.assign(
        category=responses.left_out[CATEGORY].map(_name),
        reason=[t(f"price.reason.{reason}", least=LEFT_OUT[reason]) for reason in responses.left_out["reason"]],
        variation=100 * responses.left_out["variation"],
    )
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category")),
        "reason": st.column_config.TextColumn(t("price.column.reason"), width="large"),
        "products": cells.integer(t("price.column.products")),
        "variation": st.column_config.NumberColumn(t("price.column.variation"), format="%.1f%%"),
    }
    cells.table(rows[list(columns)], t("price.left_out", count=len(rows)), columns)


def try_rule(responses: Responses, names: Sequence[str], currency: str) -> Outcome | None:
    """Ask for a rule, show what it would bring, and return it; None while no margin is given or no price changes.

    Raises:
        UsageError: a rule that cannot be worked out.
    """
    rule = _ask(responses, names)
    if rule is None:
        st.info(t("price.margin.first"), icon=":material/edit:")
        return None
    if not any(rule.changes.values()):
        st.caption(t("price.nothing"))
        return None
    outcome = what_if(responses, rule)
    st.markdown(f"**{_finding(outcome, currency)}**")
    widgets.figures(_figures(outcome, currency), columns=3)
    _tiers(outcome, names, currency)
    st.markdown(f"**{t('price.assumed')}**")
    st.markdown("\n".join(f"- {t(assumption.code, **assumption.params)}" for assumption in outcome.assumptions))
    return outcome


def _ask(responses: Responses, names: Sequence[str]) -> Rule | None:
    """Ask for a rule; None while no margin is given."""
    discounts = responses.table[responses.table["discount_effect"].notna()]
    with st.container(border=True):
        by = PRICE
        if not discounts.empty:
            by = widgets.choose(t("price.by"), {by_key: t(f"price.by.{by_key}") for by_key in BY}, "price_by")
        table, most = (discounts, 0.0) if by == DISCOUNT else (responses.table, 100 * MAX_PRICE_CHANGE)
        presets = {name: t(f"price.preset.{name}") for name in (LOWERING if by == DISCOUNT else PRESETS)}
        preset = widgets.choose(t("price.preset"), presets, f"price_preset_{by}")
        with st.grid(5, min_column_width=150, gap="small"):
            changes = {
                tier: st.number_input(
                    t("price.change", tier=widgets.escape(name)),
                    100 * MIN_PRICE_CHANGE,
                    most,
                    float(PRESETS[preset][tier - 1]),
                    1.0,
                    format="%.0f",
                    key=f"price_change_{by}_{preset}_{tier}",
                    persist_state="session",
                )
                for tier, name in enumerate(names, 1)
            }
            margin = terms.ask_margin()
        products: list[str] = []
        if not _without_categories(responses):
            products = st.multiselect(
                t("price.categories"),
                sorted(table[CATEGORY].unique()),
                key=f"price_categories_{len(table)}",
                placeholder=t("price.categories.all"),
            )
    if margin is None:
        return None
    return Rule({tier: change / 100 for tier, change in changes.items()}, margin, tuple(products), by)


def _signed(value: float, currency: str) -> str:
    return f"{'−' if value < 0 else '+'}{money(abs(value), currency)}"


def _finding(outcome: Outcome, currency: str) -> str:
    """Return the expected effect of the rule in one sentence, marked where it is uncertain."""
    margin = outcome.margin
    sure = "surely" if margin.low > 0 or margin.high < 0 else "perhaps"
    direction = "up" if margin.value > 0 else "down"
    size = money(abs(margin.value), currency)
    return t(f"price.finding.{direction}.{sure}", size=size, revenue=_signed(outcome.revenue.value, currency))


def _figures(outcome: Outcome, currency: str) -> list[widgets.Figure]:
    share = outcome.touched / outcome.base if outcome.base else 0.0
    rows = []
    for name in ("revenue", "margin"):
        change: Sum = getattr(outcome, name)
        rows.append(
            widgets.Figure(
                t(f"price.figure.{name}"),
                _signed(change.value, currency),
                t(f"price.figure.{name}.help"),
                t("price.between", low=_signed(change.low, currency), high=_signed(change.high, currency)),
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


def _tiers(outcome: Outcome, names: Sequence[str], currency: str) -> None:
    """Show the rule by tier: predicted value of a customer before and after, revenue and margin."""
    rows = outcome.tiers.assign(
        name=[names[tier - 1] for tier in outcome.tiers[TIER]],
        change=100 * outcome.tiers["change"].where(outcome.tiers["change"] != 0),
    )
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("column.tier")),
        "customers": cells.integer(t("price.column.customers")),
        "change": number(t("price.column.change"), format="%+.0f%%"),
        **{
            name: cells.money(t(f"price.column.{name}"), currency)
            for name in ("clv", "clv_after", "clv_low", "clv_high", "margin")
        },
    }
    cells.table(rows[list(columns)], t("price.whatif"), columns)
