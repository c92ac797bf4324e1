"""Segments over time: who moved since an earlier day, and what segments brought against what was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import saved_score_files, scores_path
from clv_core.deployment.terms import Terms
from clv_core.i18n import say_miss
from clv_core.strategy.history import purchase_history, with_history
from clv_core.strategy.schemes import realised as then
from clv_core.strategy.schemes.movement import Movement, movement
from clv_core.strategy.schemes.segmentation import Fitted, Placed
from clv_core.strategy.schemes.settle import needs_embedding
from clv_core.strategy.schemes.value import ValueTiers
from clv_core.strategy.segments import VALUE
from clv_core.strategy.tiers import THRESHOLDS
from pages.ui import cells, progress, row_files, saying, state, widgets
from pages.ui.charts import placing
from pages.ui.saying import money, percent, t
from pages.ui.segments import segmenting
from pages.ui.segments.segmenting import Scene

MONTH: Final = 30
WORTH_NAMING: Final = 0.02
"""A segment that was predicted to bring a smaller share of all value is not named as the one that was off the most."""


@dataclass(frozen=True)
class Earlier:
    """An earlier day to look from.

    Args:
        cutoff: the day.
        path: of its scores.
        kept: whether they were made on that day's log; if not, they are made now, of the log up to that day.
    """

    cutoff: date
    path: Path
    kept: bool


def moved(scene: Scene) -> None:
    """Show who moved between segments since an earlier day."""
    _plain_note(scene)
    days = _earlier(scene.dataset, scene.bundle)
    if not days:
        st.info(t("segments.moved.none"), icon=":material/info:")
        return
    chosen = st.selectbox(
        t("segments.moved.since"),
        days,
        format_func=lambda day: _said(day, scene),
        key="moved_since",
        width=420,
    )
    command = ["score", scene.dataset.name, "--model", scene.bundle.id, "--cutoff", chosen.cutoff.isoformat()]
    out = state.workspace().exports / f"{scene.bundle.id}-scores-{chosen.cutoff}.parquet"
    label = f"{scene.bundle.id} {chosen.cutoff}"
    progress.need(chosen.path.exists(), [*command, "--out", str(out)], label, t("segments.moved.wait"))
    if needs_embedding(scene.scheme, scene.bundle):
        segmenting.need_points(scene.scheme, scene.dataset, scene.bundle, chosen.cutoff)
    fitted, now = _now(scene)
    before = _customers(str(chosen.path), chosen.path.stat().st_mtime, chosen.cutoff, scene.dataset)
    found = movement(
        before,
        segmenting.place(scene.scheme, fitted, scene.dataset, scene.bundle, before, chosen.cutoff),
        scene.trained,
        now,
    )
    _movement(scene, found, chosen)


def came(scene: Scene) -> None:
    """Show what segments were predicted to bring, and what they brought."""
    _plain_note(scene)
    past = then.past_predictions(state.workspace(), scene.bundle, scene.dataset)
    if not past:
        st.info(t("segments.came.none"), icon=":material/info:")
        return
    chosen = st.selectbox(t("segments.came.when"), past, format_func=lambda one: _when(one), key="came_when", width=520)
    segmenting.need_points(scene.scheme, scene.dataset, scene.bundle, chosen.cutoff)
    fitted, _ = _now(scene)
    customers = _past(scene.bundle.id, str(scene.bundle.record["created"]), chosen, scene.bundle, scene.dataset)
    placed = segmenting.place(scene.scheme, fitted, scene.dataset, scene.bundle, customers, chosen.cutoff)
    shared = then.error_of_others(state.workspace(), scene.bundle, chosen)
    rows = then.realised(customers, placed, shared).assign(name=[one.name(state.language()) for one in placed.segments])
    # Who is in two segments counts once in what all were worth.
    everyone = tuple(float(customers[column].sum()) for column in (VALUE, then.ACTUAL))
    _realised(scene, rows, everyone, chosen)


def _movement(scene: Scene, found: Movement, day: Earlier) -> None:
    both, names, largest = found.stayed + found.moved, scene.names, found.largest()
    said = {
        "date": saying.day(day.cutoff),
        "share": percent(found.moved / max(1, both)),
        "customers": f"{found.moved:,}",
    }
    message = t("segments.moved.nobody", date=said["date"])
    if largest is not None:
        start, end, many = largest
        message = t("segments.moved.message", **said, start=names[start], end=names[end], many=f"{many:,}")
    counts, value, labels = found.customers, found.value, list(names)
    if found.new.any():
        counts, value = np.vstack([counts, found.new]), np.vstack([value, np.zeros(len(names))])
        labels.append(t("segments.moved.new"))
    axes = (
        t("segments.moved.now", date=saying.day(scene.dataset.log_end)),
        t("segments.moved.then", date=said["date"]),
    )
    known = value if not found.new.any() else None
    widgets.chart(placing.matrix(counts, labels, names, message, axes=axes, value=known), "moved")
    change = found.customers.sum(axis=0) - found.customers.sum(axis=1)
    rows = pd.DataFrame(
        {
            "name": names,
            "before": found.customers.sum(axis=1) + found.gone,
            "left": found.customers.sum(axis=1) - np.diag(found.customers),
            "joined": found.customers.sum(axis=0) - np.diag(found.customers),
            "new": found.new,
            "now": found.customers.sum(axis=0) + found.new,
            "change": change,
        }
    )
    columns: dict[str, object] = {"name": st.column_config.TextColumn(t("column.segment"))}
    columns |= {name: cells.whole(t(f"segments.moved.column.{name}")) for name in rows.columns if name != "name"}
    cells.table(rows, t("segments.view.moved"), columns, key="moved_table", height="content")
    st.caption(t("segments.moved.kept" if day.kept else "segments.moved.again"))
    if isinstance(scene.scheme, ValueTiers) and scene.scheme.scheme.kind != THRESHOLDS:
        st.caption(t("segments.moved.ranked"))
    if scene.placed.inside is not None:
        st.caption(t("budget.by.overlap"))
    what = f"movement-since-{day.cutoff}"
    row_files.figures(scene.bundle, rows, what, "download_moved", scene.dataset.log_end)


def _realised(scene: Scene, rows: pd.DataFrame, everyone: tuple[float, ...], past: then.Past) -> None:
    predicted, actual = everyone
    enough = rows[rows["predicted"] >= WORTH_NAMING * predicted]
    gap = enough["predicted"] - enough["actual"]
    place = int(gap.abs().argmax())
    worst, most = enough.iloc[place], float(gap.iloc[place])
    side = "over" if most >= 0 else "under"
    message = t(
        "segments.came.message",
        actual=money(actual, scene.currency),
        predicted=money(predicted, scene.currency),
        off=say_miss(predicted, actual),
        name=worst["name"],
        gap=t(f"segments.came.{side}", amount=money(abs(most), scene.currency)),
    )
    unit = saying.unit(scene.currency)
    widgets.chart(placing.realised_bars(rows, message, unit=unit), "realised")
    number, buyers = st.column_config.NumberColumn, t("segments.came.buyers.help")
    known = rows["high"].notna().all()
    columns: dict[str, object] = {
        "name": st.column_config.TextColumn(t("column.segment")),
        "customers": cells.whole(t("column.customers")),
        "predicted": cells.money(t("segments.came.predicted"), scene.currency),
        "low": cells.money(t("segments.column.low"), scene.currency, help=t("segments.column.low.help")),
        "high": cells.money(t("segments.column.high"), scene.currency, help=t("segments.column.low.help")),
        "actual": cells.money(t("segments.came.actual"), scene.currency),
        "gap": cells.money(t("segments.came.gap"), scene.currency, help=t("segments.came.gap.help")),
        "off": number(t("segments.came.off"), help=t("segments.came.off.help"), format="%+.0f%%"),
        "buyers_predicted": number(t("segments.came.buyers_predicted"), format="%.0f", help=buyers),
        "buyers_actual": number(t("segments.came.buyers_actual"), format="%.0f", help=buyers),
    }
    if not known:
        columns = {name: one for name, one in columns.items() if name not in ("low", "high")}
    missed = rows["predicted"] - rows["actual"]
    shown = rows.assign(gap=missed, off=100 * missed / rows["actual"].where(rows["actual"] > 0))[list(columns)]
    cells.table(shown, t("segments.view.came"), columns, key="came_table", height="content")
    st.caption(t(f"segments.came.{past.kind}") + ("" if known else t("segments.came.no_interval")))
    if needs_embedding(scene.scheme, scene.bundle):
        st.caption(t("segments.came.embedding"))
    row_files.figures(scene.bundle, rows, "segments-realised", "download_came", past.cutoff)


def _plain_note(scene: Scene) -> None:
    """Say that other terms than the trained horizon's are left aside here."""
    horizon = scene.bundle.record["horizon_days"]
    if not scene.terms.plain(horizon):
        st.caption(t("segments.plain", days=f"{horizon:,}"))


def _now(scene: Scene) -> tuple[Fitted, Placed]:
    """Return cuts and places by the trained horizon's scores."""
    horizon = scene.bundle.record["horizon_days"]
    if scene.terms.plain(horizon):
        return scene.fitted, scene.placed
    plain = segmenting.scene(scene.dataset, scene.bundle, Terms(horizon), scene.scheme, scene.trained, scene.trained)
    return plain.fitted, plain.placed


def _earlier(dataset: Dataset, bundle: Bundle) -> list[Earlier]:
    """Return the days that can be looked from: kept scores of earlier logs, then a month and a horizon ago."""
    work, found = state.workspace(), {}
    for cutoff, path in saved_score_files(work, bundle.id, dataset.name):
        if cutoff < dataset.log_end and path.parent.parent.name != dataset.version:
            found[cutoff] = Earlier(cutoff, path, True)
    for days in (MONTH, int(bundle.record["horizon_days"])):
        cutoff = dataset.log_end - timedelta(days=days)
        if cutoff > dataset.log_start + timedelta(days=MONTH) and cutoff not in found:
            found[cutoff] = Earlier(cutoff, scores_path(bundle, dataset, cutoff), False)
    return sorted(found.values(), key=lambda one: (one.kept, one.cutoff), reverse=True)


def _said(day: Earlier, scene: Scene) -> str:
    ago = (scene.dataset.log_end - day.cutoff).days
    key = "segments.moved.day.kept" if day.kept else "segments.moved.day"
    return t(key, date=saying.day(day.cutoff), days=f"{ago:,}")


def _when(past: then.Past) -> str:
    end = past.cutoff + timedelta(days=past.horizon_days)
    return t(f"segments.came.span.{past.kind}", start=saying.day(past.cutoff), end=saying.last_day(end))


@st.cache_resource(max_entries=2, show_spinner=False)
def _customers(path: str, written: float, cutoff: date, _dataset: Dataset) -> pd.DataFrame:
    """Return kept scores with the history of their day; shared, not to be written to."""
    return with_history(pd.read_parquet(path), purchase_history(_dataset, cutoff), cutoff)


@st.cache_resource(max_entries=2, show_spinner=False)
def _past(model_id: str, created: str, past: then.Past, _bundle: Bundle, _dataset: Dataset) -> pd.DataFrame:
    return then.read_past(past, _bundle, _dataset)
