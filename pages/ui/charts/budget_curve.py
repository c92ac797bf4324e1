"""Charts of the budget page. Same rules as in ``drawing``."""

from __future__ import annotations

from clv_core.strategy.plans.allocation import Curve
from pages.ui.charts.drawing import ACTUAL, PREDICTED, Chart, drawn, value_ticks
from pages.ui.i18n import t


def gain_by_budget(curve: Curve, here: tuple[float, float], message: str, *, unit: str) -> Chart:
    """Draw the expected gain of each budget, and where the chosen one stands.

    Args:
        curve: of :func:`clv_core.strategy.plans.allocation.gain_curve`.
        here: what is spent and what it is expected to bring.
        message: what the chart shows, in words.
        unit: of money.
    """
    hover = "%{x:,.0f} → %{y:,.0f}<extra></extra>"
    line = dict(
        type="scatter",
        x=curve.budget,
        y=curve.gain,
        mode="lines",
        name=t("budget.curve.line"),
        line={"color": PREDICTED, "width": 3},
        hovertemplate=hover,
    )
    chosen = dict(
        type="scatter",
        x=[here[0]],
        y=[here[1]],
        mode="markers",
        name=t("budget.curve.here"),
        marker={"color": ACTUAL, "size": 12, "symbol": "diamond"},
        hovertemplate=hover,
    )
    spent, gained = value_ticks(curve.budget, here[0]), value_ticks(curve.gain, here[1])
    return drawn(
        [line, chosen],
        message,
        x={"title": t("budget.curve.budget", unit=unit), "rangemode": "tozero", **spent},
        y={"title": t("budget.curve.gain", unit=unit), "rangemode": "tozero", **gained},
    )
