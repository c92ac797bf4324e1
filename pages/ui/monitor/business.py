"""The business on the monitor page: what is wrong with it, since when and for how much, and each figure by day."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.monitoring import (
    AMBER,
    GOOD,
    GREEN,
    RED,
    FindingRecord,
    Watched,
    acknowledge_findings,
    day_table,
    find_watch,
    finding_text,
    series_name,
    unwatched_text,
)
from clv_core.monitoring.business import Course, Finding
from pages.ui import access, cells, i18n, page_files, progress, session, widgets
from pages.ui.charts import following
from pages.ui.i18n import money, t
from pages.ui.monitor.status import LIGHTS
from pages.ui.upload import save

MONEY: Final = ("revenue", "price")
"""Figures in the log's currency."""
LATELY: Final = 28
"""Days that the tiles sum up: four weeks hold each weekday as often."""
TILES: Final = ("revenue", "orders", "new", "returning")
FIGURES: Final = ("actual", "expected", "low", "high")
AROUND: Final = pd.Timedelta(days=42)
"""Before and behind a finding, in its chart: six weeks show what is usual."""
SPANS: Final = {"around": None, "half": 182, "year": 365, "all": 36_500}
"""Parts of a chart by the days that they reach back; None: from before the worst finding on."""


def need_watch(dataset: Dataset) -> Watched:
    """Return the watch on a dataset as it is now; while it is not there, show the run that makes it."""
    found = find_watch(dataset)
    command = ["monitor", dataset.name, "--business"]
    label = f"{dataset.name} {dataset.with_all.version}"
    progress.need_result(found is not None, command, label, t("monitor.business.wait"))
    assert found is not None
    return found


def show(dataset: Dataset) -> None:
    """Show the worst finding or that all is as expected, all findings, a figure by day, and what is not watched."""
    watched = need_watch(dataset)
    watch = watched.watch
    about = {"name": widgets.escape(dataset.name), "day": i18n.day(watch.as_of)}
    widgets.headline(widgets.escape(watched.headline(session.language())), t("monitor.business.about", **about))
    if watch.courses:
        _tiles(watched)
        _findings(dataset, watched)
        _chart(watched)
        _download(watched, dataset.name)
    else:
        save.offer_adding("monitor_add")
    if watch.unwatched:
        st.subheader(t("monitor.business.unwatched"), anchor=False)
        said = [unwatched_text(message, session.language()) for message in watch.unwatched]
        st.markdown("\n".join(f"- {widgets.escape(text)}" for text in said))


def _tiles(watched: Watched) -> None:
    """Show what came on a usual day of the last weeks beside what was expected."""
    courses = {course.name: course for course in watched.watch.courses}
    tiles = []
    for name in TILES:
        if name not in courses:
            continue
        came, expected = (_mean(getattr(courses[name], figure)) for figure in ("actual", "expected"))
        said = [_amount(name, value, watched.watch.currency) for value in (came, expected)]
        note = t("monitor.business.tile.expected", expected=said[1])
        tiles.append(widgets.Figure(_series(name), said[0], t(f"monitor.business.tile.{name}"), note))
    st.markdown(t("monitor.business.tiles", days=LATELY))
    widgets.figures(tiles, columns=len(tiles))


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values[-LATELY:]))


def _findings(dataset: Dataset, watched: Watched) -> None:
    """List the findings that nobody has seen, then the others: those that are over for long, and those seen."""
    pairs = list(zip(watched.watch.findings, watched.records, strict=True))
    recent = [record.id for _, record in watched.recent]
    st.header(t("monitor.business.findings"), anchor=False)
    if not recent:
        colour, icon = LIGHTS[GREEN]
        st.markdown(f":{colour}[{icon}] {t('monitor.business.none')}")
    for found, record in watched.recent:
        left, button = st.columns([5, 1], vertical_alignment="center")
        left.markdown(_sentence(found))
        options = {"help": t("monitor.business.seen.help"), **access.if_may("change")}
        if button.button(t("monitor.acknowledge"), key=f"seen_{record.id}", **options):
            _acknowledge(dataset, record)
    others = [(found, record) for found, record in pairs if record.id not in recent]
    if others:
        with st.expander(t("monitor.business.earlier", n=len(others))):
            for found, record in sorted(others, key=lambda pair: pair[0].first_day, reverse=True):
                st.markdown(_sentence(found))
                who = record.acknowledged
                if who.at:
                    st.caption(f"{i18n.moment(who.at)} · {widgets.escape(who.by)}")


def _sentence(found: Finding) -> str:
    colour, icon = LIGHTS[AMBER if found.kind in GOOD else RED]
    return f":{colour}[{icon}] {widgets.escape(finding_text(found, session.language()))}"


def _acknowledge(dataset: Dataset, record: FindingRecord) -> None:
    access.require("change")
    acknowledge_findings(dataset, [record], access.current_user() or "app")
    st.rerun()


@widgets.safe_fragment
def _chart(watched: Watched) -> None:
    """Let the person choose a figure and a span, the worst finding's first, and draw it with its trouble marked."""
    watch = watched.watch
    worst = watched.recent[0][0] if watched.recent else None
    names = [course.name for course in watch.courses]
    first = worst.series if worst is not None and worst.series in names else names[0]
    names = [first, *(name for name in names if name != first)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        series = {name: _series(name) for name in names}
        name = widgets.select(t("monitor.drift.choose"), series, f"watch_series_{first}", width=340)
        spans = [span for span in SPANS if span != "around" or worst is not None]
        labels = {span: t(f"monitor.business.span.{span}") for span in spans}
        span = widgets.choose(t("monitor.business.span"), labels, f"watch_span_{spans[0]}")
    shown = _shown(next(course for course in watch.courses if course.name == name), span, worst)
    begin, end = (shown["day"].iloc[place].date() for place in (0, -1))
    marked = [found for found in watch.findings if _concerns(found, name)]
    days = [(max(found.first_day, begin), min(found.last_day or end, end)) for found in marked]
    days = [(first, last) for first, last in days if first <= last]
    unit = i18n.unit(watch.currency) if name in MONEY else ""
    came, expected = (float(shown[figure].mean()) for figure in ("actual", "expected"))
    amounts = {"came": _amount(name, came, watch.currency), "expected": _amount(name, expected, watch.currency)}
    message = t("monitor.business.chart", figure=_series(name), when=i18n.days(begin, end), **amounts)
    widgets.chart(following.daily_course(shown, days, message, axis=cells.headed(_series(name), unit)), "watch_chart")


def _shown(course: Course, span: str, worst: Finding | None) -> pd.DataFrame:
    """Return a figure by day: a part of it that reaches back from its end, or the days around a finding."""
    rows = pd.DataFrame({"day": course.days, **{name: getattr(course, name) for name in FIGURES}})
    days = SPANS[span]
    if days is not None or worst is None:
        return rows.tail(days or len(rows))
    until = pd.Timestamp(worst.last_day) + AROUND if worst.last_day else rows["day"].iloc[-1]
    around = rows[rows["day"].between(pd.Timestamp(worst.first_day) - AROUND, until)]
    return around if len(around) else rows


def _concerns(found: Finding, series: str) -> bool:
    """Return whether a finding is marked in a figure: in its own, and in all where it is not of one channel or kind."""
    return found.series == series or ":" not in found.series


def _series(name: str) -> str:
    return series_name(name, session.language())


def _amount(name: str, value: float, currency: str) -> str:
    """Return a mean by day as a person would say it."""
    return money(value, currency) if name in MONEY else i18n.say(value)


def _download(watched: Watched, name: str) -> None:
    """Offer the figures by day as a table."""
    watch, label = watched.watch, t("monitor.business.download")
    file = f"{name}-business-{watch.as_of:%Y%m%d}.csv"
    page_files.download(label, lambda: page_files.spreadsheet(day_table(watch), mixed=True), file, key="watch_days")
