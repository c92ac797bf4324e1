"""What a page speaks of when it explains: the value, the chance to buy, or how much; with its words and unit."""

from __future__ import annotations

import streamlit as st

from clv_core.evaluation.explain.answers import ANSWERS, CHANCE, VALUE
from clv_core.evaluation.explain.sentences import part_name
from clv_core.features.behaviour import FEATURES
from clv_core.features.labels import label
from pages.ui import i18n, session
from pages.ui.i18n import t


def choose() -> str:
    """Let the person choose what is explained."""
    names = {answer: t(f"answer.{answer}") for answer in ANSWERS}
    chosen = st.segmented_control(
        t("answer.choose"),
        ANSWERS,
        format_func=names.__getitem__,
        default=VALUE,
        key="explain_answer",
        help=t("answer.help"),
    )
    return chosen or VALUE


def unit_of(answer: str, currency: str) -> tuple[str, float]:
    """Return the unit of effects on an answer, for axes, and the factor to it: a chance moves by percentage points."""
    return (t("unit.points"), 100.0) if answer == CHANCE else (i18n.unit(currency), 1.0)


def axis_of(feature: str, currency: str) -> str:
    """Return what a feature reads, with the unit of its axis where it is money or days."""
    name, kind = label(feature, session.language()), FEATURES[feature].unit if feature in FEATURES else ""
    unit = {"money": i18n.unit(currency), "days": t("chart.reading.days")}.get(kind)
    return t("chart.reading", name=name, unit=unit) if unit else name


def reason_name(part: str) -> str:
    """Return what a reason is called."""
    return part_name(part, session.language())


def within(part: str) -> str:
    """Return what a reason is called within a sentence."""
    return part_name(part, session.language(), within=True)
