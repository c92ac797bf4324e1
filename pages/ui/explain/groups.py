"""Many customers compared: one reason over its reading, and one segment against another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored
from clv_core.evaluation.explain import (
    WORTH_NAMING,
    Dependence,
    Explanation,
    against,
    explainable,
    move,
    of_groups,
    reading,
)
from clv_core.evaluation.explain.dependence import dependence
from clv_core.features import label
from clv_core.plot import Chart, explanations, reason_name, unit_of
from pages.ui import schemes, scores, segmenting, session, widgets
from pages.ui.explain.overall import axis_of, within
from pages.ui.i18n import t
from pages.ui.segmenting import SegmentedCustomers

STEADY: Final = 0.4
"""Rank correlation of reading and effect from which on the effect is described as rising or falling. A guess."""
OFFSETTING: Final = 1.0
"""A reason with more than this share of the total difference gets no percentage, as others offset it; nor does one of
the opposite sign."""
MAX_BARS: Final = 8
"""Reasons in the chart of two groups: as many as are readable at a glance."""


@widgets.safe_fragment
def show_dependence(explanation: Explanation, currency: str) -> None:
    """Let the person choose a reason and draw what it adds over its reading."""
    parts = explainable(explanation)
    if not parts:
        st.caption(t("why.dependence.none"))
        return
    names = {part: reason_name(part) for part in parts}
    part = widgets.select(t("why.dependence.choose"), names, "why_part", width=360)
    curve = dependence(explanation, part)
    unit, factor = unit_of(explanation.answer, currency)
    points = curve.points.assign(effect=curve.points["effect"] * factor)
    of = None if curve.other is None else label(explanation.representative_of(curve.other), session.language())
    message = _message(curve, explanation, currency)
    axis = t(f"why.effect.{explanation.answer}", unit=unit)
    read_on = axis_of(explanation.representative_of(part), currency)
    figure = explanations.dependence(points, message, reading=read_on, axis=axis, other=of)
    widgets.chart(figure, "dependence")
    if curve.other is None:
        st.caption(t("why.dependence.alone"))
    else:
        st.caption(t("why.dependence.other", other=reason_name(curve.other), feature=of, share=f"{curve.strength:.0%}"))


def _message(curve: Dependence, explanation: Explanation, currency: str) -> str:
    answer, language = explanation.answer, session.language()
    way = "text" if isinstance(curve.low_reading, str) else "up" if curve.direction >= STEADY else "mixed"
    of = explanation.representative_of(curve.part)
    way = "down" if way == "mixed" and curve.direction <= -STEADY else way
    return t(
        f"why.dependence.{way}",
        name=label(of, language),
        low=move(curve.low, answer, currency, language, sign=True),
        high=move(curve.high, answer, currency, language, sign=True),
        low_reading=reading(curve.low_reading, language, of, currency),
        high_reading=reading(curve.high_reading, language, of, currency),
    )


@widgets.safe_fragment
def show_segments(explanation: Explanation, scored: Scored) -> None:
    """Let the person choose two segments of a scheme and say why one is worth more than the other.

    Explained customers are where the scheme puts them among all customers; the scheme is that of the segments page.

    Raises:
        UsageError: what was written makes no scheme.
    """
    customers = scores.need_scores(scored)
    scheme = schemes.choose(scored.dataset, customers, scored.terms)
    if scheme is None:
        st.caption(t("rules.empty"))
        return
    segmenting.need_points(scheme, scored)
    segmented = segmenting.segment(scored, scheme, customers, customers)
    rows = pd.Index(customers[CUSTOMER_ID]).get_indexer(pd.Index(explanation.customer_ids))
    inside = {place: (rows >= 0) & segmented.placed.chosen([place])[rows] for place in range(segmented.placed.count)}
    _two(explanation, {place: mask for place, mask in inside.items() if mask.any()}, segmented)


def _two(explanation: Explanation, inside: Mapping[int, NDArray[np.bool_]], segmented: SegmentedCustomers) -> None:
    """Let the person choose two of the segments that explained customers are in."""
    names, there, currency = segmented.names, list(inside), segmented.currency
    if len(there) < 2:
        st.caption(t("why.groups.none"))
        return
    key = segmented.scheme.names_key.replace(":", "_")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = {number: names[number] for number in there}
        first = widgets.select(t("why.groups.these"), options, f"why_these_{key}", width=240)
        rest = {number: name for number, name in options.items() if number != first}
        second = widgets.select(t("why.groups.those"), rest, f"why_those_{key}", index=len(rest) - 1, width=240)
    these, those = inside[first], inside[second]
    rows = against(explanation, these, those)
    means = (float(explanation.predicted[these].mean()), float(explanation.predicted[those].mean()))
    sentences = of_groups(rows, (names[first], names[second]), means, explanation.answer, currency, session.language())
    with st.grid(2, min_column_width=360):
        with st.container(border=True, height="stretch"):
            st.markdown(f"**{widgets.escape(sentences[0])}**")
            for sentence in sentences[1:]:
                st.markdown(f"- {widgets.escape(sentence)}")
            st.caption(t("why.groups.note", these=f"{these.sum():,}", those=f"{those.sum():,}"))
        widgets.chart(_bars(rows, names[first], names[second], explanation.answer, currency), "against")


def _bars(rows: pd.DataFrame, these: str, those: str, answer: str, currency: str) -> Chart:
    unit, factor = unit_of(answer, currency)
    largest = rows[rows["difference"].abs() > WORTH_NAMING * float(rows["difference"].abs().max())].head(MAX_BARS)
    table = pd.DataFrame({"label": largest["part"].map(reason_name), "difference": largest["difference"] * factor})
    rest = float(rows["difference"].iloc[len(largest) :].sum()) * factor
    if abs(rest) > WORTH_NAMING * float(table["difference"].abs().max()):
        last: list[Any] = [t("explain.rest"), rest]
        table.loc[len(table)] = last
    return explanations.difference_bars(table, bars_message(rows, these, those), unit=unit)


def bars_message(rows: pd.DataFrame, these: str, those: str) -> str:
    """Return the reason with the largest part of a difference, with its share where that lies between 0 and 100%."""
    first, total = rows.iloc[0], float(rows["difference"].sum())
    share = float(first["difference"]) / total if total else 0.0
    key = "why.groups.bars" if 0 < share <= OFFSETTING else "why.groups.bars.plain"
    return t(key, these=these, those=those, name=within(first["part"]), share=f"{share:.0%}")
