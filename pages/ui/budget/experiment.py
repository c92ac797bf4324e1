"""Experiments on the budget page: the one that these customers can show, its groups, and what past ones measured."""

from __future__ import annotations

import shutil
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Bundle, Scored, Terms
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences import Exported, Side, write_rows
from clv_core.strategy.experiments import (
    MIN_GROUP_SIZE,
    OFFERED,
    Experiment,
    assign_groups,
    detectable_effect,
    in_control_group,
    measure_experiment,
    randomization_name,
    required_sample_size,
    residual_std,
)
from clv_core.strategy.plans import OFFER, TIERS, BudgetPlan, Offer, budget_plan, expected_gains
from clv_core.strategy.segments import DEFAULT_SCHEME, SEGMENT_NAME, TIER, VALUE
from pages.ui import access, cells, i18n, received, row_files, session, tiers, widgets
from pages.ui.budget.offer_table import PlanInputs, save, saved_offers
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.charts import advising
from pages.ui.exports.lists import Audience, offer_for_platforms
from pages.ui.i18n import count, money, percent, t

DEFAULT_PERCENT: Final = 50
"""Default percentage of customers without the offer: equal groups detect the smallest effect."""
EVERYONE, OF_PLAN = 0, -1
"""Whom an experiment is on: all customers, those who get the offer by the plan, else the number of a segment."""


def proposal(inputs: PlanInputs) -> str:
    """Return, in one sentence, which experiment these customers can show."""
    table = sensitivity(inputs)
    if table is None:
        return t("budget.propose.unknown")
    best = _most_sensitive(table)
    effect = money(best["effect"], inputs.currency, 3)
    return t("budget.propose", customers=count(best["customers"]), name=best["name"], effect=effect)


def _most_sensitive(table: pd.DataFrame) -> dict[Hashable, Any]:
    """Return the row of the group that shows the smallest effect for its value."""
    return min(table.to_dict("records"), key=lambda row: row["share"])


def chart(inputs: PlanInputs) -> None:
    """Draw the smallest effect that each segment can show."""
    table = sensitivity(inputs)
    if table is not None:
        best = _most_sensitive(table)
        effect = money(best["effect"], inputs.currency, 3)
        message = t("budget.propose.chart", name=best["name"], effect=effect, share=percent(best["share"]))
        figure = advising.detectable(table, message, unit=i18n.unit(inputs.currency))
        widgets.chart(figure, "budget_detectable")


def sensitivity(inputs: PlanInputs) -> pd.DataFrame | None:
    """Return the smallest effect that half of the customers with an offer show against the other half.

    Returns:
        group (number of a segment, 0: everyone), name, customers, effect (money a customer), share (of what such
        customers were predicted to spend); None where no past period was tested, or no group has enough customers.
    """
    return _sensitivity(f"{inputs.people_mark} {session.language()}", inputs)


@cached()
def _sensitivity(mark: str, _inputs: PlanInputs) -> pd.DataFrame | None:  # noqa: ARG001 - names the inputs
    rows = []
    for group, name in enumerate([t("budget.experiment.all"), *_inputs.segments.names]):
        inside = _members(_inputs, group)
        customers, past = int(inside.sum()), _past_customers(_inputs, inside)
        if customers >= 2 * MIN_GROUP_SIZE and past is not None and past[1] > 0:
            effect = detectable_effect(customers - customers // 2, customers // 2, past[0])
            rows.append((group, name, customers, effect, effect / past[1]))
    return pd.DataFrame(rows, columns=["group", "name", "customers", "effect", "share"]) if rows else None


def _members(inputs: PlanInputs, group: int) -> np.ndarray:
    """Return who is in a segment, or everyone, bool [n]."""
    number = inputs.people[TIER].to_numpy()
    return np.ones(len(number), bool) if group == EVERYONE else number == group


def _past_customers(inputs: PlanInputs, inside: np.ndarray) -> tuple[float, float] | None:
    """Return how far such customers' spending lay from the prediction, and the mean prediction; None where unknown.

    Customers of the holdout stand for those of the same value tier: revenue in the trained horizon, whatever the terms.
    """
    holdout = _holdout(inputs.scored.model)
    if holdout is None or not inside.any():
        return None
    actual, predicted, past = holdout
    tier = _value_tiers(inputs.people_mark, inputs.people)[inside]
    std = residual_std(actual, predicted, past, tier)
    counts = pd.Series(tier).value_counts()
    value = float((pd.Series(predicted).groupby(past).mean().reindex(counts.index) * counts).sum() / counts.sum())
    return (std, value) if np.isfinite(std) and std > 0 else None


@cached(CUSTOMERS)
def _holdout(bundle: Bundle) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return what customers of the holdout spent, what was predicted, and their value tier, each [n]."""
    rows = bundle.holdout(bundle.record.model, ("actual", "predicted_clv"))
    if rows is None or rows.empty:
        return None
    predicted = rows["predicted_clv"].to_numpy(float)
    return rows["actual"].to_numpy(float), predicted, DEFAULT_SCHEME.tier_of(predicted)


@cached(CUSTOMERS)
def _value_tiers(mark: str, _people: pd.DataFrame) -> np.ndarray:  # noqa: ARG001 - names the customers
    return DEFAULT_SCHEME.tier_of(_people[VALUE].to_numpy(float))


@cached(CUSTOMERS)
def _control_group(mark: str, share: float, name: str, _ids: pd.Series[str]) -> np.ndarray:  # noqa: ARG001
    """Return who of the customers that ``mark`` names is in the control group, bool [n]."""
    return in_control_group(_ids, share, name)


def design(inputs: PlanInputs, plan: BudgetPlan | None, side: Side, *, allowed: bool) -> None:
    """Ask for the groups of an experiment, show its detectable effect, and offer the table of groups.

    Without a plan everybody may be chosen; ``allowed``: lists may be made at all.
    """
    st.caption(t("budget.draw.what"))
    table = sensitivity(inputs)
    best = EVERYONE if table is None else int(_most_sensitive(table)["group"])
    names = dict(enumerate([t("budget.experiment.all"), *inputs.segments.names]))
    given = [] if plan is None else plan.customers[OFFER].value_counts().index.tolist()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offers = [*given, *(entered.name for entered in inputs.offers if entered.name not in given)]
        # By place, not by name: the names of the offers to begin with are in the page's language.
        offer = offers[widgets.select(t("budget.draw.offer"), dict(enumerate(offers)), "draw_offer", width=220)]
        if offer in given:
            names = {OF_PLAN: t("budget.draw.plan"), **names}
        at, key = (
            list(names).index(OF_PLAN if offer in given else best),
            f"draw_who_{offer in given}_{inputs.segments.by}",
        )
        group = widgets.select(t("budget.draw.who"), names, key, index=at, width=200)
        part = st.number_input(
            t("budget.draw.share"),
            5,
            50,
            DEFAULT_PERCENT,
            5,
            key="draw_share",
            width=170,
            help=t("budget.draw.share.help"),
        )
        end = inputs.scored.dataset.log_end
        start = st.date_input(t("budget.draw.start"), end, format="YYYY-MM-DD", key="draw_start", width=170)
    inside, mark = _members(inputs, group), f"{inputs.people_mark} {inputs.segments.by} {group}"
    if group == OF_PLAN and plan is not None:
        mark = ""
        planned_ids = plan.customers.loc[plan.customers[OFFER] == offer, CUSTOMER_ID]
        inside = inputs.people[CUSTOMER_ID].isin(set(planned_ids)).to_numpy()
    people, share, day = inputs.people[inside], part / 100, start.isoformat()
    name = randomization_name(inputs.scored.dataset.name, day)
    ids = people[CUSTOMER_ID]
    control = _control_group(mark, share, name, ids) if mark else in_control_group(ids, share, name)
    counts = int((~control).sum()), int(control.sum())
    about = {"offer": widgets.escape(str(offer)), "treated": count(counts[0]), "control": count(counts[1])}
    st.markdown(t("budget.draw.groups", **about))
    if min(counts) < MIN_GROUP_SIZE:
        st.warning(t("budget.draw.few", fewest=MIN_GROUP_SIZE), icon=":material/warning:")
    else:
        st.markdown(_power(inputs, str(offer), inside, counts, share))
    if group > EVERYONE:
        by_tier = inputs.segments.by == TIERS
        side = replace(side, segment=f"{TIER}={group}" if by_tier else f'{SEGMENT_NAME}="{names[group]}"')
    settings = {"offer": str(offer), "control_share": share, "start": day}
    described, work = replace(side, scheme=inputs.segments.scheme, settings=settings), session.workspace()

    def write(path: Path) -> Exported:
        # The columns keep the names that the experiment is read by, whatever the language.
        return write_rows(work, assign_groups(people[CUSTOMER_ID], share, name, day), path, described)

    scored = inputs.scored
    row_files.offer(row_files.stem(scored.model, "experiment", described, scored.terms), "draw", write, allowed=allowed)
    offered = replace(described, settings={**settings, "group": OFFERED})
    st.caption(t("budget.draw.platforms", treated=count(counts[0])))
    rows = people[~control].assign(**{OFFER: offer})
    audience = Audience(scored, "experiment", lambda: named(inputs, rows), len(rows), offered)
    offer_for_platforms(audience, "draw", allowed=allowed and counts[0] > 0)


def named(inputs: PlanInputs, people: pd.DataFrame) -> pd.DataFrame:
    """Return customers with their tier, or with the name of their segment where it is no value tier."""
    if inputs.segments.by == TIERS:
        return people
    names = dict(enumerate(inputs.segments.names, 1))
    return people.assign(**{SEGMENT_NAME: people[TIER].map(names)}).drop(columns=TIER)


def _power(inputs: PlanInputs, offer: str, inside: np.ndarray, counts: tuple[int, int], share: float) -> str:
    """Return which effect the groups would show, and whether one that was entered is as large."""
    trained, past = inputs.scored.trained_days, _past_customers(inputs, inside)
    if past is None:
        return t("budget.draw.unknown")
    least = detectable_effect(*counts, past[0])
    shows = t("budget.draw.shows", days=trained, effect=money(least, inputs.currency, 3))
    entered = next(candidate for candidate in inputs.offers if candidate.name == offer)
    people = inputs.people[inside]
    gains = expected_gains(
        [entered], people[VALUE].to_numpy(), people[TIER].to_numpy(), len(inputs.segments.names)
    ).ravel()
    gains = gains[np.isfinite(gains)] + entered.cost
    hoped = float(gains.mean()) if len(gains) else 0.0
    if hoped <= 0 or not inputs.scored.is_trained:
        return shows
    effect = money(hoped, inputs.currency, 3)
    if hoped >= least:
        return shows + t("budget.draw.enough", effect=effect)
    needed = required_sample_size(hoped, past[0], share)
    key = "short" if needed <= len(inputs.people) else "never"
    return shows + t(f"budget.draw.{key}", effect=effect, needed=count(needed), all=count(len(inputs.people)))


def notes(
    offers: Sequence[Offer], experiments: Mapping[str, Experiment], terms: Terms, names: Sequence[str]
) -> list[str]:
    """Return what measured effects leave out, and which experiments are not used, one sentence each."""
    horizon_days = terms.horizon_days
    longer = {name for name, experiment in experiments.items() if experiment.window_days > horizon_days}
    tried = [offer for offer in offers if offer.name in experiments and offer.name not in longer]
    carried = budget_plan.assumption_warnings(tried, experiments)
    left_out = (*carried, *budget_plan.effect_warnings(offers, names, terms))
    sentences = [widgets.escape(warning.text(session.language())) for warning in left_out]
    for name in [offer.name for offer in offers if offer.name in longer]:
        days = experiments[name].window_days
        sentences.append(t("budget.experiment.longer", offer=widgets.escape(name), days=days, horizon=horizon_days))
    return sentences


def results(scored: Scored, offers: Sequence[Offer], *, by_tier: bool) -> None:
    """Take the table of an experiment, and show what those that are saved measured.

    Args:
        scored: the log with the outcomes, and the model whose predictions are taken off them; outcomes count for its
            terms at most: how far ahead the plan looks.
        offers: those that can have been tried.
        by_tier: whether offers are planned by the value tiers, which experiments are measured in.
    """
    dataset = scored.dataset
    experiments = saved_offers(dataset).experiments
    opened = f"experiment_open_{dataset.name}"  # open to begin with where there is one; from then on as it was left
    st.session_state.setdefault(opened, bool(experiments))
    with st.expander(t("budget.experiment"), icon=":material/experiment:", key=opened, on_change="rerun"):
        st.caption(t("budget.experiment.what"))
        may = access.if_may("upload")
        file = st.file_uploader(t("budget.experiment.file"), received.EXPERIMENTS, key="experiment_file", **may)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            offer = st.selectbox(
                t("budget.experiment.offer"),
                [item.name for item in offers],
                key="experiment_offer",
                placeholder=t("streamlit.choose_one"),
                width=260,
            )
            pressed = st.button(
                t("budget.experiment.measure"), disabled=file is None or offer is None, key="experiment_measure"
            )
        if pressed and file is not None and offer is not None:
            try:
                with st.spinner(t("budget.experiment.working")):
                    save(dataset, experiments={**experiments, offer: _measure(scored, file)})
            except ClvError as error:
                widgets.show_error(error)
            else:
                st.rerun()
        for name in [item.name for item in offers if item.name in experiments]:
            _result(name, experiments[name], tiers.names(dataset), scored.currency, by_tier=by_tier)
            if st.button(t("budget.experiment.forget"), key=f"experiment_forget_{name}"):
                save(dataset, experiments={other: made for other, made in experiments.items() if other != name})
                st.rerun()


def _measure(scored: Scored, file: UploadedFile) -> Experiment:
    folder = received.new_folder()
    try:
        (path,) = received.copy([file], folder)
        sent = replace(scored, model=replace(scored.model))  # without the loaded model: it goes to another process
        days, work = scored.terms.horizon_days, scored.workspace
        return reader_process.run(work, path, measure_experiment, sent, path, most_days=days, progress=NoProgress())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _result(offer: str, experiment: Experiment, names: Sequence[str], currency: str, *, by_tier: bool) -> None:
    """Show what an experiment measured, by tier, and for whom the plan takes it."""
    everyone, name = experiment.effects[0], widgets.escape(offer)
    ends = {"effect": everyone.effect, "low": everyone.low, "high": everyone.high}
    amounts = {key: money(value or 0.0, currency, 2) for key, value in ends.items()}
    finding = t("budget.experiment.found", offer=name, days=experiment.window_days, **amounts)
    st.markdown(f"**{name if everyone.effect is None else finding}**")
    for warning in experiment.warnings:
        st.warning(widgets.escape(warning.text(session.language())), icon=":material/warning:")
    rows = pd.DataFrame(
        {
            "tier": [
                t("budget.experiment.all") if effect.tier == 0 else names[effect.tier - 1]
                for effect in experiment.effects
            ],
            **{
                column: [getattr(effect, column) for effect in experiment.effects]
                for column in ("treated", "control", "effect", "low", "high")
            },
        }
    )
    columns = {"tier": st.column_config.TextColumn(t("column.tier"))}
    columns |= {key: cells.integer(t(f"budget.experiment.{key}")) for key in ("treated", "control")}
    columns |= {key: cells.money(t(f"budget.experiment.{key}"), currency) for key in ends}
    cells.table(rows, t("budget.experiment"), columns)
    removed = percent(max(0.0, 1 - (1.0 if everyone.kept is None else everyone.kept)))
    used = _usage(experiment, by_tier=by_tier)
    st.caption(t("budget.experiment.caption", days=experiment.window_days, share=removed, used=used))


def _usage(experiment: Experiment, *, by_tier: bool) -> str:
    """Return for whom the plan takes which of the effects."""
    tried, tiers = len(experiment.tried_tiers), len(experiment.effects) - 1
    if tried < tiers and not (tried and by_tier):
        return t("budget.experiment.used.carried")
    only = t("budget.experiment.used.tried", fewest=MIN_GROUP_SIZE) if tried < tiers else ""
    kind = ("tiers" if experiment.tiers_differ else "all") if by_tier else "others"
    return only + t(f"budget.experiment.used.{kind}")
