"""Dates of which a spreadsheet read some in the other order: 03/05/2024 became 2024-03-05, and 13/05/2024 stayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from clv_core.collection.engine import T, one, text
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.columns import EVENT_TIME
from clv_core.errors import Message

FEWEST: Final = 10
"""Dates of either form, before it is no accident that no day of the one is above 12, and none of the other below 13."""
ISO: Final = r"^\s*\d{4}[-/]\d{1,2}[-/](\d{1,2})"


def told_swapped(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, forms: Mapping[str, int]
) -> tuple[Message, ...]:
    """Return a warning where all dates that could be read in another order were, and only the others are as written.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read.
        forms: of its times, :func:`~clv_core.collection.values.times.form`.
    """
    written = forms.get("day_first", 0) or forms.get("month_first", 0)
    both = forms.get("day_first", 0) and forms.get("month_first", 0)
    if written < FEWEST or both or forms.get("either", 0) or forms.get("same", 0) or forms.get("naive", 0) < FEWEST:
        return ()
    day = f"try_cast(regexp_extract({T}{EVENT_TIME}, {text(ISO)}, 1) AS INTEGER)"
    cells = f"SELECT {plan.clean(EVENT_TIME)} AS {T}{EVENT_TIME} FROM {source.relation()}"
    told, most = one(connection, f"SELECT count({day}), max({day}) FROM ({cells})")
    if told < FEWEST or most > 12:
        return ()
    params = {"column": plan.chosen[EVENT_TIME], "rows": int(told), "written": int(written)}
    return (Message("warning.swapped_dates", params),)
