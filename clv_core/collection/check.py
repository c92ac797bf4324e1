"""The check before a log is saved: the entire file is read and accounted for, and nothing is stored.

A run of its own keeps a check in a folder, so that a page can show it:

check.json          everything but the tables
first_rows.parquet  the first rows as they were understood
set_aside.parquet   all rejected rows, with line and reason
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Unpack

import duckdb
import pandas as pd

from clv_core.collection.answers import Answers, Said
from clv_core.collection.doubts import doubts_of, turn_of
from clv_core.collection.engine import connect, file_text, local_time
from clv_core.collection.horizons import (
    HorizonSupport,
    RecommendedHorizon,
    count_holdouts,
    horizons_to_count,
    recommended,
    supported_horizons,
)
from clv_core.collection.infer.event_names import EventName, names_of
from clv_core.collection.infer.order_states import OrderState
from clv_core.collection.ingest import describe
from clv_core.collection.rows.log_loader import LoadedFile, load_log
from clv_core.collection.rows.rejected_rows import Problem
from clv_core.collection.store.manifest import COUNTS
from clv_core.collection.store.version_store import Manifest
from clv_core.columns import EVENT_TIME, EVENT_TYPE
from clv_core.errors import Message
from clv_core.jobs import NoProgress, Progress
from clv_core.records import JsonRecord
from clv_core.scratch import temporary_folder
from clv_core.workspace import read_json, write_json

MAX_FIRST_ROWS: Final = 50
"""Rows of the preview: about a screen or two."""
ABOUT: Final = "check.json"
FIRST_ROWS: Final = "first_rows.parquet"


@dataclass(frozen=True)
class Check(JsonRecord):
    """What a file would become.

    Args:
        manifest: the manifest that it would get (its name is empty): accounting, customers, span, revenue.
        warnings: all of them.
        problems: rejected rows grouped by reason, with count and examples; how to repair each is ``fix.<reason>``.
        first_rows: the first rows as they were understood, times in the log's zone, at most 50.
        horizons: which horizons the log can support, and why.
        longest_gap_days: longest stretch of days without any event.
        gap_start: first day of that stretch, ISO; empty where every day has an event.
        event_names: the file's names of events and what each is taken for; empty where no column holds any.
        states: the words of its columns of states of orders, and what each is taken for; empty likewise.
        recipe: name of the recipe that it was read by; empty where none was.
        recommended: the forecast period to begin with, and why; None in checks of earlier versions.
        doubts: what a person should say yes to before it is saved (:mod:`clv_core.collection.doubts`).
    """

    manifest: Manifest
    warnings: tuple[Message, ...]
    problems: tuple[Problem, ...]
    first_rows: pd.DataFrame
    horizons: tuple[HorizonSupport, ...]
    longest_gap_days: int
    gap_start: str = ""
    event_names: tuple[EventName, ...] = ()
    states: tuple[OrderState, ...] = ()
    recipe: str = ""
    recommended: RecommendedHorizon | None = None
    doubts: tuple[Message, ...] = ()
    __pydantic_config__ = {"arbitrary_types_allowed": True}  # the first rows

    @property
    def accounting(self) -> dict[str, int]:
        """Rows read, kept, rejected and duplicate; the first is the sum of the others."""
        return {name: getattr(self.manifest, name) for name in COUNTS}


def check_file(
    source: Path,
    *,
    progress: Progress | None = None,
    original: str = "",
    set_aside: Path | None = None,
    **settings: Unpack[Said],
) -> Check:
    """Read ``source`` to the end with the options of :func:`clv_core.collection.ingest.ingest`, and store nothing.

    Args beyond those:
        set_aside: where the Parquet file of the rejected rows is written.

    Raises:
        NeedsAnswer: something can be read in two ways; the message names the option that settles it.
        Refused: the file cannot be used.
        UsageError: there is no such encoding.
    """
    answers = Answers(**settings)
    with temporary_folder("clv-check-") as folder:
        result = load_log(source, answers, folder, progress or NoProgress(), original=original)
        manifest = describe(result, "")
        with connect(folder, reads=source) as connection:
            check = _check(connection, result, manifest)
        if set_aside is not None:
            shutil.move(result.rejected, set_aside)
        return check


def _check(connection: duckdb.DuckDBPyConnection, result: LoadedFile, manifest: Manifest) -> Check:
    local = local_time(EVENT_TIME, manifest.timezone)
    connection.execute(
        f"CREATE TEMP VIEW local_events AS SELECT * REPLACE ({local} AS {EVENT_TIME}) FROM {file_text(result.events)}"
    )
    # From the inside: days with events, each with the one before it, the longest gap and its first day.
    gap, after = connection.execute(
        "SELECT max(day - before) - 1, arg_max(before, day - before) FILTER (day - before > 1) + 1 FROM"
        " (SELECT day, lag(day) OVER (ORDER BY day) AS before"
        f" FROM (SELECT DISTINCT {EVENT_TIME}::DATE AS day FROM local_events))"
    ).fetchone() or (0, None)
    plan = result.profile.plan
    column = plan.column_of.get(EVENT_TYPE)
    days = (result.summary.log_end - result.summary.log_start).days
    counted = horizons_to_count(days)
    sizes = count_holdouts(connection, result.events, manifest.timezone, manifest.log_end, counted) if counted else {}
    best = recommended(days, manifest.customers, sizes)
    return Check(
        manifest=manifest,
        warnings=(*result.warnings, *turn_of(connection, "local_events", manifest, best.days)),
        problems=result.problems,
        first_rows=connection.execute(f"SELECT * FROM local_events LIMIT {MAX_FIRST_ROWS}").df(),
        horizons=supported_horizons(days, {days: size.buyers for days, size in sizes.items()}),
        longest_gap_days=int(gap or 0),
        gap_start=after.isoformat() if after else "",
        event_names=(
            names_of(connection, result.source, column, plan.values, detected=result.profile.steps) if column else ()
        ),
        states=result.profile.states,
        recipe=result.recipe,
        recommended=best,
        doubts=doubts_of(connection, "local_events", manifest),
    )


def save_check(check: Check, folder: Path) -> None:
    """Write a check into ``folder``, where ``set_aside.parquet`` lies already (:func:`check_file`'s ``set_aside``)."""
    check.first_rows.to_parquet(folder / FIRST_ROWS)
    write_json(folder / ABOUT, {name: value for name, value in asdict(check).items() if name != "first_rows"})


def load_check(folder: Path) -> Check:
    """Return the check that :func:`save_check` wrote."""
    return Check.from_json({**read_json(folder / ABOUT), "first_rows": pd.read_parquet(folder / FIRST_ROWS)})
