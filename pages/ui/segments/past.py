"""Segments over time: customers who moved since an earlier day, and predicted with realized value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.deployment import Scored, saved_score_files
from clv_core.i18n import say_miss
from clv_core.strategy import with_history
from clv_core.strategy.purchase_history import purchase_history
from clv_core.strategy.segments import (
    ACTUAL,
    THRESHOLDS,
    VALUE,
    Assignment,
    FittedScheme,
    Movement,
    PastPredictions,
    ValueTiers,
    movement,
    needs_embedding,
    other_origins_error,
    past_predictions,
    read_past,
    realized_by_segment,
)
from pages.ui import cells, i18n, progress, row_files, segmenting, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.charts import placing
from pages.ui.i18n import money, percent, t
from pages.ui.segmenting import SegmentedCustomers

MONTH: Final = 30
"""Days: the shortest time after which a movement between segments is shown, and the least history before it."""
WORTH_NAMING: Final = 0.02
"""A segment that was predicted to bring a smaller share of all value is not named as the one that was off the most."""


@dataclass(frozen=True)
class Earlier:
    """An earlier day to compare with.

    Args:
        cutoff: the day.
        path: of its scores.
        saved: whether they were made from that day's log; if not, they are made now, from the log up to that day.
    """

    cutoff: date
    path: Path
    saved: bool


def moved(segmented: SegmentedCustomers) -> None:
    """Show who moved between segments since an earlier day."""
    _trained_terms_note(segmented)
    days = _earlier(segmented.scored)
    if not days:
        st.info(t("segments.moved.none"), icon=":material/info:")
        return
    labels = {day: _day_label(day, segmented) for day in days}
    earlier_scores = widgets.select(t("segments.moved.since"), labels, "moved_since", width=420)
    command = [
        "score",
        segmented.dataset.name,
        "--model",
        segmented.bundle.id,
        "--cutoff",
        earlier_scores.cutoff.isoformat(),
    ]
    out = session.workspace().exports / f"{segmented.bundle.id}-scores-{earlier_scores.cutoff}.parquet"
    label = f"{segmented.bundle.id} {earlier_scores.cutoff}"
    progress.need_result(earlier_scores.path.exists(), [*command, "--out", str(out)], label, t("segments.moved.wait"))
    earlier = replace(segmented.scored.trained, cutoff=earlier_scores.cutoff)
    segmenting.need_points(segmented.scheme, earlier)
    fitted, now = _now(segmented)
    before = _customers(earlier_scores.path, earlier)
    placed = segmenting.place(segmented.scheme, fitted, earlier, before)
    _movement(segmented, movement(before, placed, segmented.trained, now), earlier_scores)


def realized(segmented: SegmentedCustomers) -> None:
    """Show predicted with realized value."""
    _trained_terms_note(segmented)
    past = past_predictions(segmented.scored)
    if not past:
        st.info(t("segments.came.none"), icon=":material/info:")
        return
    earlier_scores = widgets.select(
        t("segments.came.when"), {scores: _when(scores) for scores in past}, "came_when", width=520
    )
    then = replace(segmented.scored.trained, cutoff=earlier_scores.cutoff)
    segmenting.need_points(segmented.scheme, then)
    fitted, _ = _now(segmented)
    customers = _past(earlier_scores, then)
    placed = segmenting.place(segmented.scheme, fitted, then, customers)
    shared = other_origins_error(segmented.scored, earlier_scores)
    names = [segment.name(session.language()) for segment in placed.segments]
    rows = realized_by_segment(customers, placed, shared).assign(name=names)
    # A customer in two segments counts once in the total.
    everyone = tuple(float(customers[column].sum()) for column in (VALUE, ACTUAL))
    _realized_table(segmented, rows, everyone, earlier_scores)


def _movement(segmented: SegmentedCustomers, moves: Movement, day: Earlier) -> None:
    both, names, largest = moves.stayed + moves.moved, segmented.names, moves.largest()
    params = {
        "date": i18n.day(day.cutoff),
        "share": percent(moves.moved / max(1, both)),
        "customers": f"{moves.moved:,}",
    }
    message = t("segments.moved.nobody", date=params["date"])
    if largest is not None:
        start, end, many = largest
        message = t("segments.moved.message", **params, start=names[start], end=names[end], many=f"{many:,}")
    counts, value, labels = moves.customers, moves.value, list(names)
    if moves.new.any():
        counts, value = np.vstack([counts, moves.new]), np.vstack([value, np.zeros(len(names))])
        labels.append(t("segments.moved.new"))
    axes = (
        t("segments.moved.now", date=i18n.day(segmented.dataset.log_end)),
        t("segments.moved.then", date=params["date"]),
    )
    shown = value if not moves.new.any() else None
    widgets.chart(placing.matrix(counts, labels, names, message, axes=axes, value=shown), "moved")
    change = moves.customers.sum(axis=0) - moves.customers.sum(axis=1)
    rows = pd.DataFrame(
        {
            "name": names,
            "before": moves.customers.sum(axis=1) + moves.lost,
            "left": moves.customers.sum(axis=1) - np.diag(moves.customers),
            "joined": moves.customers.sum(axis=0) - np.diag(moves.customers),
            "new": moves.new,
            "now": moves.customers.sum(axis=0) + moves.new,
            "change": change,
        }
    )
    columns: dict[str, object] = {"name": st.column_config.TextColumn(t("column.segment"))}
    columns |= {name: cells.integer(t(f"segments.moved.column.{name}")) for name in rows.columns if name != "name"}
    cells.table(rows, t("segments.view.moved"), columns, key="moved_table", height="content")
    st.caption(t("segments.moved.kept" if day.saved else "segments.moved.again"))
    if isinstance(segmented.scheme, ValueTiers) and segmented.scheme.method != THRESHOLDS:
        st.caption(t("segments.moved.ranked"))
    if segmented.placed.inside is not None:
        st.caption(t("budget.by.overlap"))
    what = f"movement-since-{day.cutoff}"
    row_files.figures(segmented.bundle, rows, what, "download_moved", segmented.dataset.log_end)


def _realized_table(
    segmented: SegmentedCustomers, rows: pd.DataFrame, everyone: tuple[float, ...], past: PastPredictions
) -> None:
    predicted, actual = everyone
    enough = rows[rows["predicted"] >= WORTH_NAMING * predicted]
    gap = enough["predicted"] - enough["actual"]
    place = int(gap.abs().argmax())
    worst, most = enough.iloc[place], float(gap.iloc[place])
    side = "over" if most >= 0 else "under"
    message = t(
        "segments.came.message",
        actual=money(actual, segmented.currency),
        predicted=money(predicted, segmented.currency),
        off=say_miss(predicted, actual),
        name=worst["name"],
        gap=t(f"segments.came.{side}", amount=money(abs(most), segmented.currency)),
    )
    unit = i18n.unit(segmented.currency)
    widgets.chart(placing.realised_bars(rows, message, unit=unit), "realised")
    number, buyers = st.column_config.NumberColumn, t("segments.came.buyers.help")
    has_intervals = rows["high"].notna().all()
    columns: dict[str, object] = {
        "name": st.column_config.TextColumn(t("column.segment")),
        "customers": cells.integer(t("column.customers")),
        "predicted": cells.money(t("segments.came.predicted"), segmented.currency),
        "low": cells.money(t("segments.column.low"), segmented.currency, help=t("segments.column.low.help")),
        "high": cells.money(t("segments.column.high"), segmented.currency, help=t("segments.column.low.help")),
        "actual": cells.money(t("segments.came.actual"), segmented.currency),
        "gap": cells.money(t("segments.came.gap"), segmented.currency, help=t("segments.came.gap.help")),
        "off": number(t("segments.came.off"), help=t("segments.came.off.help"), format="%+.0f%%"),
        "buyers_predicted": number(t("segments.came.buyers_predicted"), format="%.0f", help=buyers),
        "buyers_actual": number(t("segments.came.buyers_actual"), format="%.0f", help=buyers),
    }
    if not has_intervals:
        columns = {name: label for name, label in columns.items() if name not in ("low", "high")}
    missed = rows["predicted"] - rows["actual"]
    shown = rows.assign(gap=missed, off=100 * missed / rows["actual"].where(rows["actual"] > 0))[list(columns)]
    cells.table(shown, t("segments.view.came"), columns, key="came_table", height="content")
    st.caption(t(f"segments.came.{past.kind}") + ("" if has_intervals else t("segments.came.no_interval")))
    if needs_embedding(segmented.scheme, segmented.scored):
        st.caption(t("segments.came.embedding"))
    row_files.figures(segmented.bundle, rows, "segments-realised", "download_came", past.cutoff)


def _trained_terms_note(segmented: SegmentedCustomers) -> None:
    """Show a note that other terms than the trained horizon's do not apply here."""
    if not segmented.scored.is_trained:
        st.caption(t("segments.plain", days=f"{segmented.scored.trained_days:,}"))


def _now(segmented: SegmentedCustomers) -> tuple[FittedScheme, Assignment]:
    """Return cuts and segments by the trained horizon's scores."""
    scored, customers = segmented.scored, segmented.trained
    if scored.is_trained:
        return segmented.fitted, segmented.placed
    trained = segmenting.segment(scored.trained, segmented.scheme, customers, customers)
    return trained.fitted, trained.placed


def _earlier(scored: Scored) -> list[Earlier]:
    """Return the days to compare with: saved scores of earlier logs, then a month and a horizon ago."""
    dataset, days = scored.dataset, {}
    for cutoff, path in saved_score_files(scored.workspace, scored.model.id, dataset.name):
        if cutoff < dataset.log_end and path.parent.parent.name != dataset.version:
            days[cutoff] = Earlier(cutoff, path, True)
    for ago in (MONTH, scored.trained_days):
        cutoff = dataset.log_end - timedelta(days=ago)
        if cutoff > dataset.log_start + timedelta(days=MONTH) and cutoff not in days:
            days[cutoff] = Earlier(cutoff, replace(scored.trained, cutoff=cutoff).scores_path, False)
    return sorted(days.values(), key=lambda scores: (scores.saved, scores.cutoff), reverse=True)


def _day_label(day: Earlier, segmented: SegmentedCustomers) -> str:
    ago = (segmented.dataset.log_end - day.cutoff).days
    key = "segments.moved.day.kept" if day.saved else "segments.moved.day"
    return t(key, date=i18n.day(day.cutoff), days=f"{ago:,}")


def _when(past: PastPredictions) -> str:
    end = past.cutoff + timedelta(days=past.horizon_days)
    return t(f"segments.came.span.{past.kind}", start=i18n.day(past.cutoff), end=i18n.last_day(end))


@cached(CUSTOMERS)
def _customers(path: Path, scored: Scored) -> pd.DataFrame:
    """Return saved scores with the purchase history of their day; shared, not to be written to."""
    history = purchase_history(scored.dataset, scored.as_of)
    return with_history(scored.without_objected(pd.read_parquet(path)), history, scored.as_of)


@cached(CUSTOMERS)
def _past(past: PastPredictions, scored: Scored) -> pd.DataFrame:
    return read_past(past, scored)
