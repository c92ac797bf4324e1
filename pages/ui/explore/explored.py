"""How customers behaved: the cube behind the explore page, what is chosen of it, and its key figures."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.errors import ClvError
from clv_core.features.explore.concentration import Concentration, concentration
from clv_core.features.explore.cube import Cube, find_cube
from clv_core.features.explore.figures import Figures, figures
from clv_core.features.explore.selection import CubePart, Filters, Selection
from clv_core.features.explore.views import VIEWS
from pages.ui import progress, saying, widgets
from pages.ui.saying import money, percent, t

WHOLE, OWN = "whole", "own"
PRESETS: Final = {"days30": 30, "days90": 90, "days365": 365}
CARDS: Final = ("customers", "buyers", "orders", "net", "order_value", "repeat_rate", "per_customer", "return_rate")
SHARES: Final = ("repeat_rate", "return_rate")
MONEY: Final = ("net", "order_value", "per_customer")
CURVES: Final = {name: "known_rate" if name == "repeat_rate" else name for name in CARDS}


def need_cube(dataset: Dataset) -> Cube:
    """Return the sums of a dataset; while they are not there, show the run that makes them."""
    cube = find_cube(dataset)
    label = f"{dataset.name} ({dataset.version})"
    progress.need(cube is not None, ["explore", dataset.name], label, t("explore.wait"))
    assert cube is not None
    return cube


@st.cache_resource(max_entries=3, show_spinner=False)
def _part(folder: str, version: str, channels: tuple[str, ...], countries: tuple[str, ...]) -> CubePart:
    cube = Cube.read(Path(folder))
    if cube is None:
        raise ClvError("explore_gone", folder=folder)
    return CubePart(cube, channels, countries)


def selection(cube: Cube, filters: Filters) -> Selection:
    """Return what the person has chosen, ready to be asked."""
    part = _part(str(cube.folder), cube.version, filters.channels, filters.countries)
    return Selection.of(part, filters.start, filters.end)


@st.cache_resource(max_entries=256, show_spinner=False)
def view(name: str, version: str, filters: Filters, _cube: Cube) -> pd.DataFrame:
    """Return one view of the selection as a table."""
    return VIEWS[name](selection(_cube, filters))


@st.cache_resource(max_entries=64, show_spinner=False)
def key_figures(version: str, filters: Filters, _cube: Cube) -> tuple[Figures, Figures | None, int]:
    """Return the key figures, those of the span before where the log holds it, and the days of the span."""
    chosen = selection(_cube, filters)
    before = chosen.before()
    return figures(chosen), figures(before) if before else None, chosen.days


@st.cache_resource(max_entries=64, show_spinner=False)
def spread(version: str, filters: Filters, _cube: Cube) -> Concentration:
    """Return how concentrated the net revenue is."""
    return concentration(selection(_cube, filters))


def choose(cube: Cube) -> Filters:
    """Let the person choose period, channels and countries; what the log has not is not offered."""
    days = (cube.end - cube.start).days
    own = f"{cube.dataset}_{cube.version}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        periods = [WHOLE, *(name for name, length in PRESETS.items() if length < days), OWN]
        names = {name: t(f"explore.period.{name}") for name in periods}
        period = st.segmented_control(
            t("explore.period"),
            periods,
            format_func=names.__getitem__,
            default=WHOLE,
            required=True,
            key=f"explore_period_{own}",
            wrap=True,
            persist_state="session",
        )
        start, end = _own_days(cube, own) if period == OWN else _preset(cube, period)
        chosen = {
            column: tuple(_several(column, options, own))
            for column, options in (("channels", cube.channels), ("countries", cube.countries))
            if len(options) > 1
        }
    return Filters(start, end, **chosen)


def _preset(cube: Cube, period: str) -> tuple[date | None, date | None]:
    return (cube.end - timedelta(days=PRESETS[period]), cube.end) if period in PRESETS else (None, None)


def _own_days(cube: Cube, own: str) -> tuple[date | None, date | None]:
    last = cube.end - timedelta(days=1)
    days = st.date_input(
        t("explore.days"),
        (cube.start, last),
        cube.start,
        last,
        key=f"explore_days_{own}",
        format="YYYY-MM-DD",
        persist_state="session",
        width=260,
    )
    if not isinstance(days, tuple) or len(days) != 2:  # while the second day is being chosen
        st.stop()
    return days[0], days[1] + timedelta(days=1)


def _several(column: str, options: tuple[str, ...], own: str) -> list[str]:
    return st.multiselect(
        t(f"explore.{column}"),
        options,
        key=f"explore_{column}_{own}",
        placeholder=t(f"explore.{column}.all"),
        persist_state="session",
        width=160,
    )


def about(cube: Cube, filters: Filters) -> str:
    """Return dataset, period and filters in one line."""
    last = (filters.end or cube.end) - timedelta(days=1)
    words = t(
        "explore.context",
        dataset=widgets.plain(cube.dataset),
        start=saying.day(filters.start or cube.start),
        end=saying.day(last),
    )
    return " · ".join(
        [words, *(widgets.plain(saying.listed(part)) for part in (filters.channels, filters.countries) if part)]
    )


def headline(found: Figures, held: Concentration) -> str:
    """Return how few hold how much, and how many came back."""
    if not found.buyers:
        return t("explore.headline.nobody", customers=saying.count(found.customers))
    back = percent(found.repeat_rate or 0.0)
    if held.top10 is None:
        return t("explore.headline.no_value", back=back)
    return t("explore.headline", share=percent(held.top10), back=back)


def cards(cube: Cube, filters: Filters, found: Figures, before: Figures | None, days: int) -> None:
    """Show the key figures, each with its way through the period and its change against the span before."""
    table = view("trend", cube.version, filters, cube)
    whole = table[table["complete"]]
    left_out = {"customers"} if cube.has == ("purchase",) else set()
    left_out |= set() if "return" in cube.has else {"return_rate"}
    with st.grid(4, min_column_width=200, gap="small"):
        for name in (name for name in CARDS if name not in left_out):
            value = getattr(found, name)
            curve = whole[CURVES[name]].dropna().tolist()
            change = _change(name, value, getattr(before, name) if before else None)
            st.metric(
                t(f"explore.card.{name}"),
                _said(name, value, cube.currency),
                change[0] if change else None,
                delta_color=change[1] if change else "off",
                delta_arrow="off",
                help=t(f"explore.card.{name}.help"),
                chart_data=curve if len(curve) > 2 else None,
                chart_type="area",
                border=True,
                height="stretch",
            )
    st.caption(t("explore.no_before") if before is None else t("explore.against", days=f"{days:,}"))


def _said(name: str, value: float | None, currency: str) -> str:
    if value is None:
        return "–"
    if name in SHARES:
        return percent(value, 1)
    return money(value, currency) if name in MONEY else saying.count(int(value))


def _change(name: str, now: float | None, then: float | None) -> tuple[str, Any] | None:
    """Return the change in words and its colour; None where there is nothing to compare."""
    if now is None or then is None or (name not in SHARES and then <= 0):
        return None
    change = now - then if name in SHARES else now / then - 1
    words = t("explore.points", change=f"{change * 100:+.1f}") if name in SHARES else f"{change:+.1%}"
    good = change < 0 if name == "return_rate" else change > 0
    return words, "off" if abs(change) < 0.0005 else "green" if good else "orange"
