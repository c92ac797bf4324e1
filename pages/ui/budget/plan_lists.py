"""The plan as files: who gets which offer, for a spreadsheet, and each offer's customers for ad and mail platforms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.audiences.export import Exported, Side, export, log_export
from clv_core.strategy.plans.budget_plan import COST, EVIDENCE, GAIN, OFFER, BudgetPlan
from clv_core.strategy.plans.saved_offers import TIERS
from clv_core.strategy.segments import TIER
from clv_core.strategy.segments.segmentation import SEGMENT_NAME
from pages.ui import row_files, session, widgets
from pages.ui.budget import slider
from pages.ui.budget.slider import Ground
from pages.ui.exports import platform_lists
from pages.ui.exports.platform_lists import Chosen
from pages.ui.i18n import t


def downloads(ground: Ground, plan: BudgetPlan, budget: float, *, allowed: bool) -> None:
    """Offer the plan, or the customers of one of its offers, as files.

    Args:
        ground: what the plan is made from.
        plan: who gets what.
        budget: what it may cost.
        allowed: whether lists may be made at all.
    """
    given = plan.customers[OFFER].unique().tolist()
    only = None
    if len(given) > 1:
        only = st.pills(t("budget.lists.offer"), given, format_func=widgets.escape, key="plan_offer")
    rows = plan.customers if only is None else plan.customers[plan.customers[OFFER] == only]
    side, work, stop = slider.side_of(ground, plan, budget), session.workspace(), session.suppression_list()
    side = side if only is None else replace(side, settings={**side.settings, "only_offer": only})
    language = session.language()

    def write(path: Path) -> Exported:
        kind = path.suffix.removeprefix(".")
        chosen = rows[[CUSTOMER_ID, OFFER, GAIN, COST, EVIDENCE]]
        made = export(chosen, kind, path, side=side, stop=stop, language=language)
        log_export(work, made, kind, side)
        return made

    what = f"plan-{budget:.10g}"
    name = row_files.stem(ground.bundle, what, side, ground.terms)
    allowed = allowed and not rows.empty
    row_files.offer(name, "plan", write, allowed=allowed, most=len(rows))
    platform_lists.offer(of_plan(ground, what, rows, side), "plan", allowed=allowed)


def of_plan(ground: Ground, what: str, rows: pd.DataFrame, side: Side) -> Chosen:
    """Return customers of a plan as a platform's list is made of them.

    Args:
        ground: what the plan is made from.
        what: they are, in the name of the file.
        rows: of the plan's customers, [n].
        side: what the numbers mean.
    """
    return Chosen(
        ground.dataset, ground.bundle, ground.terms, what, lambda: _with_scores(ground, rows), len(rows), side
    )


def _with_scores(ground: Ground, rows: pd.DataFrame) -> pd.DataFrame:
    """Return customers of a plan with their scores, their history and their offer."""
    people = ground.people.merge(rows[[CUSTOMER_ID, OFFER]], on=CUSTOMER_ID)
    if ground.segments.by == TIERS:
        return people
    names = dict(enumerate(ground.segments.names, 1))
    return people.assign(**{SEGMENT_NAME: people[TIER].map(names)}).drop(columns=TIER)
