"""The check before a log is saved: the whole file is read and accounted for, and nothing is stored."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import duckdb
import pandas as pd

from clv_core.collection.engine import connect, file_text, text
from clv_core.collection.holdout_sizes import count_holdouts
from clv_core.collection.horizons import HORIZONS, HorizonSupport, supported_horizons
from clv_core.collection.ingest import describe
from clv_core.collection.mapping.answers import Answers, Said
from clv_core.collection.mapping.kinds.event_names import EventName, names_of
from clv_core.collection.mapping.states.reading import OrderState
from clv_core.collection.rows.log_loader import LoadResult, load_log
from clv_core.collection.rows.rejected_rows import Problem
from clv_core.collection.store.version_store import Manifest
from clv_core.columns import EVENT_TIME, EVENT_TYPE
from clv_core.errors import Message
from clv_core.jobs import NoProgress, Progress
from clv_core.scratch import temporary_folder

FIRST_ROWS = 50
SHOWN_ASIDE = 1000


@dataclass(frozen=True)
class Check:
    """What a file would become.

    Args:
        manifest: the manifest that it would get (its name is empty): accounting, customers, span, revenue.
        warnings: everything that is to be said.
        problems: set-aside rows grouped by reason, with count and examples; how to repair each is ``fix.<reason>``.
        first_rows: the first rows as they were understood, times in the log's zone, at most 50.
        set_aside: the first rows set aside: line, reason, column, value, and the row as it was read; at most 1,000.
        horizons: which horizons the log can support, and why.
        longest_gap_days: longest stretch of days without any event.
        gap_start: first day of that stretch, ISO; empty where every day has an event.
        event_names: the file's names of events and what each is taken for; empty where no column holds any.
        states: the words of its columns of states of orders, and what each is taken for; empty likewise.
    """

    manifest: Manifest
    warnings: tuple[Message, ...]
    problems: tuple[Problem, ...]
    first_rows: pd.DataFrame
    set_aside: pd.DataFrame
    horizons: tuple[HorizonSupport, ...]
    longest_gap_days: int
    gap_start: str = ""
    event_names: tuple[EventName, ...] = ()
    states: tuple[OrderState, ...] = ()

    @property
    def accounting(self) -> dict[str, int]:
        """Rows read, kept, set aside and duplicate; the first is the sum of the others."""
        rows = self.manifest
        return {
            "rows_read": rows.rows_read,
            "rows_kept": rows.rows_kept,
            "rows_set_aside": rows.rows_set_aside,
            "rows_duplicate": rows.rows_duplicate,
        }


def check_file(
    source: Path,
    *,
    progress: Progress | None = None,
    original: str = "",
    set_aside: Path | None = None,
    **said: Unpack[Said],
) -> Check:
    """Read ``source`` to the end with the options of :func:`clv_core.collection.ingest.ingest`, and store nothing.

    Args beyond those:
        set_aside: where the Parquet file of all rows set aside is to be left.

    Raises:
        NeedsAnswer: something can be read in two ways; the message names the option that settles it.
        Refused: the file cannot be used.
        UsageError: there is no such encoding.
    """
    answers = Answers(**said)
    with temporary_folder("clv-check-") as folder:
        reading = load_log(source, answers, folder, progress or NoProgress(), original=original)
        manifest = describe(reading, "", answers)
        with connect(folder, reads=source) as connection:
            check = _look(connection, reading, manifest, answers)
        if set_aside is not None:
            shutil.move(reading.rejected, set_aside)
        return check


def _look(connection: duckdb.DuckDBPyConnection, reading: LoadResult, manifest: Manifest, answers: Answers) -> Check:
    zone = text(manifest.timezone)
    connection.execute(
        f"CREATE TEMP VIEW local_events AS SELECT * REPLACE (timezone({zone}, timezone('UTC', {EVENT_TIME}))"
        f" AS {EVENT_TIME}) FROM {file_text(reading.events)}"
    )
    sizes = count_holdouts(connection, reading.events, manifest.timezone, manifest.log_end, HORIZONS)
    gap, after = connection.execute(
        "SELECT max(day - before) - 1, arg_max(before, day - before) FILTER (day - before > 1) + 1 FROM"
        " (SELECT day, lag(day) OVER (ORDER BY day) AS before"
        f" FROM (SELECT DISTINCT {EVENT_TIME}::DATE AS day FROM local_events))"
    ).fetchone() or (0, None)
    plan = reading.profile.plan
    column = plan.chosen.get(EVENT_TYPE)
    days = (reading.summary.log_end - reading.summary.log_start).days
    return Check(
        manifest=manifest,
        warnings=reading.warnings,
        problems=reading.problems,
        first_rows=connection.execute(f"SELECT * FROM local_events LIMIT {FIRST_ROWS}").df(),
        set_aside=connection.execute(
            f"SELECT * FROM {file_text(reading.rejected)} ORDER BY line LIMIT {SHOWN_ASIDE}"
        ).df(),
        horizons=supported_horizons(days, {days: size.buyers for days, size in sizes.items()}),
        longest_gap_days=int(gap or 0),
        gap_start=after.isoformat() if after else "",
        event_names=(
            names_of(connection, reading.source, column, plan.values, found=reading.profile.steps) if column else ()
        ),
        states=reading.profile.states,
    )
