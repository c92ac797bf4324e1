"""Charts of reasons and tiers: what moves predicted value, and who holds it. Same rules as in ``basic``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.ui.charts.basic import BASELINE, DANGER, DIVERGING_SCALE, GAIN, PREDICTED, RAMP, finish, value_ticks
from pages.ui.charts.wide import Wide
from pages.ui.state import percent, say, t


def reason_bars(table: pd.DataFrame, message: str, *, unit: str) -> go.Figure:
    """Draw what moves predictions most, the strongest on top.

    Args:
        table: columns ``label`` and ``strength`` (mean absolute effect on the predicted value), strongest first.
        message: what the chart shows, in words.
        unit: of the effect.
    """
    rows = table.iloc[::-1]
    figure = go.Figure(go.Bar(x=rows["strength"], y=rows["label"], orientation="h", marker_color=PREDICTED))
    figure.update_xaxes(title=t("chart.effect", unit=unit), **value_ticks(table["strength"]))
    figure.update_yaxes(automargin=True)
    return finish(figure, message, legend=False, height=90 + 26 * len(rows))


def beeswarm(table: pd.DataFrame, message: str, *, axis: str) -> go.Figure:
    """Draw one dot a customer and reason: right adds value, left takes it; colour is low to high for that customer.

    Args:
        table: columns ``label``, ``effect`` (in currency) and ``level`` (0 lowest to 1 highest of its reason, NaN where
            the reason has no single value), labels in order of strength.
        message: what the chart shows, in words.
        axis: what the effect is on, with its unit.
    """
    labels = list(dict.fromkeys(table["label"]))[::-1]
    height = table["label"].map({label: position for position, label in enumerate(labels)}).to_numpy(float)
    wide = Wide.of(table.loc[table["label"] == table["label"].iloc[0], "effect"], below=0)
    reach = pd.Series(wide.places(table["effect"]), table.index)
    known = table["level"].notna().to_numpy()
    figure = go.Figure()
    for mask, name in ((~known, t("chart.no_level")), (known, t("chart.customer"))):
        if not mask.any():
            continue
        marker: dict[str, Any] = {"size": 5, "opacity": 0.8, "color": BASELINE}
        if name == t("chart.customer"):
            bar = {
                "title": t("chart.level"),
                "tickvals": [0, 1],
                "ticktext": [t("chart.low"), t("chart.high")],
                "len": 0.6,
            }
            marker |= {"color": table.loc[mask, "level"], "colorbar": bar, "showscale": True}
            marker |= {"colorscale": DIVERGING_SCALE, "cmin": 0, "cmax": 1}
        figure.add_scatter(
            x=reach[mask],
            y=height[mask] + _spread(reach.to_numpy(), height)[mask],
            mode="markers",
            marker=marker,
            name=name,
            customdata=table.loc[mask, ["label", "effect"]],
            hovertemplate="%{customdata[0]}: %{customdata[1]:+,.2f}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": BASELINE, "width": 1})
    figure.update_xaxes(title=axis, **wide.ticks(table["effect"], plus=True))
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, automargin=True, showgrid=False, zeroline=False
    )
    return finish(figure, message, legend=False, height=110 + 40 * len(labels))


def waterfall(steps: pd.DataFrame, message: str, *, start: tuple[str, float], end: str, unit: str) -> go.Figure:
    """Draw how one customer's predicted value comes about from the average.

    Args:
        steps: columns ``label`` and ``effect`` (in currency), in the order to be shown.
        message: what the chart shows, in words.
        start: name and value of where all customers start.
        end: name of the sum.
        unit: of the values.
    """
    effects = steps["effect"].tolist()
    labels = [start[0], *steps["label"], end]
    total = start[1] + sum(effects)
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=labels,
            x=[start[1], *effects, total],
            measure=["absolute", *["relative"] * len(effects), "total"],
            text=[say(start[1]), *[f"{'+' if value >= 0 else '−'}{say(abs(value))}" for value in effects], say(total)],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": GAIN}},
            decreasing={"marker": {"color": DANGER}},
            totals={"marker": {"color": PREDICTED}},
            connector={"line": {"color": BASELINE, "width": 1}},
        )
    )
    reach = np.cumsum([start[1], *effects])
    low, high = min(0.0, float(reach.min())), float(reach.max())
    span = [low * 1.15, high + 0.16 * (high - low)]
    figure.update_xaxes(title=t("chart.value", unit=unit), range=span, **value_ticks(span, from_zero=False))
    figure.update_yaxes(autorange="reversed", automargin=True)
    return finish(figure, message, legend=False, height=110 + 34 * len(labels))


def tier_bars(table: pd.DataFrame, message: str) -> go.Figure:
    """Draw each tier's share of customers beside its share of predicted value.

    Args:
        table: columns ``tier_label``, ``share_of_customers``, ``share_of_value``, the highest tier first.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    colours = tier_colours(len(table))
    for column in ("share_of_customers", "share_of_value"):
        figure.add_bar(
            x=table[column],
            y=table["tier_label"],
            orientation="h",
            name=t(f"chart.{column}"),
            marker_color=[BASELINE] * len(table) if column == "share_of_customers" else colours,
            text=[percent(share) for share in table[column]],
            textposition="outside",
            cliponaxis=False,
        )
    figure.update_xaxes(
        title=t("chart.share"),
        tickformat=".0%",
        range=[0, 1.1 * float(max(table["share_of_value"].max(), table["share_of_customers"].max()))],
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    return finish(figure, message, height=120 + 62 * len(table))


def tier_colours(tiers: int) -> list[str]:
    """Return one colour a tier from the one ramp, the highest tier the strongest."""
    return [RAMP[round(9 - 8 * position / max(1, tiers - 1))] for position in range(tiers)]


def _spread(x: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a vertical offset for each dot, so that dots of the same place stand beside each other."""
    width = max(float(np.ptp(x)), 1e-9) / 60
    frame = pd.DataFrame({"row": row, "bin": np.round(x / width)})
    rank = frame.groupby(["row", "bin"]).cumcount().to_numpy()
    crowd = frame.groupby(["row", "bin"])["bin"].transform("size").to_numpy()
    step = np.minimum(0.09, 0.76 / np.maximum(crowd, 1))
    return np.where(rank % 2 == 0, 1, -1) * ((rank + 1) // 2) * step
