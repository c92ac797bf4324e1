"""What the shown values speak of: how far ahead, at which discount, and how much of them is margin."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import LIFETIME, LONGEST_DAYS, Terms
from clv_core.model.horizon import DAYS_PER_YEAR
from pages.ui.i18n import count, t

USUAL_DAYS: Final = (30, 90, 180, 365)
CUSTOM: Final = "custom"
ASSUMED_RATE: Final = 10.0
"""Percent a year, filled in for lifetime, which needs a rate."""


def choose(bundle: Bundle) -> Terms:
    """Let the person choose the horizon, the yearly discount and the margin; the default is what was trained."""
    trained = bundle.record["horizon_days"]
    options: list[int | str] = [*sorted({*USUAL_DAYS, trained}), CUSTOM, LIFETIME]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            t("terms.horizon"),
            options,
            format_func=lambda option: _label(option, trained),
            default=trained,
            required=True,
            key=f"terms_horizon_{trained}",
            help=t("terms.horizon.help", trained=trained),
            persist_state="session",
        )
        days = trained
        if chosen == CUSTOM:
            days = st.number_input(
                t("terms.days"), 1, LONGEST_DAYS, 730, key="terms_days", width=110, persist_state="session"
            )
        rate, margin = _rates(lifetime=chosen == LIFETIME)
    horizon = chosen if isinstance(chosen, int) or chosen == LIFETIME else int(days)
    return Terms.of(horizon, trained, rate, margin)


def choose_rates(bundle: Bundle) -> Terms:
    """Let the person choose discount and margin for the trained horizon; what is chosen on one page holds on others."""
    return Terms(bundle.record["horizon_days"], *_rates(lifetime=False))


def _rates(*, lifetime: bool) -> tuple[float, float]:
    """Ask for the yearly discount and the margin, and return both as shares."""
    rate = st.number_input(
        t("terms.rate"),
        0.1 if lifetime else 0.0,
        100.0,
        ASSUMED_RATE if lifetime else 0.0,
        step=1.0,
        format="%g",
        key=f"terms_rate_{lifetime}",
        help=t("terms.rate.help"),
        width=145,
        persist_state="session",
    )
    margin = st.number_input(
        t("terms.margin"),
        0.1,
        100.0,
        100.0,
        step=5.0,
        format="%g",
        key="terms_margin",
        help=t("terms.margin.help"),
        width=145,
        persist_state="session",
    )
    return round(rate / 100, 6), round(margin / 100, 6)


def span(terms: Terms) -> str:
    """Return the horizon in words: ``next 90 days``, ``lifetime (48 years)``."""
    if terms.lifetime:
        return t("terms.span.lifetime", years=round(terms.horizon_days / DAYS_PER_YEAR))
    return t("terms.span.days", days=f"{terms.horizon_days:,}")


def assumptions(bundle: Bundle, terms: Terms) -> list[str]:
    """Return what the values assume beyond what was measured, one sentence each."""
    return [t(one.code, **one.params) for one in terms.warnings(bundle.record["horizon_days"])]


def working(customers: int, terms: Terms) -> str:
    """Return what is being done while other terms are worked out."""
    return t("terms.working", customers=count(customers), span=span(terms))


def _label(option: int | str, trained: int) -> str:
    if isinstance(option, str):
        return t(f"terms.{option}")
    return t("terms.trained", n=option) if option == trained else t("unit.days", n=option)
