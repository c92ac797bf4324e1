"""Reads one file as a person would, and returns rows and verdict as plain values: the seam for outside checkers."""

from __future__ import annotations

from pathlib import Path

from clv_core.collection.answers import Answers
from clv_core.collection.engine import connect_memory, file_text, name
from clv_core.collection.rows.log_loader import load_log
from clv_core.columns import COLUMNS, EVENT_TIME
from clv_core.errors import ClvError, NeedsAnswer
from clv_core.jobs import NoProgress
from clv_core.records import JsonObject
from clv_core.scratch import temporary_folder


def load_for_check(path: str) -> JsonObject:
    """Return ``{status, warnings, error, rows}`` for the file ``path``, with nothing stored.

    ``status`` is ``accepted``, ``needs_input`` or ``rejected``; ``rows`` are dictionaries of canonical columns with
    event_time as ISO UTC text.
    """
    with temporary_folder("clv-") as folder:
        try:
            reading = load_log(Path(path), Answers(), folder, NoProgress())
        except NeedsAnswer as error:
            return {"status": "needs_input", "warnings": [], "error": error.message(), "rows": []}
        except ClvError as error:
            return {"status": "rejected", "warnings": [], "error": error.message(), "rows": []}
        with connect_memory() as connection:
            columns = [c.name for c in COLUMNS if c.name in reading.profile.plan.stored]
            cells = ", ".join(
                f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ')" if column == EVENT_TIME else name(column)
                for column in columns
            )
            fetched = connection.execute(f"SELECT {cells} FROM {file_text(reading.events)}").fetchall()
    return {
        "status": "accepted",
        "warnings": [message.to_json() for message in reading.warnings],
        "error": "",
        "rows": [dict(zip(columns, row, strict=True)) for row in fetched],
    }
