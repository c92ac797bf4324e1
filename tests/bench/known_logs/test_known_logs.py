"""Logs with known totals: what comes out is right, or it is asked or refused; a warning beside a wrong total is none.

Where a log names an answer and is asked about, it is given once. Times are judged by the first event and by days, where
a log says them. A log of which two readings are honest lists both totals.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.answers import Answers
from clv_core.collection.questions import option_words
from tests.bench.known_logs import logs_a, logs_b

CASES = {**logs_a.CASES, **logs_b.CASES}


def ingest(paths: list[Path], folder: Path, answers: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Any:
    words = option_words(Answers(**answers))
    code = main(["ingest", *map(str, paths), "--name", "x", "--workspace", str(folder / "ws"), "--quiet", *words])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def faults(truth: dict[str, Any], found: dict[str, Any], folder: Path) -> list[str]:
    totals = truth["net"] if isinstance(truth["net"], list) else [truth["net"]]
    wrong = []
    if totals[0] is not None and not any(abs(found["net_revenue"] - one) <= 0.05 + 1e-6 * abs(one) for one in totals):
        wrong.append(f"net revenue {found['net_revenue']:.2f} for {totals}")
    if truth.get("customers") not in (None, found["customers"]):
        wrong.append(f"{found['customers']} customers for {truth['customers']}")
    if "first" in truth:
        first = pd.Timestamp(truth["first"])
        first = first.tz_localize("UTC") if first.tzinfo is None else first
        if abs((pd.Timestamp(found["first_event"]) - first).total_seconds()) > 2:
            wrong.append(f"first event {found['first_event']} for {first}")
    if "days" in truth:
        events = pd.concat(map(pd.read_parquet, folder.rglob("events.parquet")))
        if sorted(events.event_time.dt.date) != truth["days"]:
            wrong.append("days")
    return wrong


@pytest.mark.parametrize("name", CASES)
def test_no_total_is_wrong(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Any) -> None:
    paths, truth, answers = CASES[name](tmp_path)
    answers = dict(answers or {})
    always = answers.pop("_always", False)
    code, found = ingest(paths, tmp_path, answers if always else {}, capsys)
    if code == 3:
        readings = found["error"]["params"].get("readings", [])
        assert all(reading["option"] for reading in readings)
        if answers:
            code, found = ingest(paths, tmp_path, answers, capsys)
    assert code in (0, 3, 4)
    assert code or faults(truth, found, tmp_path) == []
