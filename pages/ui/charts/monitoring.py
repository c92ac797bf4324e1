"""Charts of the monitor page. Same rules as in ``drawing``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clv_core.plot import ACTUAL, BASELINE, DANGER, PREDICTED, WARNING, Chart, drawn, value_ticks
from pages.ui.i18n import t


def realised_curve(frame: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what came true beside the part expected by then, with its 80% interval where it is known.

    ``frame`` has ``days``, ``realised``, ``expected``, ``low`` and ``high``.
    """
    traces = []
    hover = "%{x}: %{y:,.0f}"
    bounded = frame.dropna(subset=["low", "high"])
    if len(bounded):
        mode = "lines" if len(bounded) > 1 else "markers"  # of one point a line shows nothing
        line = {"color": PREDICTED, "width": 1, "dash": "dot"}
        marker = {"symbol": "line-ew", "size": 14, "line": {"color": PREDICTED, "width": 2}}
        edge: dict[str, Any] = dict(type="scatter", x=bounded["days"], mode=mode, line=line, marker=marker)
        edge |= {"hovertemplate": hover, "name": t("monitor.interval")}
        traces.append({**edge, "y": bounded["high"]})
        traces.append({**edge, "y": bounded["low"], "showlegend": False})
    for column, key, colour in (("expected", "monitor.expected", PREDICTED), ("realised", "monitor.came", ACTUAL)):
        traces.append(
            dict(
                type="scatter",
                x=frame["days"],
                y=frame[column],
                name=t(key),
                mode="lines+markers",
                line={"color": colour, "width": 3},
                hovertemplate=hover,
            )
        )
    ticks = value_ticks(frame[["realised", "expected", "low", "high"]])
    return drawn(
        traces,
        message,
        x={"title": t("monitor.days"), "rangemode": "tozero"},
        y={"title": t("monitor.value", unit=unit), "rangemode": "tozero", **ticks},
    )


def series(before: pd.DataFrame, new: pd.DataFrame, message: str, *, axis: str, share: bool) -> Chart:
    """Draw one figure before and since the cutoff, with the limits of the usual.

    ``before`` has ``begin`` (ISO dates) and ``found``, ``new`` also ``low``, ``high`` and ``alert``.
    """
    usual = dict(
        type="scatter",
        x=before["begin"],
        y=before["found"],
        name=t("monitor.drift.before"),
        mode="lines+markers",
        line={"color": BASELINE, "width": 2},
    )
    line = {"color": WARNING, "width": 1, "dash": "dash"}
    edge: dict[str, Any] = dict(type="scatter", x=new["begin"], mode="lines", line=line)
    edge["name"] = t("monitor.drift.limits")
    high = {**edge, "y": new["high"]}
    low = {**edge, "y": new["low"].clip(lower=0), "showlegend": False}  # below nothing no figure is
    since = dict(
        type="scatter",
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
    figures = [before["found"], new["found"], low["y"], new["high"]]
    ticks = {"tickformat": ".1%"} if share else value_ticks(*figures)
    return drawn(
        [usual, high, low, since],
        message,
        x={"title": t("monitor.drift.begin"), "type": "date", "tickformat": "%Y-%m-%d"},
        y={"title": axis, "rangemode": "tozero", **ticks},
    )
