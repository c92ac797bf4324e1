"""A report on disk is whole, whatever became of the run that was to replace it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.monitoring.drift.periods import Check
from clv_core.monitoring.monitoring_report import Report, write_report
from tests.monitoring.test_telling import ALERTS, report


def test_a_value_of_the_log_that_is_a_formula_is_text_where_a_spreadsheet_opens_the_report(tmp_path: Path) -> None:
    payload = "=HYPERLINK(A1)"
    check = Check(0, "new", "channel", payload, 0.05, 0.0, None, 0.01, None, True)
    write_report(replace(report(), checks=[check]), tmp_path, "en")
    with (tmp_path / "checks.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["value"] == f"'{payload}" and float(row["found"]) == 0.05
    for name in ("alerts", "realised"):
        assert (tmp_path / f"{name}.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_broken_off_run_leaves_the_report_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report().save(tmp_path)
    write = pd.DataFrame.to_parquet

    def half(frame: pd.DataFrame, path: Path, **how: Any) -> None:
        write(frame, path, **how)
        Path(path).write_bytes(Path(path).read_bytes()[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(KeyboardInterrupt):
        report().save(tmp_path)
    kept = Report.load(tmp_path)
    assert kept is not None and kept.alerts == ALERTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checks.parquet", "report.json"]
