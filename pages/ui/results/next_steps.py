"""What campaigns taught: the effect on each tier, whom to write to next, and the cheapest test of what is not known."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from clv_core.deployment import Scored
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import (
    TRAIT,
    LearnedOffer,
    NextList,
    Outcome,
    choose_next_list,
    learned_offers,
    say_next,
)
from clv_core.strategy.plans import Effect
from clv_core.strategy.segments import TIER
from pages.ui import cells, i18n, navigation, scores, session, widgets
from pages.ui.cache import cached
from pages.ui.i18n import t
from pages.ui.results import measured


def show(scored: Scored, outcomes: Sequence[Outcome]) -> None:
    """Say whom to write to next by what was measured, or how to find out at the lowest cost."""
    currency, learned = scored.currency, learned_offers(outcomes)
    scores.need_scores(scored.trained)
    cost = None
    if not learned:
        st.markdown(t("results.next.nothing"))
        label = cells.headed(t("results.next.cost"), currency)
        cost = st.number_input(label, 0.0, None, 1.0, 0.1, key="results_cost", width=240)
    try:
        made = _next(scored, tuple(repr(one) for one in learned), learned, cost, session.language())
    except ClvError as error:
        widgets.show_error(error)
        return
    for message in say_next(made, currency, session.language()):
        st.markdown(widgets.escape(i18n.message_text(message)))
    if made.offer is not None:
        _effects(scored, made, currency)
    if made.tests:
        _tests(made, currency)
    with st.container(horizontal=True):
        plan, icon = t("results.next.plan"), navigation.BY_NAME["strategy"].icon
        if made.offer is not None and st.button(plan, key="to_budget", icon=icon):
            navigation.open_budget()
        navigation.button("exports", t("results.next.list"), "next_to_exports")


@cached()
def _next(
    scored: Scored,
    mark: tuple[str, ...],  # noqa: ARG001 - part of the key
    _learned: Sequence[LearnedOffer],
    cost: float | None,
    language: str,
) -> NextList:
    return choose_next_list(scored.trained, _learned, cost=cost, language=language, progress=NoProgress())


def _effects(scored: Scored, made: NextList, currency: str) -> None:
    """Show the effect on each tier, how sure it is, and how many of its customers are worth the cost."""
    offer = made.offer
    if offer is None:
        return
    tier = made.customers[TIER].astype("str")
    counts, names = tier.value_counts(), measured.segment_names(scored.dataset, offer.scheme)
    rows = pd.DataFrame(
        [
            {
                "segment": names.get(segment, segment),
                **_figures(effect, offer.cost),
                "customers": int(counts.get(segment, 0)),
            }
            for segment, effect in offer.effects.items()
        ]
    )
    columns = {
        "segment": st.column_config.TextColumn(t("column.segment")),
        "effect": cells.money(t("results.column.margin_each"), currency),
        "low": cells.money(t("results.column.low"), currency),
        "high": cells.money(t("results.column.high"), currency),
        "gain": cells.money(t("results.column.gain_each"), currency),
        "customers": cells.integer(t("results.column.next")),
    }
    st.caption(t("results.next.learned", campaigns=i18n.join_names(offer.campaigns), days=offer.window_days))
    cells.table(rows, t("results.next.title"), columns, key="results_effects")
    if offer.by_trait:
        both = (tier + made.customers[TRAIT]).value_counts()
        rows = pd.DataFrame(
            [
                {
                    "segment": names.get(cell.segment, cell.segment),
                    TRAIT: measured.trait_name(cell.trait),
                    **_figures(cell.effect, offer.cost),
                    "listed": cell.listed,
                    "customers": int(both.get(cell.segment + cell.trait, 0)),
                }
                for cell in offer.by_trait
            ]
        )
        columns = {
            "segment": columns.pop("segment"),
            TRAIT: measured.trait_column(),
            "listed": cells.integer(t("results.column.customers")),
            **columns,
        }
        cells.table(rows[list(columns)], t("results.traits"), columns, key="results_trait_effects")


def _figures(effect: Effect, cost: float) -> dict[str, float | None]:
    return {"effect": effect.value, "low": effect.low, "high": effect.high, "gain": effect.value - cost}


def _tests(made: NextList, currency: str) -> None:
    """Show the cheapest test in each tier of which nothing is known."""
    rows = pd.DataFrame([vars(test) for test in made.tests])[["segment", "listed", "control", "cost", "effect"]]
    columns = {
        "segment": st.column_config.TextColumn(t("column.segment")),
        "listed": cells.integer(t("results.column.customers")),
        "control": cells.integer(t("results.column.control")),
        "cost": cells.money(t("results.column.cost"), currency),
        "effect": cells.money(t("results.column.effect"), currency),
    }
    cells.table(rows, t("results.tests"), columns, key="results_tests")
