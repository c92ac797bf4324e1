"""Groups of customers that bars and cells of the explore page stand for, each a rule of segments.

A chart over the whole log can be clicked: the group is counted by its rule, so that it holds whom the segments page
then lists, and can be opened there or saved as a segment. A part of the log cannot: rules are about all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import CART, CATEGORY, PURCHASE, VIEW
from clv_core.errors import ClvError
from clv_core.features import attributes_of
from clv_core.features.explore import Cube
from clv_core.plot import Chart
from clv_core.strategy.segments import Condition, Rule, add_segment
from pages.ui import access, navigation, schemes, scores, segmenting, session, widgets
from pages.ui.i18n import t

DONE = {VIEW: "views", CART: "carts", PURCHASE: "orders"}
"""The column that counts how often a customer did a step of the funnel."""


@dataclass(frozen=True)
class Grouped:
    """A chart and what a click on it means.

    Args:
        chart: with one point a bar or cell.
        groups: of each point, in the same order; None for one that is no group.
    """

    chart: Chart
    groups: tuple[Rule | None, ...]


def cohort(name: str, first: pd.Timestamp, unit: str) -> Rule:
    """Return who bought first in the month or quarter that begins on a day."""
    after = first + pd.DateOffset(months=3 if unit == "quarter" else 1)
    since, until = f"{first:%Y-%m-%d}", f"{after:%Y-%m-%d}"
    return Rule(
        t("explore.group.cohort", cohort=name),
        (Condition("first_purchase", ">=", (since,)), Condition("first_purchase", "<", (until,))),
    )


def bought(orders: str, counts: tuple[int, int], days: str, waits: tuple[int, int]) -> Rule:
    """Return who bought so often, for the last time so many days before the log's end; both ends belong to it."""
    conditions = (*_within("orders", *counts), *_within("days_since_last", *waits))
    return Rule(t("explore.group.bought", orders=orders, days=days), conditions)


def _within(column: str, low: int, high: int) -> tuple[Condition, ...]:
    if low == high:
        return (Condition(column, "=", (str(low),)),)
    return Condition(column, ">=", (str(low),)), Condition(column, "<=", (str(high),))


def reached(steps: Sequence[str]) -> Rule:
    """Return who took all steps of the funnel up to one."""
    name = " + ".join(t(f"explore.step.{step}") for step in steps)
    return Rule(name, tuple(Condition(DONE[step], ">=", ("1",)) for step in steps))


def prefers(category: str) -> Rule:
    """Return whose most bought category it is."""
    return Rule(t("explore.group.prefers", category=category), (Condition(CATEGORY, "=", (category,)),))


@widgets.safe_fragment
def show(made: Grouped, key: str, cube: Cube, *, whole: bool) -> None:
    """Show a chart, and below it the group that was clicked.

    ``whole``: whether the chart is about the whole log.
    """
    place = f"explore_group_{key}_{cube.dataset}_{cube.version}"
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"**{widgets.escape(made.chart.message)}**",
            help=t("explore.group.click" if whole else "explore.group.part"),
        )
        st.plotly_chart(
            made.chart.figure,
            key=f"{key}_{whole}",
            alt=made.chart.message,
            config={"displayModeBar": False},
            on_select=partial(pick, f"{key}_{whole}", place) if whole else "ignore",
            selection_mode="points",
        )
        point = st.session_state.get(place) if whole else None
        if point is not None and point < len(made.groups):
            _offer(made.groups[point], key, widgets.need_dataset())


def pick(chart: str, place: str) -> None:
    """Keep the place of the point that was clicked last, by the keys of the chart and of the place; None for none."""
    points = st.session_state[chart]["selection"]["points"]
    st.session_state[place] = points[-1]["point_index"] if points else None


def _offer(group: Rule | None, key: str, dataset: Dataset) -> None:
    """Say how many a group holds, and offer to open and to save it."""
    own = {attribute.name for attribute in attributes_of(dataset)}  # of such a name, a rule would read theirs
    if group is None or own & {condition.column for condition in group.conditions}:
        st.caption(t("explore.group.none"))
        return
    model = session.model()
    scored = None if model is None else session.scored(dataset, model)
    if scored is None or not scored.scores_path.exists():
        missing = "model" if scored is None else "scores"
        st.markdown(t(f"explore.group.no_{missing}", name=widgets.escape(group.name)))
        page = "train" if scored is None else "segments"
        navigation.button(page, t(f"explore.group.no_{missing}.button"), f"group_{missing}_{key}")
        return
    with st.spinner(t("explore.looking")):
        count = int(segmenting.holding(group, scored, scores.need_scores(scored)).sum())
    st.markdown(t("explore.group", name=widgets.escape(group.name), customers=count))
    st.caption(widgets.escape(schemes.sentences(group.conditions)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        icon = navigation.BY_NAME["segments"].icon
        if st.button(t("explore.group.show"), key=f"group_show_{key}", icon=icon, type="primary", disabled=not count):
            segmenting.open_group(group, dataset)
        name = st.text_input(t("rules.segment"), group.name, key=f"group_name_{key}_{group.name}", width=280)
        how = access.if_may("change")
        pressed = st.button(t("explore.group.save"), key=f"group_save_{key}", icon=":material/save:", **how)
    if pressed:
        _save(dataset, replace(group, name=(name or "").strip()))


def _save(dataset: Dataset, group: Rule) -> None:
    """Save a group as a segment of the rules that groups of charts are kept in."""
    access.require("change")
    rules = t("explore.group.rules")
    try:
        add_segment(dataset, rules, group)
    except ClvError as error:
        widgets.show_error(error)
        return
    st.success(t("explore.group.saved", name=widgets.escape(group.name), rules=rules), icon=":material/check:")
