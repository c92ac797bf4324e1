"""Drawing an experiment on the budget page: who of the plan gets an offer, and who, by chance, does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.audiences.export import Exported, Side, write_rows
from clv_core.strategy.experiments.randomization import (
    OFFERED,
    assign_groups,
    detectable_effect,
    in_control_group,
    randomization_name,
    required_sample_size,
    residual_std,
)
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE
from clv_core.strategy.plans.budget_plan import COST, GAIN, OFFER, BudgetPlan
from clv_core.strategy.segments import VALUE
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from pages.ui import row_files, session, widgets
from pages.ui.budget import plan_lists
from pages.ui.budget.slider import Ground
from pages.ui.exports import platform_lists
from pages.ui.i18n import count, money, t

PART: Final = 20
"""Percent of customers without the offer, to begin with."""


def section(ground: Ground, plan: BudgetPlan, side: Side, *, allowed: bool) -> None:
    """Let the person draw the groups of an experiment, say what it would show, and offer the table of who is in which.

    Args:
        ground: what the plan is made from.
        plan: who gets what.
        side: what the numbers of the plan mean.
        allowed: whether lists may be made at all.
    """
    given = plan.customers[OFFER].value_counts()
    if given.empty:
        return
    box = st.expander(t("budget.draw"), icon=":material/shuffle:", key="draw_open", on_change="rerun")
    if box.open:  # a million hashes take a second
        with box:
            _draw(ground, plan, side, given.index.tolist(), allowed=allowed)


def _draw(ground: Ground, plan: BudgetPlan, side: Side, offers: list[str], *, allowed: bool) -> None:
    work = session.workspace()
    st.caption(t("budget.draw.what"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offer = st.selectbox(t("budget.draw.offer"), offers, key="draw_offer", width=260)
        part = st.number_input(
            t("budget.draw.share"), 5, 50, PART, 5, key="draw_share", width=200, help=t("budget.draw.share.help")
        )
        start = st.date_input(
            t("budget.draw.start"), ground.dataset.log_end, format="YYYY-MM-DD", key="draw_start", width=180
        )
    rows = plan.customers[plan.customers[OFFER] == offer]
    share, day = part / 100, start.isoformat()
    name = randomization_name(ground.dataset.name, day)
    control = in_control_group(rows[CUSTOMER_ID], share, name)
    counts = int((~control).sum()), int(control.sum())
    said = {"offer": widgets.escape(str(offer)), "treated": count(counts[0]), "control": count(counts[1])}
    st.markdown(t("budget.draw.groups", **said))
    if min(counts) < MIN_GROUP_SIZE:
        st.warning(t("budget.draw.few", fewest=MIN_GROUP_SIZE), icon=":material/warning:")
    else:
        st.markdown(_shows(ground, plan, str(offer), counts, share))
    settings = {"offer": str(offer), "control_share": share, "start": day}
    described = replace(side, settings=settings)

    def write(path: Path) -> Exported:
        # The columns keep the names that the experiment is read by, whatever the language.
        return write_rows(work, assign_groups(rows[CUSTOMER_ID], share, name, day), path, described)

    named = row_files.stem(ground.bundle, "experiment", described, ground.terms)
    row_files.offer(named, "draw", write, allowed=allowed)
    offered = replace(described, settings={**settings, "group": OFFERED})
    st.caption(t("budget.draw.platforms", treated=count(counts[0])))
    platform_lists.offer(
        plan_lists.of_plan(ground, "experiment", rows[~control], offered), "draw", allowed=allowed and counts[0] > 0
    )


def _shows(ground: Ground, plan: BudgetPlan, offer: str, counts: tuple[int, int], share: float) -> str:
    """Return which effect the groups would show, and whether the one that the plan counts on is as large."""
    record, terms = ground.bundle.record, ground.terms
    held = ground.bundle.holdout(record["model"])
    if held is None or held.empty:
        return t("budget.draw.unknown")
    trained = int(record["horizon_days"])
    rows = plan.customers[plan.customers[OFFER] == offer]
    value = held["predicted_clv"].to_numpy(float)
    # Places among all who may get an offer, in the value tiers of the holdout: its customers stand for theirs.
    tiers = DEFAULT_SCHEME.tier_of(ground.people[VALUE].to_numpy(float))
    mine = tiers[ground.people[CUSTOMER_ID].isin(set(rows[CUSTOMER_ID])).to_numpy()]
    spread = residual_std(held["actual"].to_numpy(float), value, DEFAULT_SCHEME.tier_of(value), mine)
    if not np.isfinite(spread) or spread <= 0:
        return t("budget.draw.unknown")
    least = detectable_effect(*counts, spread)
    said = t("budget.draw.shows", days=trained, effect=money(least, ground.currency))
    if not terms.plain(trained):
        return said
    hoped = float((rows[GAIN] + rows[COST]).mean())
    if hoped >= least:
        return said + t("budget.draw.enough", effect=money(hoped, ground.currency))
    needed = required_sample_size(hoped, spread, share)
    return said + t("budget.draw.short", effect=money(hoped, ground.currency), needed=count(needed))
