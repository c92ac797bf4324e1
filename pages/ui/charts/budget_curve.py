"""Charts of the budget page. Same rules as in ``basic``."""

from __future__ import annotations

import plotly.graph_objects as go

from clv_core.strategy.budget.budget import Curve
from pages.ui.charts.basic import ACTUAL, PREDICTED, finish, value_ticks
from pages.ui.state import t


def gain_by_budget(curve: Curve, here: tuple[float, float], message: str, *, unit: str) -> go.Figure:
    """Draw the expected gain of each budget, and where the chosen one stands.

    Args:
        curve: of :func:`clv_core.strategy.budget.budget.marginal_curve`.
        here: what is spent and what it is expected to bring.
        message: what the chart shows, in words.
        unit: of money.
    """
    figure = go.Figure()
    hover = "%{x:,.0f} → %{y:,.0f}<extra></extra>"
    figure.add_scatter(
        x=curve.budget,
        y=curve.gain,
        mode="lines",
        name=t("budget.curve.line"),
        line={"color": PREDICTED, "width": 3},
        hovertemplate=hover,
    )
    figure.add_scatter(
        x=[here[0]],
        y=[here[1]],
        mode="markers",
        name=t("budget.curve.here"),
        marker={"color": ACTUAL, "size": 12, "symbol": "diamond"},
        hovertemplate=hover,
    )
    figure.update_xaxes(
        title=t("budget.curve.budget", unit=unit), rangemode="tozero", **value_ticks(curve.budget, here[0])
    )
    gains = value_ticks(curve.gain, here[1])
    figure.update_yaxes(title=t("budget.curve.gain", unit=unit), rangemode="tozero", **gains)
    return finish(figure, message)
