"""New customers by group: cards, charts and tables."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.deployment import Scored
from clv_core.plot import Chart
from clv_core.strategy.acquisition import ALL, COHORT, NAMED, Acquisition, acquisition_side, group_name, report_table
from pages.ui import cells, i18n, row_files, session, widgets
from pages.ui.acquisition.asking import dimension_names
from pages.ui.charts import acquiring, placing
from pages.ui.i18n import count, money, percent, t
from pages.ui.widgets import Figure

MAX_CARDS: Final = 6
"""Groups with a card: two rows of three fit on a screen."""
MAX_LINES: Final = 5
"""Curves of payback in a chart: with more, their colours are hard to tell apart."""
MAX_ROWS: Final = 15
"""Groups in a chart, the largest: their names fit without overlap."""
MONTHS_SHOWN: Final = 24
"""Latest cohorts in the grid: two years fit the page, and show each season twice."""


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of groups with what each is called in the column ``name``."""
    language = session.language()
    pairs = zip(rows["group"], rows["kind"], strict=True)
    return rows.assign(name=[group_name(str(group), str(kind), language) for group, kind in pairs])


def totals(report: Acquisition) -> None:
    """Show all new customers together: how many, what they cost, what they are worth, when they have paid back."""
    all_of, currency = report.totals, report.currency
    people = max(all_of.customers, 1)
    contribution = float(
        ((report.groups["value_so_far"] + report.groups["predicted"]) * report.groups["margin_rate"]).sum()
    )
    ltv = contribution / people
    bought = t("acquisition.figure.buyers", share=percent(all_of.buyers / people))
    row = [
        Figure(
            t("acquisition.figure.customers"), count(all_of.customers), t("acquisition.figure.customers.help"), bought
        )
    ]
    row.append(Figure(t("acquisition.figure.ltv"), money(ltv, currency), t("acquisition.figure.ltv.help")))
    if all_of.spend > 0:
        cac, target = all_of.spend / people, report.question.target_ratio
        spent = t("acquisition.figure.spend", amount=money(all_of.spend, currency))
        row.insert(
            1, Figure(t("acquisition.figure.cac"), money(cac, currency), t("acquisition.figure.cac.help"), spent)
        )
        ratio = i18n.say(ltv / cac, 2)
        goal = t("acquisition.figure.target", target=f"{target:g}")
        row.append(
            Figure(t("acquisition.figure.ratio"), ratio, t("acquisition.figure.ratio.help"), goal, ltv / cac >= target)
        )
    widgets.figures(row)


def cards(report: Acquisition) -> None:
    """Show one card a group, the best first: worth to cost, when it has paid back, what may be bid."""
    rows = named(report.groups).head(MAX_CARDS)
    with st.grid(min(3, len(rows)), min_column_width=240, gap="small"):
        for row in rows.to_dict("records"):
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{widgets.escape(str(row['name']))}**")
                _card(report, row)
    if len(report.groups) > len(rows):
        st.caption(t("acquisition.cards.more", shown=len(rows), groups=len(report.groups)))


def _card(report: Acquisition, row: dict[Hashable, Any]) -> None:
    currency, question = report.currency, report.question
    has_cost = np.isfinite(row["ratio"])
    value = row["ratio"] if has_cost else row["ltv"]
    if np.isfinite(value):
        ends = (row["ratio_low"], row["ratio_high"]) if has_cost else (row["ltv_low"], row["ltv_high"])
        shown = i18n.say(value, 2) if has_cost else money(value, currency)
        span = (
            t("acquisition.card.range", low=i18n.say(ends[0]), high=i18n.say(ends[1]))
            if np.isfinite(ends).all()
            else None
        )
        st.metric(
            t("acquisition.figure.ratio" if has_cost else "acquisition.figure.ltv"),
            shown,
            span,
            delta_color="off" if not has_cost else "green" if value >= question.target_ratio else "orange",
            delta_arrow="off",
        )
    lines = []
    if has_cost:
        worth = {"cost": money(row["cac"], currency), "value": money(row["ltv"], currency)}
        lines.append(t("acquisition.card.worth", **worth))
    elif row["spend"] > 0:
        lines.append(t("acquisition.card.lost", amount=money(row["spend"], currency)))
    elif row["cac"] == 0:
        lines.append(t("acquisition.card.free"))
    if has_cost and np.isfinite(row["payback_month"]):
        span = _months(row["payback_low"], row["payback_high"], row["payback_month"])
        code = "acquisition.card.paid" if row["payback_observed"] else "acquisition.card.pays"
        lines.append(t(code, month=int(row["payback_month"]), span=span))
    elif has_cost:
        lines.append(t("acquisition.card.unpaid"))
    if has_cost and np.isfinite(row["p_above_target"]):
        lines.append(
            t("acquisition.card.chance", share=percent(row["p_above_target"]), target=f"{question.target_ratio:g}")
        )
    months = question.payback_months
    if np.isfinite(row["max_spend"]):
        amounts = {name: money(row[name], currency) for name in ("max_spend", "max_spend_low")}
        key = "acquisition.card.spend.range" if np.isfinite(row["max_spend_low"]) else "acquisition.card.spend"
        lines.append(t(key, months=months, **amounts))
    elif row["customers"] > 0:
        lines.append(t("acquisition.card.spend.unknown", months=months))
    if np.isfinite(row["max_cac"]):
        lines.append(
            t("acquisition.card.bid", amount=money(row["max_cac"], currency), target=f"{question.target_ratio:g}")
        )
    if lines:
        st.markdown("\n".join(f"- {line}" for line in lines))
    st.space("stretch")
    about = [t("acquisition.card.customers", count=count(int(row["customers"])))]
    about += [t("acquisition.card.never", share=percent(row["never_again"]))] if np.isfinite(row["never_again"]) else []
    about += [] if row["enough"] else [t("acquisition.card.few")]
    st.caption(" · ".join(about))


def _months(low: float, high: float, month: float) -> str:
    """Return the range of a month in brackets; "" where it is one month or unknown."""
    if np.isnan(low) or low == high == month:
        return ""
    if np.isinf(high):
        return t("acquisition.card.months.open", low=int(low))
    return t("acquisition.card.months", low=int(low), high=int(high))


def worth_against_cost(report: Acquisition) -> None:
    """Draw what customers are worth against what they cost; without a cost, what they are worth."""
    rows, unit = named(report.groups), i18n.unit(report.currency)
    with_ratio = rows[np.isfinite(rows["ratio"])]
    if with_ratio.empty:
        shown = rows[rows["ltv"].notna()].head(MAX_ROWS)
        message = t("acquisition.chart.worth", by=i18n.join_names(dimension_names(report.question.by)))
        if len(shown):
            widgets.chart(acquiring.worth(shown, message, unit=unit), "acquisition_worth")
        return
    target = report.question.target_ratio
    reached = int((with_ratio["ratio"] >= target).sum())
    message = t("acquisition.chart.ratio", reached=reached, groups=len(with_ratio), target=f"{target:g}")
    widgets.chart(acquiring.ratio_points(with_ratio, target, message, unit=unit), "acquisition_ratio")


def payback(report: Acquisition) -> None:
    """Draw how much of their cost the groups have brought by month; without a cost, how much money."""
    groups = named(report.groups)
    costly = groups[np.isfinite(groups["ratio"]) & groups["enough"]]
    if costly.empty:
        wanted = groups[groups["enough"]].head(MAX_LINES).assign(cac=1.0)
    else:
        wanted = costly.head(MAX_LINES)
    curves = report.curves[report.curves["kind"] != ALL]
    curves = curves.merge(wanted[["group", "kind", "name", "cac"]], on=["group", "kind"])
    order = {name: place for place, name in enumerate(wanted["name"])}
    curves = curves.assign(value=curves["value"] / curves["cac"]).sort_values(
        ["name", "month"], key=lambda column: column.map(order) if column.name == "name" else column
    )
    if curves.empty:
        return
    months = report.question.payback_months
    if costly.empty:
        drawn = acquiring.payback(curves, t("acquisition.chart.curves"), unit=i18n.unit(report.currency))
    else:
        paid = int((wanted["payback_month"] <= months).sum())
        drawn = acquiring.payback(
            curves, t("acquisition.chart.payback", paid=paid, groups=len(wanted), months=months), unit=""
        )
    widgets.chart(drawn, "acquisition_payback")


def cohorts(report: Acquisition) -> None:
    """Show the months of acquisition: the groups' figures as a grid, and spend next to new customers."""
    rows = report.cohorts
    shown = report.groups[report.groups["kind"] == NAMED].head(MAX_ROWS)
    rows = rows.merge(shown[["group", "kind"]], on=["group", "kind"])
    order = {name: place for place, name in enumerate(shown["group"])}
    rows = named(rows.sort_values("group", key=lambda column: column.map(order), kind="stable"))
    months = sorted(rows["cohort"].unique())[-MONTHS_SHOWN:]
    rows = rows[rows["cohort"].isin(months)]
    has_cost = bool(np.isfinite(rows["ratio"]).any())
    if COHORT not in report.question.by and len(rows):
        if has_cost:
            rows = rows[rows["group"].isin(rows.loc[np.isfinite(rows["ratio"]), "group"])]
        value, key = ("ratio", "acquisition.chart.cohorts") if has_cost else ("ltv", "acquisition.chart.cohorts.ltv")
        filled = rows.loc[rows["enough"] & np.isfinite(rows[value]), "name"]
        if len(filled):
            message = t(key, unit=i18n.unit(report.currency))
            drawn = acquiring.cohorts(rows[rows["name"].isin(filled)], value, message)
            widgets.chart(drawn, "acquisition_cohorts")
        st.caption(t("acquisition.cohorts.note", fewest=report.question.min_customers))
    st.header(t("acquisition.periods"), anchor=False)
    periods = report.periods.assign(cac=report.periods["spend"] / report.periods["customers"].replace(0, np.nan))
    columns: dict[str, Any] = {
        "cohort": st.column_config.TextColumn(t("acquisition.by.cohort")),
        "customers": cells.integer(t("acquisition.figure.customers")),
        "buyers": cells.integer(t("acquisition.column.buyers")),
        "spend": cells.money(t("acquisition.column.spend"), report.currency),
        "cac": cells.money(t("acquisition.figure.cac"), report.currency),
    }
    cells.table(cells.filled(periods, columns).iloc[::-1], t("acquisition.periods"), columns)


def held(report: Acquisition) -> None:
    """Show what each group's customers were predicted to bring at earlier cutoffs, and what they brought."""
    if report.held.empty:
        st.info(t("acquisition.held.none"), icon=":material/info:")
        return
    rows = named(report.held)
    latest = rows[rows["cutoff"] == rows["cutoff"].max()].sort_values("predicted", ascending=False).head(MAX_ROWS)
    ranged = latest["low"].notna().all()
    inside = (latest["actual"] >= latest["low"]) & (latest["actual"] <= latest["high"])
    params = {"cutoff": i18n.day(str(latest["cutoff"].iloc[0])), "groups": len(latest), "inside": int(inside.sum())}
    message = t("acquisition.held.inside" if ranged else "acquisition.held.plain", **params)
    chart: Chart = placing.realised_bars(latest, message, unit=i18n.unit(report.currency))
    widgets.chart(chart, "acquisition_held")
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("acquisition.column.group"), pinned=True),
        "cutoff": st.column_config.TextColumn(t("acquisition.column.cutoff")),
        "customers": cells.integer(t("column.customers")),
        "predicted": cells.money(t("acquisition.column.predicted"), report.currency),
        "low": cells.money(t("segments.column.low"), report.currency),
        "high": cells.money(t("segments.column.high"), report.currency),
        "actual": cells.money(t("acquisition.column.actual"), report.currency),
        "ratio": st.column_config.NumberColumn(t("acquisition.column.realised"), format="%.2f"),
    }
    cells.table(cells.filled(rows, columns), t("acquisition.view.held"), columns)


def table(report: Acquisition) -> None:
    """Show all figures of all groups."""
    number, currency = st.column_config.NumberColumn, report.currency

    def amount(key: str) -> Any:
        return cells.money(t(f"acquisition.column.{key}"), currency, help=t(f"acquisition.column.{key}.help"))

    shares = ("p_above_one", "p_above_target", "never_again")
    rows = named(report.groups)
    rows = rows.assign(**{name: 100 * rows[name] for name in shares}).replace([np.inf, -np.inf], np.nan)
    target = f"{report.question.target_ratio:g}"
    columns: dict[str, Any] = {
        "rank": number(t("acquisition.column.rank"), format="%d", help=t("acquisition.column.rank.help")),
        "name": st.column_config.TextColumn(t("acquisition.column.group"), pinned=True),
        "customers": cells.integer(t("acquisition.figure.customers")),
        "buyers": cells.integer(t("acquisition.column.buyers")),
        "spend": cells.money(t("acquisition.column.spend"), currency),
        "cac": cells.money(t("acquisition.figure.cac"), currency, help=t("acquisition.figure.cac.help")),
        "ltv": cells.money(t("acquisition.figure.ltv"), currency, help=t("acquisition.figure.ltv.help")),
        "ltv_low": cells.money(t("segments.column.low"), currency, help=t("segments.column.low.help")),
        "ltv_high": cells.money(t("segments.column.high"), currency, help=t("segments.column.low.help")),
        "ltv_own": amount("ltv_own"),
        "ratio": number(t("acquisition.figure.ratio"), format="%.2f", help=t("acquisition.figure.ratio.help")),
        "ratio_low": number(t("segments.column.low"), format="%.2f"),
        "ratio_high": number(t("segments.column.high"), format="%.2f"),
        "p_above_one": number(t("acquisition.column.p_above_one"), format="%.0f%%"),
        "p_above_target": number(t("acquisition.column.p_above_target", target=target), format="%.0f%%"),
        "payback_month": number(
            t("acquisition.column.payback"), format="%d", help=t("acquisition.column.payback.help")
        ),
        "payback_low": number(t("segments.column.low"), format="%d"),
        "payback_high": number(t("segments.column.high"), format="%d"),
        "max_cac": amount("max_cac"),
        "max_cac_low": amount("max_cac_low"),
        "max_spend": amount("max_spend"),
        "max_spend_low": amount("max_spend_low"),
        "never_again": number(
            t("acquisition.column.never_again"), format="%.0f%%", help=t("acquisition.column.never_again.help")
        ),
        "value_so_far": amount("value_so_far"),
        "predicted": amount("predicted_sum"),
    }
    shown = cells.filled(rows, columns)
    cells.table(shown, t("acquisition.view.figures"), columns, height="content", key="acquisition_figures")
    st.caption(t("acquisition.shrunk", fewest=report.question.min_customers))


def download(report: Acquisition, scored: Scored) -> None:
    """Offer the table of figures as files, with what its numbers mean."""
    side = acquisition_side(scored, report, session.language())
    row_files.table(scored.model, "acquisition", "acquisition", side, lambda: report_table(report))
