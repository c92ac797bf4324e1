"""The budget page: the slider with its finding, the curve, who gets what, and the list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.i18n import without_options
from clv_core.strategy.audiences.export import Side
from clv_core.strategy.plans import budget_plan, plan_warnings
from clv_core.strategy.plans.allocation import Curve, gain_curve, max_useful_budget
from clv_core.strategy.plans.budget_plan import COST, EVIDENCE, GAIN, OFFER, BudgetPlan
from clv_core.strategy.plans.offers import Offer, expected_gains
from clv_core.strategy.plans.saved_offers import TIERS
from clv_core.strategy.segments import TIER, VALUE
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from pages.ui import cells, saying, state, terms, tiers, widgets
from pages.ui.budget import kept_offers
from pages.ui.budget.by_segments import Segments
from pages.ui.charts import budget_curve
from pages.ui.saying import money, percent, t
from pages.ui.widgets import Figure

STEPS: Final = 200
MOST_OF_IT: Final = 0.8
PART_OF_BUDGET: Final = 0.3
"""Of the budget that would be of any use, to begin with."""


@dataclass(frozen=True)
class Ground:
    """What a plan is made from.

    Args:
        dataset: the log.
        bundle: the model.
        terms: what the predicted values speak of.
        segments: the segments that offers have effects for.
        people: all customers who may get an offer with the number of their segment; shared, not to be written to.
        offers: what can be given.
        stop: mark of the suppression list that was held against them.
    """

    dataset: Dataset
    bundle: Bundle
    terms: Terms
    segments: Segments
    people: pd.DataFrame
    offers: tuple[Offer, ...]
    stop: str = ""

    @property
    def mark(self) -> str:
        """A key for caches: all that the plan depends on but the budget."""
        offers = repr([offer.to_json() for offer in self.offers])
        return f"{self.bundle.id} {self.dataset.version} {self.terms.mark} {self.segments.mark} {self.stop} {offers}"

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return str(self.bundle.record["currency"])


def show(ground: Ground, notes: Sequence[str] = (), *, allowed: bool = True) -> tuple[BudgetPlan, float] | None:
    """Show the slider with its finding; return the plan and its budget, or None where no offer is worth its cost.

    Args:
        ground: what the plan is made from.
        notes: what measured effects leave out, sentences.
        allowed: whether the budget may be changed.

    Raises:
        UsageError: the offers make no plan.
    """
    most = _most(ground.mark, ground)
    if most <= 0:
        with st.container(border=True):
            st.header(t("budget.nothing"), anchor=False)
            st.write(t("budget.nothing.why"))
        return None
    top = st.container()
    budget = _slider(most, ground, allowed=allowed)
    plan = _plan(ground.mark, budget, ground)
    with top:
        context = widgets.context_line(ground.bundle, ground.dataset.log_end, ground.terms)
        assumed = terms.assumptions(ground.bundle, ground.terms)
        finding = headline(plan, budget, ground)
        gain = (one.text(state.language()) for one in plan_warnings.gain_warnings(plan, ground.terms))
        money_is = [widgets.plain(without_options(note)) for note in gain]
        widgets.headline(finding, context, rests(plan, ground.currency), *money_is, *assumed, *notes)
    widgets.figures(_figures(plan, budget, ground.currency))
    return plan, budget


def _slider(most: float, ground: Ground, *, allowed: bool) -> float:
    """Ask for the budget; the steps are round, and the last one is all that is of use."""
    step, top, start = scale(most, kept_offers.kept(ground.dataset).budget)
    with st.container(border=True):
        budget = float(
            st.slider(
                f"{t('budget.slider')} ({saying.unit(ground.currency)})",
                0.0,
                top,
                start,
                step,
                format="%,.0f" if step >= 1 else "%,.2f",
                key=f"budget_{ground.bundle.id}_{ground.terms.mark}_{top:g}",
                help=t("budget.slider.help", most=money(top, ground.currency)),
                persist_state="session",
                disabled=not allowed,
            )
        )
    if budget != start:
        kept_offers.keep(ground.dataset, budget=budget)
    return budget


def scale(most: float, kept: float | None) -> tuple[float, float, float]:
    """Return the step, the end and the start of the slider; the end has three digits, which a sentence can name.

    Args:
        most: the budget beyond which nothing is of use.
        kept: the budget that was settled; None where none was.
    """
    step = _round_step(most / STEPS)
    top = math.ceil(most / step) * step
    wanted = PART_OF_BUDGET * top if kept is None else kept
    return float(step), float(top), float(min(top, math.ceil(wanted / step * (1 - 1e-9)) * step))


def _round_step(size: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below ``size``."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size * (1 - 1e-9))


def headline(plan: BudgetPlan, budget: float, ground: Ground) -> str:
    """Return what the budget is expected to bring, saying so where effects are assumed, and what comes next.

    Where the log's currency has no name, that is said; and while no margin is given, that the gain is revenue.
    """
    key = "budget.headline" if set(plan.table[EVIDENCE]) == {"measured"} else "budget.headline.assumed"
    gain = money(plan.allocation.gain, ground.currency)
    if ground.terms.margin_rate == 1:
        gain = t("budget.gain.revenue", gain=gain)
    finding = t(key, budget=money(budget, ground.currency), gain=gain)
    if not ground.currency:
        finding = t("budget.headline.unit", finding=finding, unit=saying.unit(""))
    if plan.marginal_return is None:
        return t("budget.headline.full", finding=finding)
    offer, tier = (
        widgets.plain(plan.marginal_return.offer),
        widgets.plain(ground.segments.names[plan.marginal_return.tier - 1]),
    )
    return t(
        "budget.headline.next",
        finding=finding,
        unit=money(1, ground.currency),
        offer=offer,
        tier=tier,
        rate=money(plan.marginal_return.per_coin, ground.currency, 2),
    )


def rests(plan: BudgetPlan, currency: str) -> str:
    """Return what the expected gain rests on, measured and assumed apart."""
    basis = plan.evidence
    said = {name: money(getattr(basis, name), currency) for name in ("measured", "assumed", "low", "high")}
    kinds = set(plan.table[EVIDENCE])
    if kinds == {"measured"}:
        text = t("budget.rests.measured", low=said["low"], high=said["high"])
    elif "measured" in kinds:
        text = t("budget.rests.both", **said)
    else:
        text = t("budget.rests.assumed")
    return saying.together([text, t("budget.rests.predictions")])


def _figures(plan: BudgetPlan, budget: float, currency: str) -> list[Figure]:
    found = plan.allocation
    figures = [
        Figure(
            t("budget.figure.gain"),
            money(found.gain, currency),
            t("budget.figure.gain.help"),
            t("budget.figure.gain.note", customers=saying.count(len(plan.customers))),
        ),
        Figure(
            t("budget.figure.spent"),
            money(found.spent, currency),
            t("budget.figure.spent.help"),
            t("budget.figure.spent.note", budget=money(budget, currency)),
        ),
    ]
    for name, gain in (("uniform", plan.gain_uniform), ("random", plan.gain_random)):
        sign = "" if gain == found.gain else "−" if gain < found.gain else "+"
        away = f"{sign}{money(abs(found.gain - gain), currency)}"
        note = t("budget.figure.against", difference=away)
        figures.append(Figure(t(f"budget.figure.{name}"), money(gain, currency), t(f"budget.figure.{name}.help"), note))
    return figures


def curve(ground: Ground, plan: BudgetPlan) -> None:
    """Draw what each budget is expected to bring."""
    found = _curve(ground.mark, ground)
    top = float(found.gain[-1])
    place = float(np.interp(MOST_OF_IT * top, found.gain, found.budget))
    message = t(
        "budget.curve",
        share=percent(MOST_OF_IT),
        budget=money(place, ground.currency, 2),
        most=money(scale(float(found.budget[-1]), None)[1], ground.currency),
    )
    here = (plan.allocation.spent, plan.allocation.gain)
    figure = budget_curve.gain_by_budget(found, here, message, unit=saying.unit(ground.currency))
    widgets.chart(figure, "budget_curve")


def who(plan: BudgetPlan, segments: Segments, currency: str) -> None:
    """Show who gets what, by offer and segment, the segments by their names; amounts are in ``currency``."""
    if plan.table.empty:
        st.write(t("budget.who.nobody"))
        return
    rows = plan.table.assign(
        **{
            TIER: [segments.names[tier - 1] for tier in plan.table[TIER]],
            EVIDENCE: [t(f"budget.evidence.{kind}") for kind in plan.table[EVIDENCE]],
        }
    )
    text = st.column_config.TextColumn
    columns = {
        OFFER: text(t("budget.column.name")),
        TIER: text(t("column.tier" if segments.by == TIERS else "column.segment")),
        "customers": cells.whole(t("budget.who.customers")),
        COST: cells.money(t("budget.who.cost"), currency),
        GAIN: cells.money(t("budget.who.gain"), currency),
        EVIDENCE: text(t("budget.who.evidence")),
    }
    order = [OFFER, TIER, "customers", COST, GAIN, EVIDENCE]
    cells.table(rows, t("budget.who"), columns, column_order=order)


def side_of(ground: Ground, plan: BudgetPlan, budget: float) -> Side:
    """Return what the numbers of a plan mean."""
    side = tiers.side(ground.dataset, ground.bundle, DEFAULT_SCHEME, [], ground.terms)
    found = kept_offers.kept(ground.dataset).experiments
    used = {name: one for name, one in found.items() if one.window_days <= ground.terms.horizon_days}
    mine = {one.name: used[one.name] for one in ground.offers if one.name in used}
    said = plan_warnings.all_warnings(plan, ground.offers, ground.segments.names, ground.terms, mine)
    assumed = (*side.assumptions, *(one.to_json(state.language()) for one in said))
    settings = budget_plan.settings(ground.offers, budget)
    return replace(side, scheme=ground.segments.scheme, assumptions=assumed, settings=settings)


def _gains(ground: Ground) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, tier = ground.people[VALUE].to_numpy(), ground.people[TIER].to_numpy()
    gains = expected_gains(ground.offers, value, tier, len(ground.segments.names))
    return gains, budget_plan.costs(ground.offers), budget_plan.capacities(ground.offers)


@st.cache_resource(max_entries=32, show_spinner=False)
def _most(mark: str, _ground: Ground) -> float:
    return max_useful_budget(*_gains(_ground))


@st.cache_resource(max_entries=8, show_spinner=False)
def _plan(mark: str, budget: float, _ground: Ground) -> BudgetPlan:
    return budget_plan.make_plan(_ground.people, len(_ground.segments.names), _ground.offers, budget)


@st.cache_resource(max_entries=8, show_spinner=False)
def _curve(mark: str, _ground: Ground) -> Curve:
    return gain_curve(*_gains(_ground), _most(mark, _ground))


def measured_names(offers: Sequence[Offer]) -> str:
    """Return the names of the offers whose effect was measured."""
    return saying.listed(widgets.plain(offer.name) for offer in offers if offer.measured)
