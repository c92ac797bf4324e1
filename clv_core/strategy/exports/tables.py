"""Tables and lists of any columns, written by the file's ending, with their side file and line in the export log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.stored.store import open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NotEnoughData
from clv_core.strategy.exports.export import Exported, Side, log_export, with_side_file
from clv_core.strategy.exports.files import check_ending, write_any
from clv_core.workspace import Workspace


def write_rows(
    workspace: Workspace, frame: pd.DataFrame, path: Path, side: Side, *, fewest: int = 0, language: str = ""
) -> Exported:
    """Write a table by the file's ending, with its side file, and note it in the export log.

    Rows of customers who are on the suppression list of the workspace are left out.

    Args:
        workspace: whose suppression list and export log they are.
        frame: any columns, text made inert for spreadsheets.
        path: CSV, XLSX or Parquet.
        side: what the numbers mean.
        fewest: smallest number of rows that is worth a file.
        language: of the headers of a spreadsheet, "" for ids.

    Raises:
        UsageError: another ending.
        NotEnoughData: fewer rows are left.
        Refused: more rows than a worksheet holds.
    """
    check_ending(path)
    format = path.suffix.removeprefix(".")
    named = CUSTOMER_ID in frame
    left = StopList.of(workspace, open_dataset(workspace, side.dataset)).without(frame) if named else frame
    if len(left) < fewest:
        raise NotEnoughData("export_too_few", format=format, rows=len(left), fewest=fewest)
    write_any(left, path, path.suffix, side.about, language)
    customers = left[CUSTOMER_ID].nunique() if CUSTOMER_ID in left else None
    left_out = {} if len(left) == len(frame) else {"suppressed": frame[CUSTOMER_ID].nunique() - (customers or 0)}
    made = with_side_file((path,), format, side, len(left), customers, left_out)
    log_export(workspace, made, format, side)
    return made
