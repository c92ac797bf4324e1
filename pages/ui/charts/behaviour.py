"""Charts of how customers behaved: all of it happened, so its colour is that of what is actual.

Same rules as in ``basic``. A bucket of time that the period holds only in part is drawn pale and says so.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.charts.basic import ACTUAL, BASELINE, DOTTED, OTHER, PALER, PALEST_LINE, RAMP, finish, value_ticks
from pages.ui.state import percent, say, t

SCALE: Final = [[place / 9, colour] for place, colour in enumerate(RAMP)]
PALE: Final = 0.35
DATES: Final = {"day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "quarter": "%Y-%m"}


def revenue_bars(table: pd.DataFrame, message: str, *, unit: str, time_unit: str) -> go.Figure:
    """Draw net revenue over time.

    Args:
        table: columns ``bucket``, ``label``, ``net``, ``complete``.
        message: what the chart shows, in words.
        unit: of money.
        time_unit: what a bucket is.
    """
    figure = go.Figure()
    for complete, name in ((True, "chart.net_revenue"), (False, "chart.incomplete")):
        rows = table[table["complete"] == complete]
        if rows.empty:
            continue
        figure.add_bar(
            x=rows["bucket"],
            y=rows["net"],
            name=t(name),
            marker_color=ACTUAL,
            opacity=1 if complete else PALE,
            customdata=rows[["label"]],
            hovertemplate="%{customdata[0]}: %{y:,.2f}<extra></extra>",
        )
    _time_axis(figure, table, time_unit)
    figure.update_yaxes(title=t("chart.net_revenue_by", unit=unit), rangemode="tozero", **value_ticks(table["net"]))
    return finish(figure, message, legend=not table["complete"].all())


def people_lines(table: pd.DataFrame, message: str, *, kinds: list[str], time_unit: str) -> go.Figure:
    """Draw how many customers did anything, bought, and had bought before.

    Args:
        table: columns ``bucket``, ``label``, ``complete`` and those of ``kinds``.
        message: what the chart shows, in words.
        kinds: of ``customers, buyers, known_buyers``, in this order.
        time_unit: what a bucket is.
    """
    looks = {
        "customers": {"color": BASELINE, "width": 2},
        "buyers": {"color": ACTUAL, "width": 2.5},
        "known_buyers": {"color": OTHER, "width": 2, "dash": "dot"},
    }
    whole = table[table["complete"]] if table["complete"].any() else table
    figure = go.Figure()
    for kind in kinds:
        figure.add_scatter(
            x=whole["bucket"],
            y=whole[kind],
            name=t(f"chart.{kind}"),
            mode="lines+markers" if len(whole) < 20 else "lines",
            line=looks[kind],
            customdata=whole[["label"]],
            hovertemplate="%{customdata[0]}: %{y:,}",
        )
    _time_axis(figure, table, time_unit)
    figure.update_yaxes(title=t("chart.customers"), rangemode="tozero", **value_ticks(whole[kinds]))
    return finish(figure, message)


def _time_axis(figure: go.Figure, table: pd.DataFrame, time_unit: str) -> None:
    few = {"tickvals": table["bucket"]} if len(table) <= 8 else {}
    figure.update_xaxes(title=t(f"chart.by.{time_unit}"), tickformat=DATES[time_unit], **few)


def heat_map(
    values: pd.DataFrame, texts: pd.DataFrame, hover: pd.DataFrame, message: str, *, axes: tuple[str, str]
) -> go.Figure:
    """Draw a table as a heat map; cells without a value stay empty.

    Args:
        values: what the colour shows, its index the rows from top to bottom.
        texts: what is written in each cell.
        hover: what is said of each cell.
        message: what the chart shows, in words.
        axes: titles of the columns and of the rows.
    """
    shown = texts.to_numpy() if values.size <= 260 else None
    cells = values.to_numpy(float)
    known = cells[np.isfinite(cells)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            zmin=low,
            zmax=low + (high - low) * (PALER if shown is not None else 1) if high > low else low + 1,
            x=values.columns.astype(str),
            y=values.index.astype(str),
            text=shown,
            texttemplate="%{text}" if shown is not None else None,
            textfont_color=ACTUAL,
            customdata=hover.to_numpy(),
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=SCALE,
            showscale=shown is None,
            colorbar={"tickformat": ".0%", "thickness": 10, "len": 0.5, "outlinewidth": 0},
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title=axes[0], type="category", showgrid=False)
    figure.update_yaxes(title=axes[1], type="category", autorange="reversed", showgrid=False)
    return finish(figure, message, legend=False, height=max(340, 90 + 24 * len(values)))


def cohort_curves(
    cells: pd.DataFrame, mean: pd.DataFrame, message: str, *, unit: str, axis: str, names: dict[Any, str]
) -> go.Figure:
    """Draw cumulative net revenue per customer, one line a cohort, and all of them together.

    Args:
        cells: columns ``cohort``, ``age``, ``per_customer``.
        mean: columns ``age``, ``per_customer``.
        message: what the chart shows, in words.
        unit: of money.
        axis: title of the age axis.
        names: of the cohorts.
    """
    figure = go.Figure()
    groups = [(cohort, part) for cohort, part in cells.groupby("cohort") if len(part) > 1]
    for place, (cohort, part) in enumerate(groups):
        figure.add_scatter(
            x=part["age"],
            y=part["per_customer"],
            name=names[cohort],
            mode="lines",
            line={"color": RAMP[PALEST_LINE + round(3 * place / max(1, len(groups) - 1))], "width": 1.4},
            showlegend=place in (0, len(groups) - 1),
            hovertemplate="%{y:,.2f}",
        )
    figure.add_scatter(
        x=mean["age"],
        y=mean["per_customer"],
        name=t("chart.all_cohorts"),
        mode="lines",
        line={"color": ACTUAL, "width": 3},
        hovertemplate="%{y:,.2f}",
    )
    figure.update_xaxes(title=axis)
    shown = value_ticks(mean["per_customer"], *(part["per_customer"] for _, part in groups))
    figure.update_yaxes(title=t("chart.cumulative", unit=unit), rangemode="tozero", **shown)
    return finish(figure, message)


def gap_bars(table: pd.DataFrame, message: str, median: float) -> go.Figure:
    """Draw how many purchases came how long after the one before, and where the middle lies.

    Args:
        table: columns ``low``, ``high`` (days, both counted), ``count``.
        message: what the chart shows, in words.
        median: of the gaps, days.
    """
    width = int((table["high"] - table["low"]).iloc[0]) + 1
    figure = go.Figure(
        go.Bar(
            x=table["low"] + (width - 1) / 2,
            y=table["count"],
            width=width,
            marker={"color": ACTUAL, "line": {"width": 0}},
            customdata=table[["low", "high"]],
            hovertemplate=t("chart.gap_hover") + "<extra></extra>",
        )
    )
    figure.add_vline(x=median, line=DOTTED, annotation_text=t("chart.median", days=say(median)))
    figure.update_xaxes(title=t("chart.gap_days"))
    figure.update_yaxes(title=t("chart.purchase_days"), **value_ticks(table["count"]))
    figure = finish(figure, message, legend=False)
    return figure.update_layout(bargap=0)


def back_curves(curve: pd.DataFrame, message: str) -> go.Figure:
    """Draw the share of buyers who have bought again, by days since a purchase.

    Args:
        curve: columns ``after`` (``first``, ``later``), ``days``, ``share``.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    for after, line in (("first", {"color": ACTUAL, "width": 2.5}), ("later", {"color": OTHER, "width": 2.5})):
        part = curve[curve["after"] == after]
        if part.empty:
            continue
        figure.add_scatter(
            x=part["days"],
            y=part["share"],
            name=t(f"chart.after_{after}"),
            mode="lines",
            line={**line, "shape": "hv", "dash": "solid" if after == "first" else "dot"},
            hovertemplate="%{y:.1%}",
        )
    figure.update_xaxes(title=t("chart.days_since_purchase"), rangemode="tozero", dtick=30)
    figure.update_yaxes(title=t("chart.share_back"), tickformat=".0%", rangemode="tozero")
    return finish(figure, message)


def lorenz(curve: pd.DataFrame, message: str) -> go.Figure:
    """Draw the share of net revenue held by the buyers with most of it.

    Args:
        curve: columns ``share_of_buyers``, ``share_of_value``.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=curve["share_of_buyers"],
        y=curve["share_of_value"],
        name=t("chart.held"),
        mode="lines",
        line={"color": ACTUAL, "width": 3},
        hovertemplate=t("chart.held_hover", buyers="%{x:.0%}", value="%{y:.1%}") + "<extra></extra>",
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], name=t("chart.all_alike"), mode="lines", line=DOTTED, hoverinfo="skip")
    figure.update_xaxes(title=t("chart.share_of_buyers"), tickformat=".0%", range=[0, 1], dtick=0.2)
    figure.update_yaxes(title=t("chart.share_of_net"), tickformat=".0%", range=[0, 1.02])
    return finish(figure, message)


def bars(
    table: pd.DataFrame, message: str, *, axis: str, shares: bool = False, level: str = "", upright: bool = False
) -> go.Figure:
    """Draw one bar a row, lying unless the rows are steps of a scale.

    Args:
        table: columns ``label``, ``value``, ``text`` (beside the bar), ``hover``.
        message: what the chart shows, in words.
        axis: title of the value axis, with its unit.
        shares: whether values are shares.
        level: title of the axis of labels.
        upright: whether bars stand.
    """
    place = {"x": table["label"], "y": table["value"]} if upright else {"y": table["label"], "x": table["value"]}
    figure = go.Figure(
        go.Bar(
            **place,
            orientation="v" if upright else "h",
            marker_color=ACTUAL,
            text=table["text"],
            textposition="outside",
            cliponaxis=False,
            customdata=table[["hover"]],
            hovertemplate="%{customdata[0]}<extra></extra>",
        )
    )
    low, high = min(0.0, float(table["value"].min())), max(float(table["value"].max()), 1e-9)
    reach = {"range": [low * 1.2, high * 1.18]} | ({"tickformat": ".0%"} if shares else value_ticks([low, high]))
    names = {"type": "category", "title": level or None, "showgrid": False}
    if upright:
        figure.update_xaxes(**names)
        figure.update_yaxes(title=axis, **reach)
        return finish(figure, message, legend=False)
    figure.update_xaxes(title=axis, **reach)
    figure.update_yaxes(autorange="reversed", **names)
    return finish(figure, message, legend=False, height=max(220, 90 + 30 * len(table)))


def rating_line(table: pd.DataFrame, message: str, *, time_unit: str) -> go.Figure:
    """Draw the mean rating over time.

    Args:
        table: columns ``bucket``, ``label``, ``mean``, ``ratings``.
        message: what the chart shows, in words.
        time_unit: what a bucket is.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=table["bucket"],
        y=table["mean"],
        mode="lines+markers" if len(table) < 20 else "lines",
        line={"color": ACTUAL, "width": 2.5},
        customdata=table[["label", "ratings"]],
        hovertemplate=t("chart.rating_hover") + "<extra></extra>",
    )
    _time_axis(figure, table, time_unit)
    middle, low, high = (float(found) for found in (table["mean"].mean(), table["mean"].min(), table["mean"].max()))
    span = [min(low - 0.2, middle - 0.5), max(high + 0.2, middle + 0.5)]
    figure.update_yaxes(title=t("chart.mean_rating"), range=span)
    return finish(figure, message, legend=False)


def shares_text(values: pd.DataFrame) -> pd.DataFrame:
    """Return shares as they are written into cells."""
    return values.map(lambda share: "" if pd.isna(share) else percent(share))
