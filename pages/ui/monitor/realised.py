"""Realised against predicted on the monitor page: the curve next to the expected part, and the value tiers since."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.monitoring import Report
from clv_core.monitoring.drift import later_instants
from clv_core.monitoring.realized import WHOLE, Realised
from clv_core.strategy.segments import tier_labels
from pages.ui import cells, i18n, session, widgets
from pages.ui.charts import following
from pages.ui.i18n import money, percent, t
from pages.ui.upload import save


def show(report: Report, dataset: Dataset) -> None:
    """Show what came true, as far as the horizon has passed, tiers as a person calls them."""
    if not report.realised:
        st.caption(t("monitor.realised.early"))
        save.offer_adding("monitor_add")
        return
    currency, last = report.about.currency, report.realised[-1]
    frame = pd.DataFrame(report.realised)
    off = abs(last.realised / last.expected - 1) if last.expected else 0.0
    side = "above" if last.realised >= last.expected else "below"
    amounts = {"realised": money(last.realised, currency), "expected": money(last.expected, currency)}
    message = t(f"monitor.realised.{side}", days=last.days, off=percent(off), **amounts)
    widgets.chart(following.realised_curve(frame, message, unit=i18n.unit(currency)), "monitor_realised")
    st.caption(i18n.join_sentences(_notes(last, currency)))
    names = ("until", "expected", "low", "high", "realised", "newcomers", "buyers_expected", "buyers", "coverage")
    rows = frame[list(names)].dropna(axis=1, how="all").round(2)
    columns = {name: cells.money(t(f"monitor.column.{name}"), currency) for name in names[1:6]} | {
        "until": st.column_config.DateColumn(t("monitor.column.until")),
        "buyers": cells.integer(t("monitor.column.buyers")),
        "buyers_expected": st.column_config.NumberColumn(t("monitor.column.buyers_expected"), format="%.0f"),
        "coverage": st.column_config.NumberColumn(t("monitor.column.coverage"), format="percent"),
    }
    rows["until"] = pd.to_datetime(rows["until"]) - pd.Timedelta(days=1)
    cells.table(rows, message, columns)
    if report.tiers:
        _tiers(report, tier_labels(dataset, len(report.tiers), session.language()))


def _notes(last: Realised, currency: str) -> list[str]:
    """Return notes: who counts, the comparison of an unfinished horizon, and the coverage of customers' intervals."""
    notes = [t("monitor.realised.note", newcomers=money(last.newcomers, currency))]
    if last.held_against != WHOLE:
        notes.append(t(f"monitor.realised.{last.held_against}"))
    if last.coverage is not None:
        notes.append(t("monitor.realised.inside", inside=percent(last.coverage)))
    return notes


def moved(report: Report) -> tuple[str, str]:
    """Return what the top tier brought and how much of it is still there, and the day of that count."""
    top, currency = report.tiers[0], report.about.currency
    # Tiers are counted at full months after the cutoff; the last full month seldom ends with the log.
    ends = map(date.fromisoformat, (report.about.cutoff, report.about.as_of))
    day = i18n.day(later_instants(*ends)[-1])
    stayed = top.now[0] / max(1, top.customers)
    amounts = {"realised": money(top.realised, currency), "expected": money(top.expected, currency)}
    return t("monitor.tiers", stayed=percent(stayed), day=day, **amounts), day


def _tiers(report: Report, names: list[str]) -> None:
    tiers, currency = report.tiers, report.about.currency
    message, day = moved(report)
    st.markdown(f"**{message}**")
    rows = [
        {
            t("column.tier"): name,
            t("column.customers"): tier.customers,
            "expected": tier.expected,
            "low": tier.low,
            "high": tier.high,
            "realised": tier.realised,
            t("monitor.column.side"): t(f"monitor.side.{tier.side}") if tier.side else None,
            **{
                t("monitor.column.now", day=day, tier=other): count
                for other, count in zip(names, tier.now, strict=True)
            },
            t("monitor.column.newcomers"): tier.newcomers,
        }
        for name, tier in zip(names, tiers, strict=True)
    ]
    table = pd.DataFrame(rows).dropna(axis=1, how="all")
    amounts_of = ("expected", "low", "high", "realised")
    numbers = {
        name: cells.money(t(f"monitor.column.{name}"), currency) if name in amounts_of else cells.integer()
        for name in table.columns[1:]
        if name != t("monitor.column.side")
    }
    cells.table(table, message, numbers)
