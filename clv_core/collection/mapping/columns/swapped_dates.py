"""Dates that begin with the year and have day and month the other way round: 2024-13-05, or what a spreadsheet turned.

A spreadsheet that reads 03/05/2024 in the other order makes 2024-03-05 of it; 13/05/2024 stays as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from clv_core.collection.engine import T, one, text
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import EVENT_TIME
from clv_core.errors import Message, Refused

MIN_DATES: Final = 10
"""Dates of either form, before it is no accident that no day of the one is above 12, and none of the other below 13."""
MIN_TURNED, MIN_SHARE = 3, 0.2
"""Dates such as 2024-13-05, and their share of those that begin with the year, before they are no slips."""
MAX_SLIPS: Final = 0.05
ISO: Final = r"^\s*\d{4}[-/]\d{1,2}[-/](\d{1,2})"


def are_swapped(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, forms: Mapping[str, int]
) -> tuple[bool, tuple[Message, ...]]:
    """Return whether dates that begin with the year have the day before the month, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read.
        forms: of its times, :func:`~clv_core.collection.parse.times.form`.

    Raises:
        Refused: some have the day before the month, and others have it behind.
    """
    turned, written = forms.get("year_day", 0), forms.get("day_first", 0) or forms.get("month_first", 0)
    both = forms.get("day_first", 0) and forms.get("month_first", 0)
    other_forms = both or forms.get("either", 0) or forms.get("same", 0)
    by_spreadsheet = written >= MIN_DATES and not other_forms and forms.get("naive", 0) >= MIN_DATES and not turned
    if not by_spreadsheet and turned < MIN_TURNED:
        return False, ()
    day = f"try_cast(regexp_extract({T}{EVENT_TIME}, {text(ISO)}, 1) AS INTEGER)"
    cells = f"SELECT {plan.clean(EVENT_TIME)} AS {T}{EVENT_TIME} FROM {source.relation()}"
    dates, late = one(connection, f"SELECT count({day}), count(*) FILTER ({day} > 12) FROM ({cells})")
    params = {"column": plan.chosen[EVENT_TIME], "rows": int(dates), "written": int(written)}
    if by_spreadsheet:
        swapped = dates >= MIN_DATES and not late
        return swapped, (Message("warning.swapped_dates", params),) if swapped else ()
    if late and turned > MAX_SLIPS * dates:
        raise Refused("year_dates_contradict", column=params["column"], day_first=turned, day_last=int(late))
    swapped = not late and turned >= MIN_SHARE * dates
    said = Message("warning.read_as_ydm", {"column": params["column"], "proof": turned, "rows": int(dates)})
    return swapped, (said,) if swapped else ()
