"""The budget part of the strategy page: which customer gets which offer, what that is expected to bring, and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored
from clv_core.errors import ClvError
from clv_core.i18n import without_options
from clv_core.strategy.audiences import Assumption, Exported, Side, log_export
from clv_core.strategy.audiences.export import export
from clv_core.strategy.campaigns import learned_offers, with_learned
from clv_core.strategy.plans import (
    COST,
    EVIDENCE,
    GAIN,
    OFFER,
    TIERS,
    BudgetPlan,
    Curve,
    Offer,
    budget_plan,
    expected_gains,
    gain_curve,
    max_useful_budget,
    with_experiments,
)
from clv_core.strategy.segments import DEFAULT_SCHEME, TIER, VALUE
from pages.ui import break_even, cells, i18n, row_files, scores, session, terms, tiers, verdict, widgets
from pages.ui.budget import experiment, offer_table
from pages.ui.budget.offer_table import PlanInputs, save, saved_offers
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.charts import advising
from pages.ui.exports.lists import Audience, offer_for_platforms
from pages.ui.i18n import money, percent, t
from pages.ui.results import measured
from pages.ui.widgets import Figure

MAX_SLIDER_STEPS: Final = 200
"""Upper bound of the slider's steps: finer ones are hard to set with a pointer."""
NAMED_GAIN_SHARE: Final = 0.8
"""Share of the largest gain whose budget the curve's title names: gain flattens beyond. A guess, after Pareto's
80/20."""
DEFAULT_BUDGET_SHARE: Final = 0.3
"""Of the budget that would be of any use, to begin with."""


def show(scored: Scored) -> None:
    """Ask for the margin, show the plan with its finding, or the experiment to make first, and the offers.

    The budget of a model that is not trusted can neither be moved nor taken away before that is acknowledged.
    """
    dataset, bundle, selected_terms = scored.dataset, scored.model, terms.choose(scored.model)
    scored = scored.at(selected_terms)
    top, below = st.container(), st.container()
    try:
        with top:
            customers = scores.need_scores(scored)
            allowed = verdict.is_acknowledged(bundle)
        with below:
            st.header(t("budget.offers"), anchor=False)
            scheme = offer_table.choose_scheme(dataset)
            segments = offer_table.segment_customers(scheme, scored, customers)
            if segments.overlapping:
                st.caption(t("budget.by.overlap"))
            mark, by_tier = f"{bundle.id}_{dataset.version}_{selected_terms.mark}", segments.by == TIERS
            tried = saved_offers(dataset).experiments
            entered = offer_table.edit(dataset, mark, segments, selected_terms, bundle.record.currency)
            given = with_experiments(
                entered, tried, selected_terms.horizon_days, selected_terms.margin_rate, by_tier=by_tier
            )
            learned = learned_offers(measured.outcomes_of(dataset))
            given = with_learned(given, learned, segments.scheme, selected_terms, segments.names)
            if names := i18n.join_names(widgets.escape(offer.name) for offer in given if offer.measured):
                st.caption(t("budget.offers.measured", names=names))
            experiment.results(scored, entered, by_tier=by_tier)
        if not given:
            top.info(t("budget.offers.none"), icon=":material/edit:")
            return
        stop = session.suppression_list()
        people = tiers.without_suppressed(segments.people, f"{mark} {segments.mark} {stop.mark}", stop)
        inputs = PlanInputs(scored, segments, people, given, stop.mark)
        with top:
            _plan_or_proposal(inputs, experiment.notes(given, tried, selected_terms, segments.names), allowed=allowed)
    except ClvError as error:
        with top:
            widgets.show_error(error)


def _plan_or_proposal(inputs: PlanInputs, notes: Sequence[str], *, allowed: bool) -> None:
    """Show the plan; where no offer has an effect yet, the experiment that measures one.

    ``allowed``: the budget may be moved, and lists made.
    """
    scored, currency = inputs.scored, inputs.currency
    context = widgets.context_line(scored.model, scored.dataset.log_end, scored.terms)
    side = tiers.side(scored)
    if not inputs.has_effect:
        needed = break_even.headline(inputs.people, inputs.offers, inputs.segments.names, currency)
        proposal = experiment.proposal(inputs)
        widgets.headline(needed or proposal, context, t("break_even.strategy"), *([proposal] if needed else []))
        _break_even(inputs)
        st.caption(t("budget.propose.why"))
        with st.container(border=True):
            st.markdown(f"**{t('budget.draw')}**")
            experiment.design(inputs, None, side, allowed=allowed)
        experiment.chart(inputs)
        return
    most = useful_budget(inputs.mark, inputs)
    if most <= 0:
        with st.container(border=True):
            st.header(t("budget.nothing"), anchor=False)
            st.write(t("budget.nothing.why"))
        _break_even(inputs)
        return
    above = st.container()
    budget = _slider(most, inputs, allowed=allowed)
    plan = _plan(inputs.mark, budget, inputs)
    with above:
        assumed = terms.assumptions(scored)
        gain = [warning.text(session.language()) for warning in budget_plan.gain_warnings(plan, scored.terms)]
        meaning = [widgets.escape(without_options(note)) for note in gain]
        rests = basis(plan, inputs.offers, currency)
        widgets.headline(headline(plan, budget, inputs), context, rests, *meaning, *assumed, *notes)
    widgets.figures(_figures(plan, budget, inputs))
    _curve_chart(inputs, plan)
    st.header(t("budget.who"), anchor=False)
    _assignment(plan, inputs)
    _lists(inputs, plan, budget, allowed=allowed)
    with st.expander(t("break_even.title"), icon=":material/balance:"):
        _break_even(inputs)
    if not plan.customers.empty:
        box = st.expander(t("budget.draw"), icon=":material/shuffle:", key="draw_open", on_change="rerun")
        if box.open:  # a million hashes take a second
            with box:
                experiment.design(inputs, plan, side_of(inputs, plan, budget), allowed=allowed)


def _break_even(inputs: PlanInputs) -> None:
    """Show what each offer must achieve before it pays, and what was measured of it."""
    break_even.of_offers(inputs.people, inputs.offers, inputs.segments.names, inputs.scored.terms, inputs.currency)


def _unit_of_gain(inputs: PlanInputs) -> str:
    """Return how the keys end of what offers bring: it is revenue, and no gain, while no margin is given."""
    return ".revenue" if inputs.scored.terms.margin_rate == 1 else ""


def _slider(most: float, inputs: PlanInputs, *, allowed: bool) -> float:
    """Ask for the budget; the steps are round, and the last one is all that is of use."""
    step, top, start = slider_scale(most, saved_offers(inputs.scored.dataset).budget)
    with st.container(border=True):
        budget = float(
            st.slider(
                cells.headed(t("budget.slider"), inputs.currency),
                0.0,
                top,
                start,
                step,
                format="%,.0f" if step >= 1 else "%,.2f",
                key=f"budget_{inputs.scored.model.id}_{inputs.scored.terms.mark}_{top:g}",
                help=t("budget.slider.help", most=money(top, inputs.currency)),
                persist_state="session",
                disabled=not allowed,
            )
        )
    if budget != start:
        save(inputs.scored.dataset, budget=budget)
    return budget


def slider_scale(most: float, saved: float | None) -> tuple[float, float, float]:
    """Return the step, the end and the start of the slider; the end has three digits, which a sentence can name.

    ``most`` is the budget beyond which nothing is of use, ``saved`` the one that was chosen before.
    """
    step = _round_step(most / MAX_SLIDER_STEPS)
    top = math.ceil(most / step) * step
    wanted = DEFAULT_BUDGET_SHARE * top if saved is None else saved
    return float(step), float(top), float(min(top, math.ceil(wanted / step * (1 - 1e-9)) * step))


def _round_step(size: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below ``size``."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size * (1 - 1e-9))


def headline(plan: BudgetPlan, budget: float, inputs: PlanInputs) -> str:
    """Return the expected gain of the budget, whether effects are assumed, and the next step."""
    currency = inputs.currency
    kind, measured = _unit_of_gain(inputs), set(plan.table[EVIDENCE]) == {"measured"}
    key = f"budget.headline{kind}" if measured else f"budget.headline.assumed{kind}"
    gain = money(plan.allocation.gain, currency)
    finding = t(key, budget=money(budget, currency), gain=gain)
    if plan.marginal_return is None:
        return t("budget.headline.full", finding=finding)
    return t(
        f"budget.headline.next{kind}",
        finding=finding,
        unit=money(1, currency),
        offer=widgets.escape(plan.marginal_return.offer),
        tier=widgets.escape(inputs.segments.names[plan.marginal_return.tier - 1]),
        rate=money(plan.marginal_return.per_coin, currency, 2),
    )


def basis(plan: BudgetPlan, offers: Sequence[Offer], currency: str) -> str:
    """Return the basis of the expected gain: measured effects, then assumed ones, and that costs are assumed too."""
    amounts = {name: money(getattr(plan.evidence, name), currency) for name in ("measured", "assumed", "low", "high")}
    kinds = set(plan.table[EVIDENCE])
    if kinds == {"measured"}:
        text = t("budget.rests.measured", low=amounts["low"], high=amounts["high"])
    elif "measured" in kinds:
        text = t("budget.rests.both", **amounts)
    else:
        text = t("budget.rests.assumed")
    costs = [i18n.message_text(warning) for warning in budget_plan.cost_warnings(offers)]
    return i18n.join_sentences([text, *costs, t("budget.rests.predictions")])


def _figures(plan: BudgetPlan, budget: float, inputs: PlanInputs) -> list[Figure]:
    made, currency = plan.allocation, inputs.currency
    gain, spent = f"budget.figure.gain{_unit_of_gain(inputs)}", "budget.figure.spent"
    customers = t("budget.figure.gain.note", customers=i18n.count(len(plan.customers)))
    of_budget = t(f"{spent}.note", budget=money(budget, currency))
    figures = [
        Figure(t(gain), money(made.gain, currency), t("budget.figure.gain.help"), customers),
        Figure(t(spent), money(made.spent, currency), t(f"{spent}.help"), of_budget),
    ]
    for name, other in (("uniform", plan.gain_uniform), ("random", plan.gain_random)):
        sign = "" if other == made.gain else "−" if other < made.gain else "+"
        note = t("budget.figure.against", difference=f"{sign}{money(abs(made.gain - other), currency)}")
        figures.append(
            Figure(t(f"budget.figure.{name}"), money(other, currency), t(f"budget.figure.{name}.help"), note)
        )
    return figures


def _curve_chart(inputs: PlanInputs, plan: BudgetPlan) -> None:
    """Draw the expected gain of each budget."""
    curve, currency = _curve(inputs.mark, inputs), inputs.currency
    place = float(np.interp(NAMED_GAIN_SHARE * float(curve.gain[-1]), curve.gain, curve.budget))
    top = slider_scale(float(curve.budget[-1]), None)[1]
    ends = {"budget": money(place, currency, 2), "most": money(top, currency)}
    message = t("budget.curve", share=percent(NAMED_GAIN_SHARE), **ends)
    planned, unit = (plan.allocation.spent, plan.allocation.gain), i18n.unit(currency)
    axis = t(f"budget.curve.gain{_unit_of_gain(inputs)}", unit=unit)
    widgets.chart(advising.gain_by_budget(curve, planned, message, unit=unit, gain=axis), "budget_curve")


def _assignment(plan: BudgetPlan, inputs: PlanInputs) -> None:
    """Show the customers of each offer by segment."""
    if plan.table.empty:
        st.write(t("budget.who.nobody"))
        return
    names, currency, text = inputs.segments.names, inputs.currency, st.column_config.TextColumn
    evidence = [t(f"budget.evidence.{kind}") for kind in plan.table[EVIDENCE]]
    rows = plan.table.assign(**{TIER: [names[tier - 1] for tier in plan.table[TIER]], EVIDENCE: evidence})
    columns = {
        OFFER: text(t("budget.column.name")),
        TIER: text(t("column.tier" if inputs.segments.by == TIERS else "column.segment")),
        "customers": cells.integer(t("budget.who.customers")),
        COST: cells.money(t("budget.who.cost"), currency),
        GAIN: cells.money(t(f"budget.figure.gain{_unit_of_gain(inputs)}"), currency),
        EVIDENCE: text(t("budget.who.evidence")),
    }
    cells.table(rows, t("budget.who"), columns, column_order=list(columns))


def _lists(inputs: PlanInputs, plan: BudgetPlan, budget: float, *, allowed: bool) -> None:
    """Offer the plan, or the customers of one of its offers, as files and as lists for platforms."""
    names = plan.customers[OFFER].unique().tolist()
    only = None
    if len(names) > 1:
        only = st.pills(t("budget.lists.offer"), names, format_func=widgets.escape, key="plan_offer")
    rows = plan.customers if only is None else plan.customers[plan.customers[OFFER] == only]
    side, work, stop = side_of(inputs, plan, budget), session.workspace(), session.suppression_list()
    side = side if only is None else replace(side, settings={**side.settings, "only_offer": only})
    language = session.language()

    def write(path: Path) -> Exported:
        kind = path.suffix.removeprefix(".")
        columns = rows[[CUSTOMER_ID, OFFER, GAIN, COST, EVIDENCE]]
        made = export(columns, kind, path, side=side, stop=stop, language=language)
        log_export(work, made, kind, side)
        return made

    def people() -> pd.DataFrame:
        return experiment.named(inputs, inputs.people.merge(rows[[CUSTOMER_ID, OFFER]], on=CUSTOMER_ID))

    def value_tiers() -> np.ndarray:
        inside = inputs.people[CUSTOMER_ID].isin(set(rows[CUSTOMER_ID])).to_numpy()
        return np.asarray(DEFAULT_SCHEME.tier_of(inputs.people[VALUE].to_numpy(float))[inside])

    what, allowed = f"plan-{budget:.10g}", allowed and not rows.empty
    name = row_files.stem(inputs.scored.model, what, side, inputs.scored.terms)
    row_files.offer(name, "plan", write, allowed=allowed, most=len(rows))
    audience = Audience(inputs.scored, what, people, len(rows), side, value_tiers, only or t("campaign.plan"))
    offer_for_platforms(audience, "plan", allowed=allowed)


def side_of(inputs: PlanInputs, plan: BudgetPlan, budget: float) -> Side:
    """Return what the numbers of a plan mean."""
    side, horizon_days = tiers.side(inputs.scored), inputs.scored.terms.horizon_days
    tried = saved_offers(inputs.scored.dataset).experiments
    used = {name: measured for name, measured in tried.items() if measured.window_days <= horizon_days}
    mine = {offer.name: used[offer.name] for offer in inputs.offers if offer.name in used}
    warnings = budget_plan.all_warnings(plan, inputs.offers, inputs.segments.names, inputs.scored.terms, mine)
    assumptions = (*side.assumptions, *(Assumption.of(warning, session.language()) for warning in warnings))
    settings = budget_plan.settings(inputs.offers, budget)
    return replace(side, scheme=inputs.segments.scheme, assumptions=assumptions, settings=settings)


def _gains(inputs: PlanInputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, tier = inputs.people[VALUE].to_numpy(), inputs.people[TIER].to_numpy()
    gains = expected_gains(inputs.offers, value, tier, len(inputs.segments.names))
    return gains, budget_plan.costs(inputs.offers), budget_plan.capacities(inputs.offers)


@cached()
def useful_budget(mark: str, _inputs: PlanInputs) -> float:  # noqa: ARG001 - names the inputs
    """Return the budget beyond which no offer is worth its cost; the mark is that of the inputs."""
    return max_useful_budget(*_gains(_inputs))


@cached(CUSTOMERS)
def _plan(mark: str, budget: float, _inputs: PlanInputs) -> BudgetPlan:  # noqa: ARG001 - names the inputs
    return budget_plan.make_plan(_inputs.people, len(_inputs.segments.names), _inputs.offers, budget)


@cached()
def _curve(mark: str, _inputs: PlanInputs) -> Curve:
    return gain_curve(*_gains(_inputs), useful_budget(mark, _inputs))
