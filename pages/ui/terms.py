"""The terms of the shown values: forecast period, yearly discount, and margin."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from clv_core.deployment import LIFETIME, LIFETIME_YEARS, LONGEST_DAYS, MAX_YEARS, Bundle, Scored, Terms
from pages.ui.i18n import count, t

USUAL_DAYS: Final = (30, 90, 180, 365)
"""Forecast periods to choose from, besides the trained one: a month, a quarter, half a year, a year."""
CUSTOM: Final = "custom"


def choose(bundle: Bundle) -> Terms:
    """Let the person choose the horizon, the yearly discount and the margin; the default is what was trained."""
    trained = bundle.record.horizon_days
    options: list[int | str] = [*sorted({*USUAL_DAYS, trained}), CUSTOM, LIFETIME]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selected = st.segmented_control(
            t("terms.horizon"),
            options,
            format_func=lambda option: _label(option, trained),
            default=trained,
            required=True,
            key=f"terms_horizon_{trained}",
            help=t("terms.horizon.help", trained=trained),
            persist_state="session",
            wrap=True,
        )
        horizon: int | str = selected
        if selected == CUSTOM:
            horizon = int(_number("days", 1, LONGEST_DAYS, 730))
        elif selected == LIFETIME:
            horizon = f"{LIFETIME}:{int(_number('years', 1, MAX_YEARS, LIFETIME_YEARS))}"
        return Terms.of(horizon, trained, *_rates())


def choose_rates(bundle: Bundle) -> Terms:
    """Ask for discount and margin for the trained horizon; the answers are shared by all pages."""
    return Terms(bundle.record.horizon_days, *_rates())


def ask_margin() -> float | None:
    """Ask for the margin, as a share; None while it is not given: values are revenue then."""
    how: dict[str, Any] = {"step": 5.0, "format": "%g", "help": t("terms.margin.help")}
    _number("margin", 0.1, 100.0, None, 160, placeholder=t("terms.margin.none"), **how)
    return margin()


def margin() -> float | None:
    """Return the margin that was given, as a share, on whichever page; None where there is none."""
    given: float | None = st.session_state.get("terms_margin")
    return None if given is None else round(given / 100, 6)


def _number(name: str, low: float, high: float, usual: float | None, width: int = 110, **how: Any) -> Any:
    key = f"terms_{name}"
    return st.number_input(t(f"terms.{name}"), low, high, usual, key=key, width=width, persist_state="session", **how)


def _rates() -> tuple[float, float]:
    """Ask for the yearly discount and the margin, and return both as shares."""
    rate = _number("rate", 0.0, 100.0, 0.0, 145, step=1.0, format="%g", help=t("terms.rate.help"))
    return round(rate / 100, 6), ask_margin() or 1.0


def span(terms: Terms) -> str:
    """Return the horizon in words: ``next 90 days``, ``lifetime (48 years)``."""
    if terms.lifetime:
        return t("terms.span.lifetime", years=terms.years)
    return t("terms.span.days", days=f"{terms.horizon_days:,}")


def assumptions(scored: Scored) -> list[str]:
    """Return the assumptions of the values beyond the measured ones, one sentence each."""
    return [t(warning.code, **warning.params) for warning in scored.terms.warnings(scored.trained_days)]


def working(customers: int, terms: Terms) -> str:
    """Return the text of the spinner while values at other terms are computed."""
    return t("terms.working", customers=count(customers), span=span(terms))


def _label(option: int | str, trained: int) -> str:
    if isinstance(option, str):
        return t(f"terms.{option}")
    return t("terms.trained", n=option) if option == trained else t("unit.days", n=option)
