"""Two schemes side by side on the segments page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.strategy.segments.segment_comparison import Comparison, compare
from pages.ui import cells, row_files, segmenting, widgets
from pages.ui.charts import placing
from pages.ui.i18n import money, percent, t
from pages.ui.segmenting import Scene
from pages.ui.segments import chosen_scheme


def section(scene: Scene) -> None:
    """Let the person say another scheme, and show where customers of one land in the other."""
    other = chosen_scheme.beside(scene.scheme, scene.dataset, scene.customers, scene.terms)
    segmenting.need_points(other, scene.scored)
    second = segmenting.scene(scene.scored, scene.terms, other, scene.customers, scene.trained)
    found = compare(scene.customers, scene.placed, second.placed)
    _matrix(scene, second, found)


def _matrix(first: Scene, second: Scene, found: Comparison) -> None:
    row, column = divmod(int(found.customers.argmax()), found.customers.shape[1])
    share = found.customers[row, column] / max(1, found.customers[row].sum())
    alike = _kind(first) == _kind(second)
    one, other = _title(first, alike), _title(second, alike)
    message = t(
        "segments.compare.message",
        share=percent(found.agreeing),
        one=one,
        other=other,
        first=first.names[row],
        part=percent(share),
        second=second.names[column],
    )
    axes = (other, one)
    figure = placing.matrix(found.customers, first.names, second.names, message, axes=axes, value=found.value)
    widgets.chart(figure, "compare")
    st.caption(t("segments.compare.agreeing"))
    if any(scene.placed.inside is not None for scene in (first, second)):
        st.caption(t("budget.by.overlap"))
    rows = pd.DataFrame(
        {
            "first": first.names[row],
            "second": second.names[column],
            "customers": int(found.customers[row, column]),
            "value": float(found.value[row, column]),
            "paired": (row, column) in found.pairs,
        }
        for row in range(len(first.names))
        for column in range(len(second.names))
        if found.customers[row, column]
    ).sort_values("customers", ascending=False, ignore_index=True)
    columns = {
        "first": st.column_config.TextColumn(axes[1]),
        "second": st.column_config.TextColumn(axes[0]),
        "customers": cells.whole(t("column.customers")),
        "value": cells.money(t("segments.column.value_sum"), first.currency),
        "paired": st.column_config.CheckboxColumn(t("segments.compare.paired")),
    }
    cells.table(rows, t("segments.view.compare"), columns, key="compare_table")
    moved = found.value.sum() - sum(found.value[row, column] for row, column in found.pairs)
    st.caption(t("segments.compare.value", value=money(float(moved), first.currency)))
    as_of = first.dataset.log_end
    row_files.figures(first.bundle, rows, "schemes-compared", "download_compare", as_of, first.terms)


def _title(scene: Scene, with_settings: bool) -> str:
    """Return what a scheme is called, with its settings where its kind alone does not tell it apart."""
    kind = t(f"scheme.{_kind(scene)}")
    return f"{kind} ({str(scene.scheme).partition(':')[2]})" if with_settings else kind


def _kind(scene: Scene) -> str:
    return str(scene.scheme).partition(":")[0]
