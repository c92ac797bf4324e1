"""A price rule is asked for, and what it would bring is shown, with what is assumed apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from clv_core.columns import CATEGORY
from clv_core.strategy.pricing.price_responses import Responses
from clv_core.strategy.pricing.price_rule import (
    BY,
    DISCOUNT,
    MAX_PRICE_CHANGE,
    MIN_PRICE_CHANGE,
    PRICE,
    Outcome,
    Rule,
    Sum,
    what_if,
)
from clv_core.strategy.segments import TIER
from pages.ui import cells, widgets
from pages.ui.i18n import money, percent, t

PRESETS: Final = {"loyalty": (-10, -5, 0, 0), "everyone": (-5, -5, -5, -5), "raise": (0, 0, 3, 3)}
LOWERING: Final = ("loyalty", "everyone")
MARGIN: Final = 30


def try_rule(found: Responses, names: Sequence[str], currency: str) -> Outcome | None:
    """Ask for a rule, show what it would bring, and return it; None where no price changes.

    Args:
        found: the responses.
        names: of the tiers, the highest first.
        currency: of the amounts.

    Raises:
        UsageError: a rule that cannot be worked out.
    """
    rule = _ask(found, names)
    if not any(rule.changes.values()):
        st.caption(t("price.nothing"))
        return None
    outcome = what_if(found, rule)
    st.markdown(f"**{_finding(outcome, currency)}**")
    widgets.figures(_figures(outcome, currency), columns=3)
    _tiers(outcome, names, currency)
    st.markdown(f"**{t('price.assumed')}**")
    st.markdown("\n".join(f"- {t(one.code, **one.params)}" for one in outcome.assumptions))
    return outcome


def _ask(found: Responses, names: Sequence[str]) -> Rule:
    discounts = found.table[found.table["discount_effect"].notna()]
    with st.container(border=True):
        by = (
            PRICE
            if discounts.empty
            else widgets.choose(t("price.by"), {one: t(f"price.by.{one}") for one in BY}, "price_by")
        )
        table, most = (discounts, 0.0) if by == DISCOUNT else (found.table, 100 * MAX_PRICE_CHANGE)
        preset = st.segmented_control(
            t("price.preset"),
            LOWERING if by == DISCOUNT else tuple(PRESETS),
            format_func=lambda name: t(f"price.preset.{name}"),
            default="loyalty",
            required=True,
            key=f"price_preset_{by}",
            persist_state="session",
        )
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
            sorted(table[CATEGORY].unique()),
            key=f"price_categories_{len(table)}",
            placeholder=t("price.categories.all"),
        )
    return Rule({tier: change / 100 for tier, change in changes.items()}, margin / 100, tuple(chosen), by)


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


def _tiers(outcome: Outcome, names: Sequence[str], currency: str) -> None:
    """Show the rule by tier: predicted value of a customer before and after, revenue and margin."""
    rows = outcome.tiers.assign(
        name=[names[tier - 1] for tier in outcome.tiers[TIER]],
        change=100 * outcome.tiers["change"].where(outcome.tiers["change"] != 0),
    )
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("column.tier")),
        "customers": cells.whole(t("price.column.customers")),
        "change": number(t("price.column.change"), format="%+.0f%%"),
        **{
            name: cells.money(t(f"price.column.{name}"), currency)
            for name in ("clv", "clv_after", "clv_low", "clv_high", "margin")
        },
    }
    cells.table(rows[list(columns)], t("price.whatif"), columns)
