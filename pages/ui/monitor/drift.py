"""What changed and when, on the monitor page: one figure over time, and maps of how near each check came to a limit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.features import label
from clv_core.monitoring import Report
from clv_core.monitoring.drift import PREDICTED, PRICES, Check, PastSeries
from pages.ui import cells, i18n, session, widgets
from pages.ui.charts import behaviour, following
from pages.ui.i18n import name_of, percent, t

SERIES: Final = ("volume", "share", "level")
MAX_MAP_ROWS: Final = 14
"""Rows of the map, those nearest to an alert: all fit on a screen."""
NO_ALERT: Final = 0.99
"""Upper bound of the nearness shown for a check without an alert."""
FULL: Final = 1.5
"""Nearness from which on the map's colour is the darkest: half beyond the alert at 1."""


@widgets.safe_fragment
def show(report: Report) -> None:
    """Show the figure that moved most, a chooser of all others, and both maps."""
    data = [check for check in report.checks if check.test in SERIES and check.subject not in PREDICTED]
    if not data:
        st.caption(t("monitor.alerts.early"))
        return
    nearest = sorted(data, key=lambda check: (not check.alert, -nearness(check)))
    by_name = {_what(*key): key for key in ((check.test, check.subject, check.value) for check in nearest)}
    names = {key: name for name, key in by_name.items()}
    selected = widgets.select(t("monitor.drift.choose"), names, "monitor_series")
    _series(report, selected)
    limited = [check for check in report.checks if check.test not in ("new", "lost")]
    customers = [check for check in limited if check.test == "sight" or check.subject in PREDICTED]
    data_checks = [check for check in limited if check.test != "sight" and check.subject not in PREDICTED]
    for name, checks in (("data", data_checks), ("customers", customers)):
        if checks:
            _map(checks, name)


def _series(report: Report, key: tuple[str, str, str]) -> None:
    new = pd.DataFrame([check for check in report.checks if (check.test, check.subject, check.value) == key])
    past = next(
        (series for series in report.past if (series.test, series.subject, series.value) == key),
        PastSeries(*key, [], []),
    )
    beyond = int(new["alert"].sum())
    message = t("monitor.drift.beyond" if beyond else "monitor.drift.steady", what=_what(*key), n=beyond, all=len(new))
    before = pd.DataFrame({"begin": past.begin, "found": past.figures})
    unit = i18n.unit(report.about.currency) if key[0] == "level" and key[1] in PRICES else ""
    axis = cells.headed(_what(*key), unit)
    widgets.chart(following.series(before, new, message, axis=axis, share=key[0] == "share"), "monitor_drift")


def _map(checks: list[Check], name: str) -> None:
    at = "end" if name == "customers" else "begin"
    rows = pd.DataFrame(
        {
            "what": [_what(check.test, check.subject, check.value) for check in checks],
            "at": [getattr(check, at) for check in checks],
            "near": [nearness(check) for check in checks],
        }
    )
    values = rows.pivot_table(index="what", columns="at", values="near", aggfunc="max")
    values = values.loc[values.max(axis=1).sort_values(ascending=False).index[:MAX_MAP_ROWS]]
    texts = values.map(lambda near: "" if np.isnan(near) else percent(near))
    hover = pd.DataFrame([[_cell(what, begin, near) for begin, near in row.items()] for what, row in values.iterrows()])
    axes = (t("monitor.drift.begin") if at == "begin" else t("monitor.column.until"), "")
    figure = behaviour.heat_map(values.clip(upper=FULL), texts, hover, t(f"monitor.map.{name}"), axes=axes)
    widgets.chart(figure, f"monitor_map_{name}")


def _cell(what: Any, begin: Any, near: float) -> str:
    return t("monitor.map.cell", what=what, begin=i18n.day(str(begin)), share=percent(0 if np.isnan(near) else near))


def nearness(check: Check) -> float:
    """Return how far a check is on its way from what is usual to its limit: 1 is at the limit, and an alert."""
    if check.low is None:
        near = check.found / check.high if check.high else 0.0
    else:
        limit = check.high if check.rose else check.low
        assert limit is not None
        way = abs(limit - check.usual)
        near = abs(check.found - check.usual) / way if way > 0 else 0.0
    return near if check.alert else min(near, NO_ALERT)  # nothing came, and that is the limit


def _what(test: str, subject: str, value: str) -> str:
    """Return what a check looks at, in a few words."""
    if subject in PREDICTED:
        return t(f"monitor.what.{subject}" + ("_shape" if test == "sight" else ""))
    if test == "sight":
        return label(subject, session.language())
    if test == "psi":
        return t(f"monitor.what.{subject}")
    if test == "volume" and value:
        return t("monitor.what.events", value=name_of("event", value))
    if subject.startswith("missing:"):
        return t(f"monitor.what.gaps_{subject.removeprefix('missing:')}", value=name_of("canonical", value))
    what = t(f"monitor.what.{subject}")
    return t("monitor.what.distribution", what=what) if test == "ks" and subject in PRICES else what
