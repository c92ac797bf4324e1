"""Prices: how sales answer prices and discounts, and what a price rule would bring, with what is assumed apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.columns import CATEGORY
from clv_core.deployment import Scored
from clv_core.errors import ClvError, NotFound
from clv_core.i18n import say_change
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
    Step,
    Sum,
    best_step,
    check_columns,
    demand_change,
    differ_significantly,
    load_responses,
    price_steps,
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
"""The price change that the headline and the chart are about: 10% less."""
ANY_MARGIN: Final = 0.5
"""In place of a margin that is not given: of what is worked out with it, only what holds at any margin is shown."""
MAX_SHOWN_CATEGORIES: Final = 15
"""Categories in the chart and the table: all fit on a screen."""
DISCOUNT_STEP: Final = 0.1
"""Size of the deeper discount that the table describes: ten points of the price."""
PRESETS: Final = {"loyalty": (-10, -5, 0, 0), "everyone": (-5, -5, -5, -5), "raise": (0, 0, 3, 3)}
"""Price changes in percent, from the best tier to the lowest; examples to start from, not recommendations."""
BEST: Final = "best"
"""The preset that is no example: the measured step that earns most, or no change."""
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
    folder, margin = responses_folder(scored), _known_margin()
    measured = t("price.measured", days=responses.period_days, categories=say(len(everyone)))
    if _without_categories(responses):
        measured = t("price.measured.products", days=responses.period_days)
    lower = next(step for step in _steps(folder, margin, (), PRICE, responses) if step.change == PRICE_CHANGE)
    widgets.headline(headline(lower, margin), widgets.context_line(bundle, dataset.log_end), measured)
    drawn = advising.responses(_drawn(everyone), chart_message(everyone, margin), needed_sales(margin))
    widgets.chart(drawn, "price_responses")
    st.info(t("price.fair"), icon=":material/balance:")
    st.header(t("price.whatif"), anchor=False)
    outcome = None
    try:
        outcome = try_rule(responses, folder, names, bundle.record.currency)
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


def _known_margin() -> float | None:
    """Return the margin that was given, as a share; None while there is none that goods leave."""
    given = terms.margin()
    return given if given is not None and given < 1 else None


@cached()
def _steps(
    folder: Path,  # noqa: ARG001 - names the responses
    margin: float | None,
    categories: tuple[str, ...],
    by: str,
    _responses: Responses,
) -> list[Step]:
    return price_steps(_responses, ANY_MARGIN if margin is None else margin, categories, by)


def headline(lower: Step, margin: float | None) -> str:
    """Return what a price that is 10% lower does to profit, then to sales and revenue, each with its range.

    ``margin``: a share; while it is None only what holds at any margin is said of the profit.
    """
    outcome = lower.outcome
    if outcome.reversed:
        return t("price.headline.reversed")
    sums = {"revenue": outcome.revenue} | ({} if margin is None else {"profit": outcome.margin})
    bases = {"revenue": outcome.touched, "profit": outcome.touched * (margin or 1.0)}
    said = {
        name + end: _change(getattr(total, part) / bases[name])
        for name, total in sums.items()
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    key = "price.headline.revenue" if margin is None else "price.headline"
    return t(key, verdict=verdict(lower, margin), sold=_change(outcome.sold), **said)


def verdict(step: Step, margin: float | None) -> str:
    """Return whether a step earns, by its profit; at which margins it does, while none is given."""
    outcome = step.outcome
    if outcome.reversed:
        return t("price.verdict.reversed")
    total = outcome.revenue if margin is None else outcome.margin
    if margin is None and outcome.break_even is not None:
        return t(
            "price.verdict.above" if outcome.sold > 0 else "price.verdict.below", margin=percent(outcome.break_even)
        )
    sure = "surely" if total.low > 0 or total.high < 0 else "perhaps"
    at = ".any" if margin is None else ""
    return t(f"price.verdict.{'earns' if total.value > 0 else 'loses'}.{sure}{at}")


def _change(share: float) -> str:
    """Return a change as a percentage, to a tenth where it is small."""
    return say_change(share, 0 if abs(share) >= 0.1 else 1)


def needed_sales(margin: float | None) -> float:
    """Return by which share more has to be sold at a 10% lower price for the same profit; infinite below cost.

    Without a margin it is what the same revenue needs: no margin needs less.
    """
    left = (1.0 if margin is None else margin) + PRICE_CHANGE
    return -PRICE_CHANGE / left if left > 1e-9 else np.inf


def _drawn(everyone: pd.DataFrame) -> pd.DataFrame:
    rows = everyone.head(MAX_SHOWN_CATEGORIES)
    # A lower elasticity sells more at a lower price: the ends change places.
    ends = {"more": "elasticity", "low": "high", "high": "low"}
    return pd.DataFrame(
        {"name": rows[CATEGORY].map(_name)}
        | {name: demand_change(rows[end], PRICE_CHANGE) for name, end in ends.items()}
    )


def chart_message(everyone: pd.DataFrame, margin: float | None) -> str:
    """Return in how many categories a price that is 10% lower surely earns, and in how many it surely loses.

    While no margin is given it is about revenue: where that surely falls, any margin loses.
    """
    rows, needed = _drawn(everyone), needed_sales(margin)
    odd = rows["high"] < 0
    earns, loses = int((rows["low"] > needed).sum()), int(((rows["high"] < needed) & ~odd).sum())
    of = "revenue" if margin is None else "profit"
    if len(rows) == 1:
        need = t(f"price.chart.needed.{of}", needed=percent(needed)) if np.isfinite(needed) else t("price.chart.cost")
        return t("price.chart.one", first=cut(rows["name"].iloc[0]), more=_change(rows["more"].iloc[0]), need=need)
    finding = t(f"price.chart.{of}" if earns else f"price.chart.{of}.none", sure=earns, count=len(rows))
    if loses:
        finding = t(f"price.chart.{of}.less", finding=finding, less=loses)
    if odd.any():
        finding = t("price.chart.reversed", finding=finding, less=int(odd.sum()))
    if earns and differ_significantly(everyone.head(MAX_SHOWN_CATEGORIES)):
        finding = t("price.chart.first", finding=finding, first=cut(rows["name"].iloc[rows["more"].argmax()]))
    return finding


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


def try_rule(responses: Responses, folder: Path, names: Sequence[str], currency: str) -> Outcome | None:
    """Show what steps bring, ask for a rule, show what it would bring, and return that.

    It is None while no margin is given or no price changes. ``folder`` is the responses'.

    Raises:
        UsageError: a rule that cannot be worked out.
    """
    margin, by, categories = _ask_what(responses)
    known = _known_margin()
    steps = _steps(folder, known, categories, by, responses)
    _show_steps(steps, known, currency)
    best = None if known is None else best_step(steps)
    rule = _ask_changes(names, Rule({}, known or ANY_MARGIN, categories, by), best)
    if margin is None:
        st.info(t("price.margin.first"), icon=":material/edit:")
        return None
    rule = replace(rule, margin_rate=margin)
    if not any(rule.changes.values()):
        unsure = "price.nothing.reversed" if steps[0].outcome.reversed else "price.nothing.earns"
        st.caption(t("price.nothing" if best else unsure))
        return None
    outcome = what_if(responses, rule)
    st.markdown(f"**{_finding(outcome, currency)}**")
    widgets.figures(_figures(outcome, currency), columns=3)
    _tiers(outcome, names, currency)
    st.markdown(f"**{t('price.assumed')}**")
    st.markdown("\n".join(f"- {t(assumption.code, **assumption.params)}" for assumption in outcome.assumptions))
    return outcome


def _ask_what(responses: Responses) -> tuple[float | None, str, tuple[str, ...]]:
    """Ask for the margin, for what changes, and for the categories; the margin is None while it is not given."""
    discounts = responses.table[responses.table["discount_effect"].notna()]
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        margin, by = terms.ask_margin(), PRICE
        if not discounts.empty:
            by = widgets.choose(t("price.by"), {by_key: t(f"price.by.{by_key}") for by_key in BY}, "price_by")
        table = discounts if by == DISCOUNT else responses.table
        products: list[str] = []
        if not _without_categories(responses):
            products = st.multiselect(
                t("price.categories"),
                sorted(table[CATEGORY].unique()),
                key=f"price_categories_{len(table)}",
                placeholder=t("price.categories.all"),
            )
    return margin, by, tuple(products)


def _ask_changes(names: Sequence[str], rule: Rule, best: Step | None) -> Rule:
    """Ask for the price changes of a rule, from the best measured step or an example on."""
    most = 0.0 if rule.by == DISCOUNT else 100 * MAX_PRICE_CHANGE
    examples = LOWERING if rule.by == DISCOUNT else tuple(PRESETS)
    first = t("price.preset.none") if best is None else t("price.preset.best", change=say_change(best.change))
    with st.container(border=True):
        presets = {BEST: first} | {name: t(f"price.preset.{name}") for name in examples}
        preset = widgets.choose(t("price.preset"), presets, f"price_preset_{rule.by}")
        start = PRESETS.get(preset, (0.0 if best is None else 100 * best.change,) * len(names))
        with st.grid(4, min_column_width=150, gap="small"):
            changes = {
                tier: st.number_input(
                    t("price.change", tier=widgets.escape(name)),
                    100 * MIN_PRICE_CHANGE,
                    most,
                    float(start[tier - 1]),
                    1.0,
                    format="%.0f",
                    key=f"price_change_{rule.by}_{preset}_{start[0]:g}_{tier}",
                    persist_state="session",
                )
                for tier, name in enumerate(names, 1)
            }
    return replace(rule, changes={tier: change / 100 for tier, change in changes.items()})


def _show_steps(steps: Sequence[Step], margin: float | None, currency: str) -> None:
    """Show what each step does to sales, revenue and profit, and whether it earns."""
    shown = pd.DataFrame(
        {
            "change": [100 * step.change for step in steps],
            "sold": [100 * step.outcome.sold for step in steps],
            "revenue": [_spoken(step.outcome.revenue, currency) for step in steps],
            "profit": ["" if margin is None else _spoken(step.outcome.margin, currency) for step in steps],
            "verdict": [verdict(step, margin) for step in steps],
        }
    )
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns: dict[str, Any] = {
        "change": number(t("price.column.change"), format="%+.0f%%"),
        "sold": number(t("price.column.sold"), format="%+.1f%%", help=t("price.column.sold.help")),
        "revenue": text(t("price.column.revenue"), help=t("price.figure.revenue.help")),
        "profit": text(t("price.column.profit"), help=t("price.figure.margin.help")),
        "verdict": text(t("price.column.verdict"), width="medium"),
    }
    columns = columns if margin is not None else {name: column for name, column in columns.items() if name != "profit"}
    st.markdown(f"**{t('price.steps')}**")
    cells.table(shown[list(columns)], t("price.steps"), columns, key="price_steps")


def _spoken(change: Sum, currency: str) -> str:
    """Return a change with its range."""
    low, high = _signed(change.low, ""), _signed(change.high, "")
    return t("price.with_range", change=_signed(change.value, currency), low=low, high=high)


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
