"""A check kept in a folder, so that a page can show what a run of its own has found.

check.json          everything but the tables
first_rows.parquet  the first rows as they were understood
set_aside.parquet   all rows set aside, with line and reason
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.check import SHOWN_ASIDE, Check
from clv_core.collection.engine import connect_memory, file_text
from clv_core.collection.horizons import HorizonSupport
from clv_core.collection.mapping.kinds.event_names import EventName
from clv_core.collection.mapping.states.reading import OrderState
from clv_core.collection.rows.rejected_rows import Problem
from clv_core.collection.store.version_store import SET_ASIDE, Manifest
from clv_core.errors import Message
from clv_core.workspace import read_json, write_json

ABOUT: Final = "check.json"
FIRST_ROWS: Final = "first_rows.parquet"


def save_check(check: Check, folder: Path) -> None:
    """Write a check into ``folder``, where ``set_aside.parquet`` lies already (:func:`check_file`'s ``set_aside``)."""
    check.first_rows.to_parquet(folder / FIRST_ROWS)
    write_json(
        folder / ABOUT,
        {
            "manifest": check.manifest.to_json(),
            "warnings": [message.coded() for message in check.warnings],
            "problems": [dataclasses.asdict(problem) for problem in check.problems],
            "horizons": [
                {"horizon_days": item.horizon_days, "verdict": item.verdict, "reason": item.reason.coded()}
                for item in check.horizons
            ],
            "longest_gap_days": check.longest_gap_days,
            "gap_start": check.gap_start,
            "event_names": [dataclasses.asdict(item) for item in check.event_names],
            "states": [dataclasses.asdict(item) for item in check.states],
        },
    )


def load_check(folder: Path) -> Check:
    """Return the check that :func:`save_check` wrote."""
    about: dict[str, Any] = read_json(folder / ABOUT)
    with connect_memory() as connection:
        query = f"SELECT * FROM {file_text(folder / SET_ASIDE)} ORDER BY line LIMIT {SHOWN_ASIDE}"
        aside = connection.execute(query).df()
    return Check(
        manifest=Manifest.from_json(about["manifest"]),
        warnings=tuple(Message(**item) for item in about["warnings"]),
        problems=tuple(_problem(item) for item in about["problems"]),
        first_rows=pd.read_parquet(folder / FIRST_ROWS),
        set_aside=aside,
        horizons=tuple(
            HorizonSupport(item["horizon_days"], item["verdict"], Message(**item["reason"]))
            for item in about["horizons"]
        ),
        longest_gap_days=about["longest_gap_days"],
        gap_start=about["gap_start"],
        event_names=tuple(EventName(**item) for item in about["event_names"]),
        states=tuple(OrderState(**item) for item in about["states"]),
    )


def _problem(item: dict[str, Any]) -> Problem:
    return Problem(**{**item, "examples": tuple((int(line), str(value)) for line, value in item["examples"])})
