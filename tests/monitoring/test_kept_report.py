"""A report on disk is whole, whatever became of the run that was to replace it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.monitoring.report import Report
from tests.monitoring.test_telling import ALERTS, report


def test_a_run_that_ends_while_it_writes_leaves_the_report_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
