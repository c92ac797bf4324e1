"""Tables that are no customer list, written by the same safe writers, with the same side file and line in the log."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from clv_core.errors import UsageError
from clv_core.strategy.export import Exported, Side, log_export, side_record
from clv_core.strategy.files import write_csv, write_xlsx
from clv_core.strategy.lists import ENDINGS
from clv_core.workspace import Workspace, atomic_path, write_json


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor XLSX nor Parquet.

    Raises:
        UsageError: another ending.
    """
    if path.suffix not in ENDINGS:
        raise UsageError("segment_out", path=path.name, endings=", ".join(ENDINGS))


def write_rows(workspace: Workspace, frame: pd.DataFrame, path: Path, side: Side) -> Exported:
    """Write a table by the file's ending, with its side file, and note it in the export log.

    Raises:
        UsageError: another ending.
        Refused: more rows than a worksheet holds.
    """
    check_ending(path)
    if path.suffix == ".csv":
        write_csv(frame, path)
    elif path.suffix == ".xlsx":
        about = {**dataclasses.asdict(side), "assumptions": " ".join(one["message"] for one in side.assumptions)}
        write_xlsx(frame, path, about)
    else:
        with atomic_path(path) as temporary:
            frame.to_parquet(temporary, index=False)
    made = Exported((path,), path.with_name(path.name + ".json"), len(frame))
    format = path.suffix.removeprefix(".")
    write_json(made.side_file, side_record(made, format, side))
    log_export(workspace, made, format, side)
    return made
