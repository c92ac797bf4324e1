"""Charts of the monitor page. Same rules as in ``basic``."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from pages.ui.charts.basic import ACTUAL, BASELINE, DANGER, PREDICTED, WARNING, finish, value_ticks
from pages.ui.state import t


def realised_curve(frame: pd.DataFrame, message: str, *, unit: str) -> go.Figure:
    """Draw what came true beside the part expected by then, with its 80% interval where it is known.

    Args:
        frame: columns ``days``, ``realised``, ``expected``, ``low``, ``high``.
        message: what the chart shows, in words.
        unit: of money.
    """
    figure = go.Figure()
    hover = "%{x}: %{y:,.0f}<extra></extra>"
    known = frame.dropna(subset=["low", "high"])
    if len(known):
        mode = "lines" if len(known) > 1 else "markers"  # of one point a line shows nothing
        line = {"color": PREDICTED, "width": 1, "dash": "dot"}
        marker = {"symbol": "line-ew", "size": 14, "line": {"color": PREDICTED, "width": 2}}
        edges = {"x": known["days"], "mode": mode, "line": line, "marker": marker}
        figure.add_scatter(**edges, y=known["high"], name=t("monitor.interval"), hovertemplate=hover)
        figure.add_scatter(**edges, y=known["low"], showlegend=False, hovertemplate=hover)
    for column, key, colour in (("expected", "monitor.expected", PREDICTED), ("realised", "monitor.came", ACTUAL)):
        figure.add_scatter(
            x=frame["days"],
            y=frame[column],
            name=t(key),
            mode="lines+markers",
            line={"color": colour, "width": 3},
            hovertemplate=hover,
        )
    figure.update_xaxes(title=t("monitor.days"), rangemode="tozero")
    figure.update_yaxes(title=t("monitor.value", unit=unit), rangemode="tozero")
    figure.update_yaxes(**value_ticks(frame[["realised", "expected", "low", "high"]]))
    return finish(figure, message)


def series(before: pd.DataFrame, new: pd.DataFrame, message: str, *, axis: str, share: bool) -> go.Figure:
    """Draw one figure before and since the cutoff, with the limits of the usual.

    Args:
        before: columns ``begin`` (ISO dates) and ``found``.
        new: columns ``begin``, ``found``, ``low``, ``high``, ``alert``.
        message: what the chart shows, in words.
        axis: what the figure is.
        share: whether it is a share.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=before["begin"],
        y=before["found"],
        name=t("monitor.drift.before"),
        mode="lines+markers",
        line={"color": BASELINE, "width": 2},
    )
    edges = {"x": new["begin"], "mode": "lines", "line": {"color": WARNING, "width": 1, "dash": "dash"}}
    figure.add_scatter(**edges, y=new["high"], name=t("monitor.drift.limits"))
    figure.add_scatter(**edges, y=new["low"], showlegend=False)
    figure.add_scatter(
        x=new["begin"],
        y=new["found"],
        name=t("monitor.drift.since"),
        mode="lines+markers",
        line={"color": ACTUAL, "width": 3},
        marker={
            "color": [DANGER if alert else ACTUAL for alert in new["alert"]],
            "symbol": ["x" if alert else "circle" for alert in new["alert"]],
            "size": 9,
        },
    )
    figure.update_xaxes(title=t("monitor.drift.begin"), type="date", tickformat="%Y-%m-%d")
    shown = [before["found"], new["found"], new["low"], new["high"]]
    figure.update_yaxes(title=axis, rangemode="tozero", **({"tickformat": ".1%"} if share else value_ticks(*shown)))
    return finish(figure, message)
